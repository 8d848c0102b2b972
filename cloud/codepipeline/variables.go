package codepipeline

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/regex"
)

// reference is a variable in a configuration: #{Namespace.Name}.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
var reference = regex.New(`#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_.]+)\}`)

// Namespaces that every pipeline has.
const (
	ownNamespace      = "codepipeline"
	pipelineNamespace = "variables"
)

// resolve gives a configuration with its variables replaced by what they hold
// in this execution.
func (e *execution) resolve(configuration map[string]string) (map[string]string, error) {
	resolved := make(map[string]string, len(configuration))
	for _, name := range sortedKeys(configuration) {
		value := configuration[name]
		var missing string
		resolved[name] = reference().ReplaceAllStringFunc(value, func(ref string) string {
			m := reference().FindStringSubmatch(ref)
			v, ok := e.variable(m[1], m[2])
			if !ok && missing == "" {
				missing = ref
			}
			return v
		})
		if missing != "" {
			return nil, failed(types.FailureTypeConfigurationError,
				"the configuration %q refers to the variable %s, which no action of this execution has produced", name, missing)
		}
	}
	return resolved, nil
}

func (e *execution) variable(namespace, name string) (string, bool) {
	switch namespace {
	case ownNamespace:
		if name == "PipelineExecutionId" {
			return e.ID, true
		}
		return "", false
	case pipelineNamespace:
		v, ok := e.Variables[name]
		return v, ok
	}
	v, ok := e.Outputs[namespace][name]
	return v, ok
}

// Limits of variables, of which the first is one action's output variables with
// their names, and the second its configuration without variables, in bytes.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	maxProduced = 122_880
	maxResolved = 100 << 10
)

func checkProduced(variables map[string]string) error {
	if n := size(variables); n > maxProduced {
		return failed(types.FailureTypeJobFailed, "the output variables have %d bytes together, which is more than %d", n, maxProduced)
	}
	return nil
}

func checkResolved(configuration map[string]string) error {
	if n := size(configuration); n > maxResolved {
		return failed(types.FailureTypeConfigurationError, "the configuration has %d bytes after its variables were replaced, which is more than %d", n, maxResolved)
	}
	return nil
}

func size(of map[string]string) int {
	n := 0
	for k, v := range of {
		n += len(k) + len(v)
	}
	return n
}

func sortedKeys[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }
