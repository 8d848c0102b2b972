package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/template"
)

// source is where a request says that its template is.
type source struct {
	body, url *string
	previous  bool
}

// text gets the template's text; old is the stack whose template is "previous".
// A template in S3 is read with the caller's permissions, as on AWS, also when
// the stack has a role.
func (s *Service) text(ctx context.Context, from source, old *ledger.Stack) (string, error) {
	caller := door.CallerFrom(ctx)
	switch {
	case from.body != nil && from.url != nil:
		return "", invalid("Either Template URL or Template Body must be specified, not both.")
	case from.previous && (from.body != nil || from.url != nil):
		return "", invalid("Only one of TemplateBody, TemplateURL and UsePreviousTemplate may be specified.")
	case from.previous && old != nil && old.Template != "":
		return s.ledger.Template(ctx, caller.Scope(), old.Template)
	case from.body != nil && *from.body != "":
		if len(*from.body) > maxTemplateBody {
			return "", invalid("1 validation error detected: Value '%s' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", *from.body, maxTemplateBody)
		}
		return *from.body, nil
	case from.url != nil && *from.url != "":
		text, err := engine.FetchTemplate(ctx, s.host.As(caller), s.host.Endpoint(), *from.url)
		if err != nil {
			return "", invalid("%s", err)
		}
		return text, nil
	}
	return "", invalid("Either Template URL or Template Body must be specified.")
}

// parse reads a template and checks all that can be checked without values.
// The types of one with transforms are not known before those have run.
func (s *Service) parse(text string) (*template.Template, error) {
	t, err := template.Parse("", []byte(text))
	var malformed *template.Error
	if errors.As(err, &malformed) {
		return nil, invalid("Template format error: %s", wellFormed(malformed))
	}
	if err != nil {
		return nil, invalid("Template format error: %s", err)
	}
	if err := t.Validate(); err != nil {
		return nil, invalid("%s", err)
	}
	if usesMacros(t) {
		return t, nil
	}
	return t, s.checkTypes(t)
}

