package apigateway

import (
	"cmp"
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

var (
	stageName     = regex.New(`^[a-zA-Z0-9_-]{1,128}$`)
	variableName  = regex.New(`^[A-Za-z0-9_]+$`)
	variableValue = regex.New(`^[A-Za-z0-9-._~:/?#&=,]+$`)
)

// checkStage holds a stage against the rules, and fills in what it does not say.
func checkStage(a *api, st *types.Stage) error {
	switch {
	case !stageName().MatchString(aws.ToString(st.StageName)):
		return badRequest("Stage name only allows a-zA-Z0-9_-")
	case st.CanarySettings != nil:
		return badRequest("Canary deployments are not supported by the local cloud")
	case st.CacheClusterEnabled:
		return badRequest("Cache clusters are not supported by the local cloud")
	case st.ClientCertificateId != nil:
		return badRequest("Client certificates are not supported by the local cloud")
	}
	if _, ok := a.Deployments[aws.ToString(st.DeploymentId)]; !ok {
		return badRequest("Deployment id does not exist")
	}
	for name, value := range st.Variables {
		if !variableName().MatchString(name) || !variableValue().MatchString(value) {
			return badRequest("Invalid stage variable value for %s: %s. Please use values with alphanumeric characters and the symbols ' ',-', '.', '_', ':', '/', '?', '&', '=', and ','.", name, value)
		}
	}
	if l := st.AccessLogSettings; l != nil && (l.DestinationArn != nil || l.Format != nil) {
		if _, ok := executeapi.GroupOf(aws.ToString(l.DestinationArn)); l.DestinationArn != nil && !ok {
			return badRequest("Access logs go to log groups; the local cloud writes to no other destination: %s", aws.ToString(l.DestinationArn))
		}
	}
	for key, m := range st.MethodSettings {
		if m.CachingEnabled {
			return badRequest("Caching (%s) is not supported by the local cloud", key)
		}
	}
	st.CacheClusterStatus = types.CacheClusterStatusNotAvailable
	return nil
}

// CreateStage makes a stage.
func (s *Service) CreateStage(ctx context.Context, in *apigw.CreateStageInput) (*apigw.CreateStageOutput, error) {
	now := s.host.Now()
	st := types.Stage{CreatedDate: &now, LastUpdatedDate: &now}
	executeapi.Fill(&st, in)
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if err := cmp.Or(executeapi.CheckTags(st.Tags), checkStage(a, &st)); err != nil {
			return err
		}
		if _, exists := a.Stages[*st.StageName]; exists {
			return conflict("Stage already exists")
		}
		a.Stages[*st.StageName] = st
		return nil
	})
	return told[apigw.CreateStageOutput](&st, err)
}

// GetStage gives a stage.
func (s *Service) GetStage(ctx context.Context, in *apigw.GetStageInput) (*apigw.GetStageOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	st, err := executeapi.Part(a.Stages, "stage", in.StageName)
	return told[apigw.GetStageOutput](&st, err)
}

// GetStages lists the stages of an API, or of one of its deployments.
func (s *Service) GetStages(ctx context.Context, in *apigw.GetStagesInput) (*apigw.GetStagesOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	out := &apigw.GetStagesOutput{}
	all, _ := executeapi.Page(a.Stages, "", len(a.Stages))
	for _, st := range all {
		if in.DeploymentId == nil || *in.DeploymentId == aws.ToString(st.DeploymentId) {
			out.Item = append(out.Item, st)
		}
	}
	return out, nil
}

// UpdateStage changes a stage.
func (s *Service) UpdateStage(ctx context.Context, in *apigw.UpdateStageInput) (*apigw.UpdateStageOutput, error) {
	var st types.Stage
	_, err := s.change(ctx, in.RestApiId, func(a *api) (err error) {
		if st, err = executeapi.Part(a.Stages, "stage", in.StageName); err != nil {
			return err
		}
		for _, op := range in.PatchOperations {
			if path := pointer(op.Path); isSetting(path) {
				err = patchSetting(&st, path, op)
			} else {
				err = patch(&st, []types.PatchOperation{op}, "deploymentId", "description", "variables", "accessLogSettings",
					"cacheClusterEnabled", "cacheClusterSize", "canarySettings", "clientCertificateId", "documentationVersion", "tracingEnabled")
			}
			if err != nil {
				return err
			}
		}
		if err := checkStage(a, &st); err != nil {
			return err
		}
		st.LastUpdatedDate = aws.Time(s.host.Now())
		a.Stages[*in.StageName] = st
		return nil
	})
	return told[apigw.UpdateStageOutput](&st, err)
}

// DeleteStage deletes a stage.
func (s *Service) DeleteStage(ctx context.Context, in *apigw.DeleteStageInput) (*apigw.DeleteStageOutput, error) {
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		_, err := executeapi.Part(a.Stages, "stage", in.StageName)
		delete(a.Stages, aws.ToString(in.StageName))
		return err
	})
	return &apigw.DeleteStageOutput{}, err
}

// settings are the members of method settings by their names in paths.
var settings = map[string]string{
	"metrics/enabled": "metricsEnabled", "logging/loglevel": "loggingLevel", "logging/dataTrace": "dataTraceEnabled",
	"throttling/burstLimit": "throttlingBurstLimit", "throttling/rateLimit": "throttlingRateLimit",
	"caching/enabled": "cachingEnabled", "caching/ttlInSeconds": "cacheTtlInSeconds", "caching/dataEncrypted": "cacheDataEncrypted",
	"caching/requireAuthorizationForCacheControl":    "requireAuthorizationForCacheControl",
	"caching/unauthorizedCacheControlHeaderStrategy": "unauthorizedCacheControlHeaderStrategy",
}

const unlimited = -1 // throttling limits that are not set

// isSetting tells a path of method settings: RESOURCE/METHOD/SETTING, or
// RESOURCE/METHOD for all of them.
func isSetting(path []string) bool {
	n := len(path)
	return n >= 4 && settings[path[n-2]+"/"+path[n-1]] != "" || n == 2 && (path[1] == "*" || strings.Contains("/"+strings.Join(verbs, "/")+"/", "/"+path[1]+"/"))
}

// patchSetting changes the settings of a method, or of all (*/*).
func patchSetting(st *types.Stage, path []string, op types.PatchOperation) error {
	member := ""
	if n := len(path); n > 2 {
		member, path = settings[path[n-2]+"/"+path[n-1]], path[:n-2]
	}
	key := settingKey(strings.Join(path, "/"))
	if member == "" {
		if op.Op != types.OpRemove {
			return badRequest("Invalid patch path  '%s' specified for op '%s'. Must be one of: [remove]", aws.ToString(op.Path), op.Op)
		}
		delete(st.MethodSettings, key)
		return nil
	}
	m, ok := st.MethodSettings[key]
	if !ok {
		m = types.MethodSetting{LoggingLevel: aws.String("OFF"), ThrottlingBurstLimit: unlimited, ThrottlingRateLimit: unlimited, CacheTtlInSeconds: 300,
			RequireAuthorizationForCacheControl: true, UnauthorizedCacheControlHeaderStrategy: types.UnauthorizedCacheControlHeaderStrategySucceedWithResponseHeader}
	}
	op.Path = aws.String("/" + member)
	if err := patch(&m, []types.PatchOperation{op}, member); err != nil {
		return err
	}
	if st.MethodSettings == nil {
		st.MethodSettings = map[string]types.MethodSetting{}
	}
	st.MethodSettings[key] = m
	return nil
}

// settingKey is RESOURCE/METHOD without slashes at its beginning.
func settingKey(path string) string { return strings.TrimLeft(path, "/") }
