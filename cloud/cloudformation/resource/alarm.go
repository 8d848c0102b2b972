package resource

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func alarmKinds() []*Kind {
	return []*Kind{
		{Type: "AWS::CloudWatch::Alarm", NameProperty: "AlarmName", Naming: &Naming{Max: 255}, Replace: []string{"AlarmName"},
			Create: createAlarm(putMetricAlarm), Update: updateAlarm(putMetricAlarm), Delete: deleteAlarm},
		{Type: "AWS::CloudWatch::CompositeAlarm", NameProperty: "AlarmName", Naming: &Naming{Max: 255}, Replace: []string{"AlarmName"},
			Create: createAlarm(putCompositeAlarm), Update: updateAlarm(putCompositeAlarm), Delete: deleteAlarm},
	}
}

// putAlarm makes an alarm, or gives one all of its properties anew.
type putAlarm func(ctx context.Context, r *Request, client *cloudwatch.Client) error

func putMetricAlarm(ctx context.Context, r *Request, client *cloudwatch.Client) error {
	in := &cloudwatch.PutMetricAlarmInput{}
	if err := Bind(r.Properties, in, "Tags"); err != nil {
		return err
	}
	in.AlarmName, in.Tags = &r.Name, alarmTags(r.allTags())
	_, err := client.PutMetricAlarm(ctx, in)
	return err
}

func putCompositeAlarm(ctx context.Context, r *Request, client *cloudwatch.Client) error {
	in := &cloudwatch.PutCompositeAlarmInput{}
	if err := Bind(r.Properties, in, "Tags"); err != nil {
		return err
	}
	in.AlarmName, in.Tags = &r.Name, alarmTags(r.allTags())
	_, err := client.PutCompositeAlarm(ctx, in)
	return err
}

func createAlarm(put putAlarm) func(context.Context, *Request) (Result, error) {
	return func(ctx context.Context, r *Request) (Result, error) {
		client := Client(r.Clients, cloudwatch.NewFromConfig)
		_, err := findAlarm(ctx, client, r.Name)
		switch {
		case err == nil && !r.Retry:
			return Result{}, Sayf("Resource of type '%s' with identifier '%s' already exists.", r.Type, r.Name)
		case err != nil && !errors.Is(err, ErrGone):
			return Result{}, err
		}
		if err := put(ctx, r, client); err != nil {
			return Result{}, err
		}
		r.Physical = r.Name
		return alarmResult(r), nil
	}
}

func updateAlarm(put putAlarm) func(context.Context, *Request) (Result, error) {
	return func(ctx context.Context, r *Request) (Result, error) {
		client := Client(r.Clients, cloudwatch.NewFromConfig)
		if err := put(ctx, r, client); err != nil {
			return Result{}, err
		}
		arn := aws.String(r.ARN("cloudwatch", "alarm:"+r.Physical))
		set, drop := r.tagChanges()
		if len(drop) > 0 {
			if _, err := client.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: drop}); err != nil {
				return Result{}, err
			}
		}
		if len(set) > 0 {
			if _, err := client.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: alarmTags(set)}); err != nil {
				return Result{}, err
			}
		}
		return alarmResult(r), nil
	}
}

func deleteAlarm(ctx context.Context, r *Request) error {
	_, err := Client(r.Clients, cloudwatch.NewFromConfig).DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{r.Physical}})
	return gone(err)
}

func alarmResult(r *Request) Result {
	return Result{Physical: r.Physical, Attributes: map[string]any{"Arn": r.ARN("cloudwatch", "alarm:"+r.Physical)}}
}

func alarmTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

// findAlarm gives the alarm of a name, of either kind, or ErrGone.
func findAlarm(ctx context.Context, client *cloudwatch.Client, name string) (any, error) {
	out, err := client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}, AlarmTypes: types.AlarmType("").Values()})
	switch {
	case err != nil:
		return nil, err
	case len(out.MetricAlarms) > 0:
		return out.MetricAlarms[0], nil
	case len(out.CompositeAlarms) > 0:
		return out.CompositeAlarms[0], nil
	}
	return nil, ErrGone
}

func readAlarm(ctx context.Context, r *Request) ([]any, error) {
	a, err := findAlarm(ctx, Client(r.Clients, cloudwatch.NewFromConfig), r.Physical)
	if err != nil {
		return nil, err
	}
	return []any{a}, nil
}
