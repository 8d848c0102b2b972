package lambda_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ouro/cloud/cloudtest"
)

// world is a cloud with a role that Lambda may assume.
type world struct {
	*cloudtest.Cloud
	t    testing.TB
	api  *lambda.Client
	role string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return furnish(t, cloudtest.New(t))
}

func furnish(t testing.TB, c *cloudtest.Cloud) *world {
	t.Helper()
	made, err := iam.NewFromConfig(c.Config).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("runs"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	return &world{Cloud: c, t: t, api: lambda.NewFromConfig(c.Config), role: *made.Role.Arn}
}

// zipped is an archive of the files, the same for the same files.
func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// python makes a function of Python source.
func (w *world) python(name, source string, options ...func(*lambda.CreateFunctionInput)) *lambda.CreateFunctionOutput {
	w.t.Helper()
	in := &lambda.CreateFunctionInput{FunctionName: &name, Role: &w.role, Runtime: types.RuntimePython312, Handler: aws.String("app.handler"),
		Code: &types.FunctionCode{ZipFile: zipped(w.t, map[string]string{"app.py": source})}}
	for _, set := range options {
		set(in)
	}
	out, err := w.api.CreateFunction(w.t.Context(), in)
	if err != nil {
		w.t.Fatalf("making the function %s: %v", name, err)
	}
	return out
}

const nothingMuch = "def handler(event, context):\n    return event\n"

// refused checks an error's code and a part of its message.
func refused(t testing.TB, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("error %v\nwant %s with %q", err, code, message)
	}
}

const prefix = "arn:aws:lambda:us-east-1:000000000000:"

