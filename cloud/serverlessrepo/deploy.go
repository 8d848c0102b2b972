package serverlessrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// issued is a template that was handed out for a deployment.
type issued struct {
	ID      string
	Version string
	Created time.Time
}

// validity is how long a template can be deployed.
const validity = time.Hour

// CreateCloudFormationTemplate hands a version out for a deployment: what
// AWS::Serverless::Application does with it.
func (s *Service) CreateCloudFormationTemplate(ctx context.Context, in *sar.CreateCloudFormationTemplateInput) (*sar.CreateCloudFormationTemplateOutput, error) {
	app, scope, err := s.find(ctx, in.ApplicationId, "CreateCloudFormationTemplate")
	if err != nil {
		return nil, err
	}
	v, err := s.deployable(ctx, scope, app, in.SemanticVersion)
	if err != nil {
		return nil, err
	}
	t := issued{ID: s.host.NewID(), Version: v.Version, Created: s.host.Now()}
	if err := s.templates.Put(ctx, scope, app.Name+"/"+t.ID, t); err != nil {
		return nil, fmt.Errorf("handing out application %q: %w", app.Name, err)
	}
	if err := s.forget(ctx, scope, app); err != nil {
		return nil, err
	}
	out := sar.CreateCloudFormationTemplateOutput(s.handed(app, *v, t))
	return &out, nil
}

// forget deletes what was handed out long ago: every update of a stack that
// nests an application takes one more.
func (s *Service) forget(ctx context.Context, scope store.Scope, app application) error {
	all, err := s.templates.List(ctx, scope, store.Query{Prefix: app.Name + "/"})
	if err != nil {
		return fmt.Errorf("reading what was handed out of application %q: %w", app.Name, err)
	}
	for _, e := range all {
		if s.host.Now().Sub(e.Value.Created) < 24*validity {
			continue
		}
		if err := s.templates.Delete(ctx, scope, e.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("forgetting what was handed out of application %q: %w", app.Name, err)
		}
	}
	return nil
}

// deployable is pick for an application that must have a version.
func (s *Service) deployable(ctx context.Context, scope store.Scope, app application, number *string) (*version, error) {
	v, err := s.pick(ctx, scope, app, number)
	if err == nil && v == nil {
		err = missing("Application with id %s has no version", app.ID)
	}
	return v, err
}

func (s *Service) handed(app application, v version, t issued) sar.GetCloudFormationTemplateOutput {
	ends := t.Created.Add(validity)
	status := types.StatusActive
	if !s.host.Now().Before(ends) {
		status = types.StatusExpired
	}
	return sar.GetCloudFormationTemplateOutput{
		ApplicationId: &app.ID, SemanticVersion: &t.Version, TemplateId: &t.ID, TemplateUrl: &v.Template, Status: status,
		CreationTime: clock(t.Created), ExpirationTime: clock(ends),
	}
}

// GetCloudFormationTemplate describes a template that was handed out.
func (s *Service) GetCloudFormationTemplate(ctx context.Context, in *sar.GetCloudFormationTemplateInput) (*sar.GetCloudFormationTemplateOutput, error) {
	app, scope, err := s.find(ctx, in.ApplicationId, "GetCloudFormationTemplate")
	if err != nil {
		return nil, err
	}
	v, t, err := s.taken(ctx, scope, app, in.TemplateId)
	if err != nil {
		return nil, err
	}
	out := s.handed(app, *v, t)
	return &out, nil
}

