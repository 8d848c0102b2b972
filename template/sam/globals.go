package sam

import (
	"fmt"
	"slices"
	"strings"

	"ouro/template"
)

// globalProperties are what the section Globals takes, by type. The lists are
// in SAM's order, which the message of a mistake repeats.
var globalProperties = map[string][]string{
	"Function": {"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment",
		"Tags", "PropagateTags", "Tracing", "KmsKeyArn", "AutoPublishAlias", "AutoPublishAliasAllProperties", "Layers", "DeploymentPreference",
		"RolePath", "PermissionsBoundary", "ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig", "AssumeRolePolicyDocument",
		"EventInvokeConfig", "FileSystemConfigs", "CodeSigningConfigArn", "Architectures", "SnapStart", "EphemeralStorage",
		"FunctionUrlConfig", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn", "TenancyConfig",
		"DurableConfig", "CapacityProviderConfig", "FunctionScalingConfig", "PublishToLatestPublished", "VersionDeletionPolicy"},
	"Api": {"Auth", "Name", "DefinitionUri", "CacheClusterEnabled", "CacheClusterSize", "MergeDefinitions", "Variables",
		"EndpointConfiguration", "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors", "GatewayResponses",
		"AccessLogSetting", "CanarySetting", "TracingEnabled", "OpenApiVersion", "Domain", "AlwaysDeploy", "PropagateTags",
		"SecurityPolicy", "EndpointAccessMode"},
	"HttpApi": {"Auth", "AccessLogSettings", "StageVariables", "Tags", "CorsConfiguration", "DefaultRouteSettings", "Domain",
		"RouteSettings", "FailOnWarnings", "PropagateTags"},
	"SimpleTable":  {"SSESpecification"},
	"StateMachine": {"PropagateTags"},
	"LayerVersion": {"PublishLambdaVersion"},
	"CapacityProvider": {"VpcConfig", "OperatorRole", "Tags", "InstanceRequirements", "ScalingConfig", "KmsKeyArn",
		"PropagateTags"},
	"WebSocketApi": {"AccessLogSettings", "ApiKeySelectionExpression", "DefaultRouteSettings", "DisableExecuteApiEndpoint",
		"DisableSchemaValidation", "Domain", "FailOnWarnings", "IpAddressType", "PropagateTags", "RouteSelectionExpression",
		"RouteSettings", "StageVariables", "Tags"},
}

// mergeGlobals gives the properties in Globals to every resource of their
// type, and takes the section out.
func mergeGlobals(c *context) {
	globals := c.root.Get("Globals")
	if globals != nil && !c.checkGlobals(globals) {
		c.fatal = true
		return
	}
	uses := map[string]int{}
	for r := range c.all(prefix) {
		uses[strings.TrimPrefix(r.typ, prefix)]++
	}
	for name, props := range entries(globals) {
		if !c.copies(props, uses[name]) {
			return
		}
	}
	for r := range c.all(prefix) {
		if props := globals.Get(strings.TrimPrefix(r.typ, prefix)); props != nil {
			if props = c.notIgnored(r, props); props == nil {
				c.fatal = true
				return
			}
			set(r.node, "Properties", merge(props, r.props))
		}
	}
	c.globals = globals
	remove(c.root, "Globals")
	fixDefinitions(c)
}

// checkGlobals tells whether the section holds what it may.
func (c *context) checkGlobals(globals *node) bool {
	wrong := func(where *node, format string, args ...any) bool {
		c.problem(where, "", "'Globals' section is invalid. "+fmt.Sprintf(format, args...))
		return false
	}
	if !isMap(globals) {
		return wrong(globals, "It must be a non-empty dictionary")
	}
	for name, props := range entries(globals) {
		known, ok := globalProperties[name]
		if !ok {
			var names []string
			for section := range globalProperties {
				names = append(names, section)
			}
			slices.Sort(names)
			return wrong(props, "'%s' is not supported. Must be one of the following values - %s", name, quoted(names))
		}
		if !isMap(props) {
			return wrong(props, "Value of ${section} must be a dictionary")
		}
		for key, v := range entries(props) {
			if !slices.Contains(known, key) {
				return wrong(v, "'%s' is not a supported property of '%s'. Must be one of the following values - %s", key, name, quoted(known))
			}
		}
	}
	return true
}

// quoted is a list as SAM's messages write it: ['a', 'b'].
func quoted(items []string) string { return "['" + strings.Join(items, "', '") + "']" }

// notIgnored are the globals without those that the resource's IgnoreGlobals
// names; nil when that attribute is wrong.
func (c *context) notIgnored(r *resource, props *node) *node {
	ignore := r.node.Get("IgnoreGlobals")
	switch {
	case !truthy(ignore):
		return props
	case isString(ignore) && ignore.Text == "*":
		return at(props.Pos).obj()
	case !isList(ignore):
		c.invalid(ignore, r.id, "Resource %s has invalid resource attribute 'IgnoreGlobals'.", r.id)
		return nil
	}
	out := clone(props)
	for _, item := range ignore.Items {
		if !has(out, item.Text) {
			c.invalid(item, r.id, "Resource %s has invalid resource attribute 'IgnoreGlobals' on item '%s'.", r.id, item.Text)
			return nil
		}
		remove(out, item.Text)
	}
	return out
}

// merge lays a resource's own value over the global one: maps key by key, lists
// one behind the other, and for everything else the own one counts. Intrinsic
// functions are values, not maps.
func merge(global, own *node) *node {
	switch {
	case isFunction(global) || isFunction(own) || global.Kind != own.Kind:
		return own
	case global.Kind == template.List:
		out := *own
		out.Items = slices.Concat(clone(global).Items, own.Items)
		return &out
	case global.Kind == template.Map:
		out := clone(global)
		out.Pos = own.Pos
		for key, v := range entries(own) {
			if g := out.Get(key); g != nil {
				v = merge(g, v)
			}
			set(out, key, v)
		}
		return out
	}
	return own
}
