package lambda_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/cloudtest"
)

func (w *world) layer(name, text string, runtimes ...types.Runtime) *lambda.PublishLayerVersionOutput {
	w.t.Helper()
	out, err := w.api.PublishLayerVersion(w.t.Context(), &lambda.PublishLayerVersionInput{LayerName: &name, CompatibleRuntimes: runtimes, LicenseInfo: aws.String("MIT"),
		Content: &types.LayerVersionContentInput{ZipFile: zipped(w.t, map[string]string{"python/lib.py": text, "text": text})}})
	if err != nil {
		w.t.Fatalf("publishing the layer %s: %v", name, err)
	}
	return out
}

// TestCodeGoes removes code with the last that needs it.
func TestCodeGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := cloudtest.Start(t, dir, "")
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w, ctx := furnish(t, c), t.Context()
	kept := func(when string, want int) {
		t.Helper()
		for _, folder := range []string{"archives", "code"} {
			found, err := filepath.Glob(filepath.Join(dir, "lambda", folder, "*"))
			if err != nil || len(found) != want {
				t.Errorf("%s: %d %s, want %d (%v)", when, len(found), folder, want, err)
			}
		}
	}
	l, f, other := w.layer("lib", `NAME = "one"`), aws.String("f"), aws.String("other")
	w.python(*f, nothingMuch, func(in *lambda.CreateFunctionInput) { in.Layers = []string{*l.LayerVersionArn} })
	w.python(*other, nothingMuch)
	kept("two functions of the same code, and a layer", 2)
	_, err := w.api.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("bad"), Role: &w.role, Runtime: "python4", Handler: aws.String("a.b"),
		Code: &types.FunctionCode{ZipFile: zipped(t, map[string]string{"a.py": "refused"})}})
	refused(t, err, "InvalidParameterValueException", "python4")
	kept("a function that was refused", 2)
	if _, err := w.api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: f, ZipFile: zipped(t, map[string]string{"a.py": "new"})}); err != nil {
		t.Fatal(err)
	}
	kept("one has other code", 3)
	if _, err := w.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: other}); err != nil {
		t.Fatal(err)
	}
	kept("the other one is gone", 2)
	if _, err := w.api.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String("lib"), VersionNumber: aws.Int64(1)}); err != nil {
		t.Fatal(err)
	}
	kept("the layer is deleted, but a function has it", 2)
	if _, err := w.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f}); err != nil {
		t.Fatal(err)
	}
	kept("nothing needs any", 0)
}

