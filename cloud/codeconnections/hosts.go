package codeconnections

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// host stands for a provider that somebody runs themselves. Nothing connects
// to its endpoint.
type host struct {
	ID       string
	Name     string
	ARN      string
	Endpoint string
	Provider types.ProviderType
	VPC      *types.VpcConfiguration `json:",omitempty"`
	Tags     map[string]string       `json:",omitempty"`
}

// hostStatus is the status of every host, as that of every connection.
const hostStatus = "AVAILABLE"

// CreateHost makes a host.
func (s *Service) CreateHost(ctx context.Context, in *codeconnections.CreateHostInput) (*codeconnections.CreateHostOutput, error) {
	if n := len(aws.ToString(in.Name)); n < 1 || n > 64 {
		return nil, invalid("1 validation error detected: Value at 'name' failed to satisfy constraint: Member must have length between 1 and 64")
	}
	if aws.ToString(in.ProviderEndpoint) == "" {
		return nil, invalid("1 validation error detected: Value at 'providerEndpoint' failed to satisfy constraint: Member must not be null")
	}
	if !slices.Contains(needsHost, in.ProviderType) {
		return nil, invalid("A host cannot be of the provider type %q", in.ProviderType)
	}
	tags, err := tagMap(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	h := host{
		ID: *in.Name + "-" + s.host.NewID()[:8], Name: *in.Name, Endpoint: *in.ProviderEndpoint,
		Provider: in.ProviderType, VPC: in.VpcConfiguration, Tags: tags,
	}
	h.ARN = caller.ResourceARN("codeconnections", "host/"+h.ID)
	if err := s.hosts.Insert(ctx, caller.Scope(), h.ID, h); err != nil {
		return nil, fmt.Errorf("creating host %q: %w", h.Name, err)
	}
	return &codeconnections.CreateHostOutput{HostArn: aws.String(h.ARN), Tags: tagList(tags)}, nil
}

func (s *Service) findHost(ctx context.Context, arn *string) (host, store.Scope, error) {
	a, err := parseARN(ctx, arn, "host")
	if err != nil {
		return host{}, a.scope, err
	}
	h, err := s.hosts.Get(ctx, a.scope, a.id)
	return h, a.scope, found(err, arn)
}

// GetHost describes a host.
func (s *Service) GetHost(ctx context.Context, in *codeconnections.GetHostInput) (*codeconnections.GetHostOutput, error) {
	h, _, err := s.findHost(ctx, in.HostArn)
	if err != nil {
		return nil, err
	}
	return &codeconnections.GetHostOutput{
		Name: aws.String(h.Name), ProviderEndpoint: aws.String(h.Endpoint), ProviderType: h.Provider,
		Status: aws.String(hostStatus), VpcConfiguration: h.VPC,
	}, nil
}

// ListHosts lists the hosts of the account and region.
func (s *Service) ListHosts(ctx context.Context, in *codeconnections.ListHostsInput) (*codeconnections.ListHostsOutput, error) {
	all, err := s.hosts.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, fmt.Errorf("listing hosts: %w", err)
	}
	some, next, err := page(all, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &codeconnections.ListHostsOutput{NextToken: next, Hosts: []types.Host{}}
	for _, e := range some {
		h := e.Value
		out.Hosts = append(out.Hosts, types.Host{
			HostArn: aws.String(h.ARN), Name: aws.String(h.Name), ProviderEndpoint: aws.String(h.Endpoint),
			ProviderType: h.Provider, Status: aws.String(hostStatus), VpcConfiguration: h.VPC,
		})
	}
	return out, nil
}

// UpdateHost changes the endpoint or the VPC of a host.
func (s *Service) UpdateHost(ctx context.Context, in *codeconnections.UpdateHostInput) (*codeconnections.UpdateHostOutput, error) {
	a, err := parseARN(ctx, in.HostArn, "host")
	if err != nil {
		return nil, err
	}
	_, err = s.hosts.Update(ctx, a.scope, a.id, func(h *host) error {
		if in.ProviderEndpoint != nil {
			h.Endpoint = *in.ProviderEndpoint
		}
		if in.VpcConfiguration != nil {
			h.VPC = in.VpcConfiguration
		}
		return nil
	})
	return &codeconnections.UpdateHostOutput{}, found(err, in.HostArn)
}

// DeleteHost deletes a host that no connection uses.
func (s *Service) DeleteHost(ctx context.Context, in *codeconnections.DeleteHostInput) (*codeconnections.DeleteHostOutput, error) {
	h, scope, err := s.findHost(ctx, in.HostArn)
	if err != nil {
		return nil, err
	}
	connections, err := s.connections.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	for _, c := range connections {
		if c.Value.HostARN == h.ARN {
			return nil, &types.ResourceUnavailableException{Message: aws.String("Host " + h.ARN + " is used by connection " + c.Value.ARN)}
		}
	}
	return &codeconnections.DeleteHostOutput{}, found(s.hosts.Delete(ctx, scope, h.ID), in.HostArn)
}
