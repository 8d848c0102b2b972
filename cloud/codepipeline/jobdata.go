package codepipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// data is what a worker is told of the job.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_JobData.html
func (j *job) data(ctx context.Context) (*types.JobData, error) {
	configuration, err := j.service.opened(&j.record, j.kind)
	if err != nil {
		return nil, err
	}
	d := &types.JobData{
		ActionTypeId:        j.record.Declaration.ActionTypeId,
		ActionConfiguration: &types.ActionConfiguration{Configuration: configuration},
		PipelineContext: &types.PipelineContext{
			PipelineName: aws.String(j.key.name), PipelineArn: aws.String(j.arn), PipelineExecutionId: aws.String(j.record.Execution),
			Stage:  &types.StageContext{Name: aws.String(j.record.Stage)},
			Action: &types.ActionContext{Name: aws.String(j.record.Name), ActionExecutionId: aws.String(j.record.ID)},
		},
		InputArtifacts:    j.describe(j.record.Inputs),
		OutputArtifacts:   j.describe(j.record.Outputs),
		ContinuationToken: optional(j.record.Work.Token),
		EncryptionKey:     j.store.EncryptionKey,
	}
	if len(d.InputArtifacts)+len(d.OutputArtifacts) > 0 {
		d.ArtifactCredentials, err = j.artifactCredentials(ctx)
	}
	return d, err
}

func (j *job) describe(list []artifact) []types.Artifact {
	out := []types.Artifact{}
	for _, a := range list {
		d := types.Artifact{Name: aws.String(a.Name), Location: &types.ArtifactLocation{
			Type: types.ArtifactLocationTypeS3, S3Location: &types.S3ArtifactLocation{BucketName: aws.String(a.Bucket), ObjectKey: aws.String(a.Key)},
		}}
		for _, r := range j.execution.newestRevisions() {
			if r.Artifact == a.Name {
				d.Revision = aws.String(r.ID)
			}
		}
		out = append(out, d)
	}
	return out
}

// artifactCredentials are of a session of the pipeline's role that can reach
// the job's artifacts and nothing else.
func (j *job) artifactCredentials(ctx context.Context) (*types.AWSSessionCredentials, error) {
	policy, err := json.Marshal(j.artifactPolicy())
	if err != nil {
		return nil, fmt.Errorf("writing the policy of a job's credentials: %w", err)
	}
	out, err := sts.NewFromConfig(j.service.host.As(j.caller)).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String(j.role), RoleSessionName: aws.String(sessionName(j.key.name)), Policy: aws.String(string(policy)),
	})
	if err != nil {
		return nil, fmt.Errorf("getting credentials for the artifacts of a job: %w", err)
	}
	c := out.Credentials
	return &types.AWSSessionCredentials{AccessKeyId: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
}

type statement struct {
	Effect   string
	Action   []string
	Resource []string
}

func (j *job) artifactPolicy() any {
	objects := func(list []artifact) (arns []string) {
		for _, a := range list {
			arns = append(arns, "arn:"+j.caller.Partition()+":s3:::"+a.Bucket+"/"+a.Key)
		}
		return arns
	}
	var all []statement
	if in := objects(j.record.Inputs); len(in) > 0 {
		all = append(all, statement{"Allow", []string{"s3:GetObject", "s3:GetObjectVersion"}, in})
	}
	if out := objects(j.record.Outputs); len(out) > 0 {
		all = append(all, statement{"Allow", []string{"s3:PutObject"}, out})
	}
	if key := j.store.EncryptionKey; key != nil {
		all = append(all, statement{"Allow", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"*"}})
	}
	if len(all) == 0 {
		// A policy needs a statement; without artifacts there is nothing to reach.
		all = []statement{{"Deny", []string{"*"}, []string{"*"}}}
	}
	return struct {
		Version   string
		Statement []statement
	}{"2012-10-17", all}
}
