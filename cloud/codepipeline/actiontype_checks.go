package codepipeline

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func checkTypeID(id *types.ActionTypeId) error {
	switch {
	case !slices.Contains(id.Category.Values(), id.Category):
		return constraint(string(id.Category), "category", "Member must satisfy enum value set: [Deploy, Invoke, Approval, Test, Build, Source, Compute]")
	case !providerPattern().MatchString(aws.ToString(id.Provider)):
		return constraint(aws.ToString(id.Provider), "provider", `Member must satisfy regular expression pattern: [0-9A-Za-z_-]+`)
	case len(*id.Provider) > 35:
		return constraint(*id.Provider, "provider", "Member must have length less than or equal to 35")
	case !providerPattern().MatchString(aws.ToString(id.Version)):
		return constraint(aws.ToString(id.Version), "version", `Member must satisfy regular expression pattern: [0-9A-Za-z_-]+`)
	case len(*id.Version) > 9:
		return constraint(*id.Version, "version", "Member must have length less than or equal to 9")
	}
	return nil
}

func checkActionType(in *codepipeline.CreateCustomActionTypeInput) error {
	if err := checkTypeID(customID(in.Category, in.Provider, in.Version)); err != nil {
		return err
	}
	for _, d := range []struct {
		member  string
		details *types.ArtifactDetails
	}{{"inputArtifactDetails", in.InputArtifactDetails}, {"outputArtifactDetails", in.OutputArtifactDetails}} {
		if d.details == nil {
			return constraint("null", d.member, "Member must not be null")
		}
		if least, most := d.details.MinimumCount, d.details.MaximumCount; least < 0 || most > 5 || least > most {
			return invalid("The %s are not valid: the minimum is %d, the maximum %d; an action has 0 to 5 artifacts", d.member, least, most)
		}
	}
	if err := checkProperties(in.ConfigurationProperties); err != nil {
		return err
	}
	return checkURLs(in.Settings, in.ConfigurationProperties)
}

const maxProperties = 10

func checkProperties(list []types.ActionConfigurationProperty) error {
	if len(list) > maxProperties {
		return constraint("configurationProperties", "configurationProperties", "Member must have length less than or equal to 10")
	}
	seen := map[string]bool{}
	asked := 0
	for _, p := range list {
		name := aws.ToString(p.Name)
		switch {
		case name == "" || len(name) > 50:
			return constraint(name, "configurationProperties.1.member.name", "Member must have length between 1 and 50")
		case seen[name]:
			return invalid("The configuration property '%s' is declared more than once", name)
		case len(aws.ToString(p.Description)) > 160:
			return constraint(aws.ToString(p.Description), "configurationProperties.1.member.description", "Member must have length less than or equal to 160")
		case p.Queryable && (!p.Required || p.Secret):
			return invalid("The queryable configuration property '%s' must be required and not secret", name)
		}
		seen[name] = true
		if p.Queryable {
			asked++
		}
	}
	if asked > 1 {
		return invalid("An action type can have only one queryable configuration property")
	}
	return nil
}

// checkURLs checks that URL templates name only properties that are required
// and not secret.
func checkURLs(set *types.ActionTypeSettings, list []types.ActionConfigurationProperty) error {
	if set == nil {
		return nil
	}
	for _, template := range []*string{set.EntityUrlTemplate, set.ExecutionUrlTemplate, set.RevisionUrlTemplate} {
		for _, m := range urlVariable().FindAllStringSubmatch(aws.ToString(template), -1) {
			name, ok := strings.CutPrefix(m[1], "Config:")
			i := slices.IndexFunc(list, func(p types.ActionConfigurationProperty) bool { return aws.ToString(p.Name) == name })
			if ok && (i < 0 || !list[i].Required || list[i].Secret) {
				return invalid("The URL template '%s' refers to '%s', which is no configuration property that is required and not secret", *template, name)
			}
		}
	}
	return nil
}
