package cloudformation

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"ouro/cloud/door"
)

// SignalResource tells a resource with a creation policy or a wait condition
// that something else has succeeded or failed.
func (s *Service) SignalResource(ctx context.Context, in *cloudformation.SignalResourceInput) (*cloudformation.SignalResourceOutput, error) {
	var v violations
	v.text("uniqueId", in.UniqueId, 1, 64, "", nil)
	enum(&v, "status", in.Status, in.Status.Values())
	if in.UniqueId == nil {
		v = append(v, "Value null at 'uniqueId' failed to satisfy constraint: Member must not be null")
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.LogicalResourceId)
	rows, err := s.ledger.ResourcesOf(ctx, scope, stack.UUID)
	if err != nil {
		return nil, err
	}
	switch row := rows[id]; {
	case !strings.HasSuffix(string(stack.Status), "_IN_PROGRESS"):
		return nil, invalid("Stack %s is in %s state and cannot be signaled", stack.ID, stack.Status)
	case row != nil && !strings.HasSuffix(string(row.Status), "_IN_PROGRESS"):
		return nil, invalid("Resource %s is in %s state and cannot be signaled", id, row.Status)
	}
	if err := s.engine.Signal(ctx, scope, stack, id, *in.UniqueId, in.Status); err != nil {
		return nil, invalid("%s", err)
	}
	return &cloudformation.SignalResourceOutput{}, nil
}
