package serverlessrepo

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"ouro/template"
)

// maxTemplate is the size in bytes that CloudFormation takes.
const maxTemplate = 1 << 20

const nestedApplication = "AWS::Serverless::Application"

// read takes from the template what the repository tells of it.
func (v *version) read(body string) error {
	t, err := template.Parse("template", []byte(body))
	if err != nil {
		return invalid("The template is not valid: %v", err)
	}
	resources := t.Resources()
	if len(resources) == 0 {
		return invalid("The template is not valid: it has no resources")
	}
	v.Parameters, v.Capabilities, v.Dependencies = definitions(t, resources), capabilities(resources), dependencies(resources)
	return nil
}

// definitions are the parameters, each with the resources that use it.
func definitions(t *template.Template, resources []template.Resource) []types.ParameterDefinition {
	used := map[string][]string{}
	for _, r := range resources {
		template.Uses(r.Node, func(u template.Use) {
			if !slices.Contains(used[u.Name], r.LogicalID) {
				used[u.Name] = append(used[u.Name], r.LogicalID)
			}
		})
	}
	out := []types.ParameterDefinition{}
	for _, p := range t.Parameters() {
		by := append([]string{}, used[p.Name]...)
		slices.Sort(by)
		out = append(out, types.ParameterDefinition{
			Name: aws.String(p.Name), Type: optional(p.Type), Description: optional(p.Description), DefaultValue: p.Default,
			AllowedPattern: optional(p.AllowedPattern), AllowedValues: p.AllowedValues, ConstraintDescription: optional(p.ConstraintDescription),
			MinLength: number(p.MinLength), MaxLength: number(p.MaxLength), MinValue: number(p.MinValue), MaxValue: number(p.MaxValue),
			NoEcho: aws.Bool(p.NoEcho), ReferencedByResources: by,
		})
	}
	return out
}

func number(text string) *int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil
	}
	return aws.Int32(int32(n))
}

// identities are the types that change what somebody may do, with the property
// that names them, if they have one.
var identities = map[string]string{
	"AWS::IAM::Group": "GroupName", "AWS::IAM::InstanceProfile": "InstanceProfileName", "AWS::IAM::Policy": "", "AWS::IAM::Role": "RoleName",
}

// resourcePolicies are the types that say who may use a resource.
var resourcePolicies = []string{
	"AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::IAM::Policy", "AWS::Lambda::Permission", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
}

// capabilities are what must be acknowledged before a template is deployed.
// https://docs.aws.amazon.com/serverlessrepo/latest/devguide/acknowledging-application-capabilities.html
func capabilities(resources []template.Resource) []types.Capability {
	needs := map[types.Capability]bool{}
	for _, r := range resources {
		name, isIdentity := identities[r.Type]
		// A function without a role is given one.
		if r.Type == "AWS::Serverless::Function" && r.Properties.Get("Role") == nil {
			isIdentity = true
		}
		switch {
		case isIdentity && name != "" && r.Properties.Get(name) != nil:
			needs[types.CapabilityCapabilityNamedIam] = true
		case isIdentity:
			needs[types.CapabilityCapabilityIam] = true
		}
		if slices.Contains(resourcePolicies, r.Type) {
			needs[types.CapabilityCapabilityResourcePolicy] = true
		}
		if r.Type == nestedApplication {
			needs[types.CapabilityCapabilityAutoExpand] = true
		}
	}
	out := []types.Capability{}
	for _, c := range types.Capability("").Values() {
		if needs[c] && !(c == types.CapabilityCapabilityIam && needs[types.CapabilityCapabilityNamedIam]) {
			out = append(out, c)
		}
	}
	return out
}

// dependencies are the applications that a template nests.
func dependencies(resources []template.Resource) []types.ApplicationDependencySummary {
	out := []types.ApplicationDependencySummary{}
	for _, r := range resources {
		at := r.Properties.Get("Location")
		if id := at.Get("ApplicationId").Scalar(); r.Type == nestedApplication && id != "" {
			out = append(out, types.ApplicationDependencySummary{ApplicationId: &id, SemanticVersion: aws.String(at.Get("SemanticVersion").Scalar())})
		}
	}
	return out
}
