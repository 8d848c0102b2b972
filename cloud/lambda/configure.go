package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/regex"
)

var (
	handlerPattern  = regex.New(`^(?:[^\s]+)$`)
	rolePattern     = regex.New(`^(?:arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+)$`)
	kmsPattern      = regex.New(`^(?:(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|())$`)
	resourcePattern = regex.New(`^(?:(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|())$`)
	groupPattern    = regex.New(`^(?:[\.\-_/#A-Za-z0-9]+)$`)
	variablePattern = regex.New(`^(?:[a-zA-Z]([a-zA-Z0-9_])+)$`)
)

// settings is what CreateFunction and UpdateFunctionConfiguration may set.
type settings = lambda.UpdateFunctionConfigurationInput

// AWS's bounds on a configuration.
const (
	maxTimeout     = 900   // seconds
	maxMemory      = 10240 // MB
	maxEnvironment = 4096  // bytes, as JSON
)

// checkSettings finds what breaks the API's model.
func checkSettings(v *violations, in *settings) {
	v.text("role", in.Role, 0, 2048, rolePattern())
	if aws.ToString(in.Handler) != "" {
		v.text("handler", in.Handler, 0, 128, handlerPattern())
	}
	v.text("description", in.Description, 0, 256, nil)
	v.text("kMSKeyArn", in.KMSKeyArn, 0, 2048, kmsPattern())
	v.number("timeout", in.Timeout, 1, maxTimeout)
	v.number("memorySize", in.MemorySize, 128, maxMemory)
	if in.EphemeralStorage != nil {
		v.present("ephemeralStorage.size", in.EphemeralStorage.Size != nil)
		v.number("ephemeralStorage.size", in.EphemeralStorage.Size, 512, 10240)
	}
	if in.DeadLetterConfig != nil {
		v.text("deadLetterConfig.targetArn", in.DeadLetterConfig.TargetArn, 0, 2048, resourcePattern())
	}
	if in.TracingConfig != nil {
		among(v, "tracingConfig.mode", in.TracingConfig.Mode, types.TracingMode("").Values())
	}
	if in.SnapStart != nil {
		among(v, "snapStart.applyOn", in.SnapStart.ApplyOn, types.SnapStartApplyOn("").Values())
	}
	if l := in.LoggingConfig; l != nil {
		v.text("loggingConfig.logGroup", l.LogGroup, 1, 512, groupPattern())
		among(v, "loggingConfig.logFormat", l.LogFormat, types.LogFormat("").Values())
		among(v, "loggingConfig.applicationLogLevel", l.ApplicationLogLevel, types.ApplicationLogLevel("").Values())
		among(v, "loggingConfig.systemLogLevel", l.SystemLogLevel, types.SystemLogLevel("").Values())
	}
	if in.Environment != nil {
		for name := range in.Environment.Variables {
			if !variablePattern().MatchString(name) {
				v.add("***", "environment.variables", "satisfy constraint: [Member must satisfy regular expression pattern: "+shown(variablePattern())+"]")
				break
			}
		}
	}
}

// refuseSettings names what the local cloud does not have.
func refuseSettings(in *settings) error {
	switch {
	case in.CapacityProviderConfig != nil:
		return invalid("the local cloud has no capacity providers")
	case in.DurableConfig != nil:
		return invalid("the local cloud has no durable functions")
	case len(in.FileSystemConfigs) > 0:
		return invalid("the local cloud has no file systems to mount")
	}
	return nil
}

