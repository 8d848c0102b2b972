package cloudcontrol

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/spec"
)

// CreateResource makes a recorded resource.
func (s *Service) CreateResource(ctx context.Context, in *cloudcontrol.CreateResourceInput) (*cloudcontrol.CreateResourceOutput, error) {
	t, err := s.find(in.TypeName, types.OperationCreate)
	if err != nil {
		return nil, err
	}
	var properties document
	if err := parse("desiredState", in.DesiredState, &properties); err != nil {
		return nil, err
	}
	if deeper(map[string]any(properties), maxNesting) {
		return nil, validation("Invalid JSON in desiredState: it is nested deeper than %d levels", maxNesting)
	}
	if err := check(t, properties); err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	req := s.begin(caller, types.OperationCreate, t.Name, in.ClientToken, *in.DesiredState)
	r := resource{Type: t.Name, Seed: digest(req.Token), Created: req.Time, Properties: withoutSecrets(properties)}
	shape(t, caller, &r)
	event, err := s.once(ctx, req, func(ctx context.Context) (resource, error) {
		revision, err := s.revise(ctx, t, caller, &r)
		if err != nil {
			return r, err
		}
		_, err = s.resources.Get(ctx, caller.Scope(), key(t.Name, r.Identifier))
		if err == nil {
			return r, &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("Resource of type '%s' with identifier '%s' already exists.", t.Name, r.Identifier))}
		}
		if !errors.Is(err, store.ErrNotFound) {
			return r, err
		}
		if r.Revision > 0 {
			if err := s.revisions.Put(ctx, caller.Scope(), revision, r.Revision); err != nil {
				return r, err
			}
		}
		return r, s.resources.Put(ctx, caller.Scope(), key(t.Name, r.Identifier), r)
	})
	if err != nil {
		return nil, err
	}
	return &cloudcontrol.CreateResourceOutput{ProgressEvent: event}, nil
}

// revise gives a resource of a type that counts its revisions the next one,
// and the name under which the count is kept.
func (s *Service) revise(ctx context.Context, t *spec.Type, caller door.Caller, r *resource) (string, error) {
	of, ok := revised[t.Name]
	if !ok {
		return "", nil
	}
	name := key(t.Name, tail(scalar(r.Properties[of])))
	last, err := s.revisions.Get(ctx, caller.Scope(), name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return name, err
	}
	r.Revision = last + 1
	shape(t, caller, r)
	return name, nil
}
