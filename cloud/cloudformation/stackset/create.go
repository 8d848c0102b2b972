package stackset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/wire"
	"ouro/regex"
)

// The roles of a set that names none
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html).
const (
	adminRole = "AWSCloudFormationStackSetAdministrationRole"
	execRole  = "AWSCloudFormationStackSetExecutionRole"
)

var setName = regex.New(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// maxBody is the size in bytes of a template that a request may hold.
const maxBody = 51200

// CreateStackSet makes a set without instances.
func (s *Sets) CreateStackSet(ctx context.Context, in *cloudformation.CreateStackSetInput) (*cloudformation.CreateStackSetOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.StackSetName)
	if !setName().MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*(?::[a-zA-Z0-9]{8}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{12})?", name)
	}
	if err := errors.Join(asSelf(in.CallAs), selfManaged(in.PermissionModel, in.AutoDeployment)); err != nil {
		return nil, err
	}
	v := set{
		Name: name, UUID: s.host.NewID(), Status: types.StackSetStatusActive, Description: aws.ToString(in.Description), Created: s.host.Now(),
		Managed: in.ManagedExecution != nil && aws.ToBool(in.ManagedExecution.Active), Token: aws.ToString(in.ClientRequestToken),
	}
	v.ARN = caller.ResourceARN("cloudformation", "stackset/"+v.id())
	body, url, err := s.template(ctx, in.TemplateBody, in.TemplateURL, in.StackId)
	if err != nil {
		return nil, err
	}
	v.Revision = revision{Template: body, URL: url, Tags: in.Tags, Capabilities: in.Capabilities,
		AdminRole: adminARN(caller, aws.ToString(in.AdministrationRoleARN)), ExecRole: execName(aws.ToString(in.ExecutionRoleName))}
	if v.Revision.Parameters, err = s.parameters(ctx, &v.Revision, in.Parameters, nil); err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		old, err := s.find(ctx, &name, in.CallAs)
		if _, none := errors.AsType[*types.StackSetNotFoundException](err); none {
			return s.sets.Insert(ctx, caller.Scope(), v.id(), v)
		}
		if err == nil && (v.Token == "" || v.Token != old.Token) {
			err = &types.NameAlreadyExistsException{Message: aws.String(fmt.Sprintf("StackSet name %s already exists", name))}
		}
		v = old
		return err
	})
	if err != nil {
		return nil, err
	}
	return &cloudformation.CreateStackSetOutput{StackSetId: aws.String(v.id())}, nil
}

// selfManaged refuses what needs AWS Organizations.
func selfManaged(model types.PermissionModels, auto *types.AutoDeployment) error {
	if model == types.PermissionModelsServiceManaged {
		return invalid("You must enable organizations access to operate a service managed stack set")
	}
	if auto != nil {
		return invalid("AutoDeployment can only be used with SERVICE_MANAGED permission model")
	}
	return nil
}

func adminARN(c door.Caller, arn string) string {
	if arn != "" {
		return arn
	}
	return "arn:" + c.Partition() + ":iam::" + c.Account + ":role/" + adminRole
}

func execName(name string) string {
	if name != "" {
		return name
	}
	return execRole
}

// template is the text of a set's template; url is set when it is too large to
// be handed on in a request.
func (s *Sets) template(ctx context.Context, body, from, stackID *string) (text, url string, err error) {
	given := slices.DeleteFunc([]*string{body, from, stackID}, func(p *string) bool { return aws.ToString(p) == "" })
	if len(given) != 1 {
		return "", "", invalid("Exactly one of TemplateBody, TemplateURL and StackId must be specified.")
	}
	cfg := s.host.As(door.CallerFrom(ctx))
	switch {
	case body != nil && *body != "":
		text = *body
		if len(text) > maxBody {
			return "", "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxBody)
		}
	case from != nil && *from != "":
		if text, err = s.fetch(ctx, cfg, *from); err != nil {
			return "", "", invalid("%s", err)
		}
		if len(text) > maxBody {
			url = *from
		}
	default:
		out, err := cloudformation.NewFromConfig(cfg).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: stackID})
		if err != nil {
			return "", "", err
		}
		text = aws.ToString(out.TemplateBody)
	}
	return text, url, nil
}

