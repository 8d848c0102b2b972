package sam

import (
	"slices"
	"strconv"
	"strings"

	"ouro/template"
)

// A model is the form of a property of AWS::Serverless::GraphQLApi, which SAM
// checks in depth.
type model struct {
	fits   func(*node) bool // nil for what has members
	fields []field          // of an object
	each   *model           // of a list's items, or of the members of a map with any names
	list   bool
}

// field is a member of an object.
type field struct {
	name     string
	form     *model
	required bool
}

var (
	anyForm  = &model{fits: func(*node) bool { return true }}
	textForm = &model{fits: func(n *node) bool { return n.IsScalar() && !isBool(n) }}
	boolForm = &model{fits: (*node).IsScalar}
	nameForm = &model{fits: func(n *node) bool { return textForm.fits(n) || isMap(n) }}
)

func isBool(n *node) bool { return n != nil && n.Kind == template.Bool }

// object is a form whose members have names; a * stands before the required
// ones.
func object(members ...any) *model {
	m := &model{}
	for i := 0; i < len(members); i += 2 {
		name := members[i].(string)
		m.fields = append(m.fields, field{strings.TrimPrefix(name, "*"), members[i+1].(*model), name[0] == '*'})
	}
	return m
}

func oneOfTexts(texts ...string) *model {
	return &model{fits: func(n *node) bool { return isString(n) && slices.Contains(texts, n.Text) }}
}

func listForm(item *model) *model    { return &model{each: item, list: true} }
func membersForm(item *model) *model { return &model{each: item} }

// anyOf is an object of members that may be anything; a * stands before the
// required ones.
func anyOf(names ...string) *model {
	var members []any
	for _, name := range names {
		members = append(members, name, anyForm)
	}
	return object(members...)
}

// mistake is the path to the first member of n that does not fit, "" when all
// do.
func (m *model) mistake(n *node, path string) string {
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch {
	case m.fits != nil:
		if !m.fits(n) {
			return path
		}
	case m.list && !isList(n) || !m.list && !isMap(n):
		return path
	case m.list:
		for i, item := range n.Items {
			if wrong := m.each.mistake(item, below(strconv.Itoa(i))); wrong != "" {
				return wrong
			}
		}
	case m.each != nil:
		for key, v := range entries(n) {
			if wrong := m.each.mistake(v, below(key)); wrong != "" {
				return wrong
			}
		}
	default:
		return m.fieldMistake(n, below)
	}
	return ""
}

func (m *model) fieldMistake(n *node, below func(string) string) string {
	for _, f := range m.fields {
		v := get(n, f.name)
		if v == nil && f.required && (!has(n, f.name) || f.form != anyForm) {
			return below(f.name)
		}
		if v != nil {
			if wrong := f.form.mistake(v, below(f.name)); wrong != "" {
				return wrong
			}
		}
	}
	for _, key := range n.Keys {
		if !slices.ContainsFunc(m.fields, func(f field) bool { return f.name == key.Text }) {
			return below(key.Text)
		}
	}
	return ""
}

var authTypes = oneOfTexts("AWS_IAM", "API_KEY", "AWS_LAMBDA", "OPENID_CONNECT", "AMAZON_COGNITO_USER_POOLS")

// authorizerForm is one way of telling who calls.
func authorizerForm(more ...any) *model {
	return object(append([]any{
		"*Type", authTypes,
		"LambdaAuthorizer", anyOf("AuthorizerResultTtlInSeconds", "*AuthorizerUri", "IdentityValidationExpression"),
		"OpenIDConnect", anyOf("AuthTTL", "ClientId", "IatTTL", "Issuer"),
		"UserPool", anyOf("AppIdClientRegex", "AwsRegion", "DefaultAction", "*UserPoolId"),
	}, more...)...)
}

var (
	loggingForm = anyOf("CloudWatchLogsRoleArn", "ExcludeVerboseContent", "FieldLogLevel")
	runtimeForm = anyOf("*Name", "*Version")
	syncForm    = object("*ConflictDetection", anyForm, "ConflictHandler", anyForm,
		"LambdaConflictHandlerConfig", anyOf("*LambdaConflictHandlerArn"))
	tableForm = object("*TableName", anyForm, "ServiceRoleArn", anyForm, "TableArn", anyForm,
		"Permissions", listForm(oneOfTexts("Read", "Write")), "Name", anyForm, "Description", anyForm, "Region", anyForm,
		"DeltaSync", anyOf("*BaseTableTTL", "*DeltaSyncTableName", "*DeltaSyncTableTTL"),
		"UseCallerCredentials", anyForm, "Versioned", anyForm)
	stepForm = object("DataSource", nameForm, "Runtime", runtimeForm, "InlineCode", anyForm, "CodeUri", anyForm,
		"Description", anyForm, "MaxBatchSize", anyForm, "Name", textForm, "Id", anyForm, "Sync", syncForm)
	resolverForm = object("FieldName", textForm, "Caching", object("*Ttl", anyForm, "CachingKeys", listForm(anyForm)),
		"InlineCode", anyForm, "CodeUri", anyForm, "MaxBatchSize", anyForm, "Pipeline", listForm(textForm),
		"Runtime", runtimeForm, "Sync", syncForm)
)

// graphQLForm is the form of all properties.
var graphQLForm = object(
	"*Auth", authorizerForm("Additional", listForm(authorizerForm())),
	"Tags", membersForm(anyForm), "Name", anyForm, "XrayEnabled", boolForm, "SchemaInline", anyForm, "SchemaUri", anyForm,
	"Logging", &model{fits: func(n *node) bool { return isBool(n) || isMap(n) }},
	"DataSources", object("DynamoDb", membersForm(tableForm),
		"Lambda", membersForm(anyOf("*FunctionArn", "ServiceRoleArn", "Name", "Description"))),
	"Functions", membersForm(stepForm), "Resolvers", membersForm(membersForm(resolverForm)),
	"ApiKeys", membersForm(anyOf("ApiKeyId", "Description", "ExpiresOn")),
	"DomainName", anyOf("*CertificateArn", "*DomainName", "Description"),
	"Cache", anyOf("*ApiCachingBehavior", "*Ttl", "*Type", "AtRestEncryptionEnabled", "TransitEncryptionEnabled"),
	"Visibility", anyForm, "OwnerContact", anyForm, "IntrospectionConfig", anyForm, "QueryDepthLimit", anyForm, "ResolverCountLimit", anyForm,
)
