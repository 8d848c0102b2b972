package apigateway

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

var pathPart = regex.New(`^([a-zA-Z0-9._:~!$&'()*,;=@%-]+|\{[a-zA-Z0-9._:-]+\+?\})$`)

// addResource puts a resource below another.
func (a *api) addResource(parentID, name *string) (types.Resource, error) {
	var none types.Resource
	parent, err := executeapi.Part(a.Resources, "Resource", parentID)
	if err != nil {
		return none, err
	}
	switch {
	case !pathPart().MatchString(aws.ToString(name)):
		return none, badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.")
	case strings.HasSuffix(aws.ToString(parent.PathPart), "+}"):
		return none, badRequest("Cannot create a child of a resource with a greedy path variable: %s", *parent.Path)
	}
	for _, other := range a.Resources {
		if aws.ToString(other.ParentId) != *parent.Id {
			continue
		}
		if *other.PathPart == *name {
			return none, conflict("Another resource with the same parent already has this name: %s", *name)
		}
		if strings.HasPrefix(*name, "{") && strings.HasPrefix(*other.PathPart, "{") {
			return none, badRequest("A sibling (%s) of this resource already has a variable path part -- only one unique variable path part is allowed", *other.PathPart)
		}
	}
	r := types.Resource{
		Id: aws.String(executeapi.NewID(6)), ParentId: parent.Id, PathPart: name,
		Path: aws.String(strings.TrimSuffix(*parent.Path, "/") + "/" + *name),
	}
	a.Resources[*r.Id] = r
	return r, nil
}

// CreateResource makes a resource.
func (s *Service) CreateResource(ctx context.Context, in *apigw.CreateResourceInput) (*apigw.CreateResourceOutput, error) {
	var r types.Resource
	_, err := s.change(ctx, in.RestApiId, func(a *api) (err error) {
		r, err = a.addResource(in.ParentId, in.PathPart)
		return err
	})
	return told[apigw.CreateResourceOutput](&r, err)
}

// shown is a resource as it is told: its methods' names only, unless they are
// asked for.
func shown(r types.Resource, embed []string) types.Resource {
	if slices.Contains(embed, "methods") {
		return r
	}
	names := map[string]types.Method{}
	for verb := range r.ResourceMethods {
		names[verb] = types.Method{}
	}
	r.ResourceMethods = names
	return r
}

// GetResource gives a resource.
func (s *Service) GetResource(ctx context.Context, in *apigw.GetResourceInput) (*apigw.GetResourceOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	r, err := executeapi.Part(a.Resources, "Resource", in.ResourceId)
	r = shown(r, in.Embed)
	return told[apigw.GetResourceOutput](&r, err)
}

// GetResources lists the resources of an API.
func (s *Service) GetResources(ctx context.Context, in *apigw.GetResourcesInput) (*apigw.GetResourcesOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	items, next := page(a.Resources, in.Position, in.Limit)
	for i := range items {
		items[i] = shown(items[i], in.Embed)
	}
	return &apigw.GetResourcesOutput{Items: items, Position: next}, nil
}

// UpdateResource refuses what would move a resource.
func (s *Service) UpdateResource(ctx context.Context, in *apigw.UpdateResourceInput) (*apigw.UpdateResourceOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	r, err := executeapi.Part(a.Resources, "Resource", in.ResourceId)
	if err == nil && len(in.PatchOperations) > 0 {
		return nil, badRequest("Moving a resource is not supported by the local cloud; make it anew under its path")
	}
	return told[apigw.UpdateResourceOutput](&r, err)
}

// DeleteResource deletes a resource with those below it.
func (s *Service) DeleteResource(ctx context.Context, in *apigw.DeleteResourceInput) (*apigw.DeleteResourceOutput, error) {
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if _, err := executeapi.Part(a.Resources, "Resource", in.ResourceId); err != nil {
			return err
		}
		if *in.ResourceId == aws.ToString(a.RootResourceId) {
			return badRequest("Cannot delete root resource")
		}
		a.removeResource(*in.ResourceId)
		return nil
	})
	return &apigw.DeleteResourceOutput{}, err
}

func (a *api) removeResource(id string) {
	delete(a.Resources, id)
	for child, r := range a.Resources {
		if aws.ToString(r.ParentId) == id {
			a.removeResource(child)
		}
	}
}
