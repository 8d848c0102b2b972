package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/pipeline"
)

// job is what CodePipeline asks of a function.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
type job struct {
	ID   string `json:"id"`
	Data struct {
		ActionConfiguration struct {
			Configuration struct{ UserParameters string }
		} `json:"actionConfiguration"`
		InputArtifacts      []artifact `json:"inputArtifacts"`
		OutputArtifacts     []artifact `json:"outputArtifacts"`
		ArtifactCredentials struct {
			AccessKeyID     string `json:"accessKeyId"`
			SecretAccessKey string `json:"secretAccessKey"`
			SessionToken    string `json:"sessionToken"`
		} `json:"artifactCredentials"`
		EncryptionKey *struct {
			ID string `json:"id"`
		} `json:"encryptionKey"`
		ContinuationToken string `json:"continuationToken"`
	} `json:"data"`

	cfg     aws.Config
	buckets *s3.Client // with the rights on the artifacts that CodePipeline gives
}

// artifact is where an artifact lies, or is to lie.
type artifact struct {
	Name     string `json:"name"`
	Location struct {
		S3 struct {
			Bucket string `json:"bucketName"`
			Key    string `json:"objectKey"`
		} `json:"s3Location"`
	} `json:"location"`
}

// done is how far a job is.
type done struct {
	// Continue asks to be called again, with this token; empty when the job has
	// ended.
	Continue  string
	Summary   string
	Variables map[string]string
}

// work does a job. The parameters are JSON in the action's UserParameters.
type work[P any] func(ctx context.Context, j *job, p *P) (done, error)

// action is an action of CodePipeline that a function does.
type action[P any] struct {
	cfg       aws.Config
	pipelines *codepipeline.Client
	work      work[P]
}

func newAction[P any](cfg aws.Config, w work[P]) *action[P] {
	return &action[P]{cfg, codepipeline.NewFromConfig(cfg), w}
}

// handle does a job and tells CodePipeline of it in any case. The error is of a
// result that could not be told: Lambda asks again then.
func (a *action[P]) handle(ctx context.Context, event json.RawMessage) (any, error) {
	var e struct {
		Job job `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(event, &e); err != nil || e.Job.ID == "" {
		return nil, errors.New("the event is no job of CodePipeline")
	}
	j := &e.Job
	j.cfg = a.cfg
	own := a.cfg
	if c := j.Data.ArtifactCredentials; c.AccessKeyID != "" {
		own.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	}
	j.buckets = pipeline.NewBuckets(own)
	d, err := within(ctx, func(ctx context.Context) (done, error) {
		p := new(P)
		if err := parameters(j.Data.ActionConfiguration.Configuration.UserParameters, p); err != nil {
			return done{}, err
		}
		return a.work(ctx, j, p)
	})
	return nil, a.tell(ctx, j, d, err)
}

// parameters reads an action's UserParameters; empty ones are none, and one that
// the function does not know is an error.
func parameters(text string, into any) error {
	if text == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the UserParameters are not what this function takes: %w", err)
	}
	return nil
}

// The longest texts that CodePipeline takes.
const (
	maxFailure = 5000
	maxSummary = 2048
)

// tell tells CodePipeline how a job went. A job that has a result already was
// told of before, by a call that Lambda repeats.
func (a *action[P]) tell(ctx context.Context, j *job, d done, failure error) error {
	var err error
	if failure != nil {
		_, err = a.pipelines.PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{
			JobId: &j.ID, FailureDetails: &types.FailureDetails{Type: types.FailureTypeJobFailed, Message: aws.String(cut(failure.Error(), maxFailure-8))},
		})
	} else {
		in := &codepipeline.PutJobSuccessResultInput{JobId: &j.ID, OutputVariables: d.Variables}
		if d.Continue != "" {
			in.ContinuationToken = &d.Continue
		}
		if d.Summary != "" {
			in.ExecutionDetails = &types.ExecutionDetails{Summary: aws.String(cut(d.Summary, maxSummary-8))}
		}
		_, err = a.pipelines.PutJobSuccessResult(ctx, in)
	}
	if told := (*types.InvalidJobStateException)(nil); errors.As(err, &told) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("telling CodePipeline of the job: %w", err)
	}
	return nil
}
