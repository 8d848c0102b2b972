package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"ouro/cloud/alarmstate"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/store"
)

// lookEvery is how often rollback triggers are looked at, and the time for
// which they are monitored.
const lookEvery = time.Second

// watched is the configuration that an operation's rollback triggers are in;
// imports have none.
func (r *run) watched() *types.RollbackConfiguration {
	if c := r.stack.Revision.Rollback; c != nil && r.op.Kind != ledger.Adopt {
		return c
	}
	return &types.RollbackConfiguration{}
}

// watch halts the operation when one of its rollback triggers is in the state
// ALARM, or is not there. It looks once before it returns; the result ends it.
func (r *run) watch(ctx context.Context) (end func()) {
	triggers := r.watched().RollbackTriggers
	if len(triggers) == 0 || r.lookAt(ctx, triggers) {
		return func() {}
	}
	return alarmstate.Watch(ctx, lookEvery, func(ctx context.Context) bool {
		return closed(r.halt.C) || r.lookAt(ctx, triggers)
	})
}

// lookAt looks at the triggers; it tells whether they halt the operation.
func (r *run) lookAt(ctx context.Context, triggers []types.RollbackTrigger) bool {
	ringing, missing, err := alarms(ctx, r.clients, triggers)
	if ctx.Err() != nil {
		return true
	}
	switch {
	case err != nil:
		r.halt.stop("The rollback triggers could not be monitored: "+resource.Reason(err, r.op.ID), false)
	case len(missing) > 0:
		r.halt.stop(fmt.Sprintf("The following rollback trigger(s) do not exist: [%s]", strings.Join(missing, ", ")), false)
	case len(ringing) > 0:
		r.halt.stop(fmt.Sprintf("The following rollback trigger(s) are in ALARM state: [%s]", strings.Join(ringing, ", ")), false)
	default:
		return false
	}
	return true
}

// alarms sorts out the triggers whose alarms ring, and those without one.
func alarms(ctx context.Context, clients *resource.Clients, triggers []types.RollbackTrigger) (ringing, missing []string, err error) {
	var names, arns []string
	for _, t := range triggers {
		arns = append(arns, aws.ToString(t.Arn))
		names = append(names, strings.SplitN(aws.ToString(t.Arn), ":", 7)[6])
	}
	states, err := alarmstate.Of(ctx, resource.Client(clients, cloudwatch.NewFromConfig), names...)
	if err != nil {
		return nil, nil, err
	}
	ringing, missing = states.Ringing(arns)
	return ringing, missing, nil
}

// monitor waits, when all resources are there, for the time for which the
// triggers are watched after that. It is stored until when that is, so that a
// process that dies meanwhile is followed by one that waits for what is left.
func (r *run) monitor(ctx context.Context) error {
	minutes := aws.ToInt32(r.watched().MonitoringTimeInMinutes)
	if minutes == 0 || r.halt.stopped() {
		return ctx.Err()
	}
	if r.op.Monitored.IsZero() {
		until := r.e.host.Now().Add(time.Duration(minutes) * time.Minute)
		_, err := r.e.ledger.Operations.Update(ctx, r.scope, r.stack.UUID, func(op *ledger.Operation) error {
			if op.ID != r.op.ID {
				return errSuperseded
			}
			op.Monitored = until
			return nil
		})
		if errors.Is(err, store.ErrNotFound) {
			return errSuperseded
		}
		if err != nil {
			return err
		}
		r.op.Monitored = until
	}
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	for r.e.host.Now().Before(r.op.Monitored) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.halt.C:
			return nil
		case <-every.C:
		}
	}
	return nil
}
