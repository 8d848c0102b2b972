// Package cloudformation is AWS CloudFormation: stacks that are created,
// updated, rolled back and deleted from templates, nested stacks, change sets,
// exports.
//
// This package is the operations: what is asked, what is answered, and what is
// refused. Package engine does the work on the resources, package resource
// knows their types, and package ledger keeps the records.
package cloudformation

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/registry"
	"ouro/cloud/cloudformation/stackset"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Service is AWS CloudFormation.
type Service struct {
	*stackset.Sets
	*registry.Registry

	host   door.Host
	ledger *ledger.Ledger
	engine *engine.Engine
}

// New makes the service.
func New(host door.Host) *Service {
	l := ledger.New(host.Store())
	sets := stackset.New(host, func(ctx context.Context, cfg aws.Config, url string) (string, error) {
		return engine.FetchTemplate(ctx, cfg, host.Endpoint(), url)
	}, l)
	return &Service{Sets: sets, host: host, ledger: l, engine: engine.New(host, l)}
}

// Resume goes on with the operations that a process left unfinished.
func (s *Service) Resume(ctx context.Context) error {
	return errors.Join(s.engine.Resume(ctx), s.Sets.Resume(ctx), s.failDetections(ctx))
}

// invalid is CloudFormation's ValidationError, its answer to most mistakes.
func invalid(format string, a ...any) error {
	return &wire.Error{Code: "ValidationError", Message: fmt.Sprintf(format, a...), Status: 400}
}

// find finds a stack; missing is the sentence for one that is not there, with
// %s for what was asked for.
func (s *Service) find(ctx context.Context, nameOrID *string, missing string) (ledger.Stack, error) {
	if aws.ToString(nameOrID) == "" {
		return ledger.Stack{}, invalid("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	stack, err := s.ledger.FindStack(ctx, door.CallerFrom(ctx).Scope(), *nameOrID)
	if errors.Is(err, store.ErrNotFound) {
		return stack, invalid(missing, *nameOrID)
	}
	return stack, err
}

// The sentences for stacks that do not exist differ between operations.
const (
	noStackWithID = "Stack with id %s does not exist"
	noStack       = "Stack [%s] does not exist"
)

// findLiving is find for operations that deleted stacks do not take part in.
func (s *Service) findLiving(ctx context.Context, nameOrID *string, missing string) (ledger.Stack, error) {
	stack, err := s.find(ctx, nameOrID, missing)
	if err == nil && stack.Status == types.StackStatusDeleteComplete {
		return stack, invalid(missing, *nameOrID)
	}
	return stack, err
}
