// Package alarmstate is for services that watch alarms of CloudWatch: it asks for
// their states, and goes on asking.
package alarmstate

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// States are the states of alarms of either kind, by their names and by their
// ARNs.
type States map[string]types.StateValue

// Of asks for the states of at most 100 alarms, by their names. One that is not
// there has none.
func Of(ctx context.Context, client *cloudwatch.Client, names ...string) (States, error) {
	out, err := client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names, AlarmTypes: types.AlarmType("").Values(), MaxRecords: aws.Int32(100)})
	if err != nil {
		return nil, err
	}
	states := States{}
	for _, a := range out.MetricAlarms {
		states[*a.AlarmName], states[*a.AlarmArn] = a.StateValue, a.StateValue
	}
	for _, a := range out.CompositeAlarms {
		states[*a.AlarmName], states[*a.AlarmArn] = a.StateValue, a.StateValue
	}
	return states, nil
}

// Ringing are those of the names or ARNs whose alarms are in the state ALARM, and
// those that have no alarm; both sorted.
func (s States) Ringing(refs []string) (ringing, missing []string) {
	for _, ref := range refs {
		switch s[ref] {
		case types.StateValueAlarm:
			ringing = append(ringing, ref)
		case "":
			missing = append(missing, ref)
		}
	}
	slices.Sort(ringing)
	slices.Sort(missing)
	return ringing, missing
}

// Watch looks again and again, until look tells that it is over, ctx ends, or end
// is called, which waits for it.
func Watch(ctx context.Context, every time.Duration, look func(context.Context) (over bool)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(every)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			if look(ctx) {
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}