// parameters checks the template with the parameters that are given for it:
// CloudFormation's own validation tells which it declares. old are the values
// that UsePreviousValue stands for.
func (s *Sets) parameters(ctx context.Context, r *revision, given []types.Parameter, old []ledger.Parameter) ([]ledger.Parameter, error) {
	in := &cloudformation.ValidateTemplateInput{TemplateBody: &r.Template}
	if r.URL != "" {
		in = &cloudformation.ValidateTemplateInput{TemplateURL: &r.URL}
	}
	out, err := cloudformation.NewFromConfig(s.host.As(door.CallerFrom(ctx))).ValidateTemplate(ctx, in)
	if err != nil {
		return nil, passOn(err)
	}
	for _, c := range out.Capabilities {
		if !slices.Contains(r.Capabilities, c) && !(c == types.CapabilityCapabilityIam && slices.Contains(r.Capabilities, types.CapabilityCapabilityNamedIam)) {
			return nil, &types.InsufficientCapabilitiesException{Message: aws.String(fmt.Sprintf("Requires capabilities : [%s]", c))}
		}
	}
	r.Hidden = nil
	for _, d := range out.Parameters {
		if aws.ToBool(d.NoEcho) {
			r.Hidden = append(r.Hidden, aws.ToString(d.ParameterKey))
		}
	}
	var values []ledger.Parameter
	var unknown, missing []string
	for _, p := range given {
		key := aws.ToString(p.ParameterKey)
		if !slices.ContainsFunc(out.Parameters, func(d types.TemplateParameter) bool { return aws.ToString(d.ParameterKey) == key }) {
			unknown = append(unknown, key)
			continue
		}
		value := aws.ToString(p.ParameterValue)
		if aws.ToBool(p.UsePreviousValue) {
			at := slices.IndexFunc(old, func(o ledger.Parameter) bool { return o.Key == key })
			if at < 0 {
				continue // the default is its value, and stays it
			}
			if value, err = s.vault.Reveal(old[at]); err != nil {
				return nil, err
			}
		}
		kept, err := s.vault.Seal(key, value, slices.Contains(r.Hidden, key))
		if err != nil {
			return nil, err
		}
		values = append(values, kept)
	}
	for _, d := range out.Parameters {
		if d.DefaultValue == nil && !slices.ContainsFunc(values, func(p ledger.Parameter) bool { return p.Key == aws.ToString(d.ParameterKey) }) {
			missing = append(missing, aws.ToString(d.ParameterKey))
		}
	}
	if len(unknown) > 0 {
		return nil, invalid("Parameters: [%s] do not exist in the template", strings.Join(unknown, ", "))
	}
	if len(missing) > 0 {
		return nil, invalid("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return values, nil
}

// passOn is an error of another call as this call's own.
func passOn(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return &wire.Error{Code: api.ErrorCode(), Message: api.ErrorMessage(), Status: 400}
	}
	return err
}

// UpdateStackSet changes a set, and with it all its instances, or those that
// are named.
func (s *Sets) UpdateStackSet(ctx context.Context, in *cloudformation.UpdateStackSetInput) (*cloudformation.UpdateStackSetOutput, error) {
	caller := door.CallerFrom(ctx)
	if err := errors.Join(asSelf(in.CallAs), selfManaged(in.PermissionModel, in.AutoDeployment)); err != nil {
		return nil, err
	}
	v, err := s.findActive(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	next := v.Revision
	if !aws.ToBool(in.UsePreviousTemplate) {
		if next.Template, next.URL, err = s.template(ctx, in.TemplateBody, in.TemplateURL, nil); err != nil {
			return nil, err
		}
	} else if in.TemplateBody != nil || in.TemplateURL != nil {
		return nil, invalid("Only one of TemplateBody, TemplateURL and UsePreviousTemplate may be specified.")
	}
	next.Capabilities = in.Capabilities
	if next.Parameters, err = s.parameters(ctx, &next, in.Parameters, v.Revision.Parameters); err != nil {
		return nil, err
	}
	if in.Tags != nil {
		next.Tags = in.Tags
	}
	next.AdminRole = firstOf(aws.ToString(in.AdministrationRoleARN), next.AdminRole)
	next.ExecRole = firstOf(aws.ToString(in.ExecutionRoleName), next.ExecRole)
	targets, err := s.some(ctx, v, in.Accounts, in.DeploymentTargets, in.Regions)
	if err != nil {
		return nil, err
	}
	op := operation{ID: aws.ToString(in.OperationId), Action: types.StackSetOperationActionUpdate, Preferences: in.OperationPreferences, Targets: targets}
	id, err := s.begin(ctx, v, op, func(ctx context.Context, v *set) error {
		v.Revision = next
		if in.Description != nil {
			v.Description = *in.Description
		}
		if in.ManagedExecution != nil {
			v.Managed = aws.ToBool(in.ManagedExecution.Active)
		}
		list, err := s.instancesOf(ctx, *v)
		if err != nil {
			return err
		}
		for _, i := range list { // all are behind now, until the operation has been there
			i.Status = types.StackInstanceStatusOutdated
			if err := s.instances.Put(ctx, caller.Scope(), target{i.Account, i.Region}.key(v.UUID), i); err != nil {
				return err
			}
		}
		return nil
	})
	return &cloudformation.UpdateStackSetOutput{OperationId: &id}, err
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
