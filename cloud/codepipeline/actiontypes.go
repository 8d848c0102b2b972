package codepipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// actionType is an action type that an account has made, or a partner's that it
// has changed.
type actionType struct {
	Type     types.ActionType
	Tags     map[string]string            `json:",omitempty"`
	Declared *types.ActionTypeDeclaration `json:",omitempty"` // as UpdateActionType has put it
	Deleted  bool                         `json:",omitempty"`
}

// maxActionTypes is how many custom action types an account may have in a
// region.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxActionTypes = 50

func typeKey(id *types.ActionTypeId) string {
	return string(id.Owner) + "/" + string(id.Category) + "/" + aws.ToString(id.Provider) + "/" + aws.ToString(id.Version)
}

func typeName(id *types.ActionTypeId) string {
	return fmt.Sprintf("(Category: '%s', Provider: '%s', Owner: '%s', Version: '%s')", id.Category, aws.ToString(id.Provider), id.Owner, aws.ToString(id.Version))
}

// kind finds the kind of an action in an account and region, or nil: AWS's own,
// or one that was made there.
func (s *Service) kind(ctx context.Context, scope store.Scope, id *types.ActionTypeId) (*kind, error) {
	own := kindOf(id)
	if id.Owner == types.ActionOwnerAws {
		return own, nil
	}
	made, err := s.types.Get(ctx, scope, typeKey(id))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return own, nil
	case err != nil:
		return nil, fmt.Errorf("reading action type %s: %w", typeKey(id), err)
	case made.Deleted:
		return nil, nil
	}
	return made.kind(), nil
}

func (a *actionType) kind() *kind {
	t := &a.Type
	k := &kind{
		category: t.Id.Category, owner: t.Id.Owner, provider: aws.ToString(t.Id.Provider), limit: customLimit, run: jobWorker{},
		in:       span{t.InputArtifactDetails.MinimumCount, t.InputArtifactDetails.MaximumCount},
		out:      span{t.OutputArtifactDetails.MinimumCount, t.OutputArtifactDetails.MaximumCount},
		config:   []property{},
		settings: t.Settings,
	}
	flags := func(p types.ActionConfigurationProperty) (f flag) {
		for _, c := range []struct {
			set bool
			flag
		}{{p.Required, required}, {p.Secret, secret}, {p.Key, isKey}, {p.Queryable, queryable}} {
			if c.set {
				f |= c.flag
			}
		}
		return f
	}
	for _, p := range t.ActionConfigurationProperties {
		k.config = append(k.config, property{aws.ToString(p.Name), flags(p)})
	}
	if d := a.Declared; d != nil {
		k.jobLimit = time.Duration(aws.ToInt32(d.Executor.JobTimeout)) * time.Second
		if d.Executor.Type == types.ExecutorTypeLambda {
			k.run = lambdaExecutor{aws.ToString(d.Executor.Configuration.LambdaExecutorConfiguration.LambdaFunctionArn)}
		}
	}
	return k
}

// CreateCustomActionType makes an action type whose actions are done by job
// workers that poll for them.
func (s *Service) CreateCustomActionType(ctx context.Context, in *codepipeline.CreateCustomActionTypeInput) (*codepipeline.CreateCustomActionTypeOutput, error) {
	if err := checkActionType(in); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	made := actionType{Tags: tags, Type: types.ActionType{
		Id:                            customID(in.Category, in.Provider, in.Version),
		Settings:                      in.Settings,
		ActionConfigurationProperties: in.ConfigurationProperties,
		InputArtifactDetails:          in.InputArtifactDetails,
		OutputArtifactDetails:         in.OutputArtifactDetails,
	}}
	if err := s.insertActionType(ctx, made); err != nil {
		return nil, err
	}
	return &codepipeline.CreateCustomActionTypeOutput{ActionType: &made.Type, Tags: in.Tags}, nil
}

func customID(category types.ActionCategory, provider, version *string) *types.ActionTypeId {
	return &types.ActionTypeId{Category: category, Owner: types.ActionOwnerCustom, Provider: provider, Version: version}
}

