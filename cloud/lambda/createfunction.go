package lambda

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// CreateFunction makes a function, which is Active at once.
func (s *Service) CreateFunction(ctx context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	var set settings
	copyMembers(reflect.ValueOf(&set).Elem(), reflect.ValueOf(*in))
	t, err := checkCreate(ctx, in, &set)
	if err != nil {
		return nil, err
	}
	if err := s.checkRole(ctx, *in.Role); err != nil {
		return nil, err
	}
	if _, err := s.functions.Get(ctx, t.scope, t.name); err == nil {
		return nil, conflict("Function already exist: %s", t.name)
	}
	v, err := s.create(ctx, t, in, &set)
	if err != nil {
		s.clean(ctx)
		return nil, err
	}
	c, err := s.shown(v)
	return answer[lambda.CreateFunctionOutput](c), err
}

// create stores a function's code and then the function.
func (s *Service) create(ctx context.Context, t target, in *lambda.CreateFunctionInput, set *settings) (v version, err error) {
	s.archives.keep.RLock()
	defer s.archives.keep.RUnlock()
	v = s.blank(ctx, t, in)
	if v.Code, err = s.take(ctx, source{in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion, in.Code.ImageUri}); err != nil {
		return v, err
	}
	v.hold()
	if err := s.apply(ctx, &v, set); err != nil {
		return v, err
	}
	return v, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		err := s.functions.Insert(ctx, t.scope, t.name, function{Name: t.name, Tags: maps.Clone(in.Tags)})
		if errors.Is(err, store.ErrExists) {
			return conflict("Function already exist: %s", t.name)
		}
		if err == nil {
			err = s.versions.Put(ctx, t.scope, versionKey(t.name, latest), v)
		}
		if err == nil && in.Publish {
			v, err = s.publish(ctx, t, v, nil)
		}
		return err
	})
}

// maxNewName is the length of a new function's name; an ARN may be longer.
const maxNewName = 64

func checkCreate(ctx context.Context, in *lambda.CreateFunctionInput, set *settings) (target, error) {
	var v violations
	v.present("functionName", in.FunctionName != nil)
	v.present("role", in.Role != nil)
	v.present("code", in.Code != nil)
	among(&v, "packageType", in.PackageType, types.PackageType("").Values())
	checkArchitectures(&v, in.Architectures)
	checkSettings(&v, set)
	if err := v.err(); err != nil {
		return target{}, err
	}
	t, err := own(ctx, in.FunctionName, nil)
	image := in.PackageType == types.PackageTypeImage
	switch {
	case err != nil:
		return t, err
	case len(t.name) > maxNewName:
		var v violations
		v.text("functionName", &t.name, 1, maxNewName, nil)
		return t, v.err()
	case t.qualifier != "":
		return t, invalid("The function name %s must not have a qualifier.", *in.FunctionName)
	case image && in.Code.ImageUri == nil:
		return t, invalid("Please provide ImageUri when creating a function with packageType Image.")
	case image && (in.Runtime != "" || in.Handler != nil || len(in.Layers) > 0):
		return t, invalid("Please don't provide Handler or Runtime or Layer when the intent is to create a function with packageType Image.")
	case !image && in.Code.ImageUri != nil:
		return t, invalid("Please don't provide ImageUri when creating a function with packageType Zip.")
	case in.CodeSigningConfigArn != nil:
		return t, invalid("%s", noSigning)
	case in.TenancyConfig != nil:
		return t, invalid("the local cloud has no tenant isolation of functions")
	}
	return t, cmp.Or(checkTags(in.Tags), refuseSettings(set))
}

func checkArchitectures(v *violations, list []types.Architecture) {
	if len(list) > 1 {
		v.add(list, "architectures", "have length less than or equal to 1")
	}
	for _, a := range list {
		among(v, "architectures", a, a.Values())
	}
}

