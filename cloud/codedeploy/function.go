package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.yaml.in/yaml/v3"

	"ouro/cloud/door"
)

// lambdaEvents are the events of a deployment of a function, in their order.
var lambdaEvents = []string{"BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"}

// lambdaSpec is the application specification file of a revision for Lambda.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
type lambdaSpec struct {
	Version   yaml.Node                   `yaml:"version"`
	Resources []map[string]lambdaResource `yaml:"Resources"`
	Hooks     []map[string]string         `yaml:"Hooks"`
}

type lambdaResource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Name           string `yaml:"Name"`
		Alias          string `yaml:"Alias"`
		CurrentVersion string `yaml:"CurrentVersion"`
		TargetVersion  string `yaml:"TargetVersion"`
	} `yaml:"Properties"`
}

// shifting is what a Lambda deployment does.
type shifting struct {
	lambdaResource
	id    string            // the resource's name in the specification
	hooks map[string]string // event → function
}

func parseLambdaSpec(text []byte) (*shifting, error) {
	var spec lambdaSpec
	if err := yaml.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("the AppSpec file is not valid: %w", err)
	}
	if spec.Version.Value != "0.0" {
		return nil, fmt.Errorf("the AppSpec file has the version %q: the only one is 0.0", spec.Version.Value)
	}
	if len(spec.Resources) != 1 || len(spec.Resources[0]) != 1 {
		return nil, errors.New("the AppSpec file must have one resource")
	}
	out := &shifting{hooks: map[string]string{}}
	for id, r := range spec.Resources[0] {
		out.id, out.lambdaResource = id, r
	}
	p := out.Properties
	if out.Type != "AWS::Lambda::Function" || p.Name == "" || p.Alias == "" || p.CurrentVersion == "" || p.TargetVersion == "" {
		return nil, errors.New("the AppSpec file's resource must be an AWS::Lambda::Function with Name, Alias, CurrentVersion and TargetVersion")
	}
	for _, hook := range spec.Hooks {
		for event, function := range hook {
			if event != lambdaEvents[0] && event != lambdaEvents[2] || function == "" {
				return nil, fmt.Errorf("the AppSpec file has the hook %q: those of Lambda are BeforeAllowTraffic and AfterAllowTraffic, each with a function", event)
			}
			out.hooks[event] = function
		}
	}
	return out, nil
}

// asRole calls as the group's service role.
func (s *Service) asRole(d deployment, g types.DeploymentGroupInfo) aws.Config {
	return s.host.Assume(d.Caller, *g.ServiceRoleArn, d.id())
}

// specification is what the revision of a Lambda deployment says.
func (s *Service) specification(ctx context.Context, d deployment, as aws.Config) (*shifting, error) {
	switch l := d.Info.Revision; l.RevisionType {
	case types.RevisionLocationTypeString:
		//lint:ignore SA1019 AWS still has it
		return parseLambdaSpec([]byte(*l.String_.Content))
	case types.RevisionLocationTypeAppSpecContent:
		return parseLambdaSpec([]byte(*l.AppSpecContent.Content))
	default:
		at := l.S3Location
		out, err := s3.NewFromConfig(as).GetObject(ctx, &s3.GetObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version})
		if err != nil {
			return nil, fmt.Errorf("getting the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
		}
		defer out.Body.Close()
		text, err := io.ReadAll(io.LimitReader(out.Body, maxAppspec))
		if err != nil {
			return nil, fmt.Errorf("getting the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
		}
		return parseLambdaSpec(text)
	}
}

// prepareFunction reads the revision and looks whether its function is as it
// says.
func (s *Service) prepareFunction(ctx context.Context, d deployment, g types.DeploymentGroupInfo) ([]target, *verdict, error) {
	bad := func(code types.ErrorCode, err error) ([]target, *verdict, error) {
		v := failure(code, "%v", err)
		return nil, &v, nil
	}
	as := s.asRole(d, g)
	spec, err := s.specification(ctx, d, as)
	if err != nil {
		return bad(types.ErrorCodeInvalidRevision, err)
	}
	p := spec.Properties
	client := lambda.NewFromConfig(as)
	alias, err := client.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &p.Name, Name: &p.Alias})
	if err != nil {
		return bad(types.ErrorCodeInvalidLambdaFunction, fmt.Errorf("looking for the alias %s of the function %s: %w", p.Alias, p.Name, err))
	}
	rollback := d.Info.Creator == types.DeploymentCreatorCodeDeployRollback
	if current := aws.ToString(alias.FunctionVersion); current != p.CurrentVersion && !rollback {
		return bad(types.ErrorCodeInvalidLambdaConfiguration, fmt.Errorf("the alias %s of the function %s is at version %s, not at %s as the AppSpec file says", p.Alias, p.Name, current, p.CurrentVersion))
	}
	if _, err := client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &p.Name, Qualifier: &p.TargetVersion}); err != nil {
		return bad(types.ErrorCodeInvalidLambdaFunction, fmt.Errorf("looking for version %s of the function %s: %w", p.TargetVersion, p.Name, err))
	}
	t := newTarget(spec.id, d.Caller.ResourceARN("lambda", "function:"+p.Name+":"+p.Alias), lambdaEvents)
	t.Lambda = &types.LambdaFunctionInfo{FunctionName: &p.Name, FunctionAlias: &p.Alias, CurrentVersion: &p.CurrentVersion, TargetVersion: &p.TargetVersion}
	return []target{t}, nil, nil
}

