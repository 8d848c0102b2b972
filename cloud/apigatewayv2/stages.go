package apigatewayv2

import (
	"cmp"
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

const defaultStage = "$default" // the one without its name in paths

var stageName = regex.New(`^(\$default|[a-zA-Z0-9_-]{1,128})$`)

func checkStage(a *api, st *types.Stage) error {
	switch {
	case !stageName().MatchString(aws.ToString(st.StageName)):
		return badRequest("Stage name only allows alphanumeric, underscore and hyphen, or $default")
	case st.ClientCertificateId != nil:
		return badRequest("client certificates are not supported for HTTP APIs")
	}
	if st.DeploymentId != nil {
		if _, err := executeapi.Part(a.Deployments, "Deployment", st.DeploymentId); err != nil {
			return badRequest("Deployment id does not exist")
		}
	}
	if l := st.AccessLogSettings; l != nil {
		if _, ok := executeapi.GroupOf(aws.ToString(l.DestinationArn)); !ok || aws.ToString(l.Format) == "" {
			return badRequest("Access log settings need the ARN of a log group and a format; the local cloud writes to no other destination")
		}
	}
	if st.DefaultRouteSettings == nil {
		st.DefaultRouteSettings = &types.RouteSettings{DetailedMetricsEnabled: aws.Bool(false)}
	}
	return nil
}

// CreateStage makes a stage.
func (s *Service) CreateStage(ctx context.Context, in *apigw.CreateStageInput) (*apigw.CreateStageOutput, error) {
	now := s.host.Now()
	st := types.Stage{CreatedDate: &now, LastUpdatedDate: &now}
	executeapi.Fill(&st, in)
	a, err := s.change(ctx, in.ApiId, func(a *api) error {
		if err := cmp.Or(executeapi.CheckTags(st.Tags), checkStage(a, &st)); err != nil {
			return err
		}
		if _, exists := a.Stages[*st.StageName]; exists {
			return conflict("Stage already exists")
		}
		if aws.ToBool(st.AutoDeploy) && st.DeploymentId != nil {
			return badRequest("Deployment ID cannot be set on stages with AutoDeploy enabled")
		}
		a.Stages[*st.StageName] = st
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apigw.CreateStageOutput{}
	st = a.Stages[*st.StageName]
	executeapi.Fill(out, &st)
	return out, nil
}

// GetStage gives a stage.
func (s *Service) GetStage(ctx context.Context, in *apigw.GetStageInput) (*apigw.GetStageOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	st, err := executeapi.Part(a.Stages, "stage", in.StageName)
	out := &apigw.GetStageOutput{}
	executeapi.Fill(out, &st)
	return out, err
}

// GetStages lists the stages of an API.
func (s *Service) GetStages(ctx context.Context, in *apigw.GetStagesInput) (*apigw.GetStagesOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(a.Stages, in.NextToken, in.MaxResults)
	return &apigw.GetStagesOutput{Items: items, NextToken: next}, err
}

// UpdateStage changes a stage.
func (s *Service) UpdateStage(ctx context.Context, in *apigw.UpdateStageInput) (*apigw.UpdateStageOutput, error) {
	a, err := s.change(ctx, in.ApiId, func(a *api) error {
		st, err := executeapi.Part(a.Stages, "stage", in.StageName)
		if err != nil {
			return err
		}
		settings := maps.Clone(st.RouteSettings)
		executeapi.Fill(&st, in)
		if in.RouteSettings != nil && settings != nil { // those of other routes stay
			maps.Copy(settings, in.RouteSettings)
			st.RouteSettings = settings
		}
		if err := checkStage(a, &st); err != nil {
			return err
		}
		st.LastUpdatedDate = aws.Time(s.host.Now())
		a.Stages[*st.StageName] = st
		return nil
	})
	if err != nil {
		return nil, err
	}
	st, out := a.Stages[*in.StageName], &apigw.UpdateStageOutput{}
	executeapi.Fill(out, &st)
	return out, nil
}

// changeStage changes a stage by hand.
func (s *Service) changeStage(ctx context.Context, id, name *string, f func(*types.Stage)) error {
	_, err := s.change(ctx, id, func(a *api) error {
		st, err := executeapi.Part(a.Stages, "stage", name)
		if err != nil {
			return err
		}
		st.RouteSettings = maps.Clone(st.RouteSettings)
		f(&st)
		a.Stages[*name] = st
		return nil
	})
	return err
}

// DeleteStage deletes a stage.
func (s *Service) DeleteStage(ctx context.Context, in *apigw.DeleteStageInput) (*apigw.DeleteStageOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		_, err := executeapi.Part(a.Stages, "stage", in.StageName)
		delete(a.Stages, aws.ToString(in.StageName))
		return err
	})
	return &apigw.DeleteStageOutput{}, err
}

// DeleteAccessLogSettings ends a stage's access log.
func (s *Service) DeleteAccessLogSettings(ctx context.Context, in *apigw.DeleteAccessLogSettingsInput) (*apigw.DeleteAccessLogSettingsOutput, error) {
	return &apigw.DeleteAccessLogSettingsOutput{}, s.changeStage(ctx, in.ApiId, in.StageName, func(st *types.Stage) { st.AccessLogSettings = nil })
}

// DeleteRouteSettings leaves a route to the stage's settings for all routes.
func (s *Service) DeleteRouteSettings(ctx context.Context, in *apigw.DeleteRouteSettingsInput) (*apigw.DeleteRouteSettingsOutput, error) {
	return &apigw.DeleteRouteSettingsOutput{}, s.changeStage(ctx, in.ApiId, in.StageName, func(st *types.Stage) { delete(st.RouteSettings, aws.ToString(in.RouteKey)) })
}

// CreateDeployment freezes an API as it is, and has a stage serve that.
func (s *Service) CreateDeployment(ctx context.Context, in *apigw.CreateDeploymentInput) (*apigw.CreateDeploymentOutput, error) {
	out := &apigw.CreateDeploymentOutput{}
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if len(a.Routes) == 0 {
			return badRequest("At least one route is required before deploying the Api.")
		}
		d := s.deploy(a, in.Description)
		if in.StageName != nil {
			st, err := executeapi.Part(a.Stages, "stage", in.StageName)
			if err != nil {
				return err
			}
			if aws.ToBool(st.AutoDeploy) {
				return badRequest("Deployment ID cannot be set on stages with AutoDeploy enabled")
			}
			st.DeploymentId, st.LastUpdatedDate = d.DeploymentId, d.CreatedDate
			a.Stages[*in.StageName] = st
		}
		executeapi.Fill(out, &d.Deployment)
		return nil
	})
	return out, err
}

