package template

import (
	"slices"
	"strconv"
	"strings"
)

// form is what a value in an attribute may be: a kind of scalar, a map of
// such members, or a list of such items.
type form struct {
	scalar  string // integer, booleanForm, text, duration, processes
	members map[string]form
	items   *form
}

var (
	integerForm = form{scalar: "integer"}
	booleanForm = form{scalar: "boolean"}
	textForm    = form{scalar: "text"}
	signalForm  = form{members: map[string]form{"Count": integerForm, "Timeout": {scalar: "duration"}}}
	// fleetForm is a switch of AWS::AppStream::Fleet, which the page shows with
	// a Type.
	fleetForm  = form{scalar: "boolean", members: map[string]form{"Type": booleanForm}}
	searchForm = form{members: map[string]form{"EnableVersionUpgrade": booleanForm}}
	// refreshForm is how instances are refreshed
	// (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html).
	refreshForm = form{members: map[string]form{"Strategy": textForm, "Preferences": {members: map[string]form{
		"AlarmSpecification": {members: map[string]form{"Alarms": {items: &textForm}}}, "BakeTime": integerForm,
		"CheckpointDelay": integerForm, "CheckpointPercentages": {items: &integerForm}, "InstanceWarmup": integerForm,
		"MaxHealthyPercentage": integerForm, "MinHealthyPercentage": integerForm, "ScaleInProtectedInstances": textForm,
		"SkipMatching": booleanForm, "StandbyInstances": textForm,
	}}}}
)

// creationPolicies are the types that wait for signals
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-creationpolicy.html).
var creationPolicies = map[string]form{
	"AWS::AppStream::Fleet": {members: map[string]form{"StartFleet": fleetForm}},
	"AWS::AutoScaling::AutoScalingGroup": {members: map[string]form{
		"AutoScalingCreationPolicy": {members: map[string]form{"MinSuccessfulInstancesPercent": integerForm}}, "ResourceSignal": signalForm,
	}},
	"AWS::CloudFormation::WaitCondition": {members: map[string]form{"ResourceSignal": signalForm}},
	"AWS::EC2::Instance":                 {members: map[string]form{"ResourceSignal": signalForm}},
}

// updatePolicies are the types whose updates can be told how
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html).
var updatePolicies = map[string]form{
	"AWS::AppStream::Fleet": {members: map[string]form{"StopBeforeUpdate": fleetForm, "StartAfterUpdate": fleetForm}},
	"AWS::AutoScaling::AutoScalingGroup": {members: map[string]form{
		"AutoScalingInstanceRefresh": refreshForm,
		"AutoScalingReplacingUpdate": {members: map[string]form{"WillReplace": booleanForm}},
		"AutoScalingRollingUpdate": {members: map[string]form{
			"MaxBatchSize": integerForm, "MinActiveInstancesPercent": integerForm, "MinInstancesInService": integerForm,
			"MinSuccessfulInstancesPercent": integerForm, "PauseTime": {scalar: "duration"}, "SuspendProcesses": {scalar: "processes"},
			"WaitOnResourceSignals": booleanForm,
		}},
		"AutoScalingScheduledAction": {members: map[string]form{"IgnoreUnmodifiedGroupSizeProperties": booleanForm}},
	}},
	"AWS::ElastiCache::ReplicationGroup": {members: map[string]form{"UseOnlineResharding": booleanForm}},
	"AWS::Elasticsearch::Domain":         searchForm,
	"AWS::OpenSearchService::Domain":     searchForm,
	"AWS::Lambda::Alias": {members: map[string]form{"CodeDeployLambdaAliasUpdate": {members: map[string]form{
		"AfterAllowTrafficHook": {scalar: "text"}, "ApplicationName": {scalar: "text"},
		"BeforeAllowTrafficHook": {scalar: "text"}, "DeploymentGroupName": {scalar: "text"},
	}}}},
}

var lifecycles = []struct {
	attribute string
	forms     map[string]form
}{{"CreationPolicy", creationPolicies}, {"UpdatePolicy", updatePolicies}}

// processes are what AutoScalingRollingUpdate may suspend.
var processes = []string{
	"AZRebalance", "AddToLoadBalancer", "AlarmNotification", "HealthCheck", "InstanceRefresh", "Launch", "ReplaceUnhealthy",
	"ScheduledActions", "Terminate",
}

// snapshots are the types that can leave a snapshot
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html);
// for others CloudFormation falls back to Delete.
var snapshots = []string{
	"AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup",
	"AWS::Neptune::DBCluster", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster",
}

