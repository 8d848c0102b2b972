package codepipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
)

const maxConfigurationKey = 50 // characters

// checkActions checks every action by itself, then the artifacts and namespaces
// that they share, and the conditions and references that need them.
func (s *Service) checkActions(ctx context.Context, def *types.PipelineDeclaration) error {
	own := door.CallerFrom(ctx).Scope()
	for _, st := range def.Stages {
		for _, a := range st.Actions {
			scope := actionScope(own, &a)
			k, err := s.kind(ctx, scope, a.ActionTypeId)
			if err != nil {
				return err
			}
			if k == nil {
				return invalidAction("ActionType %s in action '%s' is not available in region '%s'", typeName(a.ActionTypeId), aws.ToString(a.Name), regionName(scope.Region))
			}
			if err := checkAction(def, a, k); err != nil {
				return err
			}
		}
	}
	for _, check := range []func(*types.PipelineDeclaration) error{checkArtifacts, checkNamespaces, checkConditions, checkReferences} {
		if err := check(def); err != nil {
			return err
		}
	}
	return nil
}

func checkAction(def *types.PipelineDeclaration, a types.ActionDeclaration, k *kind) error {
	name := aws.ToString(a.Name)
	if k.onlyV2 && def.PipelineType != types.PipelineTypeV2 {
		return invalidAction("%s Action can only be used with V2 pipelines.", k.provider)
	}
	if order := runOrder(a); order < 1 || order > 999 {
		return constraint("runOrder", "pipeline.stages.actions.runOrder", "Member must have value between 1 and 999")
	}
	if role := aws.ToString(a.RoleArn); role != "" && !rolePattern().MatchString(role) {
		return constraint(role, "pipeline.stages.actions.roleArn", `Member must satisfy regular expression pattern: arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*`)
	}
	if m := a.TimeoutInMinutes; m != nil {
		if *m < 5 || *m > 86400 {
			return constraint("timeoutInMinutes", "pipeline.stages.actions.timeoutInMinutes", "Member must have value between 5 and 86400")
		}
		if k.category != types.ActionCategoryApproval {
			return invalidAction("Action '%s' has timeoutInMinutes, which only manual approvals can have", name)
		}
	}
	if err := checkCount(name, "input", len(a.InputArtifacts), k.in); err != nil {
		return err
	}
	if err := checkCount(name, "output", len(a.OutputArtifacts), k.out); err != nil {
		return err
	}
	if err := checkCompute(a, k); err != nil {
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
		if n := len(name); n < 1 || n > maxConfigurationKey {
			return invalid("1 validation error detected: Value at 'pipeline.stages.member.actions.member.configuration' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 50, Member must have length greater than or equal to 1]")
		}
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

// computeLimits bound the lists that only actions of the category Compute have.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
const (
	maxCommands        = 50
	maxCommand         = 1000 // characters
	maxOutputVariables = 15
	maxOutputVariable  = 128 // characters
	maxFiles           = 10
	maxFile            = 128 // characters
)

// checkCompute checks the commands of an action, its output variables and the
// files of its output artifact.
func checkCompute(a types.ActionDeclaration, k *kind) error {
	name, files := aws.ToString(a.Name), []string{}
	for _, o := range a.OutputArtifacts {
		files = append(files, o.Files...)
	}
	compute := k.category == types.ActionCategoryCompute
	if compute && len(a.Commands) == 0 {
		return invalidAction("Action '%s' of category Compute has no commands", name)
	}
	for _, list := range []struct {
		member            string
		values            []string
		most, mostLetters int
	}{
		{"commands", a.Commands, maxCommands, maxCommand},
		{"outputVariables", a.OutputVariables, maxOutputVariables, maxOutputVariable},
		{"outputArtifacts.files", files, maxFiles, maxFile},
	} {
		at := "pipeline.stages.actions." + list.member
		switch {
		case len(list.values) > 0 && !compute:
			return invalidAction("Action '%s' has %s, which only actions of category Compute can have", name, list.member)
		case len(list.values) > list.most:
			return constraint(name, at, fmt.Sprintf("Member must have length less than or equal to %d", list.most))
		}
		for _, v := range list.values {
			if v == "" || len(v) > list.mostLetters {
				return constraint(v, at, fmt.Sprintf("Member must have length between 1 and %d", list.mostLetters))
			}
		}
	}
	return nil
}
