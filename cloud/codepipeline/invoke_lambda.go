package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// lambdaInvoke calls a function with a job and waits for its PutJobSuccessResult
// or PutJobFailureResult. A result with a continuation token has the function
// called again, with a new job that bears the token.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
type lambdaInvoke struct{}

func (lambdaInvoke) run(ctx context.Context, j *job) (*outcome, error) {
	return nil, j.workBy(ctx, j.config["FunctionName"])
}

// lambdaExecutor is an action type whose jobs a function does.
type lambdaExecutor struct{ function string }

func (e lambdaExecutor) run(ctx context.Context, j *job) (*outcome, error) {
	return nil, j.workBy(ctx, e.function)
}

const (
	jobPause  = time.Second      // between looks for a result
	callPause = 30 * time.Second // the longest before a function is called again; AWS tells no number
)

// workBy has a function do jobs until one ends the action. It never ends well:
// the result of the last job ends the action and calls it off.
func (j *job) workBy(ctx context.Context, function string) error {
	err := j.openJob(ctx)
	for err == nil {
		// A function may have answered, and asked for a next job, before its call
		// has come back.
		if j.record.Work.Given.IsZero() {
			err = j.call(ctx, function)
		} else {
			err = j.answered(ctx)
		}
	}
	if errors.Is(context.Cause(ctx), errTimedOut) {
		return failed(types.FailureTypeJobFailed, "The AWS Lambda function %s failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.", function)
	}
	return err
}

// call calls the function with the newest job. A crash before the call is
// written down has it made again.
func (j *job) call(ctx context.Context, function string) error {
	w := *j.record.Work
	if w.Continue {
		if err := pause(ctx, j.record.Started, callPause); err != nil {
			return err
		}
	}
	if err := j.service.know(ctx, j.place(), &w); err != nil {
		return err
	}
	if err := j.save(ctx, func(a *action) { a.Work.Status = types.JobStatusInProgress }); err != nil {
		return err
	}
	event, err := j.event(ctx)
	if err != nil {
		return err
	}
	_, err = lambda.NewFromConfig(j.as).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &function, InvocationType: lambdatypes.InvocationTypeEvent, Payload: event,
	})
	if err != nil {
		return absent(err, "Lambda")
	}
	return j.save(ctx, func(a *action) {
		if a.Work.Job == w.Job {
			a.Work.Given = j.service.host.Now()
		}
	})
}

// event is what the function is called with, in the form that AWS shows.
func (j *job) event(ctx context.Context) ([]byte, error) {
	d, err := j.data(ctx)
	if err != nil {
		return nil, err
	}
	if d.ArtifactCredentials == nil { // functions get them always
		if d.ArtifactCredentials, err = j.artifactCredentials(ctx); err != nil {
			return nil, err
		}
	}
	data := map[string]any{
		"actionConfiguration": map[string]any{"configuration": d.ActionConfiguration.Configuration},
		"inputArtifacts":      eventOf(d.InputArtifacts),
		"outputArtifacts":     eventOf(d.OutputArtifacts),
		"artifactCredentials": map[string]any{
			"accessKeyId": d.ArtifactCredentials.AccessKeyId, "secretAccessKey": d.ArtifactCredentials.SecretAccessKey,
			"sessionToken": d.ArtifactCredentials.SessionToken,
		},
	}
	if d.ContinuationToken != nil {
		data["continuationToken"] = d.ContinuationToken
	}
	if key := d.EncryptionKey; key != nil {
		data["encryptionKey"] = map[string]any{"id": key.Id, "type": key.Type}
	}
	event, err := json.Marshal(map[string]any{"CodePipeline.job": map[string]any{
		"id": j.record.Work.Job, "accountId": j.key.scope.Account, "data": data,
	}})
	if err != nil {
		return nil, fmt.Errorf("writing the event of job %s: %w", j.record.Work.Job, err)
	}
	return event, nil
}

func eventOf(list []types.Artifact) []any {
	out := []any{}
	for _, a := range list {
		at := a.Location.S3Location
		out = append(out, map[string]any{
			"name": aws.ToString(a.Name), "revision": a.Revision,
			"location": map[string]any{"type": "S3", "s3Location": map[string]any{"bucketName": at.BucketName, "objectKey": at.ObjectKey}},
		})
	}
	return out
}