// deployFunction shifts the traffic of an alias, between its hooks. One that is
// taken up goes on where it was.
func (s *Service) deployFunction(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (verdict, error) {
	id := d.Targets[0]
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
	if err != nil {
		return verdict{}, err
	}
	as := s.asRole(d, g)
	spec, err := s.specification(ctx, d, as)
	if err != nil {
		return failure(types.ErrorCodeInvalidRevision, "%v", err), nil
	}
	c, err := s.config(door.WithCaller(ctx, d.Caller), d.Info.DeploymentConfigName)
	if err != nil {
		return failure(types.ErrorCodeInvalidLambdaConfiguration, "%v", err), nil
	}
	if err := s.changeTarget(ctx, d, id, func(t *target) { t.Status = types.TargetStatusInProgress }); err != nil {
		return verdict{}, err
	}
	v := verdict{status: types.DeploymentStatusSucceeded}
	for n, event := range lambdaEvents {
		if t.Events[n].Status == types.LifecycleEventStatusSucceeded {
			continue
		}
		if stop, err := s.stopping(ctx, d); err != nil {
			return verdict{}, err
		} else if stop {
			v = stoppedByHand
			break
		}
		ok, err := s.runEvent(ctx, d, id, n, func() *types.Diagnostics {
			if event == "AllowTraffic" {
				err = s.shift(ctx, d, id, c.TrafficRoutingConfig, lambda.NewFromConfig(as))
			} else {
				err = s.hook(ctx, d, event, spec.hooks[event], lambda.NewFromConfig(as))
			}
			if err != nil {
				return broken(err)
			}
			return success
		})
		if err != nil {
			return verdict{}, err
		}
		if !ok {
			v = failure(types.ErrorCodeHookExecutionFailure, "The lifecycle event %s failed: %s", event, s.why(ctx, d, id, n))
			if event == "AllowTraffic" {
				v.code = types.ErrorCodeInvalidLambdaConfiguration
			}
			if stop, err := s.stopping(ctx, d); err == nil && stop {
				v = stoppedByHand
			}
			break
		}
	}
	status := map[types.DeploymentStatus]types.TargetStatus{
		types.DeploymentStatusSucceeded: types.TargetStatusSucceeded, types.DeploymentStatusFailed: types.TargetStatusFailed, types.DeploymentStatusStopped: types.TargetStatusSkipped,
	}[v.status]
	return v, s.changeTarget(ctx, d, id, func(t *target) { t.skip(); t.Status = status })
}

var stoppedByHand = verdict{types.DeploymentStatusStopped, types.ErrorCodeManualStop, "The deployment was stopped"}

// why is the message of an event that failed.
func (s *Service) why(ctx context.Context, d deployment, id string, n int) string {
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
	if err != nil || t.Events[n].Diagnostics == nil {
		return ""
	}
	return aws.ToString(t.Events[n].Diagnostics.Message)
}

// shift moves the alias's traffic to the target version, step by step.
func (s *Service) shift(ctx context.Context, d deployment, id string, r *types.TrafficRoutingConfig, client *lambda.Client) error {
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
	if err != nil {
		return err
	}
	step, every, repeat := int32(100), int32(0), false
	switch {
	case r.TimeBasedCanary != nil:
		step, every = r.TimeBasedCanary.CanaryPercentage, r.TimeBasedCanary.CanaryInterval
	case r.TimeBasedLinear != nil:
		step, every, repeat = r.TimeBasedLinear.LinearPercentage, r.TimeBasedLinear.LinearInterval, true
	}
	f := t.Lambda
	weight := int32(f.TargetVersionWeight)
	for {
		if weight == 0 || repeat {
			weight = min(weight+step, 100)
		} else {
			weight = 100
		}
		in := &lambda.UpdateAliasInput{FunctionName: f.FunctionName, Name: f.FunctionAlias, FunctionVersion: f.CurrentVersion,
			RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{*f.TargetVersion: float64(weight) / 100}}}
		if weight == 100 {
			in.FunctionVersion, in.RoutingConfig.AdditionalVersionWeights = f.TargetVersion, map[string]float64{}
		}
		if _, err := client.UpdateAlias(ctx, in); err != nil {
			return fmt.Errorf("shifting %d percent of the traffic: %w", weight, err)
		}
		if err := s.changeTarget(ctx, d, id, func(t *target) { t.Lambda.TargetVersionWeight = float64(weight) }); err != nil {
			return err
		}
		if weight == 100 {
			return nil
		}
		if stopped, err := s.rest(ctx, d, every); err != nil || stopped {
			return errors.Join(err, errors.New("the deployment was stopped"))
		}
	}
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
	spec := lambdaSpec{Resources: []map[string]lambdaResource{{}}}
	r := lambdaResource{Type: "AWS::Lambda::Function"}
	r.Properties.Name, r.Properties.Alias = *t.Lambda.FunctionName, *t.Lambda.FunctionAlias
	r.Properties.CurrentVersion, r.Properties.TargetVersion = *t.Lambda.TargetVersion, *t.Lambda.CurrentVersion
	spec.Resources[0][t.ID] = r
	spec.Version = yaml.Node{Kind: yaml.ScalarNode, Value: "0.0"}
	text, err := yaml.Marshal(spec)
	if err != nil {
		return nil, err
	}
	return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: aws.String(string(text))}}, nil
}
