package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/regex"
)

var runtimeARNPattern = regex.New(`^(?:arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}::runtime:.+)$`)

// runtimeManagement is when a version's runtime is renewed. A runtime has one
// version here, so it is recorded.
type runtimeManagement struct {
	On  types.UpdateRuntimeOn // "" is Auto
	ARN string                // of the version that Manual asks for
}

// PutRuntimeManagementConfig records when the runtime is to be renewed.
func (s *Service) PutRuntimeManagementConfig(ctx context.Context, in *lambda.PutRuntimeManagementConfigInput) (*lambda.PutRuntimeManagementConfigOutput, error) {
	var v violations
	v.present("updateRuntimeOn", in.UpdateRuntimeOn != "")
	among(&v, "updateRuntimeOn", in.UpdateRuntimeOn, in.UpdateRuntimeOn.Values())
	v.text("runtimeVersionArn", in.RuntimeVersionArn, 26, 2048, runtimeARNPattern())
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	switch manual := in.UpdateRuntimeOn == types.UpdateRuntimeOnManual; {
	case manual && in.RuntimeVersionArn == nil:
		return nil, invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
	case !manual && in.RuntimeVersionArn != nil:
		return nil, invalid("RuntimeVersionArn must not be given unless UpdateRuntimeOn is Manual.")
	}
	m := runtimeManagement{in.UpdateRuntimeOn, aws.ToString(in.RuntimeVersionArn)}
	_, err = s.versions.Update(ctx, t.scope, versionKey(t.name, t.qualifier), func(v *version) error {
		v.Runtime = m
		return nil
	})
	return &lambda.PutRuntimeManagementConfigOutput{FunctionArn: aws.String(t.qualified()), UpdateRuntimeOn: m.On, RuntimeVersionArn: optional(m.ARN)},
		missing(err, noFunction(t.qualified()))
}

// GetRuntimeManagementConfig tells what is recorded.
func (s *Service) GetRuntimeManagementConfig(ctx context.Context, in *lambda.GetRuntimeManagementConfigInput) (*lambda.GetRuntimeManagementConfigOutput, error) {
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	v, _, err := s.lookup(ctx, t)
	if err != nil {
		return nil, err
	}
	if v.Runtime.On == "" {
		v.Runtime.On = types.UpdateRuntimeOnAuto
	}
	return &lambda.GetRuntimeManagementConfigOutput{FunctionArn: aws.String(t.qualified()), UpdateRuntimeOn: v.Runtime.On, RuntimeVersionArn: optional(v.Runtime.ARN)}, nil
}

// PutFunctionRecursionConfig records whether the function may call itself.
func (s *Service) PutFunctionRecursionConfig(ctx context.Context, in *lambda.PutFunctionRecursionConfigInput) (*lambda.PutFunctionRecursionConfigOutput, error) {
	var v violations
	v.present("recursiveLoop", in.RecursiveLoop != "")
	among(&v, "recursiveLoop", in.RecursiveLoop, in.RecursiveLoop.Values())
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := unqualified(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	_, err = s.functions.Update(ctx, t.scope, t.name, func(f *function) error {
		f.Recursive = in.RecursiveLoop
		return nil
	})
	return &lambda.PutFunctionRecursionConfigOutput{RecursiveLoop: in.RecursiveLoop}, missing(err, noFunction(t.arn()))
}

// GetFunctionRecursionConfig tells what is recorded.
func (s *Service) GetFunctionRecursionConfig(ctx context.Context, in *lambda.GetFunctionRecursionConfigInput) (*lambda.GetFunctionRecursionConfigOutput, error) {
	t, err := unqualified(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, t)
	if f.Recursive == "" {
		f.Recursive = types.RecursiveLoopTerminate
	}
	return &lambda.GetFunctionRecursionConfigOutput{RecursiveLoop: f.Recursive}, err
}
