package cloudformation_test

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudformation/resource"
)

const functionsTemplate = `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Layer:
    Type: AWS::Lambda::LayerVersion
    Properties: {LayerName: lib, Content: {S3Bucket: code, S3Key: lib.zip}, CompatibleRuntimes: [python3.12], Description: first, LicenseInfo: MIT}
  Shared: {Type: AWS::Lambda::LayerVersionPermission, Properties: {Action: lambda:GetLayerVersion, LayerVersionArn: !Ref Layer, Principal: '111111111111'}}
  F:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: worker
      Role: !GetAtt Role.Arn
      Runtime: python3.12
      Handler: index.handler
      MemorySize: 256
      Layers: [!Ref Layer]
      Environment: {Variables: {MODE: b}}
      ReservedConcurrentExecutions: 5
      Code: {ZipFile: 'def handler(event, context): return 1'}
  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref F, Description: one}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F, FunctionVersion: !GetAtt V.Version, Name: live}}
  Call: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !GetAtt F.Arn, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceAccount: '000000000000'}}
  Async: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: !Ref F, Qualifier: $LATEST, MaximumRetryAttempts: 0}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt F.Arn, AuthType: NONE, Cors: {AllowOrigins: ['*']}}}
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: front, ProtocolType: HTTP}}
  Back: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn, PayloadFormatVersion: '2.0'}}
  Route: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /, Target: !Sub 'integrations/${Back}'}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
`

