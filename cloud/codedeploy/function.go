package codedeploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
)

// lambdaEvents are the events of a deployment of a function, in their order.
var lambdaEvents = []string{"BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"}

const lambdaResource = "AWS::Lambda::Function"

// lambdaProperties are those of a function in an AppSpec file.
type lambdaProperties struct {
	Name           string `yaml:"Name"`
	Alias          string `yaml:"Alias"`
	CurrentVersion string `yaml:"CurrentVersion"`
	TargetVersion  string `yaml:"TargetVersion"`
}

func (s *Service) functionRevision(ctx context.Context, d deployment, as aws.Config) (*revised[lambdaProperties], error) {
	text, err := specification(ctx, d, as)
	if err != nil {
		return nil, err
	}
	spec, err := parseTraffic[lambdaProperties](text, lambdaResource, []string{lambdaEvents[0], lambdaEvents[2]})
	if err != nil {
		return nil, err
	}
	if p := spec.Properties; p.Name == "" || p.Alias == "" || p.CurrentVersion == "" || p.TargetVersion == "" {
		return nil, errors.New("the AppSpec file's resource must be an AWS::Lambda::Function with Name, Alias, CurrentVersion and TargetVersion")
	}
	return spec, nil
}

// prepareFunction reads the revision and looks whether its function is as it
// says.
func (s *Service) prepareFunction(ctx context.Context, d deployment, g types.DeploymentGroupInfo) ([]target, *verdict, error) {
	bad := func(code types.ErrorCode, err error) ([]target, *verdict, error) {
		v := failure(code, "%v", err)
		return nil, &v, nil
	}
	as := s.asRole(d, g)
	spec, err := s.functionRevision(ctx, d, as)
	if err != nil {
		return bad(types.ErrorCodeInvalidRevision, err)
	}
	p := spec.Properties
	client := lambda.NewFromConfig(as)
	alias, err := client.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &p.Name, Name: &p.Alias})
	if err != nil {
		return bad(types.ErrorCodeInvalidLambdaFunction, fmt.Errorf("looking for the alias %s of the function %s: %w", p.Alias, p.Name, err))
	}
	if current := aws.ToString(alias.FunctionVersion); current != p.CurrentVersion && !d.isRollback() {
		return bad(types.ErrorCodeInvalidLambdaConfiguration, fmt.Errorf("the alias %s of the function %s is at version %s, not at %s as the AppSpec file says", p.Alias, p.Name, current, p.CurrentVersion))
	}
	if _, err := client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &p.Name, Qualifier: &p.TargetVersion}); err != nil {
		return bad(types.ErrorCodeInvalidLambdaFunction, fmt.Errorf("looking for version %s of the function %s: %w", p.TargetVersion, p.Name, err))
	}
	t := newTarget(spec.ID, d.Caller.ResourceARN("lambda", "function:"+p.Name+":"+p.Alias), lambdaEvents)
	t.Lambda = &types.LambdaFunctionInfo{FunctionName: &p.Name, FunctionAlias: &p.Alias, CurrentVersion: &p.CurrentVersion, TargetVersion: &p.TargetVersion}
	return []target{t}, nil, nil
}

// deployFunction shifts the traffic of an alias, between its hooks.
func (s *Service) deployFunction(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (verdict, error) {
	as := s.asRole(d, g)
	spec, err := s.functionRevision(ctx, d, as)
	if err != nil {
		return failure(types.ErrorCodeInvalidRevision, "%v", err), nil
	}
	c, err := s.config(door.WithCaller(ctx, d.Caller), d.Info.DeploymentConfigName)
	if err != nil {
		return failure(types.ErrorCodeInvalidLambdaConfiguration, "%v", err), nil
	}
	return s.follow(ctx, d, as, course{hooks: spec.Hooks, steps: map[string]step{
		"AllowTraffic": {code: types.ErrorCodeInvalidLambdaConfiguration, do: func(ctx context.Context) (string, error) {
			return "", s.shiftAlias(ctx, d, c.TrafficRoutingConfig, lambda.NewFromConfig(as))
		}},
	}})
}

// shiftAlias moves the alias's traffic to the target version, step by step.
func (s *Service) shiftAlias(ctx context.Context, d deployment, r *types.TrafficRoutingConfig, client *lambda.Client) error {
	id := d.Targets[0]
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
	if err != nil {
		return err
	}
	f := t.Lambda
	return s.shift(ctx, d, t, int32(f.TargetVersionWeight), r, func(weight int32) error {
		in := &lambda.UpdateAliasInput{FunctionName: f.FunctionName, Name: f.FunctionAlias, FunctionVersion: f.CurrentVersion,
			RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{*f.TargetVersion: float64(weight) / 100}}}
		if weight == 100 {
			in.FunctionVersion, in.RoutingConfig.AdditionalVersionWeights = f.TargetVersion, map[string]float64{}
		}
		if _, err := client.UpdateAlias(ctx, in); err != nil {
			return err
		}
		return s.changeTarget(ctx, d, id, func(t *target) { t.Lambda.TargetVersionWeight = float64(weight) })
	})
}

// formerVersion is a revision that brings an alias back to the version that
// the deployment found it at.
func (s *Service) formerVersion(ctx context.Context, d deployment) (*types.RevisionLocation, error) {
	if len(d.Targets) == 0 {
		return nil, nil // nothing was changed
	}
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), d.Targets[0]))
	if err != nil {
		return nil, err
	}
	f := t.Lambda
	return writeTraffic(t.ID, lambdaResource, lambdaProperties{*f.FunctionName, *f.FunctionAlias, *f.TargetVersion, *f.CurrentVersion})
}
