package codepipeline

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// checkActions checks every action by itself, and then the artifacts and
// namespaces that they share.
func checkActions(def *types.PipelineDeclaration, region string) error {
	for _, st := range def.Stages {
		for _, a := range st.Actions {
			if err := checkAction(def, a, region); err != nil {
				return err
			}
		}
	}
	if err := checkArtifacts(def); err != nil {
		return err
	}
	return checkNamespaces(def)
}

func checkAction(def *types.PipelineDeclaration, a types.ActionDeclaration, region string) error {
	name, id := aws.ToString(a.Name), a.ActionTypeId
	k := kindOf(id)
	if k == nil {
		return invalidAction("ActionType (Category: '%s', Provider: '%s', Owner: '%s', Version: '%s') in action '%s' is not available in region '%s'",
			id.Category, aws.ToString(id.Provider), id.Owner, aws.ToString(id.Version), name, regionName(region))
	}
	if k.onlyV2 && def.PipelineType != types.PipelineTypeV2 {
		return invalidAction("%s Action can only be used with V2 pipelines.", k.provider)
	}
	if order := runOrder(a); order < 1 || order > 999 {
		return constraint("runOrder", "pipeline.stages.actions.runOrder", "Member must have value between 1 and 999")
	}
	if role := aws.ToString(a.RoleArn); role != "" && !rolePattern().MatchString(role) {
		return constraint(role, "pipeline.stages.actions.roleArn", `Member must satisfy regular expression pattern: arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*`)
	}
	if m := a.TimeoutInMinutes; m != nil && (*m < 5 || *m > 86400) {
		return constraint("timeoutInMinutes", "pipeline.stages.actions.timeoutInMinutes", "Member must have value between 5 and 86400")
	}
	if err := checkCount(name, "input", len(a.InputArtifacts), k.in); err != nil {
		return err
	}
	if err := checkCount(name, "output", len(a.OutputArtifacts), k.out); err != nil {
		return err
	}
	return checkConfiguration(k, name, a.Configuration)
}

func checkCount(action, what string, n int, allowed span) error {
	switch {
	case n < int(allowed.least):
		return invalidAction("Action '%s' has %d %s artifact(s), which is less than the minimum count of %d", action, n, what, allowed.least)
	case n > int(allowed.most):
		return invalidAction("Action '%s' has %d %s artifact(s), which is more than the maximum count of %d", action, n, what, allowed.most)
	}
	return nil
}

func checkConfiguration(k *kind, action string, configuration map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(configuration)) {
		if n := len(configuration[name]); n < 1 || n > maxConfiguration {
			return invalid("1 validation error detected: Value at 'pipeline.stages.member.actions.member.configuration' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]")
		}
		if k.config != nil && k.property(name) == nil {
			return invalidAction("Action configuration for action '%s' contains unknown configuration '%s'", action, name)
		}
	}
	for _, p := range k.config {
		if _, ok := configuration[p.name]; p.flag&required != 0 && !ok {
			return invalidAction("Action configuration for action '%s' is missing required configuration '%s'", action, p.name)
		}
	}
	return nil
}

// checkArtifacts checks that artifacts are made once, and before they are used:
// in an earlier stage, or in the same one with a lower run order.
func checkArtifacts(def *types.PipelineDeclaration) error {
	made := map[string]bool{}
	for _, st := range newPlan(def).stages {
		for _, group := range st.groups {
			for _, a := range group {
				for _, in := range a.InputArtifacts {
					name := aws.ToString(in.Name)
					if !artifactPattern().MatchString(name) {
						return constraint(name, "pipeline.stages.actions.inputArtifacts.name", `Member must satisfy regular expression pattern: [a-zA-Z0-9_\-]+`)
					}
					if !made[name] {
						return invalidAction("Input Artifact Bundle %s in action %s is not declared as Output Artifact Bundle in any of the preceding actions", name, aws.ToString(a.Name))
					}
				}
			}
			for _, a := range group {
				for _, out := range a.OutputArtifacts {
					name := aws.ToString(out.Name)
					if !artifactPattern().MatchString(name) || len(name) > 100 {
						return constraint(name, "pipeline.stages.actions.outputArtifacts.name", `Member must satisfy regular expression pattern: [a-zA-Z0-9_\-]+`)
					}
					if made[name] {
						return invalidAction("Output Artifact Bundle name must be unique within the pipeline. %s has been used more than once.", name)
					}
					made[name] = true
				}
			}
		}
	}
	return nil
}

func checkNamespaces(def *types.PipelineDeclaration) error {
	seen := map[string]bool{}
	for _, st := range def.Stages {
		for _, a := range st.Actions {
			ns := aws.ToString(a.Namespace)
			switch {
			case ns == "":
			case !spacePattern().MatchString(ns) || len(ns) > 100:
				return constraint(ns, "pipeline.stages.actions.namespace", `Member must satisfy regular expression pattern: [A-Za-z0-9@\-_]+`)
			case ns == ownNamespace || ns == pipelineNamespace:
				return invalidAction("The namespace '%s' of action '%s' is reserved", ns, aws.ToString(a.Name))
			case seen[ns]:
				return invalidAction("Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline. StageName=[%s], ActionName=[%s], Namespace=[%s]",
					aws.ToString(st.Name), aws.ToString(a.Name), ns)
			}
			seen[ns] = true
		}
	}
	return nil
}
