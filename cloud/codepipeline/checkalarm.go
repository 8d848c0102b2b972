package codepipeline

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/alarmstate"
)

// alarmRule succeeds when an alarm is in none of the states that it names,
// for which it waits.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html
type alarmRule struct{}

func (alarmRule) run(ctx context.Context, j *job) (*outcome, error) {
	var bad []alarmtypes.StateValue
	for name := range strings.SplitSeq(j.option("AlarmStates", string(alarmtypes.StateValueAlarm)), ",") {
		state := alarmtypes.StateValue(strings.TrimSpace(name))
		if !slices.Contains(state.Values(), state) {
			return nil, failed(types.FailureTypeConfigurationError, "the state %q in AlarmStates is none of %v", name, state.Values())
		}
		bad = append(bad, state)
	}
	minutes, err := strconv.Atoi(j.option("WaitTime", "0"))
	if err != nil || minutes < 0 {
		return nil, failed(types.FailureTypeConfigurationError, "the WaitTime %q is no number of minutes", j.config["WaitTime"])
	}
	client, until := cloudwatch.NewFromConfig(j.as), j.record.Started.Add(time.Duration(minutes)*time.Minute)
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		state, err := alarmState(ctx, client, j.config["AlarmName"])
		if err != nil {
			return nil, err
		}
		if !slices.Contains(bad, state) {
			return &outcome{}, nil
		}
		over := failed(types.FailureTypeJobFailed, "the alarm %q is in the state %s", j.config["AlarmName"], state)
		if !j.service.host.Now().Before(until) {
			return nil, over
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTimedOut) {
				return nil, over
			}
			return nil, ctx.Err()
		}
	}
}

// alarmState is the state of an alarm of either kind.
func alarmState(ctx context.Context, client *cloudwatch.Client, name string) (alarmtypes.StateValue, error) {
	states, err := alarmstate.Of(ctx, client, name)
	if err != nil {
		return "", err
	}
	state, ok := states[name]
	if !ok {
		return "", failed(types.FailureTypeConfigurationError, "there is no alarm called %q", name)
	}
	return state, nil
}
