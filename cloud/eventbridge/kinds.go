package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud/wire"
)

// principal is who delivers to a target that has no role.
const principal = "events.amazonaws.com"

// send hands an event to a target; resource is the last part of its ARN.
type send func(ctx context.Context, cfg aws.Config, d delivery, resource string) error

// senders are the kinds of targets that events are delivered to, by service.
func senders() map[string]send {
	return map[string]send{
		"codepipeline": startPipeline,
		"codebuild":    startBuild,
		"logs":         putLogEvent,
		"sns":          publishMessage,
		"lambda":       invokeFunction,
	}
}

func (s *Service) deliver(ctx context.Context, d delivery) error {
	parts := strings.SplitN(aws.ToString(d.Target.Arn), ":", 6)
	if len(parts) != 6 {
		return &refusal{"the target's ARN is malformed"}
	}
	to, ok := senders()[parts[2]]
	if !ok {
		return &refusal{"the local cloud does not deliver events to targets of the service " + parts[2]}
	}
	return to(ctx, s.config(d), d, parts[5])
}

// config calls as the target's role, or as EventBridge itself.
func (s *Service) config(d delivery) aws.Config {
	there := regionOf(d.caller(), aws.ToString(d.Target.Arn))
	var cfg aws.Config
	if role := aws.ToString(d.Target.RoleArn); role != "" {
		cfg = s.host.Assume(there, role, sessionName(d.RuleName))
	} else {
		there.Service = principal
		cfg = s.host.As(there)
	}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} } // retry is ours to do
	return cfg
}

// sessionName is at most the 64 characters that STS takes.
func sessionName(rule string) string {
	name := "AWSEvents_" + rule
	return name[:min(len(name), 64)]
}

// startPipeline starts an execution. A target's own input may carry variables
// and source revisions; the bare event does not.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides-eventbridge.html
//
// The rules that CodePipeline keeps for the repositories behind connections
// name the pipeline's triggers instead, PIPELINE/trigger, or one of its
// webhooks, which get the event.
func startPipeline(ctx context.Context, cfg aws.Config, d delivery, resource string) error {
	if name, ok := strings.CutSuffix(resource, "/trigger"); ok {
		in := map[string]string{"name": name, "event": d.Event}
		return wire.CallJSON(ctx, cfg, "codepipeline", "CodePipeline_20150709.StartTriggeredExecution", in, &struct{}{})
	}
	if name, ok := strings.CutPrefix(resource, "webhook:"); ok {
		in := map[string]string{"webhookName": name, "event": d.Event}
		return wire.CallJSON(ctx, cfg, "codepipeline", "CodePipeline_20150709.DeliverToWebhook", in, &struct{}{})
	}
	var in codepipeline.StartPipelineExecutionInput
	if err := d.overrides(&in); err != nil {
		return err
	}
	in.Name = aws.String(resource)
	in.ClientRequestToken = aws.String(d.ID) // a delivery that is repeated after a crash starts nothing twice
	_, err := codepipeline.NewFromConfig(cfg).StartPipelineExecution(ctx, &in)
	return err
}

// startBuild starts a build; a target's own input is StartBuild's.
func startBuild(ctx context.Context, cfg aws.Config, d delivery, resource string) error {
	if name, ok := strings.CutPrefix(resource, "webhook/"); ok {
		return tellWebhook(ctx, cfg, d, name)
	}
	name, ok := strings.CutPrefix(resource, "project/")
	if !ok {
		return &refusal{fmt.Sprintf("%q is no CodeBuild project", resource)}
	}
	var in codebuild.StartBuildInput
	if err := d.overrides(&in); err != nil {
		return err
	}
	in.ProjectName = aws.String(name)
	in.IdempotencyToken = aws.String(d.ID)
	_, err := codebuild.NewFromConfig(cfg).StartBuild(ctx, &in)
	return err
}

// tellWebhook hands the event to the webhook of a project, by an operation
// that CodeBuild has for EventBridge alone.
func tellWebhook(ctx context.Context, cfg aws.Config, d delivery, project string) error {
	in := struct {
		ProjectName string `json:"projectName"`
		DeliveryID  string `json:"deliveryId"`
		Event       string `json:"event"`
	}{project, d.ID, d.Event}
	err := wire.CallJSON(ctx, cfg, "codebuild", "CodeBuild_20161006.DeliverRepositoryEvent", in, &struct{}{})
	var told *wire.Error
	if errors.As(err, &told) && told.Status < 500 {
		return &refusal{told.Error()}
	}
	return err
}

// publishMessage publishes the event to a topic, whose policy has to let
// EventBridge in when the target has no role.
func publishMessage(ctx context.Context, cfg aws.Config, d delivery, _ string) error {
	message, err := d.input()
	if err != nil {
		return err
	}
	_, err = sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: d.Target.Arn, Message: &message})
	return err
}

// invokeFunction has a function run on its own, whose policy has to let
// EventBridge in when the target has no role.
func invokeFunction(ctx context.Context, cfg aws.Config, d delivery, _ string) error {
	payload, err := d.input()
	if err != nil {
		return err
	}
	_, err = lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: d.Target.Arn, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(payload)})
	return err
}

// overrides reads a target's own input into an SDK input, whose Go fields
// have the API's names but for the case of the first letter.
func (d delivery) overrides(in any) error {
	if d.Target.Input == nil && d.Target.InputTransformer == nil {
		return nil
	}
	input, err := d.input()
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(input), in); err != nil {
		return &refusal{fmt.Sprintf("the target's input does not fit the target: %v", err)}
	}
	return nil
}

// putLogEvent writes the event to the stream that the rule has in a group.
func putLogEvent(ctx context.Context, cfg aws.Config, d delivery, resource string) error {
	group, ok := strings.CutPrefix(strings.TrimSuffix(resource, ":*"), "log-group:")
	if !ok {
		return &refusal{fmt.Sprintf("%q is no log group", resource)}
	}
	message, err := d.input()
	if err != nil {
		return err
	}
	client := cloudwatchlogs.NewFromConfig(cfg)
	stream := aws.String("events/" + d.RuleName)
	in := &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String(group), LogStreamName: stream, LogEvents: []logtypes.InputLogEvent{d.logEvent(message)},
	}
	_, err = client.PutLogEvents(ctx, in)
	if missing := (*logtypes.ResourceNotFoundException)(nil); !errors.As(err, &missing) {
		return err
	}
	_, err = client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: in.LogGroupName, LogStreamName: stream})
	if exists := (*logtypes.ResourceAlreadyExistsException)(nil); err != nil && !errors.As(err, &exists) {
		return err
	}
	_, err = client.PutLogEvents(ctx, in)
	return err
}

// logEvent is the event as a log line, at the time when it was accepted. A
// transformer may say both by an object with timestamp and message.
func (d delivery) logEvent(input string) logtypes.InputLogEvent {
	at, message := d.Accepted.UnixMilli(), input
	if d.Target.InputTransformer != nil {
		var own struct {
			Timestamp json.Number
			Message   json.RawMessage
		}
		if json.Unmarshal([]byte(input), &own) == nil && own.Message != nil {
			message = unquote(string(own.Message))
			if ms, err := own.Timestamp.Int64(); err == nil && ms > 0 {
				at = ms
			}
		}
	}
	return logtypes.InputLogEvent{Message: &message, Timestamp: &at}
}
