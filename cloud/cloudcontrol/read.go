package cloudcontrol

import (
	"context"
	"encoding/base64"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// GetResource shows a resource.
func (s *Service) GetResource(ctx context.Context, in *cloudcontrol.GetResourceInput) (*cloudcontrol.GetResourceOutput, error) {
	t, err := s.find(in.TypeName, "READ")
	if err != nil {
		return nil, err
	}
	r, err := s.get(ctx, t, in.Identifier)
	if err != nil {
		return nil, err
	}
	d, err := r.describe()
	if err != nil {
		return nil, err
	}
	return &cloudcontrol.GetResourceOutput{TypeName: in.TypeName, ResourceDescription: &d}, nil
}

func (r resource) describe() (types.ResourceDescription, error) {
	model, err := r.model()
	return types.ResourceDescription{Identifier: aws.String(r.Identifier), Properties: &model}, err
}

const maxPage = 100

// ListResources shows the resources of a type, in the order of their
// identifiers; with a ResourceModel, those that agree with it.
func (s *Service) ListResources(ctx context.Context, in *cloudcontrol.ListResourcesInput) (*cloudcontrol.ListResourcesOutput, error) {
	t, err := s.find(in.TypeName, "LIST")
	if err != nil {
		return nil, err
	}
	var wanted document
	if in.ResourceModel != nil {
		if err := parse("resourceModel", in.ResourceModel, &wanted); err != nil {
			return nil, err
		}
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.MaxResults)
	out := &cloudcontrol.ListResourcesOutput{TypeName: in.TypeName, ResourceDescriptions: []types.ResourceDescription{}}
	q := store.Query{Prefix: key(t.Name, ""), After: after, Limit: maxPage + 1}
	for {
		entries, err := s.resources.List(ctx, door.CallerFrom(ctx).Scope(), q)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", t.Name, err)
		}
		for _, e := range entries {
			if !agrees(overlay(e.Value.Properties, e.Value.Attributes), wanted) {
				q.After = e.ID
				continue
			}
			if len(out.ResourceDescriptions) == size {
				out.NextToken = writeToken(q.After)
				return out, nil
			}
			d, err := e.Value.describe()
			if err != nil {
				return nil, err
			}
			out.ResourceDescriptions, q.After = append(out.ResourceDescriptions, d), e.ID
		}
		if len(entries) < q.Limit {
			return out, nil
		}
	}
}

// agrees tells whether a model has all that is wanted of it.
func agrees(model, wanted map[string]any) bool {
	for name, v := range wanted {
		if !reflect.DeepEqual(model[name], v) {
			return false
		}
	}
	return true
}

func pageSize(limit *int32) int {
	if n := int(aws.ToInt32(limit)); n > 0 && n < maxPage {
		return n
	}
	return maxPage
}

func writeToken(after string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(after)))
}

func readToken(token *string) (string, error) {
	after, err := base64.RawURLEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return "", validation("The next token %q is not valid", *token)
	}
	return string(after), nil
}