// apply sets what a request sets, in a version that is whole already.
func (s *Service) apply(ctx context.Context, v *version, in *settings) error {
	c := &v.Config
	set(&c.Role, in.Role)
	set(&c.Handler, in.Handler)
	set(&c.Description, in.Description)
	set(&c.Timeout, in.Timeout)
	set(&c.MemorySize, in.MemorySize)
	set(&c.EphemeralStorage, in.EphemeralStorage)
	if in.KMSKeyArn != nil {
		c.KMSKeyArn = optional(*in.KMSKeyArn)
	}
	if in.DeadLetterConfig != nil {
		if c.DeadLetterConfig = in.DeadLetterConfig; aws.ToString(in.DeadLetterConfig.TargetArn) == "" {
			c.DeadLetterConfig = nil
		}
	}
	if in.TracingConfig != nil {
		c.TracingConfig = &types.TracingConfigResponse{Mode: in.TracingConfig.Mode}
	}
	if in.SnapStart != nil {
		c.SnapStart = &types.SnapStartResponse{ApplyOn: in.SnapStart.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOff}
	}
	if in.VpcConfig != nil {
		c.VpcConfig = network(in.VpcConfig)
	}
	if in.ImageConfig != nil {
		c.ImageConfigResponse = &types.ImageConfigResponse{ImageConfig: in.ImageConfig}
	}
	if in.Runtime != "" {
		if err := checkRuntime(in.Runtime); err != nil {
			return err
		}
		c.Runtime = in.Runtime
		c.RuntimeVersionConfig = &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String(runtimeARN(door.CallerFrom(ctx), c.Runtime))}
	}
	if err := applyLogging(c, in.LoggingConfig); err != nil {
		return err
	}
	if in.Layers != nil {
		layers, err := s.useLayers(ctx, in.Layers)
		if err != nil {
			return err
		}
		c.Layers = layers
	}
	if in.Environment != nil {
		if err := checkEnvironment(in.Environment.Variables); err != nil {
			return err
		}
		if err := s.seal(v, in.Environment.Variables); err != nil {
			return err
		}
	}
	if c.PackageType == types.PackageTypeZip && (c.Handler == nil || c.Runtime == "") {
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	return s.checkSize(ctx, *v)
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// network is a VPC's settings as they are told; a function outside of any has
// none.
func network(in *types.VpcConfig) *types.VpcConfigResponse {
	if len(in.SubnetIds) == 0 && len(in.SecurityGroupIds) == 0 {
		return nil
	}
	return &types.VpcConfigResponse{SubnetIds: in.SubnetIds, SecurityGroupIds: in.SecurityGroupIds, Ipv6AllowedForDualStack: in.Ipv6AllowedForDualStack, VpcId: aws.String("")}
}

func applyLogging(c *types.FunctionConfiguration, in *types.LoggingConfig) error {
	if in == nil {
		return nil
	}
	l := *c.LoggingConfig
	set(&l.LogGroup, in.LogGroup)
	if in.LogFormat != "" {
		if l.LogFormat = in.LogFormat; l.LogFormat == types.LogFormatText {
			l.ApplicationLogLevel, l.SystemLogLevel = "", ""
		} else {
			l.ApplicationLogLevel, l.SystemLogLevel = types.ApplicationLogLevelInfo, types.SystemLogLevelInfo
		}
	}
	if l.LogFormat != types.LogFormatJson && (in.ApplicationLogLevel != "" || in.SystemLogLevel != "") {
		return invalid(`LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.`)
	}
	if in.ApplicationLogLevel != "" {
		l.ApplicationLogLevel = in.ApplicationLogLevel
	}
	if in.SystemLogLevel != "" {
		l.SystemLogLevel = in.SystemLogLevel
	}
	c.LoggingConfig = &l
	return nil
}

// bygone are the runtimes for which AWS makes and updates no functions any more.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
var bygone = []types.Runtime{
	"nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
	"python2.7", "python3.6", "python3.7", "java8", "go1.x", "provided", "ruby2.5", "ruby2.7",
	"dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1",
}

func checkRuntime(r types.Runtime) error {
	switch all := r.Values(); {
	case slices.Contains(bygone, r):
		return invalid("The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.", r)
	case !slices.Contains(all, r):
		names := make([]string, 0, len(all))
		for _, known := range all {
			if !slices.Contains(bygone, known) {
				names = append(names, string(known))
			}
		}
		return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", r, strings.Join(names, ", "))
	}
	return nil
}

// runtimeARN names the one version that a runtime has here.
func runtimeARN(c door.Caller, r types.Runtime) string {
	sum := sha256.Sum256([]byte(r))
	return "arn:" + c.Partition() + ":lambda:" + c.Region + "::runtime:" + hex.EncodeToString(sum[:])
}

// reserved are the variables that the runtime sets.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
var reserved = []string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER", "_X_AMZN_TRACE_ID",
}

func checkEnvironment(vars map[string]string) error {
	var bad []string
	for _, name := range reserved {
		if _, ok := vars[name]; ok {
			bad = append(bad, name)
		}
	}
	if len(bad) > 0 {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(bad, ", "))
	}
	b, err := json.Marshal(vars)
	if err != nil {
		return err
	}
	if len(b) > maxEnvironment {
		// AWS's message goes on with the variables; they may be secret.
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.")
	}
	return nil
}

// checkRole tells whether Lambda may assume the role.
func (s *Service) checkRole(ctx context.Context, role string) error {
	if _, err := s.host.Assume(door.CallerFrom(ctx), role, "awslambda-check").Credentials.Retrieve(ctx); err != nil {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}
