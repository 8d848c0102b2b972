package codepipeline

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// checkReferences checks that the variables in configurations belong to
// namespaces that exist, and that those of the pipeline are declared. Whether
// an action produces a variable shows when it has run.
func checkReferences(def *types.PipelineDeclaration) error {
	known := map[string]bool{ownNamespace: true, pipelineNamespace: len(def.Variables) > 0}
	for _, st := range def.Stages {
		for _, a := range st.Actions {
			known[aws.ToString(a.Namespace)] = true
		}
	}
	declared := map[string]bool{}
	for _, v := range def.Variables {
		declared[aws.ToString(v.Name)] = true
	}
	check := func(stage, action *string, configuration map[string]string) error {
		for _, key := range sortedKeys(configuration) {
			for _, m := range reference().FindAllStringSubmatch(configuration[key], -1) {
				where := fmt.Sprintf("StageName=[%s], ActionName=[%s], ActionConfigurationKey=[%s], VariableReferenceText=[%s.%s]",
					aws.ToString(stage), aws.ToString(action), key, m[1], m[2])
				switch {
				case !known[m[1]]:
					return invalidAction("Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). "+
						"The following pipeline execution variables are referencing a namespace that does not exist. %s", where)
				case m[1] == pipelineNamespace && !declared[m[2]]:
					return invalidAction("The following pipeline execution variables are referencing a pipeline variable that is not declared. %s", where)
				}
			}
		}
		return nil
	}
	for _, st := range def.Stages {
		for _, a := range st.Actions {
			if err := check(st.Name, a.Name, a.Configuration); err != nil {
				return err
			}
		}
		for _, at := range []when{beforeEntry, onSuccess, onFailure} {
			if c := condition(st, at); c != nil {
				for _, r := range c.Rules {
					if err := check(st.Name, r.Name, r.Configuration); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}
