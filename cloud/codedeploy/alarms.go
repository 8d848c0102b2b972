package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/alarmstate"
)

// halt is why a deployment is stopped that nobody asked to stop.
type halt struct {
	Code types.ErrorCode
	Text string
}

// alarmsOf are the alarms that stop a deployment, nil for none. What rolls back
// is not stopped: it is what the alarm asks for.
func alarmsOf(d deployment, g types.DeploymentGroupInfo) *types.AlarmConfiguration {
	c := g.AlarmConfiguration
	if d.Info.OverrideAlarmConfiguration != nil {
		c = d.Info.OverrideAlarmConfiguration
	}
	if c == nil || !c.Enabled || d.isRollback() {
		return nil
	}
	return c
}

// watch looks at a deployment's alarms, once before it returns and then until
// end is called, every second. One that rings stops the deployment.
func (s *Service) watch(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (end func(), err error) {
	c := alarmsOf(d, g)
	if c == nil {
		return func() {}, nil
	}
	client := cloudwatch.NewFromConfig(s.asRole(d, g))
	if stopped, err := s.lookAtAlarms(ctx, d, *c, client); err != nil || stopped {
		return func() {}, err
	}
	return alarmstate.Watch(ctx, s.options.Second, func(ctx context.Context) bool {
		stopped, err := s.lookAtAlarms(ctx, d, *c, client)
		if err != nil && ctx.Err() == nil {
			s.host.Log().Error("a deployment's alarms cannot be watched", "deployment", d.id(), "error", err)
		}
		return stopped
	}), nil
}

// lookAtAlarms stops the deployment if an alarm rings, or if it cannot be known
// and that matters.
func (s *Service) lookAtAlarms(ctx context.Context, d deployment, c types.AlarmConfiguration, client *cloudwatch.Client) (stopped bool, err error) {
	ringing, failed := ringing(ctx, c, client)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	why := halt{types.ErrorCodeAlarmActive, "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: " + strings.Join(ringing, ", ")}
	switch {
	case len(ringing) > 0:
	case failed == nil || c.IgnorePollAlarmFailure:
		return false, nil
	default:
		why = halt{types.ErrorCodeIamRolePermissions, fmt.Sprintf("The state of the alarms could not be retrieved from CloudWatch: %v", failed)}
	}
	_, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
		if !d.done() && !d.Stop {
			d.Stop, d.Halt = true, &why
		}
		return nil
	})
	if err == nil {
		s.tell()
	}
	return err == nil, err
}

// ringing are the alarms in the state ALARM; an error tells why some are not
// known.
func ringing(ctx context.Context, c types.AlarmConfiguration, client *cloudwatch.Client) ([]string, error) {
	var names []string
	for _, a := range c.Alarms {
		names = append(names, aws.ToString(a.Name))
	}
	states, err := alarmstate.Of(ctx, client, names...)
	if err != nil {
		if api := smithy.APIError(nil); errors.As(err, &api) {
			err = errors.New(api.ErrorMessage())
		}
		return nil, err
	}
	ringing, missing := states.Ringing(names)
	if len(missing) > 0 {
		err = fmt.Errorf("there is no alarm called %s", strings.Join(missing, ", "))
	}
	return ringing, err
}
