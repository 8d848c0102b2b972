package serverlessrepo_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

const parameter = `
Parameters:
  Value: {Type: String, Description: what it says, Default: one, AllowedPattern: "[a-z]+", MaxLength: 9, NoEcho: true}
  Idle: {Type: Number, MinValue: 1, Default: 2}
Resources:
  Said: {Type: AWS::SSM::Parameter, Properties: {Type: String, Name: said, Value: !Sub "${Value} and more"}}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}}
  Bucket: {Type: AWS::S3::Bucket}
  Policy: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Bucket, PolicyDocument: {Version: "2012-10-17", Statement: []}}}
`

// repository is the service of an account on a cloud of its own.
type repository struct {
	*sar.Client
	cloud *cloudtest.Cloud
	app   *string
}

func newRepository(t *testing.T) *repository {
	c := cloudtest.New(t)
	r := &repository{sar.NewFromConfig(c.Config), c, nil}
	out, err := r.CreateApplication(t.Context(), &sar.CreateApplicationInput{
		Name: aws.String("said"), Author: aws.String("octo-cat"), Description: aws.String("Says something"), Labels: []string{"a:b"},
		SemanticVersion: aws.String("1.9.0"), TemplateBody: aws.String(parameter), ReadmeBody: aws.String("# Read me"), LicenseBody: aws.String("MIT"), SpdxLicenseId: aws.String("MIT"),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.app = out.ApplicationId
	return r
}

func (r *repository) publish(t *testing.T, version string) {
	t.Helper()
	if _, err := r.CreateApplicationVersion(t.Context(), &sar.CreateApplicationVersionInput{
		ApplicationId: r.app, SemanticVersion: &version, TemplateBody: aws.String(strings.ReplaceAll(parameter, "more", version)),
	}); err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

// TestApplication takes an application through its life.
func TestApplication(t *testing.T) {
	t.Parallel()
	r, ctx := newRepository(t), t.Context()
	if want := "arn:aws:serverlessrepo:us-east-1:000000000000:applications/said"; *r.app != want {
		t.Fatalf("the id is %s", *r.app)
	}
	for _, v := range []string{"1.10.0-beta", "1.10.0", "1.10.0-alpha.2", "1.10.0-alpha.10"} {
		r.publish(t, v)
	}
	got, err := r.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: r.app})
	if err != nil {
		t.Fatal(err)
	}
	if v := got.Version; *v.SemanticVersion != "1.10.0" || !slices.Equal(v.RequiredCapabilities, []types.Capability{"CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"}) {
		t.Errorf("the newest version is %s, and needs %v", *v.SemanticVersion, v.RequiredCapabilities)
	}
	p := got.Version.ParameterDefinitions[0]
	if *p.Name != "Value" || *p.DefaultValue != "one" || *p.MaxLength != 9 || !*p.NoEcho || !slices.Equal(p.ReferencedByResources, []string{"Said"}) {
		text, _ := json.Marshal(p)
		t.Errorf("the parameter is told as %s", text)
	}
	var order []string
	for pages := sar.NewListApplicationVersionsPaginator(r, &sar.ListApplicationVersionsInput{ApplicationId: r.app, MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			order = append(order, *v.SemanticVersion)
		}
	}
	if want := []string{"1.9.0", "1.10.0-alpha.2", "1.10.0-alpha.10", "1.10.0-beta", "1.10.0"}; !slices.Equal(order, want) {
		t.Errorf("the versions are %v", order)
	}
	updated, err := r.UpdateApplication(ctx, &sar.UpdateApplicationInput{ApplicationId: r.app, Description: aws.String("Says more"), Labels: []string{}})
	if err != nil || *updated.Description != "Says more" || *updated.Author != "octo-cat" || len(updated.Labels) != 0 || updated.ReadmeUrl == nil || updated.LicenseUrl == nil {
		t.Errorf("updated to %+v, %v", updated, err)
	}
	all, err := r.ListApplications(ctx, &sar.ListApplicationsInput{})
	if err != nil || len(all.Applications) != 1 || *all.Applications[0].Name != "said" {
		t.Errorf("listed are %+v, %v", all, err)
	}
	if _, err := r.DeleteApplication(ctx, &sar.DeleteApplicationInput{ApplicationId: r.app}); err != nil {
		t.Fatal(err)
	}
	_, err = r.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: r.app})
	refused(t, err, "NotFoundException", "does not exist")
}

