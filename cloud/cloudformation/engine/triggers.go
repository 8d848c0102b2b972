package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

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
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		every := time.NewTicker(lookEvery)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.halt.C:
				return
			case <-every.C:
			}
			if r.lookAt(ctx, triggers) {
				return
			}
		}
	}()
	return func() { cancel(); <-over }
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
	in := &cloudwatch.DescribeAlarmsInput{AlarmTypes: alarmtypes.AlarmType("").Values()}
	for _, t := range triggers {
		in.AlarmNames = append(in.AlarmNames, strings.SplitN(aws.ToString(t.Arn), ":", 7)[6])
	}
	out, err := resource.Client(clients, cloudwatch.NewFromConfig).DescribeAlarms(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	states := map[string]alarmtypes.StateValue{}
	for _, a := range out.MetricAlarms {
		states[*a.AlarmArn] = a.StateValue
	}
	for _, a := range out.CompositeAlarms {
		states[*a.AlarmArn] = a.StateValue
	}
	for _, t := range triggers {
		switch states[*t.Arn] {
		case alarmtypes.StateValueAlarm:
			ringing = append(ringing, *t.Arn)
		case "":
			missing = append(missing, *t.Arn)
		}
	}
	slices.Sort(ringing)
	slices.Sort(missing)
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