// blank is a new function's $LATEST with AWS's defaults.
func (s *Service) blank(ctx context.Context, t target, in *lambda.CreateFunctionInput) version {
	v := version{Generation: s.host.NewID(), Config: types.FunctionConfiguration{
		FunctionName: &t.name, FunctionArn: aws.String(t.arn()), Version: aws.String(latest), Description: aws.String(""),
		LastModified: aws.String(s.now()), RevisionId: aws.String(s.host.NewID()),
		Timeout: aws.Int32(3), MemorySize: aws.Int32(128), EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)},
		PackageType: types.PackageTypeZip, Architectures: in.Architectures,
		TracingConfig: &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		SnapStart:     &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/" + t.name)},
		State:         types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful,
	}}
	if in.PackageType != "" {
		v.Config.PackageType = in.PackageType
	}
	if in.PackageType == types.PackageTypeImage {
		v.Config.StateReason = aws.String(noImages)
	}
	if len(in.Architectures) == 0 {
		v.Config.Architectures = []types.Architecture{types.ArchitectureX8664}
	}
	return v
}

const noImages = "the local cloud keeps functions of container images and does not run them"

// hold tells of a version's code in its configuration.
func (v *version) hold() {
	v.Config.CodeSha256, v.Config.CodeSize = aws.String(v.Code.digest()), v.Code.Size
	if v.Code.Image != "" {
		v.Config.CodeSha256 = aws.String(v.Code.SHA256) // of images in hex, says AWS
	}
}

// GetFunctionConfiguration tells about a version.
func (s *Service) GetFunctionConfiguration(ctx context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	t, c, _, err := s.get(ctx, in.FunctionName, in.Qualifier, "lambda:GetFunctionConfiguration")
	if err != nil {
		return nil, err
	}
	c.FunctionArn = aws.String(t.qualified())
	return answer[lambda.GetFunctionConfigurationOutput](c), nil
}

func (s *Service) get(ctx context.Context, name, qualifier *string, action string) (target, types.FunctionConfiguration, version, error) {
	t, err := locate(ctx, name, qualifier)
	if err == nil {
		err = s.permit(ctx, t, action)
	}
	if err != nil {
		return t, types.FunctionConfiguration{}, version{}, err
	}
	v, _, err := s.lookup(ctx, t)
	if err != nil {
		return t, types.FunctionConfiguration{}, v, err
	}
	c, err := s.shown(v)
	return t, c, v, err
}

// GetFunction tells about a version, and where its code can be read.
func (s *Service) GetFunction(ctx context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	t, c, v, err := s.get(ctx, in.FunctionName, in.Qualifier, "lambda:GetFunction")
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, t)
	if err != nil {
		return nil, err
	}
	c.FunctionArn = aws.String(t.qualified())
	out := &lambda.GetFunctionOutput{Configuration: &c, Code: s.location(v.Code)}
	if len(f.Tags) > 0 && t.qualifier == "" {
		out.Tags = f.Tags
	}
	if f.Reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: f.Reserved}
	}
	return out, nil
}

// ListFunctions tells about $LATEST of all functions, or about all versions.
func (s *Service) ListFunctions(ctx context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	var v violations
	among(&v, "functionVersion", in.FunctionVersion, in.FunctionVersion.Values())
	if err := v.err(); err != nil {
		return nil, err
	}
	entries, err := s.versions.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var list []store.Entry[version]
	for _, e := range entries {
		if in.FunctionVersion == types.FunctionVersionAll || e.Value.number() == latest {
			list = append(list, e)
		}
	}
	list, next, err := page(list, func(e store.Entry[version]) string { return e.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListFunctionsOutput{NextMarker: next, Functions: []types.FunctionConfiguration{}}
	for _, e := range list {
		c, err := s.listed(e.Value)
		if err != nil {
			return nil, err
		}
		if in.FunctionVersion == types.FunctionVersionAll && *c.Version == latest {
			c.FunctionArn = aws.String(*c.FunctionArn + ":" + latest)
		}
		out.Functions = append(out.Functions, c)
	}
	return out, nil
}
