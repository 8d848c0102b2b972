package publish_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudtest/tool"
	"ouro/template"
)

// packagedByBoth uses what aws cloudformation package knows.
const packagedByBoth = `
Metadata:
  AWS::ServerlessRepo::Application: {LicenseUrl: code/one.txt, ReadmeUrl: code/one.txt}
Resources:
  Function: {Type: AWS::Lambda::Function, Properties: {Code: code}}
  FunctionOfFile: {Type: AWS::Lambda::Function, Properties: {Code: code/one.txt}}
  FunctionOfZip: {Type: AWS::Lambda::Function, Properties: {Code: ready.zip}}
  FunctionInline: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: code}}}
  Layer: {Type: AWS::Lambda::LayerVersion, Properties: {Content: code/}}
  LayerOfFolder: {Type: AWS::Lambda::LayerVersion, Properties: {LayerName: all}}
  Sam: {Type: AWS::Serverless::Function, Properties: {CodeUri: ./code}}
  SamOfFile: {Type: AWS::Serverless::Function, Properties: {CodeUri: code/one.txt}}
  SamOfFolder: {Type: AWS::Serverless::Function, Properties: {Handler: x}}
  SamElsewhere: {Type: AWS::Serverless::Function, Properties: {CodeUri: "s3://b/k"}}
  SamComputed: {Type: AWS::Serverless::Function, Properties: {CodeUri: {"Fn::Sub": "s3://${AWS::Region}/k"}}}
  SamLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: code}}
  SamLayerOfFolder: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: ""}}
  SamApi: {Type: AWS::Serverless::Api, Properties: {DefinitionUri: code/one.txt}}
  SamApiWithout: {Type: AWS::Serverless::Api, Properties: {StageName: x}}
  SamMachine: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: code/one.txt}}
  Rest: {Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: code/one.txt}}
  RestWithout: {Type: AWS::ApiGateway::RestApi, Properties: {Name: x}}
  Schema: {Type: AWS::AppSync::GraphQLSchema, Properties: {DefinitionS3Location: code/one.txt}}
  Resolver: {Type: AWS::AppSync::Resolver, Properties: {RequestMappingTemplateS3Location: code/one.txt, ResponseMappingTemplateS3Location: code/one.txt}}
  Configuration: {Type: AWS::AppSync::FunctionConfiguration, Properties: {RequestMappingTemplateS3Location: code/one.txt}}
  Machine: {Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionS3Location: code/one.txt}}
  Glue: {Type: AWS::Glue::Job, Properties: {Command: {ScriptLocation: code/one.txt}}}
  Beanstalk: {Type: AWS::ElasticBeanstalk::ApplicationVersion, Properties: {SourceBundle: code}}
  BeanstalkOfFile: {Type: AWS::ElasticBeanstalk::ApplicationVersion, Properties: {SourceBundle: code/one.txt}}
  BeanstalkOfFolder: {Type: AWS::ElasticBeanstalk::ApplicationVersion, Properties: {ApplicationName: x}}
  Repository: {Type: AWS::CodeCommit::Repository, Properties: {Code: {BranchName: x, S3: code}}}
  RepositoryOfFile: {Type: AWS::CodeCommit::Repository, Properties: {Code: {S3: code/one.txt}}}
  RepositoryWithout: {Type: AWS::CodeCommit::Repository, Properties: {RepositoryName: x}}
  Stack: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: nested/in.yaml}}
  App: {Type: AWS::Serverless::Application, Properties: {Location: nested/in.yaml}}
  AppElsewhere: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: a, SemanticVersion: "1"}}}
  Included: {Type: T::T::T, Properties: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: code/one.txt}}}}
`

// TestAsAWSPackages holds the finished entrypoint against that of the AWS CLI:
// every reference has the same form, and leads to the same content.
func TestAsAWSPackages(t *testing.T) {
	t.Parallel()
	cli := tool.Find(t, "aws")
	client, root := localS3(t), t.TempDir()
	write(t, root, "site.yaml", packagedByBoth)
	write(t, root, "nested/in.yaml", "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: ../code}}}\n")
	write(t, root, "code/one.txt", "one")
	write(t, root, "code/two/three.txt", "three")
	var ready bytes.Buffer
	if err := zip.NewWriter(&ready).Close(); err != nil {
		t.Fatal(err)
	}
	write(t, root, "ready.zip", ready.String())
	output := filepath.Join(t.TempDir(), "out.json")
	c := exec.Command(cli, "cloudformation", "package", "--template-file", "site.yaml", "--s3-bucket", "bucket", "--use-json",
		"--output-template-file", output)
	c.Dir = root
	c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE=/dev/null",
		"AWS_ENDPOINT_URL="+*client.Options().BaseEndpoint)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	theirs, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := publishTo(t, client, root)
	b := behind{t, client}
	if diff := cmp.Diff(b.template(theirs), b.template(plan.Body())); diff != "" {
		t.Errorf("aws cloudformation package (-) and ouro (+) differ:\n%s", diff)
	}
}

// behind puts the content in the place of addresses.
type behind struct {
	t      *testing.T
	client *s3.Client
}

func (b behind) template(body []byte) any {
	b.t.Helper()
	parsed, err := template.Parse("t.yaml", body)
	if err != nil {
		b.t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(template.Canonical(parsed.Root), &value); err != nil {
		b.t.Fatal(err)
	}
	return b.value(value)
}

func (b behind) value(v any) any {
	switch v := v.(type) {
	case string:
		if key, ok := strings.CutPrefix(v, "s3://bucket/"); ok {
			return map[string]any{"uri": b.object(key)}
		}
		if key, ok := strings.CutPrefix(v, *b.client.Options().BaseEndpoint+"/bucket/"); ok {
			return map[string]any{"url": b.object(key)}
		}
	case []any:
		for i := range v {
			v[i] = b.value(v[i])
		}
	case map[string]any:
		for bucket, key := range map[string]string{"Bucket": "Key", "S3Bucket": "S3Key"} {
			if k, ok := v[key].(string); ok && v[bucket] == "bucket" {
				v[key] = b.object(k)
			}
		}
		for k := range v {
			v[k] = b.value(v[k])
		}
	}
	return v
}

// object is what lies under key: the files of a zip, a template, or a text.
func (b behind) object(key string) any {
	b.t.Helper()
	out, err := b.client.GetObject(b.t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)})
	if err != nil {
		b.t.Fatal(key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		if strings.Contains(string(body), "Resources") {
			return b.template(body)
		}
		return string(body)
	}
	files := map[string]any{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			b.t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}