func archive(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFunctionUpdates changes what a stack has of Lambda, and looks what came
// of it.
func TestFunctionUpdates(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.bucket("code")
	buckets := s3.NewFromConfig(w.Config, func(o *s3.Options) { o.UsePathStyle = true })
	for key, text := range map[string]string{"lib.zip": "one", "lib2.zip": "two"} {
		if _, err := buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("code"), Key: &key, Body: bytes.NewReader(archive(t, "python/lib.py", text))}); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.create("s", functionsTemplate); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if got := w.drift("s"); got.StackDriftStatus != types.StackDriftStatusInSync {
		t.Errorf("an untouched stack is %s: %s", got.StackDriftStatus, w.drifts("s"))
	}
	api := lambda.NewFromConfig(w.Config)
	now := functionsTemplate
	for _, change := range []struct {
		name, old, new string
		same, other    []string // resources that keep their id, and that do not
	}{
		{"settings", "MemorySize: 256", "MemorySize: 512", []string{"F", "V", "Url"}, nil},
		{"code", "return 1", "return 2", []string{"F"}, nil},
		{"a new version", "Description: one", "Description: two", []string{"F", "Live"}, []string{"V"}},
		{"the layer", "S3Key: lib.zip", "S3Key: lib2.zip", []string{"F"}, []string{"Layer", "Shared"}},
		{"the permission", "SourceAccount: '000000000000'", "SourceAccount: '111111111111'", []string{"F"}, []string{"Call"}},
		{"asynchronous events", "MaximumRetryAttempts: 0", "MaximumRetryAttempts: 1", []string{"Async"}, nil},
		{"the URL", "AuthType: NONE", "AuthType: AWS_IAM", []string{"Url"}, nil},
		{"what is left out", "      ReservedConcurrentExecutions: 5\n", "", []string{"F"}, nil},
		{"the alias", "Name: live", "Name: stable", nil, []string{"Live"}},
		{"the name", "FunctionName: worker", "FunctionName: labourer", nil, []string{"F", "V", "Live"}},
	} {
		before := map[string]string{}
		for _, id := range slices.Concat(change.same, change.other) {
			before[id] = w.physical("s", id)
		}
		if strings.Count(now, change.old) != 1 {
			t.Fatalf("%s: %q is not there once", change.name, change.old)
		}
		now = strings.Replace(now, change.old, change.new, 1)
		if s := w.update("s", now); s.StackStatus != types.StackStatusUpdateComplete {
			t.Fatalf("%s: %s\n%s", change.name, s.StackStatus, w.story("s"))
		}
		for id, was := range before {
			if is := w.physical("s", id); (is == was) != slices.Contains(change.same, id) {
				t.Errorf("%s: %s was %s and is %s", change.name, id, was, is)
			}
		}
	}
	f, err := api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("labourer")})
	if err != nil || *f.MemorySize != 512 || len(f.Layers) != 1 || !strings.HasSuffix(*f.Layers[0].Arn, ":lib:2") {
		t.Errorf("%+v, %v", f, err)
	}
	if layers, err := api.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: aws.String("lib")}); err != nil || len(layers.LayerVersions) != 1 {
		t.Errorf("%+v, %v", layers, err)
	}
	// What is changed by hand is found.
	if _, err := api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f.FunctionName, Timeout: aws.Int32(9), MemorySize: aws.Int32(1024)}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: f.FunctionName, StatementId: aws.String(w.physical("s", "Call"))}); err != nil {
		t.Fatal(err)
	}
	if got := w.drift("s"); aws.ToInt32(got.DriftedStackResourceCount) != 2 {
		t.Errorf("%d drifted: %s", aws.ToInt32(got.DriftedStackResourceCount), w.drifts("s"))
	}
	// A version of a layer that a killed process published is not published again.
	in := &resource.Request{Clients: &resource.Clients{Config: w.Config}, Name: "lib", Retry: true, Properties: map[string]any{"LayerName": "lib", "LicenseInfo": "MIT", "Description": "first",
		"Content": map[string]any{"S3Bucket": "code", "S3Key": "lib2.zip"}, "CompatibleRuntimes": []any{"python3.12"}}}
	kind := resource.NewTable()["AWS::Lambda::LayerVersion"]
	for _, want := range []struct{ key, version string }{{"lib2.zip", ":lib:2"}, {"lib.zip", ":lib:3"}, {"lib.zip", ":lib:3"}} {
		in.Properties["Content"] = map[string]any{"S3Bucket": "code", "S3Key": want.key}
		made, err := kind.Create(ctx, in)
		if err != nil || !strings.HasSuffix(made.Physical, want.version) {
			t.Errorf("%s: %+v, %v", want.key, made, err)
		}
	}
	// All of it can be found for an import.
	apiID := w.physical("s", "Api")
	for name, id := range map[string]map[string]string{
		"Function": {"FunctionName": "labourer"}, "Version": {"FunctionArn": w.physical("s", "V")}, "Alias": {"AliasArn": w.physical("s", "Live")}, "LayerVersion": {"LayerVersionArn": w.physical("s", "Layer")},
		"LayerVersionPermission": {"Id": w.physical("s", "Shared")}, "EventInvokeConfig": {"FunctionName": "labourer", "Qualifier": "$LATEST"}, "Url": {"FunctionArn": *f.FunctionArn},
	} {
		if found, err := resource.Find(ctx, w.Config, "AWS::Lambda::"+name, id); err != nil || found == "" {
			t.Errorf("%s: %q, %v", name, found, err)
		}
	}
	for name, id := range map[string]map[string]string{"Api": {"ApiId": apiID}, "Stage": {"ApiId": apiID, "StageName": "$default"},
		"Route": {"ApiId": apiID, "RouteId": w.physical("s", "Route")}, "Integration": {"ApiId": apiID, "IntegrationId": w.physical("s", "Back")}} {
		if found, err := resource.Find(ctx, w.Config, "AWS::ApiGatewayV2::"+name, id); err != nil || found == "" {
			t.Errorf("%s: %q, %v", name, found, err)
		}
	}
	if _, err := resource.Find(ctx, w.Config, "AWS::Lambda::Permission", map[string]string{"FunctionName": "labourer", "Id": "none"}); err == nil {
		t.Error("a statement that is not there is found")
	}
	if s := w.delete("s"); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s", s.StackStatus)
	}
	if all, err := api.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: lambdatypes.FunctionVersionAll}); err != nil || len(all.Functions) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}
