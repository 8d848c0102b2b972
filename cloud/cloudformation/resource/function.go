package resource

import (
	"archive/zip"
	"bytes"
	"context"
	"maps"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// lambdaKinds are the types of Lambda that run; event source mappings, code
// signing and capacity providers are recorded.
func lambdaKinds() []*Kind {
	return []*Kind{
		functionKind(), functionVersionKind(), functionAliasKind(), layerVersionKind(), layerPermissionKind(), permissionKind(), eventConfigKind(), functionURLKind(),
	}
}

func functionKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::Function", NameProperty: "FunctionName", Naming: &Naming{Max: 64}, Replace: []string{"FunctionName", "PackageType", "TenancyConfig"},
		Create: createFunction, Update: updateFunction,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, lambda.NewFromConfig).DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &r.Physical})
			return gone(err)
		},
	}
}

// functionApart are properties that are set by calls of their own.
var functionApart = []string{"Tags", "Code", "ReservedConcurrentExecutions", "RuntimeManagementConfig", "RecursiveLoop", "FunctionScalingConfig", "PublishToLatestPublished"}

// functionCode is the property Code, with inline source as the archive that it
// becomes.
func functionCode(r *Request) (*types.FunctionCode, error) {
	code, given := &types.FunctionCode{}, object(r.Properties["Code"])
	if err := Bind(given, code, "ZipFile"); err != nil {
		return nil, err
	}
	source := text(given["ZipFile"])
	if source == "" {
		return code, nil
	}
	name := ""
	switch runtime := r.Text("Runtime"); {
	case strings.HasPrefix(runtime, "python"):
		name = "index.py"
	case strings.HasPrefix(runtime, "nodejs"):
		name = "index.js"
	default:
		return nil, Sayf("ZipFile can only be used when Runtime is set to either of nodejs or python")
	}
	var err error
	code.ZipFile, err = inlineArchive(name, source)
	return code, err
}

// inlineArchive is an archive of one file, the same bytes for the same source.
func inlineArchive(name, source string) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(0o644)
	f, err := z.CreateHeader(h)
	if err == nil {
		_, err = f.Write([]byte(source))
	}
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

func createFunction(ctx context.Context, r *Request) (Result, error) {
	in := &lambda.CreateFunctionInput{}
	code, err := functionCode(r)
	if err == nil {
		err = Bind(r.Properties, in, functionApart...)
	}
	if err != nil {
		return Result{}, err
	}
	in.FunctionName, in.Code, in.Tags = &r.Name, code, r.allTags()
	client := Client(r.Clients, lambda.NewFromConfig)
	if _, err := client.CreateFunction(ctx, in); err != nil {
		if _, absent := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &r.Name}); absent == nil && !r.Retry {
			return Result{}, Sayf("%s already exists", r.Name)
		} else if absent != nil {
			return Result{}, err
		}
	}
	r.Physical = r.Name
	return functionResult(r), settleFunction(ctx, r)
}

func functionResult(r *Request) Result {
	apply := text(object(r.Properties["SnapStart"])["ApplyOn"])
	if apply == "" {
		apply = "None"
	}
	return Result{Physical: r.Physical, Attributes: map[string]any{"Arn": r.ARN("lambda", "function:"+r.Physical),
		"SnapStartResponse.ApplyOn": apply, "SnapStartResponse.OptimizationStatus": "Off"}}
}

// settleFunction sets what has calls of its own.
func settleFunction(ctx context.Context, r *Request) error {
	client := Client(r.Clients, lambda.NewFromConfig)
	if v, ok := r.Properties["ReservedConcurrentExecutions"]; ok {
		in := &lambda.PutFunctionConcurrencyInput{FunctionName: &r.Physical}
		if err := Bind(map[string]any{"ReservedConcurrentExecutions": v}, in); err != nil {
			return err
		}
		if _, err := client.PutFunctionConcurrency(ctx, in); err != nil {
			return err
		}
	} else if _, had := r.Former["ReservedConcurrentExecutions"]; had {
		if _, err := client.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &r.Physical}); err != nil {
			return err
		}
	}
	if v, ok := r.Properties["RuntimeManagementConfig"]; ok {
		in := &lambda.PutRuntimeManagementConfigInput{FunctionName: &r.Physical}
		if err := Bind(object(v), in); err != nil {
			return err
		}
		if _, err := client.PutRuntimeManagementConfig(ctx, in); err != nil {
			return err
		}
	}
	if v := r.Text("RecursiveLoop"); v != "" {
		_, err := client.PutFunctionRecursionConfig(ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: &r.Physical, RecursiveLoop: types.RecursiveLoop(v)})
		return err
	}
	return nil
}

// functionDefaults are the settings that an update goes back to when a
// template says nothing of them any more: an update leaves alone what it is
// not told.
func functionDefaults() map[string]any {
	return map[string]any{
		"Description": "", "MemorySize": 128, "Timeout": 3, "Environment": map[string]any{}, "Layers": []any{}, "KmsKeyArn": "",
		"DeadLetterConfig": map[string]any{"TargetArn": ""}, "TracingConfig": map[string]any{"Mode": "PassThrough"}, "SnapStart": map[string]any{"ApplyOn": "None"},
		"EphemeralStorage": map[string]any{"Size": 512}, "VpcConfig": map[string]any{"SubnetIds": []any{}, "SecurityGroupIds": []any{}},
		"LoggingConfig": map[string]any{"LogFormat": "Text"},
	}
}

func updateFunction(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, lambda.NewFromConfig)
	wanted := maps.Clone(r.Properties)
	for name, value := range functionDefaults() {
		if _, had := r.Former[name]; had && wanted[name] == nil {
			wanted[name] = value
		}
	}
	if !sameBut(r.Former, r.Properties, append([]string{"Architectures"}, functionApart...)...) {
		in := &lambda.UpdateFunctionConfigurationInput{}
		if err := Bind(wanted, in, append([]string{"Architectures", "PackageType", "CodeSigningConfigArn"}, functionApart...)...); err != nil {
			return Result{}, err
		}
		in.FunctionName = &r.Physical
		if _, err := client.UpdateFunctionConfiguration(ctx, in); err != nil {
			return Result{}, err
		}
	}
	if !reflect.DeepEqual(r.Former["Code"], r.Properties["Code"]) || !reflect.DeepEqual(r.Former["Architectures"], r.Properties["Architectures"]) || r.Text("Runtime") != text(r.Former["Runtime"]) {
		code, err := functionCode(r)
		if err != nil {
			return Result{}, err
		}
		in := &lambda.UpdateFunctionCodeInput{FunctionName: &r.Physical, ZipFile: code.ZipFile, S3Bucket: code.S3Bucket, S3Key: code.S3Key,
			S3ObjectVersion: code.S3ObjectVersion, ImageUri: code.ImageUri, Architectures: []types.Architecture{types.ArchitectureX8664}}
		if list, ok := r.Properties["Architectures"]; ok {
			if err := Bind(map[string]any{"Architectures": list}, in); err != nil {
				return Result{}, err
			}
		}
		if _, err := client.UpdateFunctionCode(ctx, in); err != nil {
			return Result{}, err
		}
	}
	set, drop := r.tagChanges()
	arn := aws.String(r.ARN("lambda", "function:"+r.Physical))
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: set}); err != nil {
			return Result{}, err
		}
	}
	return functionResult(r), settleFunction(ctx, r)
}