func TestLayers(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	name := aws.String("lib")
	one := w.layer("lib", "one", types.RuntimePython312)
	two := w.layer("lib", "two", types.RuntimePython312, types.RuntimePython313)
	w.layer("other", "x")
	if *one.LayerVersionArn != prefix+"layer:lib:1" || *two.LayerVersionArn != prefix+"layer:lib:2" || two.Version != 2 || *two.LayerArn != prefix+"layer:lib" {
		t.Fatalf("%+v\n%+v", one, two)
	}

	t.Run("come from buckets, by the object's version", func(t *testing.T) {
		bucket := s3.NewFromConfig(w.Config)
		if _, err := bucket.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("code")}); err != nil {
			t.Fatal(err)
		}
		if _, err := bucket.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String("code"), VersioningConfiguration: versioned()}); err != nil {
			t.Fatal(err)
		}
		var ids []*string
		for _, text := range []string{"old", "new"} {
			put, err := bucket.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("code"), Key: aws.String("l.zip"),
				Body: strings.NewReader(string(zipped(t, map[string]string{"text": text})))})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, put.VersionId)
		}
		publish := func(version *string) string {
			out, err := w.api.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: aws.String("stored"),
				Content: &types.LayerVersionContentInput{S3Bucket: aws.String("code"), S3Key: aws.String("l.zip"), S3ObjectVersion: version}})
			if err != nil {
				t.Fatal(err)
			}
			return *out.Content.CodeSha256
		}
		if a, b, c := publish(ids[0]), publish(nil), publish(ids[1]); a == b || b != c {
			t.Errorf("digests %s %s %s", a, b, c)
		}
	})
	t.Run("are listed, the newest first", func(t *testing.T) {
		versions, err := w.api.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: name, MaxItems: aws.Int32(1)})
		if err != nil || len(versions.LayerVersions) != 1 || versions.LayerVersions[0].Version != 2 || versions.NextMarker == nil {
			t.Fatalf("%+v, %v", versions, err)
		}
		versions, err = w.api.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: name, Marker: versions.NextMarker})
		if err != nil || len(versions.LayerVersions) != 1 || versions.LayerVersions[0].Version != 1 || versions.NextMarker != nil {
			t.Errorf("%+v, %v", versions, err)
		}
		layers, err := w.api.ListLayers(ctx, &lambda.ListLayersInput{CompatibleRuntime: types.RuntimePython312})
		if err != nil || len(layers.Layers) != 1 || layers.Layers[0].LatestMatchingVersion.Version != 2 {
			t.Errorf("%+v, %v", layers, err)
		}
	})
	t.Run("are had by functions, also when they are deleted", func(t *testing.T) {
		made := w.python("f", nothingMuch, func(in *lambda.CreateFunctionInput) { in.Layers = []string{*one.LayerVersionArn} })
		if len(made.Layers) != 1 || made.Layers[0].CodeSize != one.Content.CodeSize {
			t.Errorf("%+v", made.Layers)
		}
		_, err := w.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Layers: []string{*one.LayerVersionArn, *two.LayerVersionArn}})
		refused(t, err, "InvalidParameterValueException", "Two different versions of the same layer are not allowed to be referenced in the same function. "+*one.LayerVersionArn+" and "+*two.LayerVersionArn)
		if _, err := w.api.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(1)}); err != nil {
			t.Fatal(err)
		}
		_, err = w.api.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(1)})
		refused(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
		changed, err := w.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(9)})
		if err != nil || len(changed.Layers) != 1 {
			t.Errorf("%+v, %v", changed, err)
		}
		if next := w.layer("lib", "three"); next.Version != 3 {
			t.Errorf("version %d", next.Version)
		}
	})
	t.Run("let other accounts use them", func(t *testing.T) {
		cfg := w.Config.Copy()
		cfg.Credentials = credentials.NewStaticCredentialsProvider("111111111111", "x", "")
		other := lambda.NewFromConfig(cfg)
		get := &lambda.GetLayerVersionByArnInput{Arn: two.LayerVersionArn}
		_, err := other.GetLayerVersionByArn(ctx, get)
		refused(t, err, "AccessDeniedException", "is not authorized to perform: lambda:GetLayerVersion on resource: "+*two.LayerVersionArn)
		added, err := w.api.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{LayerName: name, VersionNumber: aws.Int64(2), StatementId: aws.String("s"),
			Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("111111111111")})
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"Sid":"s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"lambda:GetLayerVersion","Resource":%q}`, *two.LayerVersionArn); *added.Statement != want {
			t.Errorf("%s\nwant %s", *added.Statement, want)
		}
		got, err := other.GetLayerVersionByArn(ctx, get)
		if err != nil || got.Version != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		p, err := w.api.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: name, VersionNumber: aws.Int64(2)})
		if err != nil || *p.RevisionId != *added.RevisionId || !strings.Contains(*p.Policy, *added.Statement) {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := w.api.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{LayerName: name, VersionNumber: aws.Int64(2), StatementId: aws.String("s")}); err != nil {
			t.Error(err)
		}
		_, err = other.GetLayerVersionByArn(ctx, get)
		refused(t, err, "AccessDeniedException", "")
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.python("f", nothingMuch)
	name := aws.String("f")
	t.Run("concurrency", func(t *testing.T) {
		_, err := w.api.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(901)})
		refused(t, err, "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
		if _, err := w.api.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(7)}); err != nil {
			t.Fatal(err)
		}
		got, err := w.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name})
		if err != nil || *got.Concurrency.ReservedConcurrentExecutions != 7 {
			t.Errorf("%+v, %v", got, err)
		}
		account, err := w.api.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
		if err != nil || *account.AccountLimit.UnreservedConcurrentExecutions != 993 || account.AccountUsage.FunctionCount != 1 {
			t.Errorf("%+v, %v", account, err)
		}
		if _, err := w.api.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: name}); err != nil {
			t.Error(err)
		}
	})
	t.Run("provisioned concurrency", func(t *testing.T) {
		if _, err := w.api.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name}); err != nil {
			t.Fatal(err)
		}
		one := aws.String("1")
		_, err := w.api.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: one})
		refused(t, err, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
		if _, err := w.api.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: one, ProvisionedConcurrentExecutions: aws.Int32(2)}); err != nil {
			t.Fatal(err)
		}
		list, err := w.api.ListProvisionedConcurrencyConfigs(ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: name})
		if err != nil || len(list.ProvisionedConcurrencyConfigs) != 1 || *list.ProvisionedConcurrencyConfigs[0].FunctionArn != prefix+"function:f:1" {
			t.Errorf("%+v, %v", list, err)
		}
	})
	t.Run("asynchronous events", func(t *testing.T) {
		_, err := w.api.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: name})
		refused(t, err, "ResourceNotFoundException", "The function "+prefix+"function:f:$LATEST doesn't have an EventInvokeConfig")
		_, err = w.api.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(3)})
		refused(t, err, "ValidationException", "Value '3' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 2")
		_, err = w.api.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name})
		refused(t, err, "InvalidParameterValueException", "You must specify at least one of error handling or destination setting.")
		_, err = w.api.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name, DestinationConfig: &types.DestinationConfig{
			OnFailure: &types.OnFailure{Destination: aws.String(prefix + "function:f")}}})
		refused(t, err, "InvalidParameterValueException", "You can't specify the function as a destination for itself.")
		put, err := w.api.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(0)})
		if err != nil || *put.FunctionArn != prefix+"function:f:$LATEST" || *put.MaximumRetryAttempts != 0 || put.MaximumEventAgeInSeconds != nil {
			t.Errorf("%+v, %v", put, err)
		}
		changed, err := w.api.UpdateFunctionEventInvokeConfig(ctx, &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: name, MaximumEventAgeInSeconds: aws.Int32(60)})
		if err != nil || *changed.MaximumRetryAttempts != 0 || *changed.MaximumEventAgeInSeconds != 60 {
			t.Errorf("%+v, %v", changed, err)
		}
	})
	t.Run("a URL", func(t *testing.T) {
		made, err := w.api.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeNone})
		if err != nil || made.InvokeMode != types.InvokeModeBuffered || !strings.Contains(*made.FunctionUrl, ".lambda-url.us-east-1.") {
			t.Fatalf("%+v, %v", made, err)
		}
		_, err = w.api.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeNone})
		refused(t, err, "ResourceConflictException", "FunctionUrlConfig exists for this Lambda function")
		changed, err := w.api.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: name, InvokeMode: types.InvokeModeResponseStream})
		if err != nil || *changed.FunctionUrl != *made.FunctionUrl || changed.InvokeMode != types.InvokeModeResponseStream {
			t.Errorf("%+v, %v", changed, err)
		}
		if _, err := w.api.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: name}); err != nil {
			t.Error(err)
		}
		_, err = w.api.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: name})
		refused(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
	})
	t.Run("what is not there", func(t *testing.T) {
		_, err := w.api.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: name})
		refused(t, err, "InvalidParameterValueException", "the local cloud has no queues and no streams")
		signing, err := w.api.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: name})
		if err != nil || signing.CodeSigningConfigArn != nil {
			t.Errorf("%+v, %v", signing, err)
		}
		loop, err := w.api.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: name})
		if err != nil || loop.RecursiveLoop != types.RecursiveLoopTerminate {
			t.Errorf("%+v, %v", loop, err)
		}
		renewal, err := w.api.GetRuntimeManagementConfig(ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: name})
		if err != nil || renewal.UpdateRuntimeOn != types.UpdateRuntimeOnAuto {
			t.Errorf("%+v, %v", renewal, err)
		}
	})
}

func versioned() *s3types.VersioningConfiguration {
	return &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}
}