func (s *Service) deploy(a *api, description *string) deployment {
	d := deployment{Config: a.config.clone(), Deployment: types.Deployment{
		DeploymentId: aws.String(executeapi.NewID(6)), CreatedDate: aws.Time(s.host.Now()), Description: description,
		DeploymentStatus: types.DeploymentStatusDeployed, AutoDeployed: aws.Bool(false),
	}}
	a.Deployments[*d.DeploymentId] = d
	return d
}

// autoDeploy deploys an API to the stages that ask for it. Of the deployments
// that were made so, those that no stage serves any more are forgotten.
func (s *Service) autoDeploy(a *api) {
	var made *deployment
	for name, st := range a.Stages {
		if !aws.ToBool(st.AutoDeploy) || len(a.Routes) == 0 {
			continue
		}
		if made == nil {
			d := s.deploy(a, aws.String("Automatic deployment triggered by changes to the Api configuration"))
			d.AutoDeployed = aws.Bool(true)
			a.Deployments[*d.DeploymentId] = d
			made = &d
		}
		st.DeploymentId = made.DeploymentId
		st.LastDeploymentStatusMessage = aws.String("Successfully deployed stage with deployment ID '" + *made.DeploymentId + "'")
		a.Stages[name] = st
	}
	served := map[string]bool{}
	for _, st := range a.Stages {
		served[aws.ToString(st.DeploymentId)] = true
	}
	maps.DeleteFunc(a.Deployments, func(id string, d deployment) bool { return aws.ToBool(d.AutoDeployed) && !served[id] })
}

// GetDeployment gives a deployment.
func (s *Service) GetDeployment(ctx context.Context, in *apigw.GetDeploymentInput) (*apigw.GetDeploymentOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	d, err := executeapi.Part(a.Deployments, "Deployment", in.DeploymentId)
	out := &apigw.GetDeploymentOutput{}
	executeapi.Fill(out, &d.Deployment)
	return out, err
}

// GetDeployments lists the deployments of an API.
func (s *Service) GetDeployments(ctx context.Context, in *apigw.GetDeploymentsInput) (*apigw.GetDeploymentsOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	all := map[string]types.Deployment{}
	for id, d := range a.Deployments {
		all[id] = d.Deployment
	}
	items, next, err := page(all, in.NextToken, in.MaxResults)
	return &apigw.GetDeploymentsOutput{Items: items, NextToken: next}, err
}

// UpdateDeployment changes what a deployment says of itself.
func (s *Service) UpdateDeployment(ctx context.Context, in *apigw.UpdateDeploymentInput) (*apigw.UpdateDeploymentOutput, error) {
	out := &apigw.UpdateDeploymentOutput{}
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		d, err := executeapi.Part(a.Deployments, "Deployment", in.DeploymentId)
		if err != nil {
			return err
		}
		d.Description = in.Description
		a.Deployments[*in.DeploymentId] = d
		executeapi.Fill(out, &d.Deployment)
		return nil
	})
	return out, err
}

// DeleteDeployment deletes a deployment that no stage serves.
func (s *Service) DeleteDeployment(ctx context.Context, in *apigw.DeleteDeploymentInput) (*apigw.DeleteDeploymentOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if _, err := executeapi.Part(a.Deployments, "Deployment", in.DeploymentId); err != nil {
			return err
		}
		for _, st := range a.Stages {
			if aws.ToString(st.DeploymentId) == *in.DeploymentId {
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		delete(a.Deployments, *in.DeploymentId)
		return nil
	})
	return &apigw.DeleteDeploymentOutput{}, err
}