// policyValues are what the two deletion policies may be, and policyFunctions
// what may stand there under AWS::LanguageExtensions.
var (
	policyValues = map[string][]string{
		"DeletionPolicy":      {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"},
		"UpdateReplacePolicy": {"Delete", "Retain", "Snapshot"},
	}
	policyFunctions = []string{"Ref", "Fn::FindInMap", "Fn::If", "Fn::Select", "Fn::Sub"}
)

// isDuration tells whether s is PT#H#M#S, as CloudFormation takes durations.
func isDuration(s string) bool {
	rest, ok := strings.CutPrefix(s, "PT")
	if !ok || rest == "" {
		return false
	}
	for _, unit := range []string{"H", "M", "S"} {
		digits := strings.TrimLeft(rest, "0123456789")
		if after, ok := strings.CutPrefix(digits, unit); ok && len(digits) < len(rest) {
			rest = after
		}
	}
	return rest == ""
}

// forms says for each scalar what is wrong with a text, or "".
var forms = map[string]func(text string) string{
	"boolean": func(s string) string {
		if lower := strings.ToLower(s); lower != "true" && lower != "false" {
			return "must be true or false"
		}
		return ""
	},
	"integer": func(s string) string {
		if _, err := strconv.Atoi(s); err != nil {
			return "must be an integer"
		}
		return ""
	},
	"duration": func(s string) string {
		if !isDuration(s) {
			return "must be a duration such as PT1H30M"
		}
		return ""
	},
	"text": func(string) string { return "" },
}

// lifecycle checks the attributes that tell how a resource comes and goes.
func (c *checker) lifecycle(resource, n *Node) {
	kind := n.Get("Type").Scalar()
	for _, types := range lifecycles {
		policy := n.Get(types.attribute)
		if policy == nil || policy.Kind != Map || c.macros {
			continue
		}
		f, ok := types.forms[kind]
		if !ok {
			c.warn(policy.Pos, "policy", resource.Text, "%s of resource %q has no effect: %s does not support it", types.attribute, resource.Text, kind)
			continue
		}
		c.form(policy, f, types.attribute)
	}
	for _, attribute := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		if p := n.Get(attribute); p.Scalar() == "Snapshot" && !slices.Contains(snapshots, kind) && !c.macros {
			c.warn(p.Pos, "policy", resource.Text, "%s Snapshot of resource %q has no effect: %s does not support snapshots", attribute, resource.Text, kind)
		}
	}
}

func (c *checker) form(n *Node, f form, path string) {
	name, _ := n.Function()
	switch {
	case name != "":
	case n.Kind == Map && f.members != nil:
		for i, k := range n.Keys {
			inner, ok := f.members[k.Text]
			if !ok {
				c.problem(k.Pos, "unknown-attribute", k.Text, "", "%s has no member %q", path, k.Text)
				continue
			}
			c.form(n.Items[i], inner, path+"."+k.Text)
		}
	case n.Kind == List && f.scalar == "processes":
		for _, item := range n.Items {
			if item.IsScalar() && !slices.Contains(processes, item.Text) {
				c.problem(item.Pos, "policy", item.Text, "", "%s knows %s, not %q", path, strings.Join(processes, ", "), item.Text)
			}
		}
	case n.Kind == List && f.items != nil:
		for _, item := range n.Items {
			c.form(item, *f.items, path)
		}
	case !n.IsScalar() || forms[f.scalar] == nil:
		c.problem(n.Pos, "policy", path, "", "%s cannot be a %s", path, n.Kind)
	default:
		if wrong := forms[f.scalar](n.Text); wrong != "" {
			c.problem(n.Pos, "policy", path, "", "%s %s, not %q", path, wrong, n.Text)
		}
	}
}

// policy checks DeletionPolicy and UpdateReplacePolicy.
func (c *checker) policy(resource, key, n *Node) {
	name, _ := n.Function()
	switch {
	case name != "" && c.extended:
		c.place(n, place{value: policyFunctions}, key.Text, "Template format error: Every "+key.Text+" member must be a string.")
		c.walk(n)
	case name != "" || n.Kind >= List:
		c.missing(n.Pos, "policy", resource.Text, "Template format error: Every "+key.Text+" member must be a string.",
			"%s of resource %q must be a text; functions there need Transform: %s", key.Text, resource.Text, languageExtensions)
	case c.open(n.Text):
	case !slices.Contains(policyValues[key.Text], n.Text):
		c.problem(n.Pos, "policy", resource.Text, "Template format error: Unrecognized "+key.Text+" "+n.Text+" for resource "+resource.Text,
			"%s of resource %q is one of %s, not %q", key.Text, resource.Text, strings.Join(policyValues[key.Text], ", "), n.Text)
	}
}

// warn notes what CloudFormation takes, but not as it was meant.
func (c *checker) warn(pos Pos, id, name, format string, args ...any) {
	c.problem(pos, id, name, "", format, args...)
	c.problems[len(c.problems)-1].Severity = SeverityWarning
}