func TestFunction(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	made := w.python("first", nothingMuch, func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"COLOUR": "blue"}}
		in.Tags = map[string]string{"team": "x"}
	})
	want := lambda.CreateFunctionOutput{
		FunctionName: aws.String("first"), FunctionArn: aws.String(prefix + "function:first"), Version: aws.String("$LATEST"), Description: aws.String(""),
		Runtime: types.RuntimePython312, Handler: aws.String("app.handler"), Role: &w.role, Timeout: aws.Int32(3), MemorySize: aws.Int32(128),
		CodeSize: made.CodeSize, CodeSha256: made.CodeSha256, LastModified: made.LastModified, RevisionId: made.RevisionId, RuntimeVersionConfig: made.RuntimeVersionConfig,
		PackageType: types.PackageTypeZip, Architectures: []types.Architecture{types.ArchitectureX8664}, State: types.StateActive,
		LastUpdateStatus: types.LastUpdateStatusSuccessful, EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)},
		Environment:   &types.EnvironmentResponse{Variables: map[string]string{"COLOUR": "blue"}},
		TracingConfig: &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		SnapStart:     &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/first")},
	}
	ignore := cmpopts.IgnoreUnexported(types.EphemeralStorage{}, types.EnvironmentResponse{}, types.TracingConfigResponse{}, types.SnapStartResponse{},
		types.LoggingConfig{}, types.RuntimeVersionConfig{}, lambda.CreateFunctionOutput{})
	if diff := cmp.Diff(want, *made, ignore, cmpopts.IgnoreFields(lambda.CreateFunctionOutput{}, "ResultMetadata")); diff != "" {
		t.Errorf("the new function (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(*made.LastModified, "+0000") || made.CodeSize == 0 || *made.CodeSha256 == "" {
		t.Errorf("LastModified %s, CodeSize %d, CodeSha256 %q", *made.LastModified, made.CodeSize, *made.CodeSha256)
	}

	t.Run("is found by every form of its name, and its code is there", func(t *testing.T) {
		for _, name := range []string{"first", prefix + "function:first", "000000000000:function:first", "function:first", "first:$LATEST"} {
			got, err := w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name})
			if err != nil || *got.Configuration.FunctionName != "first" {
				t.Errorf("%s: %v", name, err)
				continue
			}
			res, err := http.Get(*got.Code.Location)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || !bytes.Equal(b, zipped(t, map[string]string{"app.py": nothingMuch})) {
				t.Errorf("%s: code of %d bytes, %v", name, len(b), err)
			}
		}
		_, err := w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("other:7")})
		refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:other:7")
		_, err = w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("first:1"), Qualifier: aws.String("2")})
		refused(t, err, "InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier.")
		_, err = w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:000000000000:function:first")})
		refused(t, err, "ResourceNotFoundException", "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
		_, err = w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("no way")})
		refused(t, err, "ValidationException", "1 validation error detected: Value 'no way' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:")
	})
	t.Run("changes", func(t *testing.T) {
		_, err := w.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("first"), RevisionId: aws.String("old")})
		refused(t, err, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API")
		changed, err := w.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("first"), RevisionId: made.RevisionId,
			MemorySize: aws.Int32(256), LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatJson}})
		if err != nil || *changed.MemorySize != 256 || changed.Environment.Variables["COLOUR"] != "blue" || *changed.RevisionId == *made.RevisionId ||
			changed.LoggingConfig.ApplicationLogLevel != types.ApplicationLogLevelInfo || *changed.LoggingConfig.LogGroup != "/aws/lambda/first" {
			t.Errorf("%+v, %v", changed, err)
		}
		code := zipped(t, map[string]string{"app.py": "def handler(e, c):\n    return 1\n"})
		dry, err := w.api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("first"), ZipFile: code, DryRun: true})
		if err != nil || *dry.CodeSha256 == *made.CodeSha256 {
			t.Errorf("%+v, %v", dry, err)
		}
		got, err := w.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("first")})
		if err != nil || *got.CodeSha256 != *made.CodeSha256 {
			t.Errorf("a dry run changed the code: %+v, %v", got, err)
		}
		other, err := w.api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("first"), ZipFile: code, Publish: true})
		if err != nil || *other.Version != "1" || *other.FunctionArn != prefix+"function:first:1" {
			t.Errorf("%+v, %v", other, err)
		}
	})
	t.Run("has tags", func(t *testing.T) {
		arn := made.FunctionArn
		if _, err := w.api.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"a": "b"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.api.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"team"}}); err != nil {
			t.Fatal(err)
		}
		got, err := w.api.ListTags(ctx, &lambda.ListTagsInput{Resource: arn})
		if err != nil || !maps.Equal(got.Tags, map[string]string{"a": "b"}) {
			t.Errorf("%v, %v", got, err)
		}
		_, err = w.api.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"AWS:mine": "b"}})
		refused(t, err, "InvalidParameterValueException", "Tag keys starting with 'aws:' are reserved")
		_, err = w.api.ListTags(ctx, &lambda.ListTagsInput{Resource: aws.String(*arn + ":1")})
		refused(t, err, "InvalidParameterValueException", "Tags on function aliases and versions are not supported. Please specify a function ARN.")
	})
	t.Run("is deleted with all that it has", func(t *testing.T) {
		if _, err := w.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("first")}); err != nil {
			t.Fatal(err)
		}
		_, err := w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("first:1")})
		refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:first:1")
		listed, err := w.api.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
		if err != nil || len(listed.Functions) != 0 {
			t.Errorf("%v, %v", listed, err)
		}
		_, err = w.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("first")})
		refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:first")
	})
}

func TestCreateRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.python("there", nothingMuch)
	bucket := aws.String("code")
	if _, err := s3.NewFromConfig(w.Config).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	f, err := z.Create("zeros")
	if err == nil {
		_, err = io.CopyN(f, zeros{}, 251<<20)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	const invalid = "InvalidParameterValueException"
	for _, c := range []struct {
		name, code, message string
		set                 func(in *lambda.CreateFunctionInput)
	}{
		{"a name that is taken", "ResourceConflictException", "Function already exist: there", func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("there") }},
		{"too much time", "ValidationException", "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
			func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }},
		{"two mistakes", "ValidationException", "2 validation errors detected: ", func(in *lambda.CreateFunctionInput) {
			in.Timeout, in.MemorySize = aws.Int32(0), aws.Int32(1)
		}},
		{"no role's ARN", "ValidationException", "at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
			func(in *lambda.CreateFunctionInput) { in.Role = aws.String("runs") }},
		{"a role that is not there", invalid, "The role defined for the function cannot be assumed by Lambda.", func(in *lambda.CreateFunctionInput) { in.Role = aws.String(w.role + "2") }},
		{"no runtime of AWS's", invalid, "Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [", func(in *lambda.CreateFunctionInput) { in.Runtime = "cobol" }},
		{"a runtime of old", invalid, "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions.", func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimeGo1x }},
		{"no handler", invalid, "Runtime and Handler are mandatory parameters", func(in *lambda.CreateFunctionInput) { in.Handler = nil }},
		{"variables that are the runtime's", invalid, "Reserved keys used in this request: AWS_REGION", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
		}},
		{"variables without end", invalid, "exceeded the 4KB limit", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AA": strings.Repeat("x", 4096)}}
		}},
		{"no zip", invalid, "Could not unzip uploaded file", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = []byte("no zip") }},
		{"a zip that leads out", invalid, "Could not unzip uploaded file", func(in *lambda.CreateFunctionInput) {
			in.Code.ZipFile = zipped(t, map[string]string{"../app.py": ""})
		}},
		{"a bomb", invalid, "Unzipped size must be smaller than 262144000 bytes", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = bomb.Bytes() }},
		{"no object", invalid, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.", func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: bucket, S3Key: aws.String("none")}
		}},
		{"no bucket", invalid, "S3 Error Code: NoSuchBucket", func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("none"), S3Key: aws.String("none")}
		}},
		{"a layer that is not there", invalid, "Layer version " + prefix + "layer:l:1 does not exist.", func(in *lambda.CreateFunctionInput) { in.Layers = []string{prefix + "layer:l:1"} }},
		{"file systems", invalid, "the local cloud has no file systems to mount", func(in *lambda.CreateFunctionInput) {
			in.FileSystemConfigs = []types.FileSystemConfig{{Arn: aws.String("a"), LocalMountPath: aws.String("/mnt/a")}}
		}},
		{"log levels of text", invalid, "LogLevel is not supported when LogFormat is set to \"Text\"", func(in *lambda.CreateFunctionInput) {
			in.LoggingConfig = &types.LoggingConfig{ApplicationLogLevel: types.ApplicationLogLevelDebug}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &lambda.CreateFunctionInput{FunctionName: aws.String("new"), Role: &w.role, Runtime: types.RuntimePython312, Handler: aws.String("app.handler"),
				Code: &types.FunctionCode{ZipFile: zipped(t, map[string]string{"app.py": nothingMuch})}}
			c.set(in)
			_, err := w.api.CreateFunction(t.Context(), in)
			refused(t, err, c.code, c.message)
		})
	}
	if _, err := w.api.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("new")}); err == nil {
		t.Error("a refused function is there")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestVersionsAndAliases(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	name := aws.String("f")
	w.python("f", nothingMuch)
	publish := func(want string) *lambda.PublishVersionOutput {
		t.Helper()
		v, err := w.api.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name, Description: aws.String("v" + want)})
		if err != nil || *v.Version != want || *v.FunctionArn != prefix+"function:f:"+want {
			t.Fatalf("version %s: %+v, %v", want, v, err)
		}
		return v
	}
	memory := func(n int32) {
		t.Helper()
		if _, err := w.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, MemorySize: &n}); err != nil {
			t.Fatal(err)
		}
	}
	publish("1")
	publish("1")
	memory(128) // changes nothing
	publish("1")
	memory(200)
	two := publish("2")
	if *two.Description != "v2" || *two.MemorySize != 200 {
		t.Errorf("version 2: %+v", two)
	}
	old, err := w.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: aws.String("1")})
	if err != nil || *old.MemorySize != 128 || *old.FunctionArn != prefix+"function:f:1" {
		t.Errorf("version 1: %+v, %v", old, err)
	}
	_, err = w.api.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name, CodeSha256: aws.String("other")})
	refused(t, err, "InvalidParameterValueException", "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST")

	alias, err := w.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}}})
	if err != nil || *alias.AliasArn != prefix+"function:f:live" || alias.RoutingConfig.AdditionalVersionWeights["2"] != 0.25 {
		t.Fatalf("%+v, %v", alias, err)
	}
	_, err = w.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	refused(t, err, "ResourceConflictException", "Alias already exists: "+prefix+"function:f:live")
	_, err = w.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("7"), FunctionVersion: aws.String("1")})
	refused(t, err, "ValidationException", "Value '7' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	_, err = w.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("x"), FunctionVersion: aws.String("9")})
	refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:f:9")
	_, err = w.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("$LATEST")})
	refused(t, err, "InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version")
	_, err = w.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), RevisionId: aws.String("old")})
	refused(t, err, "PreconditionFailedException", "The Revision Id provided")
	_, err = w.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: name, Name: aws.String("none")})
	refused(t, err, "ResourceNotFoundException", "Cannot find alias arn: "+prefix+"function:f:none")
	_, err = w.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("2")})
	refused(t, err, "ResourceConflictException", "while the alias live points to it")

	moved, err := w.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("2"), RevisionId: alias.RevisionId,
		RoutingConfig: &types.AliasRoutingConfiguration{}})
	if err != nil || *moved.FunctionVersion != "2" || moved.RoutingConfig != nil || *moved.RevisionId == *alias.RevisionId {
		t.Errorf("%+v, %v", moved, err)
	}
	by, err := w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name, Qualifier: aws.String("live")})
	if err != nil || *by.Configuration.Version != "2" || *by.Configuration.FunctionArn != prefix+"function:f:live" {
		t.Errorf("%+v, %v", by, err)
	}
	if _, err := w.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("1")}); err != nil {
		t.Error(err)
	}
	for i := 3; i <= 12; i++ {
		memory(int32(200 + i))
		publish(fmt.Sprint(i))
	}
	var seen []string
	pages := lambda.NewListVersionsByFunctionPaginator(w.api, &lambda.ListVersionsByFunctionInput{FunctionName: name, MaxItems: aws.Int32(5)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Versions {
			seen = append(seen, *v.Version)
		}
	}
	if got := strings.Join(seen, " "); got != "$LATEST 2 3 4 5 6 7 8 9 10 11 12" {
		t.Errorf("versions %s", got)
	}
	aliases, err := w.api.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: name, FunctionVersion: aws.String("2")})
	if err != nil || len(aliases.Aliases) != 1 {
		t.Errorf("%+v, %v", aliases, err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.python("f", nothingMuch)
	name := aws.String("f")
	_, err := w.api.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name})
	refused(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
	added, err := w.api.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: name, StatementId: aws.String("bus"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("events.amazonaws.com"), SourceArn: aws.String("arn:aws:events:us-east-1:000000000000:rule/r"), SourceAccount: aws.String("000000000000")})
	if err != nil {
		t.Fatal(err)
	}
	const statement = `{"Sid":"bus","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + prefix +
		`function:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:us-east-1:000000000000:rule/r"},"StringEquals":{"AWS:SourceAccount":"000000000000"}}}`
	if *added.Statement != statement {
		t.Errorf("statement %s", *added.Statement)
	}
	_, err = w.api.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: name, StatementId: aws.String("bus"), Action: aws.String("lambda:*"), Principal: aws.String("*")})
	refused(t, err, "ResourceConflictException", "The statement id (bus) provided already exists. Please provide a new statement id, or remove the existing statement.")
	_, err = w.api.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: name, StatementId: aws.String("x"), Action: aws.String("lambda:*"), Principal: aws.String("nobody")})
	refused(t, err, "InvalidParameterValueException", "The provided principal was invalid. Please check the principal and try again.")
	got, err := w.api.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name})
	if err != nil || *got.Policy != `{"Version":"2012-10-17","Id":"default","Statement":[`+statement+`]}` || !json.Valid([]byte(*got.Policy)) {
		t.Errorf("%s, %v", aws.ToString(got.Policy), err)
	}

	t.Run("let another account in", func(t *testing.T) {
		cfg := w.Config.Copy()
		cfg.Credentials = credentials.NewStaticCredentialsProvider("111111111111", "x", "")
		other := lambda.NewFromConfig(cfg)
		in := &lambda.GetFunctionInput{FunctionName: aws.String(prefix + "function:f")}
		_, err := other.GetFunction(ctx, in)
		refused(t, err, "AccessDeniedException", "because no resource-based policy allows the lambda:GetFunction action")
		if _, err := w.api.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: name, StatementId: aws.String("other"), Action: aws.String("lambda:GetFunction"),
			Principal: aws.String("111111111111")}); err != nil {
			t.Fatal(err)
		}
		if _, err := other.GetFunction(ctx, in); err != nil {
			t.Error(err)
		}
	})
	for _, sid := range []string{"bus", "other"} {
		if _, err := w.api.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: name, StatementId: &sid}); err != nil {
			t.Error(err)
		}
	}
	_, err = w.api.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: name, StatementId: aws.String("bus")})
	refused(t, err, "ResourceNotFoundException", "No policy is associated with the given resource.")
}