// TestRefusals: what is not taken, and why.
func TestRefusals(t *testing.T) {
	t.Parallel()
	r, ctx := newRepository(t), t.Context()
	create := func(change func(*sar.CreateApplicationInput)) error {
		in := &sar.CreateApplicationInput{Name: aws.String("other"), Author: aws.String("me"), Description: aws.String("d"), SemanticVersion: aws.String("1.0.0"), TemplateBody: aws.String(parameter)}
		change(in)
		_, err := r.CreateApplication(ctx, in)
		return err
	}
	version := func(number, body string) error {
		_, err := r.CreateApplicationVersion(ctx, &sar.CreateApplicationVersionInput{ApplicationId: r.app, SemanticVersion: &number, TemplateBody: &body})
		return err
	}
	for _, c := range []struct {
		err           error
		code, message string
	}{
		{create(func(in *sar.CreateApplicationInput) { in.Name = aws.String("said") }), "ConflictException", "Application with id " + *r.app + " already exists"},
		{create(func(in *sar.CreateApplicationInput) { in.Author = aws.String("a--b") }), "BadRequestException", "author"},
		{create(func(in *sar.CreateApplicationInput) { in.Name = aws.String("a_b") }), "BadRequestException", "name"},
		{create(func(in *sar.CreateApplicationInput) { in.TemplateBody = nil }), "BadRequestException", "templateBody or a templateUrl"},
		{create(func(in *sar.CreateApplicationInput) { in.TemplateUrl = aws.String("https://x") }), "BadRequestException", "only one of templateBody and templateUrl"},
		{create(func(in *sar.CreateApplicationInput) {
			in.TemplateBody, in.TemplateUrl = nil, aws.String("https://none.s3.amazonaws.com/t.yaml")
		}), "BadRequestException", "not the address of an object"},
		{create(func(in *sar.CreateApplicationInput) {
			in.TemplateBody, in.TemplateUrl = nil, aws.String("file:///etc/passwd")
		}), "BadRequestException", "not the address of an object"},
		{version("1.9.0", parameter), "ConflictException", "Application version 1.9.0 already exists"},
		{version("1.9", parameter), "BadRequestException", "semantic version"},
		{version("2.0.0", "{"), "BadRequestException", "not valid"},
		{version("2.0.0", "Parameters: {}"), "BadRequestException", "no resources"},
	} {
		refused(t, c.err, c.code, c.message)
	}
	_, err := r.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: aws.String("said")})
	refused(t, err, "BadRequestException", "not the ARN")
	_, err = r.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: r.app, SemanticVersion: aws.String("7.0.0")})
	refused(t, err, "NotFoundException", "no version 7.0.0")
	_, err = r.ListApplications(ctx, &sar.ListApplicationsInput{NextToken: aws.String("?")})
	refused(t, err, "BadRequestException", "nextToken")
}

