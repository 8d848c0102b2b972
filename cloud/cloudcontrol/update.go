package cloudcontrol

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"

	"ouro/cloud/door"
	"ouro/spec"
)

// UpdateResource changes a resource by a JSON patch.
func (s *Service) UpdateResource(ctx context.Context, in *cloudcontrol.UpdateResourceInput) (*cloudcontrol.UpdateResourceOutput, error) {
	t, err := s.find(in.TypeName, types.OperationUpdate)
	if err != nil {
		return nil, err
	}
	var ops []operation
	if err := parse("patchDocument", in.PatchDocument, &ops); err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	req := s.begin(caller, types.OperationUpdate, t.Name, in.ClientToken, aws.ToString(in.Identifier)+"\n"+*in.PatchDocument)
	event, err := s.once(ctx, req, func(ctx context.Context) (resource, error) {
		r, err := s.get(ctx, t, in.Identifier)
		if err != nil {
			return r, err
		}
		if err := r.change(t, caller, ops); err != nil {
			return r, err
		}
		return r, s.resources.Put(ctx, caller.Scope(), key(t.Name, r.Identifier), r)
	})
	if err != nil {
		return nil, err
	}
	return &cloudcontrol.UpdateResourceOutput{ProgressEvent: event}, nil
}

// change applies a patch to the resource.
func (r *resource) change(t *spec.Type, caller door.Caller, ops []operation) error {
	before := overlay(r.Properties, r.Attributes)
	patched, err := patch(before, ops)
	if err != nil {
		return validation("Invalid patch update: %v", err)
	}
	after, ok := patched.(map[string]any)
	if !ok {
		return validation("Invalid patch update: the resource must be an object")
	}
	if deeper(after, maxNesting) {
		return validation("Invalid patch update: the resource would be nested deeper than %d levels", maxNesting)
	}
	for _, name := range picked { // no longer the service's choice
		if !reflect.DeepEqual(after[name], r.Attributes[name]) {
			delete(r.Attributes, name)
		}
	}
	properties, readOnly := separate(after, r.Attributes, r.Properties)
	if len(readOnly) > 0 {
		return validation("Invalid patch update: readOnlyProperties [%s] cannot be updated", paths(readOnly))
	}
	if size(properties) > maxDocument {
		return validation("Invalid patch update: the properties would have more than %d bytes", maxDocument)
	}
	if err := checkChange(t, properties); err != nil {
		return err
	}
	if fixed := t.Replaced(r.Properties, properties); len(fixed) > 0 {
		return &types.NotUpdatableException{Message: aws.String(fmt.Sprintf("Invalid patch update: createOnlyProperties [%s] cannot be updated", paths(fixed)))}
	}
	id := r.Identifier
	r.Properties = withoutSecrets(properties)
	shape(t, caller, r)
	r.Identifier = id
	return nil
}

// separate takes the attributes out of a model again, and lists those that
// are there and not what they were.
func separate(model, attributes, given map[string]any) (properties map[string]any, changed []string) {
	properties = maps.Clone(model)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		was, now := attributes[name], model[name]
		if now == nil {
			continue
		}
		inner, isObject := was.(map[string]any)
		if own, shared := given[name].(map[string]any); isObject && shared {
			within, ok := now.(map[string]any)
			if !ok {
				continue // for the validator to see
			}
			rest, wrong := separate(within, inner, own)
			properties[name] = rest
			for _, w := range wrong {
				changed = append(changed, name+"/"+w)
			}
			continue
		}
		if _, shared := given[name]; shared {
			continue
		}
		if !reflect.DeepEqual(was, now) {
			changed = append(changed, name)
		}
		delete(properties, name)
	}
	return properties, changed
}

func paths(names []string) string {
	return "/properties/" + strings.Join(names, ", /properties/")
}

// DeleteResource ends a resource.
func (s *Service) DeleteResource(ctx context.Context, in *cloudcontrol.DeleteResourceInput) (*cloudcontrol.DeleteResourceOutput, error) {
	t, err := s.find(in.TypeName, types.OperationDelete)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	req := s.begin(caller, types.OperationDelete, t.Name, in.ClientToken, aws.ToString(in.Identifier))
	event, err := s.once(ctx, req, func(ctx context.Context) (resource, error) {
		r, err := s.get(ctx, t, in.Identifier)
		if err != nil {
			return r, err
		}
		return r, s.resources.Delete(ctx, caller.Scope(), key(t.Name, r.Identifier))
	})
	if err != nil {
		return nil, err
	}
	event.ResourceModel = nil
	return &cloudcontrol.DeleteResourceOutput{ProgressEvent: event}, nil
}

// secretNames are the ends of the names of properties that hold secrets. AWS's
// schemas mark them write-only: no read answers with them.
var secretNames = []string{"Password", "SecretString", "AuthToken", "SecretAccessKey", "ClientSecret", "PrivateKey", "OAuthToken", "SecretToken", "AuthorizationToken"}

func isSecret(name string, v any) bool {
	if _, text := v.(string); !text {
		return false
	}
	return slices.ContainsFunc(secretNames, func(end string) bool { return strings.HasSuffix(name, end) })
}

// withoutSecrets is a copy of a value without the secrets in it.
func withoutSecrets(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for name, v := range m {
		if !isSecret(name, v) {
			out[name] = cleaned(v)
		}
	}
	return out
}

func cleaned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return withoutSecrets(v)
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = cleaned(one)
		}
		return out
	}
	return v
}