// taken is a template that was handed out, with its version.
func (s *Service) taken(ctx context.Context, scope store.Scope, app application, id *string) (*version, issued, error) {
	t, err := s.templates.Get(ctx, scope, app.Name+"/"+aws.ToString(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, t, missing("Template with id %s does not exist", aws.ToString(id))
	}
	if err != nil {
		return nil, t, fmt.Errorf("reading template %q of application %q: %w", aws.ToString(id), app.Name, err)
	}
	v, err := s.pick(ctx, scope, app, &t.Version)
	return v, t, err
}

// ListApplicationDependencies lists the applications that an application nests.
func (s *Service) ListApplicationDependencies(ctx context.Context, in *sar.ListApplicationDependenciesInput) (*sar.ListApplicationDependenciesOutput, error) {
	app, scope, err := s.find(ctx, in.ApplicationId, "ListApplicationDependencies")
	if err != nil {
		return nil, err
	}
	v, err := s.deployable(ctx, scope, app, in.SemanticVersion)
	if err != nil {
		return nil, err
	}
	var all []store.Entry[types.ApplicationDependencySummary]
	for _, d := range v.Dependencies {
		all = append(all, store.Entry[types.ApplicationDependencySummary]{ID: aws.ToString(d.ApplicationId) + "@" + aws.ToString(d.SemanticVersion), Value: d})
	}
	some, next, err := page(all, in.NextToken, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sar.ListApplicationDependenciesOutput{NextToken: next, Dependencies: []types.ApplicationDependencySummary{}}
	for _, e := range some {
		out.Dependencies = append(out.Dependencies, e.Value)
	}
	return out, nil
}

// stackPrefix begins the names of the stacks that the repository makes.
const stackPrefix = "serverlessrepo-"

// CreateCloudFormationChangeSet proposes to create or update a stack of an
// application. Whoever asked executes the change set.
func (s *Service) CreateCloudFormationChangeSet(ctx context.Context, in *sar.CreateCloudFormationChangeSetInput) (*sar.CreateCloudFormationChangeSetOutput, error) {
	app, scope, err := s.find(ctx, in.ApplicationId, "CreateCloudFormationChangeSet")
	if err != nil {
		return nil, err
	}
	v, err := s.wanted(ctx, scope, app, in)
	if err != nil {
		return nil, err
	}
	if err := v.acknowledged(in.Capabilities); err != nil {
		return nil, err
	}
	change := changeSet(app, *v, in)
	if change.ChangeSetName == nil {
		change.ChangeSetName = aws.String("a" + s.host.NewID())
	}
	client := cloudformation.NewFromConfig(s.host.As(door.CallerFrom(ctx)))
	if change.ChangeSetType, err = changeType(ctx, client, *change.StackName); err != nil {
		return nil, err
	}
	made, err := client.CreateChangeSet(ctx, change)
	if err != nil {
		return nil, refused(err)
	}
	return &sar.CreateCloudFormationChangeSetOutput{ApplicationId: &app.ID, SemanticVersion: &v.Version, StackId: made.StackId, ChangeSetId: made.Id}, nil
}

// wanted is the version that a change set is asked for.
func (s *Service) wanted(ctx context.Context, scope store.Scope, app application, in *sar.CreateCloudFormationChangeSetInput) (*version, error) {
	if in.TemplateId == nil {
		return s.deployable(ctx, scope, app, in.SemanticVersion)
	}
	v, t, err := s.taken(ctx, scope, app, in.TemplateId)
	if err == nil && s.handed(app, *v, t).Status == types.StatusExpired {
		err = invalid("Template with id %s has expired", t.ID)
	}
	return v, err
}

// acknowledged tells what is required and was not acknowledged.
func (v version) acknowledged(given []string) error {
	named := slices.Contains(given, string(types.CapabilityCapabilityNamedIam))
	for _, c := range v.Capabilities {
		if !slices.Contains(given, string(c)) && !(named && c == types.CapabilityCapabilityIam) {
			return invalid("The application requires capabilities that were not acknowledged: %s", c)
		}
	}
	return nil
}

func changeSet(app application, v version, in *sar.CreateCloudFormationChangeSetInput) *cloudformation.CreateChangeSetInput {
	change := &cloudformation.CreateChangeSetInput{
		StackName: aws.String(stackPrefix + aws.ToString(in.StackName)), ChangeSetName: in.ChangeSetName, TemplateURL: &v.Template,
		Description: in.Description, ClientToken: in.ClientToken, NotificationARNs: in.NotificationArns, ResourceTypes: in.ResourceTypes,
		Tags: []cfntypes.Tag{
			{Key: aws.String("serverlessrepo:applicationId"), Value: &app.ID}, {Key: aws.String("serverlessrepo:semanticVersion"), Value: &v.Version},
		},
	}
	for _, c := range in.Capabilities {
		if c != string(types.CapabilityCapabilityResourcePolicy) { // the repository's own
			change.Capabilities = append(change.Capabilities, cfntypes.Capability(c))
		}
	}
	for _, p := range in.ParameterOverrides {
		change.Parameters = append(change.Parameters, cfntypes.Parameter{ParameterKey: p.Name, ParameterValue: p.Value})
	}
	for _, t := range in.Tags {
		change.Tags = append(change.Tags, cfntypes.Tag{Key: t.Key, Value: t.Value})
	}
	if r := in.RollbackConfiguration; r != nil {
		change.RollbackConfiguration = &cfntypes.RollbackConfiguration{MonitoringTimeInMinutes: r.MonitoringTimeInMinutes}
		for _, t := range r.RollbackTriggers {
			change.RollbackConfiguration.RollbackTriggers = append(change.RollbackConfiguration.RollbackTriggers, cfntypes.RollbackTrigger{Arn: t.Arn, Type: t.Type})
		}
	}
	return change
}

// changeType tells whether a change set is for a stack that is there.
func changeType(ctx context.Context, client *cloudformation.Client, stack string) (cfntypes.ChangeSetType, error) {
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && strings.HasSuffix(api.ErrorMessage(), "does not exist"):
		return cfntypes.ChangeSetTypeCreate, nil
	case err != nil:
		return "", refused(err)
	case out.Stacks[0].StackStatus == cfntypes.StackStatusReviewInProgress:
		return cfntypes.ChangeSetTypeCreate, nil
	}
	return cfntypes.ChangeSetTypeUpdate, nil
}

// refused passes on what CloudFormation says.
func refused(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorFault() != smithy.FaultServer {
		return invalid("%s", api.ErrorMessage())
	}
	return err
}