// TestPolicy shares an application with another account, and takes it back.
func TestPolicy(t *testing.T) {
	t.Parallel()
	r, ctx := newRepository(t), t.Context()
	config := r.cloud.Config
	config.Region, config.Credentials = "eu-west-1", credentials.NewStaticCredentialsProvider("111111111111", "test", "")
	other := sar.NewFromConfig(config)
	look := func() error {
		_, err := other.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: r.app})
		return err
	}
	put := func(statements ...types.ApplicationPolicyStatement) error {
		_, err := r.PutApplicationPolicy(ctx, &sar.PutApplicationPolicyInput{ApplicationId: r.app, Statements: statements})
		return err
	}
	refused(t, look(), "ForbiddenException", "serverlessrepo:GetApplication")
	shared := types.ApplicationPolicyStatement{Principals: []string{"111111111111"}, Actions: []string{"Deploy"}}
	ofOrganization := types.ApplicationPolicyStatement{Principals: []string{"*"}, PrincipalOrgIDs: []string{"o-0123456789"}, Actions: []string{"Deploy"}}
	if err := put(shared, ofOrganization); err != nil || look() != nil {
		t.Fatalf("%v, %v", err, look())
	}
	if _, err := other.CreateCloudFormationTemplate(ctx, &sar.CreateCloudFormationTemplateInput{ApplicationId: r.app}); err != nil {
		t.Error(err)
	}
	_, err := other.DeleteApplication(ctx, &sar.DeleteApplicationInput{ApplicationId: r.app})
	refused(t, err, "ForbiddenException", "serverlessrepo:DeleteApplication")
	unshare := &sar.UnshareApplicationInput{ApplicationId: r.app, OrganizationId: aws.String("o-0123456789")}
	if _, err := r.UnshareApplication(ctx, unshare); err != nil {
		t.Error(err)
	}
	_, err = r.UnshareApplication(ctx, unshare)
	refused(t, err, "NotFoundException", "not shared")
	got, err := r.GetApplicationPolicy(ctx, &sar.GetApplicationPolicyInput{ApplicationId: r.app})
	if err != nil || len(got.Statements) != 1 || *got.Statements[0].StatementId == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := put(ofOrganization); err != nil {
		t.Fatal(err)
	}
	refused(t, look(), "ForbiddenException", "not authorized")
	refused(t, put(types.ApplicationPolicyStatement{Principals: []string{"*"}, Actions: []string{"Everything"}}), "BadRequestException", "Everything")
}

// settled waits for the end of what happens to a stack.
func (r *repository) settled(t *testing.T, stack string) cfntypes.Stack {
	t.Helper()
	client, tick, late := cloudformation.NewFromConfig(r.cloud.Config), time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack})
		if err != nil {
			t.Fatal(err)
		}
		if s := out.Stacks[0]; !strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS") {
			return s
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("stack %s does not settle", stack)
		}
	}
}

func (r *repository) said(t *testing.T) string {
	t.Helper()
	out, err := ssm.NewFromConfig(r.cloud.Config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("said")})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Parameter.Value
}

// TestInstall installs an application as a nested stack, and changes its version.
func TestInstall(t *testing.T) {
	t.Parallel()
	r, ctx := newRepository(t), t.Context()
	r.publish(t, "2.0.0")
	client := cloudformation.NewFromConfig(r.cloud.Config)
	body := func(version string) *string {
		return aws.String(`
Transform: AWS::Serverless-2016-10-31
Resources:
  App:
    Type: AWS::Serverless::Application
    Properties: {Location: {ApplicationId: "` + *r.app + `", SemanticVersion: ` + version + `}, Parameters: {Value: hello}}
`)
	}
	may := []cfntypes.Capability{"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
	if _, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: body("1.9.0"), Capabilities: may}); err != nil {
		t.Fatal(err)
	}
	if s := r.settled(t, "s"); s.StackStatus != cfntypes.StackStatusCreateComplete || r.said(t) != "hello and more" {
		t.Fatalf("%s: it says %q", s.StackStatus, r.said(t))
	}
	_, err := client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: body("1.9.0"), Capabilities: may})
	refused(t, err, "ValidationError", "No updates are to be performed.")
	if _, err := client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: body("2.0.0"), Capabilities: may}); err != nil {
		t.Fatal(err)
	}
	if s := r.settled(t, "s"); s.StackStatus != cfntypes.StackStatusUpdateComplete || r.said(t) != "hello and 2.0.0" {
		t.Errorf("%s: it says %q", s.StackStatus, r.said(t))
	}
	_, err = client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: body("3.0.0"), Capabilities: may})
	refused(t, err, "ValidationError", "Cannot access application: "+*r.app)
}

