package apigateway

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
)

// deploy freezes an API as it is.
func (s *Service) deploy(a *api, description *string) (deployment, error) {
	d := deployment{Config: a.config, Deployment: types.Deployment{
		Id: aws.String(executeapi.NewID(6)), CreatedDate: aws.Time(s.host.Now()), Description: description,
		ApiSummary: map[string]map[string]types.MethodSnapshot{},
	}}
	for _, r := range a.Resources {
		for verb, m := range r.ResourceMethods {
			if m.MethodIntegration == nil {
				return d, badRequest("No integration defined for method")
			}
			if d.ApiSummary[*r.Path] == nil {
				d.ApiSummary[*r.Path] = map[string]types.MethodSnapshot{}
			}
			d.ApiSummary[*r.Path][verb] = types.MethodSnapshot{AuthorizationType: m.AuthorizationType, ApiKeyRequired: aws.ToBool(m.ApiKeyRequired)}
		}
	}
	if len(d.ApiSummary) == 0 {
		return d, badRequest("The REST API doesn't contain any methods")
	}
	a.Deployments[*d.Id] = d
	return d, nil
}

// CreateDeployment freezes an API as it is, and has a stage serve that, which it
// makes if there is none.
func (s *Service) CreateDeployment(ctx context.Context, in *apigw.CreateDeploymentInput) (*apigw.CreateDeploymentOutput, error) {
	var d deployment
	_, err := s.change(ctx, in.RestApiId, func(a *api) (err error) {
		if in.CanarySettings != nil {
			return badRequest("Canary deployments are not supported by the local cloud")
		}
		if d, err = s.deploy(a, in.Description); err != nil || aws.ToString(in.StageName) == "" {
			return err
		}
		st, exists := a.Stages[*in.StageName]
		if !exists {
			st = types.Stage{StageName: in.StageName, CreatedDate: d.CreatedDate}
		}
		st.DeploymentId, st.LastUpdatedDate = d.Id, d.CreatedDate
		if in.StageDescription != nil {
			st.Description = in.StageDescription
		}
		if in.Variables != nil {
			st.Variables = in.Variables
		}
		st.CacheClusterEnabled, st.CacheClusterSize = st.CacheClusterEnabled || aws.ToBool(in.CacheClusterEnabled), in.CacheClusterSize
		st.TracingEnabled = st.TracingEnabled || aws.ToBool(in.TracingEnabled)
		if err := checkStage(a, &st); err != nil {
			return err
		}
		a.Stages[*in.StageName] = st
		return nil
	})
	d.ApiSummary = nil // which only GetDeployment tells
	return told[apigw.CreateDeploymentOutput](&d.Deployment, err)
}

func withSummary(d deployment, embed []string) types.Deployment {
	if !slices.Contains(embed, "apisummary") {
		d.ApiSummary = nil
	}
	return d.Deployment
}

// GetDeployment gives a deployment.
func (s *Service) GetDeployment(ctx context.Context, in *apigw.GetDeploymentInput) (*apigw.GetDeploymentOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	d, err := executeapi.Part(a.Deployments, "Deployment", in.DeploymentId)
	shown := withSummary(d, in.Embed)
	return told[apigw.GetDeploymentOutput](&shown, err)
}

// GetDeployments lists the deployments of an API.
func (s *Service) GetDeployments(ctx context.Context, in *apigw.GetDeploymentsInput) (*apigw.GetDeploymentsOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	all := map[string]types.Deployment{}
	for id, d := range a.Deployments {
		all[id] = withSummary(d, nil)
	}
	items, next := page(all, in.Position, in.Limit)
	return &apigw.GetDeploymentsOutput{Items: items, Position: next}, nil
}

// UpdateDeployment changes what a deployment says of itself.
func (s *Service) UpdateDeployment(ctx context.Context, in *apigw.UpdateDeploymentInput) (*apigw.UpdateDeploymentOutput, error) {
	var d deployment
	_, err := s.change(ctx, in.RestApiId, func(a *api) (err error) {
		if d, err = executeapi.Part(a.Deployments, "Deployment", in.DeploymentId); err != nil {
			return err
		}
		if err := patch(&d.Deployment, in.PatchOperations, "description"); err != nil {
			return err
		}
		a.Deployments[*in.DeploymentId] = d
		return nil
	})
	shown := withSummary(d, nil)
	return told[apigw.UpdateDeploymentOutput](&shown, err)
}

// DeleteDeployment deletes a deployment that no stage serves.
func (s *Service) DeleteDeployment(ctx context.Context, in *apigw.DeleteDeploymentInput) (*apigw.DeleteDeploymentOutput, error) {
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
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
