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

// connection is one connection.
type connection struct {
	ID       string
	Name     string
	ARN      string
	Provider types.ProviderType
	HostARN  string            `json:",omitempty"`
	Owner    string            // the account
	Tags     map[string]string `json:",omitempty"`
}

// needsHost are the providers that somebody runs on machines of their own.
var needsHost = []types.ProviderType{types.ProviderTypeGithubEnterpriseServer, types.ProviderTypeGitlabSelfManaged}

// CreateConnection makes a connection to a provider, or to a host. It is
// available at once.
func (s *Service) CreateConnection(ctx context.Context, in *codeconnections.CreateConnectionInput) (*codeconnections.CreateConnectionOutput, error) {
	if n := len(aws.ToString(in.ConnectionName)); n < 1 || n > 32 {
		return nil, invalid("1 validation error detected: Value at 'connectionName' failed to satisfy constraint: Member must have length between 1 and 32")
	}
	tags, err := tagMap(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	provider, err := s.provider(ctx, in)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	c := connection{
		ID: s.host.NewID(), Name: *in.ConnectionName, Provider: provider,
		HostARN: aws.ToString(in.HostArn), Owner: caller.Account, Tags: tags,
	}
	c.ARN = caller.ResourceARN("codeconnections", "connection/"+c.ID)
	if err := s.connections.Insert(ctx, caller.Scope(), c.ID, c); err != nil {
		return nil, fmt.Errorf("creating connection %q: %w", c.Name, err)
	}
	return &codeconnections.CreateConnectionOutput{ConnectionArn: aws.String(c.ARN), Tags: tagList(tags)}, nil
}

// provider is what a connection is to be to: named itself, or the host's.
func (s *Service) provider(ctx context.Context, in *codeconnections.CreateConnectionInput) (types.ProviderType, error) {
	if (in.HostArn == nil) == (in.ProviderType == "") {
		return "", invalid("Exactly one of ProviderType and HostArn must be given")
	}
	if in.HostArn != nil {
		h, _, err := s.findHost(ctx, in.HostArn)
		return h.Provider, err
	}
	if !slices.Contains(in.ProviderType.Values(), in.ProviderType) {
		return "", invalid("1 validation error detected: Value '%s' at 'providerType' failed to satisfy constraint: Member must satisfy enum value set: %v", in.ProviderType, in.ProviderType.Values())
	}
	if slices.Contains(needsHost, in.ProviderType) {
		return "", invalid("A connection to %s needs a HostArn", in.ProviderType)
	}
	return in.ProviderType, nil
}

// findConnection returns the connection with this ARN, and where it is kept.
func (s *Service) findConnection(ctx context.Context, arn *string) (connection, store.Scope, error) {
	a, err := parseARN(ctx, arn, "connection")
	if err != nil {
		return connection{}, a.scope, err
	}
	c, err := s.connections.Get(ctx, a.scope, a.id)
	return c, a.scope, found(err, arn)
}

// GetConnection describes a connection.
func (s *Service) GetConnection(ctx context.Context, in *codeconnections.GetConnectionInput) (*codeconnections.GetConnectionOutput, error) {
	c, _, err := s.findConnection(ctx, in.ConnectionArn)
	if err != nil {
		return nil, err
	}
	d := c.describe()
	return &codeconnections.GetConnectionOutput{Connection: &d}, nil
}

func (c connection) describe() types.Connection {
	d := types.Connection{
		ConnectionArn: aws.String(c.ARN), ConnectionName: aws.String(c.Name), ProviderType: c.Provider,
		OwnerAccountId: aws.String(c.Owner), ConnectionStatus: types.ConnectionStatusAvailable,
	}
	if c.HostARN != "" {
		d.HostArn = aws.String(c.HostARN)
	}
	return d
}

// ListConnections lists the connections of the account and region.
func (s *Service) ListConnections(ctx context.Context, in *codeconnections.ListConnectionsInput) (*codeconnections.ListConnectionsOutput, error) {
	all, err := s.connections.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	all = slices.DeleteFunc(all, func(e store.Entry[connection]) bool {
		c := e.Value
		return in.ProviderTypeFilter != "" && c.Provider != in.ProviderTypeFilter ||
			in.HostArnFilter != nil && c.HostARN != *in.HostArnFilter
	})
	some, next, err := page(all, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &codeconnections.ListConnectionsOutput{NextToken: next, Connections: []types.Connection{}}
	for _, e := range some {
		out.Connections = append(out.Connections, e.Value.describe())
	}
	return out, nil
}

// DeleteConnection deletes a connection and the repositories behind it.
func (s *Service) DeleteConnection(ctx context.Context, in *codeconnections.DeleteConnectionInput) (*codeconnections.DeleteConnectionOutput, error) {
	c, scope, err := s.findConnection(ctx, in.ConnectionArn)
	if err != nil {
		return nil, err
	}
	if err := s.connections.Delete(ctx, scope, c.ID); err != nil {
		return nil, found(err, in.ConnectionArn)
	}
	ids, err := s.git.IDs(ctx, scope, c.ID+"/")
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := s.git.Remove(ctx, scope, id); err != nil {
			return nil, err
		}
	}
	return &codeconnections.DeleteConnectionOutput{}, nil
}
