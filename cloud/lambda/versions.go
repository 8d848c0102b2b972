package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// PublishVersion makes a version of what $LATEST is now; if that is what the
// newest version is, it gives that one.
func (s *Service) PublishVersion(ctx context.Context, in *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error) {
	var found violations
	found.text("description", in.Description, 0, 256, nil)
	if err := found.err(); err != nil {
		return nil, err
	}
	if in.PublishTo != "" {
		return nil, invalid("the local cloud has no functions on capacity providers, which alone have a version $LATEST.PUBLISHED")
	}
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var v version
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		now, err := s.versions.Get(ctx, t.scope, versionKey(t.name, latest))
		switch {
		case err != nil:
			return missing(err, noFunction(t.arn()))
		case in.RevisionId != nil && *in.RevisionId != *now.Config.RevisionId:
			return stale("GetFunction/GetAlias")
		case in.CodeSha256 != nil && *in.CodeSha256 != *now.Config.CodeSha256:
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", *in.CodeSha256, *now.Config.CodeSha256)
		}
		v, err = s.publish(ctx, t, now, in.Description)
		return err
	})
	if err != nil {
		return nil, err
	}
	c, err := s.shown(v)
	return answer[lambda.PublishVersionOutput](c), err
}

// publish makes a version of $LATEST, in the transaction of ctx.
func (s *Service) publish(ctx context.Context, t target, now version, description *string) (version, error) {
	f, err := s.find(ctx, t)
	if err != nil {
		return version{}, err
	}
	if newest, err := s.versions.Get(ctx, t.scope, versionKey(t.name, number(f.Published))); err == nil && newest.Generation == now.Generation {
		return newest, nil
	} else if missing(err, nil) != nil {
		return version{}, err
	}
	if _, err := s.functions.Update(ctx, t.scope, t.name, func(f *function) error {
		f.Published++
		return nil
	}); err != nil {
		return version{}, err
	}
	v, n := now, number(f.Published+1)
	v.Config.Version, v.Config.FunctionArn = &n, aws.String(t.arn()+":"+n)
	v.Config.RevisionId = aws.String(s.host.NewID())
	set(&v.Config.Description, description)
	if snap := v.Config.SnapStart; snap != nil && snap.ApplyOn == types.SnapStartApplyOnPublishedVersions {
		v.Config.SnapStart = &types.SnapStartResponse{ApplyOn: snap.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOff}
	}
	return v, s.versions.Put(ctx, t.scope, versionKey(t.name, n), v)
}

// ListVersionsByFunction tells about all versions, $LATEST first.
func (s *Service) ListVersionsByFunction(ctx context.Context, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, t); err != nil {
		return nil, err
	}
	list, err := s.versionsOf(ctx, t)
	if err != nil {
		return nil, err
	}
	list, next, err := page(list, func(v version) string { return versionKey(t.name, v.number()) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListVersionsByFunctionOutput{NextMarker: next, Versions: []types.FunctionConfiguration{}}
	for _, v := range list {
		c, err := s.listed(v)
		if err != nil {
			return nil, err
		}
		c.FunctionArn = aws.String(t.arn() + ":" + v.number())
		out.Versions = append(out.Versions, c)
	}
	return out, nil
}
