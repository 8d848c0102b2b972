package engine

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/template"
	"ouro/template/sam"
)

// Env is what a template of a stack is evaluated with before there are resources.
func Env(values map[string]any, caller door.Caller, stack ledger.Stack, rev ledger.Revision) *template.Env {
	return &template.Env{
		Account: caller.Account, Region: caller.Region,
		StackName: stack.Name, StackID: stack.ID, NotificationARNs: rev.NotificationARNs, Parameters: values, AZs: zones,
	}
}

// Macros answers for the transforms of a stack's template, with the
// permissions of the caller, as on AWS also where the stack has a role.
func (e *Engine) Macros(caller door.Caller, stack ledger.Stack) template.Macros {
	return &macros{e, caller, stack}
}

type macros struct {
	e      *Engine
	caller door.Caller
	stack  ledger.Stack
}

// Transform has a template, or a part of it, rewritten.
func (m *macros) Transform(ctx context.Context, call template.MacroCall) (*template.Node, error) {
	switch call.Name {
	case "AWS::Include":
		return m.include(ctx, call)
	case "AWS::Serverless-2016-10-31":
		out, err := sam.Transform(&template.Template{Root: call.Fragment, File: call.Template.File}, sam.Options{
			Region: m.caller.Region, Partition: m.caller.Partition(), AccountID: m.caller.Account, Parameters: call.Env.Parameters,
			Application: func(id, version string) (string, error) { return m.application(ctx, id, version) }})
		if err != nil {
			return nil, err
		}
		return out.Root, nil
	}
	return m.e.Macro(ctx, m.caller, call)
}

// application is the URL of the template of a repository's application, which
// is asked for as the caller.
func (m *macros) application(ctx context.Context, id, version string) (string, error) {
	client := serverlessapplicationrepository.NewFromConfig(m.e.host.As(m.caller))
	out, err := client.CreateCloudFormationTemplate(ctx, &serverlessapplicationrepository.CreateCloudFormationTemplateInput{ApplicationId: &id, SemanticVersion: &version})
	var api smithy.APIError
	switch {
	case err == nil:
		return aws.ToString(out.TemplateUrl), nil
	case !errors.As(err, &api):
		return "", err
	case api.ErrorCode() == "NotFoundException", api.ErrorCode() == "ForbiddenException":
		return "", resource.Sayf("Cannot access application: %s.", id)
	}
	return "", resource.Sayf("%s", api.ErrorMessage())
}

// include reads the snippet that AWS::Include names.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
func (m *macros) include(ctx context.Context, call template.MacroCall) (*template.Node, error) {
	location, _ := call.Params["Location"].(string)
	if bucket, key, ok := strings.Cut(strings.TrimPrefix(location, "s3://"), "/"); ok && strings.HasPrefix(location, "s3://") {
		location = "https://s3.amazonaws.com/" + bucket + "/" + (&url.URL{Path: key}).EscapedPath()
	}
	in, err := objectAt(m.e.host.Endpoint(), location)
	if err != nil {
		return nil, resource.Sayf("The location parameter is not a valid S3 uri.")
	}
	text, err := readObject(ctx, m.e.host.As(m.caller), in)
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "NoSuchBucket":
			return nil, resource.Sayf("S3 bucket [%s] does not exist.", *in.Bucket)
		case "NoSuchKey":
			return nil, resource.Sayf("S3 object [%s] does not exist in bucket [%s].", *in.Key, *in.Bucket)
		}
	}
	if err != nil {
		return nil, err
	}
	return template.ParseFragment(location, []byte(text))
}
