package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"ouro/cloud/door"
	"ouro/regex"
)

var (
	layerActionPattern    = regex.New(`^(?:lambda:GetLayerVersion)$`)
	layerPrincipalPattern = regex.New(`^(?:\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root)$`)
)

// AddLayerVersionPermission lets accounts use a version of a layer.
func (s *Service) AddLayerVersionPermission(ctx context.Context, in *lambda.AddLayerVersionPermissionInput) (*lambda.AddLayerVersionPermissionOutput, error) {
	var v violations
	v.present("statementId", in.StatementId != nil)
	v.present("action", in.Action != nil)
	v.present("principal", in.Principal != nil)
	v.text("statementId", in.StatementId, 1, 100, sidPattern())
	v.text("action", in.Action, 0, 22, layerActionPattern())
	v.text("principal", in.Principal, 0, 256, layerPrincipalPattern())
	v.text("organizationId", in.OrganizationId, 0, 34, orgPattern())
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := s.ownLayer(ctx, in.LayerName, in.VersionNumber, "lambda:AddLayerVersionPermission")
	if err != nil {
		return nil, err
	}
	who, err := principalOf(door.CallerFrom(ctx), *in.Principal)
	if err != nil {
		return nil, err
	}
	st := statement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: t.arn()}
	if in.OrganizationId != nil {
		st.Condition = map[string]map[string]string{"StringEquals": {"aws:PrincipalOrgID": *in.OrganizationId}}
	}
	revision, err := s.changeLayerPolicy(ctx, t, in.RevisionId, func(p *permissions) error { return p.add(st, s.host.NewID()) })
	return &lambda.AddLayerVersionPermissionOutput{RevisionId: revision, Statement: aws.String(encode(st))}, err
}

// changeLayerPolicy changes the policy of a version, which must exist, and
// gives its new revision.
func (s *Service) changeLayerPolicy(ctx context.Context, t layerTarget, revision *string, change func(*permissions) error) (*string, error) {
	var p permissions
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) (err error) {
		if _, err := s.layers.Get(ctx, t.scope, t.key()); err != nil {
			return missing(err, notFound("Layer version %s does not exist.", t.arn()))
		}
		p, err = s.policies.Get(ctx, t.scope, t.policyKey())
		if err := missing(err, nil); err != nil {
			return err
		}
		if revision != nil && *revision != p.Revision {
			return stale("GetLayerPolicy")
		}
		if err := change(&p); err != nil {
			return err
		}
		return s.policies.Put(ctx, t.scope, t.policyKey(), p)
	})
	return &p.Revision, err
}

// RemoveLayerVersionPermission takes a statement away.
func (s *Service) RemoveLayerVersionPermission(ctx context.Context, in *lambda.RemoveLayerVersionPermissionInput) (*lambda.RemoveLayerVersionPermissionOutput, error) {
	t, err := s.ownLayer(ctx, in.LayerName, in.VersionNumber, "lambda:RemoveLayerVersionPermission")
	if err != nil {
		return nil, err
	}
	_, err = s.changeLayerPolicy(ctx, t, in.RevisionId, func(p *permissions) error {
		return p.remove(aws.ToString(in.StatementId), s.host.NewID())
	})
	return &lambda.RemoveLayerVersionPermissionOutput{}, err
}

// GetLayerVersionPolicy gives the policy of a version.
func (s *Service) GetLayerVersionPolicy(ctx context.Context, in *lambda.GetLayerVersionPolicyInput) (*lambda.GetLayerVersionPolicyOutput, error) {
	t, err := s.ownLayer(ctx, in.LayerName, in.VersionNumber, "lambda:GetLayerVersionPolicy")
	if err != nil {
		return nil, err
	}
	if _, err := s.layers.Get(ctx, t.scope, t.key()); err != nil {
		return nil, missing(err, notFound("Layer version %s does not exist.", t.arn()))
	}
	p, err := s.policies.Get(ctx, t.scope, t.policyKey())
	if err := missing(err, nil); err != nil {
		return nil, err
	}
	if len(p.Statements) == 0 {
		return nil, notFound("No policy is associated with the given resource.")
	}
	return &lambda.GetLayerVersionPolicyOutput{Policy: aws.String(p.document()), RevisionId: &p.Revision}, nil
}
