package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

// Action types of partners are made by AWS with them, by an integration model:
// their jobs are done by job workers, or by a function. GetActionType and
// UpdateActionType are for the partner. Here the account is both partner and
// customer: what it changes counts for its own pipelines.

var functionPattern = regex.New(`^arn:aws(-[\w]+)*:lambda:.+:[0-9]{12}:function:.+$`)

// GetActionType gives an action type of a partner. AWS's own have no
// integration model, and are not found.
func (s *Service) GetActionType(ctx context.Context, in *codepipeline.GetActionTypeInput) (*codepipeline.GetActionTypeOutput, error) {
	d, err := s.declared(ctx, &types.ActionTypeIdentifier{Category: in.Category, Owner: in.Owner, Provider: in.Provider, Version: in.Version}, "")
	if err != nil {
		return nil, err
	}
	return &codepipeline.GetActionTypeOutput{ActionType: d}, nil
}

// UpdateActionType changes an action type of a partner.
func (s *Service) UpdateActionType(ctx context.Context, in *codepipeline.UpdateActionTypeInput) (*codepipeline.UpdateActionTypeOutput, error) {
	d := in.ActionType
	if d == nil || d.Id == nil {
		return nil, constraint("null", "actionType.id", "Member must not be null")
	}
	if _, err := s.declared(ctx, d.Id, "actionType.id."); err != nil {
		return nil, err
	}
	if err := checkDeclared(d); err != nil {
		return nil, err
	}
	t := typeOf(d)
	if err := checkURLs(t.Settings, t.ActionConfigurationProperties); err != nil {
		return nil, err
	}
	err := s.types.Put(ctx, door.CallerFrom(ctx).Scope(), typeKey(t.Id), actionType{Type: *t, Declared: d})
	if err != nil {
		return nil, err
	}
	return &codepipeline.UpdateActionTypeOutput{}, nil
}

// declared finds an action type that was made by an integration model.
func (s *Service) declared(ctx context.Context, which *types.ActionTypeIdentifier, member string) (*types.ActionTypeDeclaration, error) {
	if owner := aws.ToString(which.Owner); owner != string(types.ActionOwnerAws) && owner != string(types.ActionOwnerThirdParty) {
		return nil, constraint(owner, member+"owner", "Member must satisfy regular expression pattern: AWS|ThirdParty")
	}
	id := &types.ActionTypeId{Category: which.Category, Owner: types.ActionOwner(*which.Owner), Provider: which.Provider, Version: which.Version}
	if err := checkTypeID(id); err != nil {
		return nil, err
	}
	made, err := s.types.Get(ctx, door.CallerFrom(ctx).Scope(), typeKey(id))
	if err == nil && made.Declared != nil {
		return made.Declared, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("reading action type %s: %w", typeKey(id), err)
	}
	if k := kindOf(id); k != nil && k.run == (jobWorker{}) {
		return k.declare(door.CallerFrom(ctx)), nil
	}
	return nil, noActionType(id)
}

// declare is the kind, which job workers of the account do, as GetActionType
// tells it.
func (k *kind) declare(by door.Caller) *types.ActionTypeDeclaration {
	d := &types.ActionTypeDeclaration{
		Id: &types.ActionTypeIdentifier{Category: k.category, Owner: aws.String(string(k.owner)), Provider: aws.String(k.provider), Version: aws.String("1")},
		Executor: &types.ActionTypeExecutor{
			Type: types.ExecutorTypeJobWorker,
			Configuration: &types.ExecutorConfiguration{
				JobWorkerExecutorConfiguration: &types.JobWorkerExecutorConfiguration{PollingAccounts: []string{by.Account}},
			},
		},
		InputArtifactDetails:  &types.ActionTypeArtifactDetails{MinimumCount: k.in.least, MaximumCount: k.in.most},
		OutputArtifactDetails: &types.ActionTypeArtifactDetails{MinimumCount: k.out.least, MaximumCount: k.out.most},
		Permissions:           &types.ActionTypePermissions{AllowedAccounts: []string{"*"}},
	}
	for _, p := range k.config {
		d.Properties = append(d.Properties, types.ActionTypeProperty{
			Name: aws.String(p.name), Optional: p.flag&required == 0, Key: p.flag&isKey != 0, NoEcho: p.flag&secret != 0, Queryable: p.flag&queryable != 0,
		})
	}
	return d
}

