package codepipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/regex"
)

const (
	maxStages        = 50
	maxStageActions  = 100
	maxConfiguration = 50_000 // characters of one value
	maxVariableName  = 128
	maxVariableValue = 1000
)

var (
	namePattern     = regex.New(`^[A-Za-z0-9.@\-_]+$`)
	artifactPattern = regex.New(`^[a-zA-Z0-9_\-]+$`)
	providerPattern = regex.New(`^[0-9A-Za-z_-]+$`)
	urlVariable     = regex.New(`\{([A-Za-z]+(?::[^{}]+)?)\}`)
	spacePattern    = regex.New(`^[A-Za-z0-9@\-_]+$`)
	bucketPattern   = regex.New(`^[a-zA-Z0-9\-.]+$`)
	rolePattern     = regex.New(`^arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*$`)
)

func invalid(format string, args ...any) error {
	return &types.ValidationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidStructure(format string, args ...any) error {
	return &types.InvalidStructureException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidStage(format string, args ...any) error {
	return &types.InvalidStageDeclarationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidAction(format string, args ...any) error {
	return &types.InvalidActionDeclarationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// constraint is what AWS's front answers for a value of the wrong shape.
func constraint(value, member, rule string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, rule)
}

func checkName(name, member string) error {
	switch {
	case !namePattern().MatchString(name) && name != "":
		return constraint(name, member, `Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+`)
	case name == "":
		return constraint(name, member, "Member must have length greater than or equal to 1")
	case len(name) > 100:
		return constraint(name, member, "Member must have length less than or equal to 100")
	}
	return nil
}

// validate checks a definition as CreatePipeline and UpdatePipeline do, but for
// its actions and what is said of them, which checkActions does; the pipeline is
// in that region.
func validate(def *types.PipelineDeclaration, region string) error {
	if def == nil {
		return constraint("null", "pipeline", "Member must not be null")
	}
	if err := checkName(aws.ToString(def.Name), "pipeline.name"); err != nil {
		return err
	}
	if role := aws.ToString(def.RoleArn); !rolePattern().MatchString(role) {
		return constraint(role, "pipeline.roleArn", `Member must satisfy regular expression pattern: arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*`)
	}
	for _, check := range []func(*types.PipelineDeclaration) error{checkType, checkStages, checkVariables, checkTriggers} {
		if err := check(def); err != nil {
			return err
		}
	}
	return checkStores(def, region)
}

func checkType(def *types.PipelineDeclaration) error {
	v2 := def.PipelineType == types.PipelineTypeV2
	switch {
	case def.PipelineType != "" && !slices.Contains(def.PipelineType.Values(), def.PipelineType):
		return constraint(string(def.PipelineType), "pipeline.pipelineType", "Member must satisfy enum value set: [V1, V2]")
	case def.ExecutionMode != "" && !slices.Contains(def.ExecutionMode.Values(), def.ExecutionMode):
		return constraint(string(def.ExecutionMode), "pipeline.executionMode", "Member must satisfy enum value set: [QUEUED, SUPERSEDED, PARALLEL]")
	case !v2 && def.ExecutionMode != "" && def.ExecutionMode != types.ExecutionModeSuperseded:
		return invalidStructure("QUEUED or PARALLEL mode can only be used with V2 pipelines")
	case !v2 && len(def.Variables) > 0:
		return invalidStructure("Pipeline variable can only be used with V2 pipelines")
	case !v2 && len(def.Triggers) > 0:
		return invalidStructure("Triggers on tag can only be used with V2 pipelines")
	}
	return nil
}

func checkStages(def *types.PipelineDeclaration) error {
	switch n := len(def.Stages); {
	case n < 2:
		return invalidStructure("Pipeline has only %d stage(s). There should be a minimum of 2 stages in a pipeline", n)
	case n > maxStages:
		return invalidStructure("Pipeline has too many stages. There can only be up to %d stages in a pipeline", maxStages)
	}
	seen := map[string]bool{}
	others := 0
	for i, st := range def.Stages {
		name := aws.ToString(st.Name)
		if err := checkStage(i, st); err != nil {
			return err
		}
		if seen[name] {
			return invalidStage("Stage name '%s' is used more than once", name)
		}
		seen[name] = true
		others += len(slices.DeleteFunc(slices.Clone(st.Actions), isSource))
	}
	switch {
	case others == 0:
		return invalidStructure("Pipeline should contain at least 1 action whose category is not Source")
	case !all(def.Stages[0].Actions, isSource):
		return invalidStructure("Pipeline should start with a stage that only contains source actions")
	}
	for _, st := range def.Stages[1:] {
		if slices.ContainsFunc(st.Actions, isSource) {
			return invalidStructure("Source actions can only be included in the first stage of the pipeline")
		}
	}
	return nil
}

func isSource(a types.ActionDeclaration) bool {
	return a.ActionTypeId.Category == types.ActionCategorySource
}

func all[T any](list []T, holds func(T) bool) bool {
	return !slices.ContainsFunc(list, func(v T) bool { return !holds(v) })
}

func checkStage(i int, st types.StageDeclaration) error {
	at := fmt.Sprintf("pipeline.stages.%d.member", i+1)
	if err := checkName(aws.ToString(st.Name), at+".name"); err != nil {
		return err
	}
	switch {
	case len(st.Actions) == 0:
		return invalidStage("Stage '%s' must have at least one action", aws.ToString(st.Name))
	case len(st.Actions) > maxStageActions:
		return invalidStage("Stage '%s' has too many actions. There can only be up to %d actions in a stage", aws.ToString(st.Name), maxStageActions)
	case len(st.Blockers) > 0:
		return &types.InvalidBlockerDeclarationException{Message: aws.String("Blockers are reserved for future use")}
	}
	names := map[string]bool{}
	for n, a := range st.Actions {
		name := aws.ToString(a.Name)
		if err := checkName(name, fmt.Sprintf("%s.actions.%d.member.name", at, n+1)); err != nil {
			return err
		}
		if names[name] {
			return invalidStage("Action name '%s' is used more than once in stage '%s'", name, aws.ToString(st.Name))
		}
		names[name] = true
		if a.ActionTypeId == nil {
			return constraint("null", fmt.Sprintf("%s.actions.%d.member.actionTypeId", at, n+1), "Member must not be null")
		}
		if c := a.ActionTypeId.Category; !slices.Contains(c.Values(), c) {
			return constraint(string(c), fmt.Sprintf("%s.actions.%d.member.actionTypeId.category", at, n+1),
				"Member must satisfy enum value set: [Source, Build, Deploy, Test, Invoke, Approval, Compute]")
		}
	}
	return nil
}

func checkVariables(def *types.PipelineDeclaration) error {
	if len(def.Variables) > 50 {
		return constraint("variables", "pipeline.variables", "Member must have length less than or equal to 50")
	}
	seen := map[string]bool{}
	for i, v := range def.Variables {
		name := aws.ToString(v.Name)
		at := fmt.Sprintf("pipeline.variables.%d.member.", i+1)
		switch {
		case !spacePattern().MatchString(name):
			return constraint(name, at+"name", `Member must satisfy regular expression pattern: [A-Za-z0-9@\-_]+`)
		case len(name) > maxVariableName:
			return constraint(name, at+"name", "Member must have length less than or equal to 128")
		case len(aws.ToString(v.Description)) > 200:
			return constraint(*v.Description, at+"description", "Member must have length less than or equal to 200")
		}
		if v.DefaultValue != nil {
			if err := checkVariableValue(*v.DefaultValue, at+"defaultValue"); err != nil {
				return err
			}
		}
		if seen[name] {
			return invalidStructure("Variable names must be unique. The following variable name is already in use: %s", name)
		}
		seen[name] = true
	}
	return nil
}

// checkVariableValue checks the value of a variable of a pipeline.
func checkVariableValue(value, member string) error {
	switch n := len(value); {
	case n < 1:
		return constraint(value, member, "Member must have length greater than or equal to 1")
	case n > maxVariableValue:
		return constraint(value, member, "Member must have length less than or equal to 1000")
	}
	return nil
}

func checkStores(def *types.PipelineDeclaration, region string) error {
	switch {
	case def.ArtifactStore == nil && len(def.ArtifactStores) == 0:
		return invalid("Your pipeline must have an artifact store. Declare 'pipeline.artifactStore' or 'pipeline.artifactStores'.")
	case def.ArtifactStore != nil && len(def.ArtifactStores) > 0:
		return invalid("Your pipeline can have either 'pipeline.artifactStore' or 'pipeline.artifactStores', but not both.")
	}
	regions := []string{region}
	for _, st := range def.Stages {
		for _, a := range st.Actions {
			if r := aws.ToString(a.Region); r != "" && !slices.Contains(regions, r) {
				regions = append(regions, r)
			}
		}
	}
	if def.ArtifactStore != nil {
		if len(regions) > 1 {
			return invalidStructure("Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores' instead of 'pipeline.artifactStore' to declare an artifact store, such as an artifact bucket, for each region where you have an action.")
		}
		return checkStore(*def.ArtifactStore)
	}
	for _, r := range regions {
		st, ok := def.ArtifactStores[r]
		if !ok {
			return invalidStructure("Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an action. The following region is missing in 'pipeline.artifactStores': %s.", r)
		}
		if err := checkStore(st); err != nil {
			return err
		}
	}
	return nil
}

func checkStore(st types.ArtifactStore) error {
	if st.Type != types.ArtifactStoreTypeS3 {
		return constraint(string(st.Type), "pipeline.artifactStore.type", "Member must satisfy enum value set: [S3]")
	}
	location := aws.ToString(st.Location)
	if n := len(location); n < 3 || n > 63 {
		return constraint(location, "pipeline.artifactStore.location", "Member must have length between 3 and 63")
	}
	if !bucketPattern().MatchString(location) {
		return constraint(location, "pipeline.artifactStore.location", `Member must satisfy regular expression pattern: [a-zA-Z0-9\-\.]+`)
	}
	k := st.EncryptionKey
	if k == nil {
		return nil
	}
	if k.Type != types.EncryptionKeyTypeKms {
		return constraint(string(k.Type), "pipeline.artifactStore.encryptionKey.type", "Member must satisfy enum value set: [KMS]")
	}
	if n := len(aws.ToString(k.Id)); n < 1 || n > 400 {
		return constraint(aws.ToString(k.Id), "pipeline.artifactStore.encryptionKey.id", "Member must have length between 1 and 400")
	}
	return nil
}

// regionName is a region as CodePipeline writes it in one of its messages.
func regionName(region string) string {
	return strings.ToUpper(strings.ReplaceAll(region, "-", "_"))
}