// insertActionType adds a type. The version of one that was deleted can only be
// had again for the very same type.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeleteCustomActionType.html
func (s *Service) insertActionType(ctx context.Context, made actionType) error {
	scope, key := door.CallerFrom(ctx).Scope(), typeKey(made.Type.Id)
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		old, err := s.types.Get(ctx, scope, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case !old.Deleted:
			return invalid("Action type %s already exists", typeName(made.Type.Id))
		case !same(old.Type, made.Type):
			return invalid("Action type %s was deleted. Use a version that has never been used before, or the definition of the deleted action type", typeName(made.Type.Id))
		}
		all, err := s.types.List(ctx, scope, store.Query{Prefix: string(types.ActionOwnerCustom) + "/"})
		if err != nil {
			return err
		}
		if len(slices.DeleteFunc(all, func(e store.Entry[actionType]) bool { return e.Value.Deleted })) >= maxActionTypes {
			return &types.LimitExceededException{Message: aws.String(fmt.Sprintf("The account has reached the limit of %d custom action types in this region", maxActionTypes))}
		}
		return s.types.Put(ctx, scope, key, made)
	})
}

func same(a, b types.ActionType) bool {
	left, errA := json.Marshal(a)
	right, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(left, right)
}

// DeleteCustomActionType marks an action type as deleted: no job of it is given
// out any more.
func (s *Service) DeleteCustomActionType(ctx context.Context, in *codepipeline.DeleteCustomActionTypeInput) (*codepipeline.DeleteCustomActionTypeOutput, error) {
	id := customID(in.Category, in.Provider, in.Version)
	if err := checkTypeID(id); err != nil {
		return nil, err
	}
	_, err := s.types.Update(ctx, door.CallerFrom(ctx).Scope(), typeKey(id), func(a *actionType) error {
		a.Deleted = true
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &codepipeline.DeleteCustomActionTypeOutput{}, nil
}

// typesPerPage is how many action types a page of the list has.
const typesPerPage = 100

// ListActionTypes gives AWS's action types, whether they run here or not, and
// the account's own ones.
func (s *Service) ListActionTypes(ctx context.Context, in *codepipeline.ListActionTypesInput) (*codepipeline.ListActionTypesOutput, error) {
	if o := in.ActionOwnerFilter; o != "" && !slices.Contains(o.Values(), o) {
		return nil, constraint(string(o), "actionOwnerFilter", "Member must satisfy enum value set: [AWS, Custom, ThirdParty]")
	}
	p, err := newPage(nil, in.NextToken, typesPerPage)
	if err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	if r := aws.ToString(in.RegionFilter); r != "" {
		scope.Region = r
	}
	all, err := s.actionTypes(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListActionTypesOutput{ActionTypes: []types.ActionType{}}
	after := p.after == ""
	for _, t := range all {
		key := typeKey(t.Id)
		switch {
		case !after:
			after = key == p.after
		case in.ActionOwnerFilter != "" && t.Id.Owner != in.ActionOwnerFilter:
		case len(out.ActionTypes) == p.size:
			out.NextToken = tokenAfter(typeKey(out.ActionTypes[p.size-1].Id))
			return out, nil
		default:
			out.ActionTypes = append(out.ActionTypes, t)
		}
	}
	if !after {
		return nil, badToken()
	}
	return out, nil
}

// actionTypes are all types, AWS's own first.
func (s *Service) actionTypes(ctx context.Context, scope store.Scope) ([]types.ActionType, error) {
	made, err := s.types.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	var own, all []types.ActionType
	for _, e := range made {
		if e.Value.Deleted {
			continue
		}
		own = append(own, e.Value.Type)
		changed[e.ID] = true
	}
	for i := range kinds {
		if t := kinds[i].describe(); !changed[typeKey(t.Id)] {
			all = append(all, t)
		}
	}
	return append(all, own...), nil
}