// TestChangeSet installs and updates an application by change sets of the
// repository's.
func TestChangeSet(t *testing.T) {
	t.Parallel()
	r, ctx := newRepository(t), t.Context()
	client := cloudformation.NewFromConfig(r.cloud.Config)
	template, err := r.CreateCloudFormationTemplate(ctx, &sar.CreateCloudFormationTemplateInput{ApplicationId: r.app, SemanticVersion: aws.String("1.9.0")})
	if err != nil || template.Status != types.StatusActive {
		t.Fatal(template, err)
	}
	in := &sar.CreateCloudFormationChangeSetInput{ApplicationId: r.app, StackName: aws.String("x"), TemplateId: template.TemplateId,
		ParameterOverrides: []types.ParameterValue{{Name: aws.String("Value"), Value: aws.String("bye")}}, Capabilities: []string{"CAPABILITY_IAM"}}
	_, err = r.CreateCloudFormationChangeSet(ctx, in)
	refused(t, err, "BadRequestException", "CAPABILITY_RESOURCE_POLICY")
	in.Capabilities = append(in.Capabilities, "CAPABILITY_RESOURCE_POLICY")
	r.publish(t, "2.0.0")
	for _, want := range []string{"bye and more", "bye and 2.0.0"} {
		made, err := r.CreateCloudFormationChangeSet(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := cloudformation.NewChangeSetCreateCompleteWaiter(client, func(o *cloudformation.ChangeSetCreateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
		}).Wait(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: made.ChangeSetId}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: made.ChangeSetId}); err != nil {
			t.Fatal(err)
		}
		if s := r.settled(t, "serverlessrepo-x"); r.said(t) != want || len(s.Tags) != 2 {
			t.Errorf("%s: it says %q; the tags are %v", s.StackStatus, r.said(t), s.Tags)
		}
		in.TemplateId, in.SemanticVersion = nil, aws.String("2.0.0")
	}
}

// TestCommandLine publishes and reads with the AWS CLI, from a template in S3
// that nests another application.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	r, ctx := newRepository(t), t.Context()
	run := tool.NewAWS(t, r.cloud.URL, "serverlessrepo").Run
	outer := "Transform: AWS::Serverless-2016-10-31\nResources:\n  App: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: \"" + *r.app + "\", SemanticVersion: 1.9.0}}}\n"
	objects := s3.NewFromConfig(r.cloud.Config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("mine")}); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("mine"), Key: aws.String("outer.yaml"), Body: strings.NewReader(outer)}); err != nil {
		t.Fatal(err)
	}
	readme := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(readme, []byte("# Outer"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := run("create-application", "--name", "outer", "--author", "me", "--description", "nests", "--semantic-version", "0.1.0", "--readme-body", "file://"+readme,
		"--template-url", "https://mine.s3.us-east-1.amazonaws.com/outer.yaml", "--query", "ApplicationId")
	for query, want := range map[string]string{
		"Version.RequiredCapabilities":   "CAPABILITY_AUTO_EXPAND",
		"[Name,Version.SemanticVersion]": "outer\t0.1.0",
	} {
		if got := run("get-application", "--application-id", id, "--query", query); got != want {
			t.Errorf("%s is %q", query, got)
		}
	}
	if got := run("list-application-dependencies", "--application-id", id, "--query", "Dependencies[].[ApplicationId,SemanticVersion]"); got != *r.app+"\t1.9.0" {
		t.Errorf("the dependencies are %q", got)
	}
	if got := run("list-applications", "--query", "Applications[].Name"); got != "outer\tsaid" {
		t.Errorf("the applications are %q", got)
	}
	run("put-application-policy", "--application-id", id, "--statements", "Principals=*,Actions=Deploy")
	run("delete-application", "--application-id", id)
}
