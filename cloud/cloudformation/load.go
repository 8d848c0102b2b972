package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/template"
)

// maxTemplateBody is the size in bytes of a template that comes in the request.
const maxTemplateBody = 51200

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
			return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxTemplateBody)
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
	if n := t.Root.Get("Transform"); n != nil {
		return nil, invalid("Transforms are not supported by the local cloud yet: %s", strings.Join(transforms(n), ", "))
	}
	var unknown []string
	for _, r := range t.Resources() {
		if _, err := s.engine.Kind(r.Type); err != nil {
			if !strings.HasPrefix(err.Error(), "Template format error: Unrecognized resource types") {
				return nil, invalid("%s", err)
			}
			unknown = append(unknown, r.Type)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(slices.Compact(unknown), ", "))
	}
	return t, nil
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

func transforms(n *template.Node) []string {
	if n.Kind != template.List {
		return []string{n.Scalar()}
	}
	var names []string
	for _, item := range n.Items {
		names = append(names, item.Scalar())
	}
	return names
}

// asked is what CreateStack, UpdateStack and CreateChangeSet have in common.
type asked struct {
	source
	roleARN       string
	parameters    []types.Parameter
	capabilities  []types.Capability
	tags          []types.Tag
	notifications []string
	rollback      *types.RollbackConfiguration
}

// draft is a revision that has been asked for, checked and evaluated as far as
// that is possible before it is made.
type draft struct {
	revision ledger.Revision
	template *template.Template
	values   map[string]any
}

// draft checks what was asked for. old is the stack that is to be updated, nil
// for a new one; what is not said stays as it was there, as AWS does it.
func (s *Service) draft(ctx context.Context, in asked, old *ledger.Stack) (draft, error) {
	if old != nil && in.roleARN == "" {
		in.roleARN = old.RoleARN
	}
	if err := s.checkRole(ctx, in.roleARN); err != nil {
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
	if err := demandCapabilities(s.engine, t, in.capabilities); err != nil {
		return draft{}, err
	}
	d := draft{template: t}
	if d.revision.Template, err = s.ledger.KeepTemplate(ctx, door.CallerFrom(ctx).Scope(), text); err != nil {
		return draft{}, err
	}
	d.revision.Description = t.Description()
	d.revision.Capabilities, d.revision.RoleARN, d.revision.Rollback = in.capabilities, in.roleARN, in.rollback
	d.revision.NotificationARNs = in.notifications
	if d.revision.Tags, err = tags(in.tags); err != nil {
		return draft{}, err
	}
	if old != nil && in.tags == nil {
		d.revision.Tags = old.Tags
	}
	if old != nil && in.notifications == nil {
		d.revision.NotificationARNs = old.NotificationARNs
	}
	return d, s.fillParameters(ctx, &d, in, old)
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

func tags(in []types.Tag) ([]ledger.Tag, error) {
	var out []ledger.Tag
	for _, t := range in {
		key := aws.ToString(t.Key)
		if strings.HasPrefix(key, "aws:") {
			return nil, invalid("aws: prefixed tag key names are not allowed for external use.")
		}
		if slices.ContainsFunc(out, func(o ledger.Tag) bool { return o.Key == key }) {
			return nil, invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out = append(out, ledger.Tag{Key: key, Value: aws.ToString(t.Value)})
	}
	return out, nil
}

// fillParameters gives every parameter its value: the given one, the previous
// one, or the default.
func (s *Service) fillParameters(ctx context.Context, d *draft, in asked, old *ledger.Stack) error {
	given := map[string]string{}
	for _, p := range in.parameters {
		key := aws.ToString(p.ParameterKey)
		if !aws.ToBool(p.UsePreviousValue) {
			given[key] = aws.ToString(p.ParameterValue)
			continue
		}
		value, ok, err := s.previous(old, key)
		if err != nil {
			return err
		}
		if !ok {
			return invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", key)
		}
		given[key] = value
	}
	client := ssm.NewFromConfig(s.engine.Config(door.CallerFrom(ctx), in.roleARN))
	looked := map[string]string{}
	values, err := d.template.ResolveParameters(given, func(name string) (string, error) {
		out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
		if err != nil {
			return "", err
		}
		looked[name] = aws.ToString(out.Parameter.Value)
		return looked[name], nil
	})
	if err != nil {
		return invalid("%s", err)
	}
	d.values = values
	for _, p := range d.template.Parameters() {
		value, ok := given[p.Name]
		if !ok && p.Default != nil {
			value = *p.Default
		}
		kept, err := s.ledger.Seal(p.Name, value, p.NoEcho)
		if err != nil {
			return err
		}
		if _, fromSSM := p.SSM(); fromSSM {
			kept.Resolved = looked[value]
		}
		d.revision.Parameters = append(d.revision.Parameters, kept)
	}
	return nil
}

func (s *Service) previous(old *ledger.Stack, key string) (value string, ok bool, err error) {
	if old == nil {
		return "", false, nil
	}
	for _, p := range old.Parameters {
		if p.Key == key {
			value, err = s.ledger.Reveal(p)
			return value, true, err
		}
	}
	return "", false, nil
}
