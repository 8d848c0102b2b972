package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/store"
	"ouro/regex"
)

var (
	aliasPattern   = regex.New(`^(?:[a-zA-Z0-9-_]+)$`)
	versionPattern = regex.New(`^(?:(\$LATEST(\.PUBLISHED)?|[0-9]+))$`)
)

// aliasTarget reads a request that is about one alias by its name.
func aliasTarget(ctx context.Context, function, name *string) (target, error) {
	var v violations
	checkAliasName(&v, name)
	if err := v.err(); err != nil {
		return target{}, err
	}
	t, err := own(ctx, function, nil)
	t.qualifier = *name
	return t, err
}

// checkAliasName checks a name; AWS's pattern looks ahead, which ours cannot.
func checkAliasName(v *violations, name *string) {
	v.present("name", name != nil)
	v.text("name", name, 1, 128, nil)
	if name != nil && (isVersion(*name) || !aliasPattern().MatchString(*name)) {
		v.add(*name, "name", "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
}

func (a alias) shown(t target) types.AliasConfiguration {
	c := types.AliasConfiguration{AliasArn: aws.String(t.arn() + ":" + a.Name), Name: &a.Name, FunctionVersion: &a.Version,
		Description: &a.Description, RevisionId: &a.Revision}
	if len(a.Weights) > 0 {
		c.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: a.Weights}
	}
	return c
}

// pick is the version that an invocation through the alias gets.
func (a alias) pick() string {
	at := rand.Float64()
	for other, weight := range a.Weights {
		if at < weight {
			return other
		}
	}
	return a.Version
}

// CreateAlias makes a name for a version.
func (s *Service) CreateAlias(ctx context.Context, in *lambda.CreateAliasInput) (*lambda.CreateAliasOutput, error) {
	var v violations
	checkAliasName(&v, in.Name)
	v.present("functionVersion", in.FunctionVersion != nil)
	v.text("functionVersion", in.FunctionVersion, 1, 1024, versionPattern())
	v.text("description", in.Description, 0, 256, nil)
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	a := alias{Name: *in.Name, Version: *in.FunctionVersion, Description: aws.ToString(in.Description), Revision: s.host.NewID(), Weights: weights(in.RoutingConfig)}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.checkAlias(ctx, t, a); err != nil {
			return err
		}
		err := s.aliases.Insert(ctx, t.scope, qualifiedKey(t.name, a.Name), a)
		if errors.Is(err, store.ErrExists) {
			return conflict("Alias already exists: %s:%s", t.arn(), a.Name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c := a.shown(t)
	return &lambda.CreateAliasOutput{AliasArn: c.AliasArn, Name: c.Name, FunctionVersion: c.FunctionVersion, Description: c.Description,
		RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig}, nil
}

func weights(in *types.AliasRoutingConfiguration) map[string]float64 {
	if in == nil || len(in.AdditionalVersionWeights) == 0 {
		return nil
	}
	return maps.Clone(in.AdditionalVersionWeights)
}

// checkAlias tells what keeps an alias from pointing where it points.
func (s *Service) checkAlias(ctx context.Context, t target, a alias) error {
	if _, err := s.find(ctx, t); err != nil {
		return err
	}
	if len(a.Weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	versions := []string{a.Version}
	for other, weight := range a.Weights {
		switch {
		case weight < 0 || weight > 1:
			return validation(fmt.Sprintf("1 validation error detected: Value '{%s=%v}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]", other, weight))
		case other == a.Version:
			return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", other, other)
		case a.Version == latest || other == latest:
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		case !isVersion(other):
			return validation(fmt.Sprintf("1 validation error detected: Value '{%s=%v}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]", other, weight))
		}
		versions = append(versions, other)
	}
	for _, n := range versions {
		if _, err := s.versions.Get(ctx, t.scope, versionKey(t.name, n)); err != nil {
			return missing(err, noFunction(t.arn()+":"+n))
		}
	}
	return nil
}

// UpdateAlias points an alias elsewhere.
func (s *Service) UpdateAlias(ctx context.Context, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	var v violations
	checkAliasName(&v, in.Name)
	v.text("functionVersion", in.FunctionVersion, 1, 1024, versionPattern())
	v.text("description", in.Description, 0, 256, nil)
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var a alias
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		a, err = s.aliases.Get(ctx, t.scope, qualifiedKey(t.name, *in.Name))
		if err != nil {
			return missing(err, notFound("Alias not found: %s:%s", t.arn(), *in.Name))
		}
		if in.RevisionId != nil && *in.RevisionId != a.Revision {
			return stale("GetFunction/GetAlias")
		}
		if in.FunctionVersion != nil {
			a.Version = *in.FunctionVersion
		}
		if in.Description != nil {
			a.Description = *in.Description
		}
		if in.RoutingConfig != nil {
			a.Weights = weights(in.RoutingConfig)
		}
		a.Revision = s.host.NewID()
		if err := s.checkAlias(ctx, t, a); err != nil {
			return err
		}
		return s.aliases.Put(ctx, t.scope, qualifiedKey(t.name, a.Name), a)
	})
	if err != nil {
		return nil, err
	}
	c := a.shown(t)
	return &lambda.UpdateAliasOutput{AliasArn: c.AliasArn, Name: c.Name, FunctionVersion: c.FunctionVersion, Description: c.Description,
		RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig}, nil
}

// GetAlias tells about an alias.
func (s *Service) GetAlias(ctx context.Context, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	t, err := aliasTarget(ctx, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	a, err := s.aliases.Get(ctx, t.scope, qualifiedKey(t.name, *in.Name))
	if err != nil {
		return nil, missing(err, notFound("Cannot find alias arn: %s:%s", t.arn(), *in.Name))
	}
	c := a.shown(t)
	return &lambda.GetAliasOutput{AliasArn: c.AliasArn, Name: c.Name, FunctionVersion: c.FunctionVersion, Description: c.Description,
		RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig}, nil
}

// ListAliases tells about the aliases of a function, or of one version.
func (s *Service) ListAliases(ctx context.Context, in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, t); err != nil {
		return nil, err
	}
	list, err := s.aliasesOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if in.FunctionVersion != nil {
		list = slices.DeleteFunc(list, func(a alias) bool { return a.Version != *in.FunctionVersion })
	}
	list, next, err := page(list, func(a alias) string { return a.Name }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListAliasesOutput{NextMarker: next, Aliases: []types.AliasConfiguration{}}
	for _, a := range list {
		out.Aliases = append(out.Aliases, a.shown(t))
	}
	return out, nil
}

// DeleteAlias deletes an alias; one that is not there is no error.
func (s *Service) DeleteAlias(ctx context.Context, in *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error) {
	t, err := aliasTarget(ctx, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if _, err := s.find(ctx, t); err != nil {
			return err
		}
		err := s.aliases.Delete(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
		return errors.Join(missing(err, nil), s.forget(ctx, t))
	})
	return &lambda.DeleteAliasOutput{}, err
}
