package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const noSigning = "the local cloud has no code signing"

// CreateEventSourceMapping is refused: there are no queues and streams to read.
func (s *Service) CreateEventSourceMapping(context.Context, *lambda.CreateEventSourceMappingInput) (*lambda.CreateEventSourceMappingOutput, error) {
	return nil, invalid("the local cloud has no queues and no streams, which event source mappings read")
}

// ListEventSourceMappings is empty.
func (s *Service) ListEventSourceMappings(context.Context, *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
	return &lambda.ListEventSourceMappingsOutput{EventSourceMappings: []types.EventSourceMappingConfiguration{}}, nil
}

// GetEventSourceMapping finds none.
func (s *Service) GetEventSourceMapping(context.Context, *lambda.GetEventSourceMappingInput) (*lambda.GetEventSourceMappingOutput, error) {
	return nil, nothing()
}

// UpdateEventSourceMapping finds none.
func (s *Service) UpdateEventSourceMapping(context.Context, *lambda.UpdateEventSourceMappingInput) (*lambda.UpdateEventSourceMappingOutput, error) {
	return nil, nothing()
}

// DeleteEventSourceMapping finds none.
func (s *Service) DeleteEventSourceMapping(context.Context, *lambda.DeleteEventSourceMappingInput) (*lambda.DeleteEventSourceMappingOutput, error) {
	return nil, nothing()
}

// CreateCodeSigningConfig is refused.
func (s *Service) CreateCodeSigningConfig(context.Context, *lambda.CreateCodeSigningConfigInput) (*lambda.CreateCodeSigningConfigOutput, error) {
	return nil, invalid("%s", noSigning)
}

// ListCodeSigningConfigs is empty.
func (s *Service) ListCodeSigningConfigs(context.Context, *lambda.ListCodeSigningConfigsInput) (*lambda.ListCodeSigningConfigsOutput, error) {
	return &lambda.ListCodeSigningConfigsOutput{CodeSigningConfigs: []types.CodeSigningConfig{}}, nil
}

// GetCodeSigningConfig finds none.
func (s *Service) GetCodeSigningConfig(_ context.Context, in *lambda.GetCodeSigningConfigInput) (*lambda.GetCodeSigningConfigOutput, error) {
	return nil, notFound("The Lambda code signing configuration %s can not be found.", aws.ToString(in.CodeSigningConfigArn))
}

// PutFunctionCodeSigningConfig finds none to put.
func (s *Service) PutFunctionCodeSigningConfig(_ context.Context, in *lambda.PutFunctionCodeSigningConfigInput) (*lambda.PutFunctionCodeSigningConfigOutput, error) {
	return nil, &types.CodeSigningConfigNotFoundException{Type: aws.String(user), Message: aws.String(
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: " + aws.ToString(in.CodeSigningConfigArn) + ".")}
}

// GetFunctionCodeSigningConfig tells that a function has none, as AWS tells it.
func (s *Service) GetFunctionCodeSigningConfig(ctx context.Context, in *lambda.GetFunctionCodeSigningConfigInput) (*lambda.GetFunctionCodeSigningConfigOutput, error) {
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	_, err = s.find(ctx, t)
	return &lambda.GetFunctionCodeSigningConfigOutput{FunctionName: &t.name}, err
}
