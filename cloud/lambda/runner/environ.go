package runner

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// environment is that of a process: the function's own variables, and over them
// those that Lambda sets
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
func environment(s *process, credentials aws.Credentials, v view) []string {
	fn := s.fn
	env := map[string]string{
		"PATH": strings.Join([]string{"/usr/local/bin", "/usr/bin", "/bin", filepath.Join(v.opt, "bin")}, ":"),
		"LANG": "en_US.UTF-8",
		"TZ":   ":UTC",
		"LD_LIBRARY_PATH": strings.Join([]string{
			v.runtime, filepath.Join(v.runtime, "lib"), v.task, filepath.Join(v.task, "lib"), filepath.Join(v.opt, "lib"),
		}, ":"),
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
	}
	if v.mounts == "" {
		env["TMPDIR"] = v.tmp
		env["PYTHONDONTWRITEBYTECODE"] = "1" // its code is nobody's to write to
	}
	maps.Copy(env, searchPaths(fn.Runtime, v))
	if s.pool.options.Endpoint != "" {
		env["AWS_ENDPOINT_URL"] = s.pool.options.Endpoint
	}
	maps.Copy(env, fn.Environment)
	maps.Copy(env, map[string]string{
		"_HANDLER":                        fn.Handler,
		"AWS_REGION":                      fn.Region,
		"AWS_DEFAULT_REGION":              fn.Region,
		"AWS_ACCESS_KEY_ID":               credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               credentials.SessionToken,
		"AWS_LAMBDA_FUNCTION_NAME":        fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     fn.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(fn.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       fn.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      s.log.name,
		"AWS_LAMBDA_LOG_FORMAT":           map[bool]string{true: "JSON", false: "Text"}[fn.LogFormat == "JSON"],
		"LAMBDA_TASK_ROOT":                v.task,
		"LAMBDA_RUNTIME_DIR":              v.runtime,
		sandboxVariable:                   s.dir,
	})
	if fn.LogFormat == "JSON" {
		env["AWS_LAMBDA_LOG_LEVEL"] = cmp.Or(fn.LogLevel, "INFO")
	}
	if !strings.HasPrefix(fn.Runtime, "provided") {
		env["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + fn.Runtime
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// searchPaths are those of the language, on which the layers are.
func searchPaths(runtime string, v view) map[string]string {
	if version, ok := strings.CutPrefix(runtime, "nodejs"); ok {
		modules := filepath.Join(v.opt, "nodejs", "node_modules")
		byVersion := filepath.Join(v.opt, "nodejs", "node"+strings.TrimSuffix(version, ".x"), "node_modules")
		return map[string]string{"NODE_PATH": strings.Join([]string{
			byVersion, modules, filepath.Join(v.runtime, "node_modules"), v.runtime, v.task,
		}, ":")}
	}
	if strings.HasPrefix(runtime, "python") {
		return map[string]string{
			"PYTHONPATH":          v.runtime,
			"_LAMBDA_PYTHON_PATH": strings.Join([]string{filepath.Join(v.opt, "python", "lib", runtime, "site-packages"), filepath.Join(v.opt, "python")}, ":"),
		}
	}
	return nil
}