// typeOf is the declaration as ListActionTypes tells it.
func typeOf(d *types.ActionTypeDeclaration) *types.ActionType {
	t := &types.ActionType{
		Id:                    &types.ActionTypeId{Category: d.Id.Category, Owner: types.ActionOwner(*d.Id.Owner), Provider: d.Id.Provider, Version: d.Id.Version},
		InputArtifactDetails:  &types.ArtifactDetails{MinimumCount: d.InputArtifactDetails.MinimumCount, MaximumCount: d.InputArtifactDetails.MaximumCount},
		OutputArtifactDetails: &types.ArtifactDetails{MinimumCount: d.OutputArtifactDetails.MinimumCount, MaximumCount: d.OutputArtifactDetails.MaximumCount},
		Settings:              &types.ActionTypeSettings{},
	}
	if u := d.Urls; u != nil {
		t.Settings = &types.ActionTypeSettings{
			EntityUrlTemplate: u.EntityUrlTemplate, ExecutionUrlTemplate: u.ExecutionUrlTemplate,
			RevisionUrlTemplate: u.RevisionUrlTemplate, ThirdPartyConfigurationUrl: u.ConfigurationUrl,
		}
	}
	for _, p := range d.Properties {
		t.ActionConfigurationProperties = append(t.ActionConfigurationProperties, types.ActionConfigurationProperty{
			Name: p.Name, Description: p.Description, Key: p.Key, Queryable: p.Queryable, Required: !p.Optional, Secret: p.NoEcho,
		})
	}
	return t
}

// maxDeclaredArtifacts is how many artifacts a partner's action may have.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionTypeArtifactDetails.html
const maxDeclaredArtifacts = 10

func checkDeclared(d *types.ActionTypeDeclaration) error {
	for _, a := range []struct {
		member  string
		details *types.ActionTypeArtifactDetails
	}{{"actionType.inputArtifactDetails", d.InputArtifactDetails}, {"actionType.outputArtifactDetails", d.OutputArtifactDetails}} {
		if a.details == nil {
			return constraint("null", a.member, "Member must not be null")
		}
		if least, most := a.details.MinimumCount, a.details.MaximumCount; least < 0 || most > maxDeclaredArtifacts || least > most {
			return invalid("The %s are not valid: the minimum is %d, the maximum %d; an action has 0 to %d artifacts", a.member, least, most, maxDeclaredArtifacts)
		}
	}
	if err := checkProperties(typeOf(d).ActionConfigurationProperties); err != nil {
		return err
	}
	return checkExecutor(d.Executor)
}

func checkExecutor(e *types.ActionTypeExecutor) error {
	switch {
	case e == nil:
		return constraint("null", "actionType.executor", "Member must not be null")
	case !slices.Contains(e.Type.Values(), e.Type):
		return constraint(string(e.Type), "actionType.executor.type", "Member must satisfy enum value set: [JobWorker, Lambda]")
	case e.Configuration == nil:
		return constraint("null", "actionType.executor.configuration", "Member must not be null")
	}
	if n := e.JobTimeout; n != nil && (*n < 60 || *n > 43200) {
		return constraint(fmt.Sprint(*n), "actionType.executor.jobTimeout", "Member must have value between 60 and 43200")
	}
	function, worker := e.Configuration.LambdaExecutorConfiguration, e.Configuration.JobWorkerExecutorConfiguration
	switch {
	case e.Type == types.ExecutorTypeLambda && (function == nil || !functionPattern().MatchString(aws.ToString(function.LambdaFunctionArn))):
		return invalid("An executor of type Lambda needs lambdaExecutorConfiguration with the ARN of a function")
	case e.Type == types.ExecutorTypeJobWorker && worker == nil:
		return invalid("An executor of type JobWorker needs jobWorkerExecutorConfiguration")
	}
	return nil
}
