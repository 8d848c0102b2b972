package publish_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest"
	"ouro/pipeline"
	"ouro/publish"
)

// TestProgram: a template's functions can be this program, which is published
// once, by its content.
func TestProgram(t *testing.T) {
	t.Parallel()
	root, program := t.TempDir(), filepath.Join(t.TempDir(), "ouro")
	write(t, root, "site.yaml", `Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}}
  Empty: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Handler: bucket.empty, Role: !GetAtt Role.Arn, Code: "ouro://function"}}
  Word: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: "ouro://function/key"}}
  Code: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml, Parameters: {CodeBucket: "ouro://function/bucket"}}}
`)
	write(t, root, "inner.yaml", `Parameters: {CodeBucket: {Type: String, AllowedPattern: "[a-z]+"}}
Resources: {Word: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref CodeBucket}}}
`)
	write(t, root, "wrong.yaml", `Resources: {Word: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: "ouro://function/name"}}}
`)
	if err := os.WriteFile(program, []byte("a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	// To look at a tree, nobody has to have the program.
	if _, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{}); err != nil {
		t.Fatal(err)
	}
	options := publish.Options{Program: func(context.Context) (string, error) { return program, nil }}
	tree, err := publish.Load(t.Context(), root, "site.yaml", options)
	if err != nil {
		t.Fatal(err)
	}
	api := pipeline.NewBuckets(cloudtest.New(t).Config)
	if _, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("code")}); err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Bucket: "code", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Upload(t.Context(), api, plan, publish.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	key := ""
	for _, o := range plan.Objects {
		if o.Path == "ouro/function" {
			key = o.Key
		}
	}
	for _, want := range []string{`"Code":{"S3Bucket":"code","S3Key":"` + key + `"}`, `"Value":"` + key + `"`, `"CodeBucket":"code"`} {
		if !bytes.Contains(plan.Body(), []byte(want)) {
			t.Errorf("there is no %s in %s", want, plan.Body())
		}
	}
	out, err := api.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("code"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("the code is %+v: %v", z, err)
	}
	if _, err := publish.Load(t.Context(), root, "wrong.yaml", options); err == nil || !strings.Contains(err.Error(), "ouro://function/bucket") {
		t.Errorf("a wrong name: %v", err)
	}
}