// checkTypes refuses resource types that nobody registered.
func (s *Service) checkTypes(t *template.Template) error {
	unknown, err := s.unknownTypes(t)
	if err == nil && len(unknown) > 0 {
		err = invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	return err
}

// unknownTypes are the types that nobody registered; a type that is known and
// cannot be had is an error.
func (s *Service) unknownTypes(t *template.Template) (unknown []string, err error) {
	for _, r := range t.Resources() {
		if _, err := s.engine.Kind(r.Type); err != nil {
			if !strings.HasPrefix(err.Error(), "Template format error: Unrecognized resource types") {
				return nil, invalid("%s", err)
			}
			unknown = append(unknown, r.Type)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown), nil
}

// wellFormed is CloudFormation's sentence for a text that is no JSON or YAML;
// what exactly is wrong comes behind it.
func wellFormed(e *template.Error) string {
	kind, detail, ok := strings.Cut(e.Message, " not well-formed: ")
	if !ok {
		return fmt.Sprintf("%s (line %d, column %d)", e.Message, e.Pos.Line, e.Pos.Column)
	}
	return fmt.Sprintf("%s not well-formed. (line %d, column %d): %s", kind, e.Pos.Line, e.Pos.Column, detail)
}

// asked is what CreateStack, UpdateStack and CreateChangeSet have in common.
type asked struct {
	source
	token, roleARN *string
	parameters     []types.Parameter
	capabilities   []types.Capability
	tags           []types.Tag
	notifications  []string
	rollback       *types.RollbackConfiguration
	resourceTypes  []string
	deployment     *types.DeploymentConfig
	reviewed       bool // by a change set: macros need no acknowledgement
}

// draft is a revision that has been asked for, checked and evaluated as far as
// that is possible before it is made.
type draft struct {
	revision ledger.Revision
	template *template.Template
	given    map[string]string // the values of parameters as they were given
	values   map[string]any
	refused  string // why the transforms failed, if they did
}

// draft checks what was asked for. stack is the one that it is for, with its
// name and id; old is the same when it is to be updated, nil for a new one.
// What is not said stays as it was there, as AWS does it.
func (s *Service) draft(ctx context.Context, in asked, stack ledger.Stack, old *ledger.Stack) (draft, error) {
	role := aws.ToString(in.roleARN)
	if old != nil && role == "" {
		role = old.RoleARN
	}
	if err := s.checkRole(ctx, role); err != nil {
		return draft{}, err
	}
	text, err := s.text(ctx, in.source, old)
	if err != nil {
		return draft{}, err
	}
	t, err := s.parse(text)
	if err != nil {
		return draft{}, err
	}
	if !in.reviewed {
		if err := demandExpansion(t, in.capabilities); err != nil {
			return draft{}, err
		}
	}
	d := draft{template: t}
	d.revision.Capabilities, d.revision.RoleARN, d.revision.Rollback = in.capabilities, role, in.rollback
	if err := s.fillSettings(ctx, &d, in, old); err != nil {
		return draft{}, err
	}
	scope := door.CallerFrom(ctx).Scope()
	if d.revision.Template, err = s.ledger.KeepTemplate(ctx, scope, text); err != nil {
		return draft{}, err
	}
	if err := s.fillParameters(ctx, &d, in, old); err != nil {
		return draft{}, err
	}
	if err := s.expand(ctx, &d, stack); err != nil || d.refused != "" {
		return d, err
	}
	d.revision.Description = d.template.Description()
	for _, r := range d.template.Resources() {
		if !allows(in.resourceTypes, r.Type) {
			return draft{}, invalid("Resource type %s is not allowed by parameter ResourceTypes [%s]", r.Type, strings.Join(in.resourceTypes, ", "))
		}
	}
	return d, demandCapabilities(s.engine, d.template, in.capabilities)
}

// fillSettings sets what a revision has besides template and parameters.
func (s *Service) fillSettings(ctx context.Context, d *draft, in asked, old *ledger.Stack) (err error) {
	if err := s.checkTopics(ctx, in.notifications); err != nil {
		return err
	}
	d.revision.NotificationARNs = in.notifications
	if d.revision.Tags, err = tags(in.tags); err != nil {
		return err
	}
	if old != nil && in.tags == nil {
		d.revision.Tags = old.Tags
	}
	if old != nil && in.notifications == nil {
		d.revision.NotificationARNs = old.NotificationARNs
	}
	if old != nil && in.rollback == nil {
		d.revision.Rollback = old.Rollback
	}
	return nil
}

// checkRole refuses a role that CloudFormation may not assume.
func (s *Service) checkRole(ctx context.Context, roleARN string) error {
	if roleARN == "" {
		return nil
	}
	if _, err := s.engine.Config(door.CallerFrom(ctx), roleARN).Credentials.Retrieve(ctx); err != nil {
		return invalid("Role %s is invalid or cannot be assumed", roleARN)
	}
	return nil
}

// checkTopics asks SNS for the topics, and passes on what it says of those
// that are none.
func (s *Service) checkTopics(ctx context.Context, arns []string) error {
	for _, arn := range arns {
		client := sns.NewFromConfig(s.engine.TopicConfig(door.CallerFrom(ctx), arn))
		_, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn})
		var api smithy.APIError
		if errors.As(err, &api) {
			return invalid("%s (Service: AmazonSNS; Status Code: 400; Error Code: %s)", api.ErrorMessage(), api.ErrorCode())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func tags(in []types.Tag) ([]ledger.Tag, error) {
	var out []ledger.Tag
	for _, t := range in {
		key := aws.ToString(t.Key)
		if strings.HasPrefix(key, "aws:") {
			return nil, invalid(door.ReservedTag)
		}
		if slices.ContainsFunc(out, func(o ledger.Tag) bool { return o.Key == key }) {
			return nil, invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out = append(out, ledger.Tag{Key: key, Value: aws.ToString(t.Value)})
	}
	return out, nil
}
