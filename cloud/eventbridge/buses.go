package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// defaultBus is there in every account and region and gets AWS's own events.
const defaultBus = "default"

// bus is a custom event bus.
type bus struct {
	Name, ARN   string
	Description string
	Created     time.Time
	Tags        map[string]string
}

// maxBusName is how many characters a bus's name may have.
const maxBusName = 256

// busOf is the name in an EventBusName, which may be a name or an ARN.
func busOf(nameOrARN *string) string {
	name := aws.ToString(nameOrARN)
	if _, after, ok := strings.Cut(name, ":event-bus/"); ok {
		name = after
	}
	if name == "" {
		return defaultBus
	}
	return name
}

// existingBus is busOf for a bus that has to be there.
func (s *Service) existingBus(ctx context.Context, nameOrARN *string) (string, error) {
	name := busOf(nameOrARN)
	_, err := s.bus(ctx, name)
	return name, err
}

func (s *Service) bus(ctx context.Context, name string) (bus, error) {
	caller := door.CallerFrom(ctx)
	b, err := s.buses.Get(ctx, caller.Scope(), name)
	if !errors.Is(err, store.ErrNotFound) {
		return b, err
	}
	if name != defaultBus {
		return b, notFound("Event bus %s does not exist.", name)
	}
	return bus{Name: name, ARN: caller.ResourceARN("events", "event-bus/"+name)}, nil
}

// CreateEventBus makes a custom bus. Partner event sources, encryption with a
// key of the customer and logging are refused.
func (s *Service) CreateEventBus(ctx context.Context, in *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.Name)
	switch {
	case in.EventSourceName != nil:
		return nil, validation("partner event sources are not supported by the local cloud")
	case in.KmsKeyIdentifier != nil || in.LogConfig != nil:
		return nil, validation("KmsKeyIdentifier and LogConfig of event buses are not supported by the local cloud")
	case !isName(name, maxBusName):
		return nil, validation("Event bus name %s is not valid: it may hold letters, digits, '.', '-' and '_', and no '/'", name)
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	b := bus{
		Name: name, ARN: caller.ResourceARN("events", "event-bus/"+name),
		Description: aws.ToString(in.Description), Created: s.host.Now(), Tags: tags,
	}
	err = store.ErrExists
	if name != defaultBus {
		err = s.buses.Insert(ctx, caller.Scope(), name, b)
	}
	if errors.Is(err, store.ErrExists) {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("Event bus %s already exists.", name))}
	}
	if err != nil {
		return nil, err
	}
	return &eventbridge.CreateEventBusOutput{EventBusArn: aws.String(b.ARN), Description: in.Description}, nil
}

// UpdateEventBus changes a custom bus's description.
func (s *Service) UpdateEventBus(ctx context.Context, in *eventbridge.UpdateEventBusInput) (*eventbridge.UpdateEventBusOutput, error) {
	name := busOf(in.Name)
	switch {
	case in.KmsKeyIdentifier != nil || in.LogConfig != nil:
		return nil, validation("KmsKeyIdentifier and LogConfig of event buses are not supported by the local cloud")
	case name == defaultBus:
		return nil, validation("The default event bus cannot be changed on the local cloud")
	}
	b, err := s.buses.Update(ctx, door.CallerFrom(ctx).Scope(), name, func(b *bus) error {
		b.Description = aws.ToString(in.Description)
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Event bus %s does not exist.", name)
	}
	if err != nil {
		return nil, err
	}
	return &eventbridge.UpdateEventBusOutput{Arn: aws.String(b.ARN), Name: aws.String(name), Description: in.Description}, nil
}

// DescribeEventBus tells of one bus, the default one if none is named.
func (s *Service) DescribeEventBus(ctx context.Context, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	b, err := s.bus(ctx, busOf(in.Name))
	if err != nil {
		return nil, err
	}
	v := b.view()
	return &eventbridge.DescribeEventBusOutput{
		Name: v.Name, Arn: v.Arn, Description: v.Description,
		CreationTime: v.CreationTime, LastModifiedTime: v.LastModifiedTime,
	}, nil
}

func (b bus) view() types.EventBus {
	v := types.EventBus{Name: aws.String(b.Name), Arn: aws.String(b.ARN)}
	if b.Description != "" {
		v.Description = aws.String(b.Description)
	}
	if !b.Created.IsZero() {
		v.CreationTime, v.LastModifiedTime = aws.Time(b.Created), aws.Time(b.Created)
	}
	return v
}

// ListEventBuses lists the default bus and the custom ones.
func (s *Service) ListEventBuses(ctx context.Context, in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	prefix := aws.ToString(in.NamePrefix)
	entries, err := s.buses.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	var all []bus
	if strings.HasPrefix(defaultBus, prefix) {
		all = append(all, bus{Name: defaultBus, ARN: door.CallerFrom(ctx).ResourceARN("events", "event-bus/"+defaultBus)})
	}
	for _, e := range entries {
		all = append(all, e.Value)
	}
	order := func(b bus) string { return b.Name }
	slices.SortFunc(all, func(a, b bus) int { return strings.Compare(a.Name, b.Name) })
	buses, next, err := page(all, order, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListEventBusesOutput{NextToken: next, EventBuses: []types.EventBus{}}
	for _, b := range buses {
		out.EventBuses = append(out.EventBuses, b.view())
	}
	return out, nil
}

// DeleteEventBus deletes a custom bus without rules; one that is not there is
// deleted already.
func (s *Service) DeleteEventBus(ctx context.Context, in *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error) {
	scope, name := door.CallerFrom(ctx).Scope(), busOf(in.Name)
	if name == defaultBus {
		return nil, validation("Cannot delete event bus default.")
	}
	left, err := s.rules.List(ctx, scope, store.Query{Prefix: name + "|", Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		return nil, validation("Event bus %s can't be deleted since it has rules.", name)
	}
	if err := s.buses.Delete(ctx, scope, name); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &eventbridge.DeleteEventBusOutput{}, nil
}
