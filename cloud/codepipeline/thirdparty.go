package codepipeline

import (
	"context"
	"crypto/subtle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// A partner's worker proves that it may have a job by the client token that its
// customer got at the partner's, and that the action's configuration holds as
// ClientToken, beside the ClientId.
const (
	clientID    = "ClientId"
	clientToken = "ClientToken"
)

// PollForThirdPartyJobs gives a partner's worker the ids of jobs that wait.
func (s *Service) PollForThirdPartyJobs(ctx context.Context, in *codepipeline.PollForThirdPartyJobsInput) (*codepipeline.PollForThirdPartyJobsOutput, error) {
	if _, err := s.polled(ctx, in.ActionTypeId, types.ActionOwnerThirdParty, in.MaxBatchSize); err != nil {
		return nil, err
	}
	out := &codepipeline.PollForThirdPartyJobsOutput{Jobs: []types.ThirdPartyJob{}}
	err := s.give(ctx, in.ActionTypeId, in.MaxBatchSize, nil, func(j *job) error {
		out.Jobs = append(out.Jobs, types.ThirdPartyJob{ClientId: optional(j.config[clientID]), JobId: aws.String(j.record.Work.Job)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// proven is a partner's job, if the token is its customer's.
func (s *Service) proven(ctx context.Context, id, token *string) (*jobPlace, *job, error) {
	place, j, err := s.known(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if place.Type.Owner != types.ActionOwnerThirdParty {
		return nil, nil, noJob(id)
	}
	configuration, err := s.opened(&j.record, j.kind)
	if err != nil {
		return nil, nil, err
	}
	want := configuration[clientToken]
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(aws.ToString(token))) == 0 {
		return nil, nil, &types.InvalidClientTokenException{Message: aws.String("The client token is not valid")}
	}
	return place, j, nil
}

// AcknowledgeThirdPartyJob takes a job, as AcknowledgeJob does.
func (s *Service) AcknowledgeThirdPartyJob(ctx context.Context, in *codepipeline.AcknowledgeThirdPartyJobInput) (*codepipeline.AcknowledgeThirdPartyJobOutput, error) {
	place, _, err := s.proven(ctx, in.JobId, in.ClientToken)
	if err != nil {
		return nil, err
	}
	status, err := s.acknowledge(ctx, place, *in.JobId, aws.ToString(in.Nonce))
	if err != nil {
		return nil, err
	}
	return &codepipeline.AcknowledgeThirdPartyJobOutput{Status: status}, nil
}

// GetThirdPartyJobDetails gives what there is to know of a job, and the nonce
// by which the worker takes it.
func (s *Service) GetThirdPartyJobDetails(ctx context.Context, in *codepipeline.GetThirdPartyJobDetailsInput) (*codepipeline.GetThirdPartyJobDetailsOutput, error) {
	_, j, err := s.proven(ctx, in.JobId, in.ClientToken)
	if err != nil {
		return nil, err
	}
	if j.record.Work.Job != *in.JobId || j.record.Status != types.ActionExecutionStatusInProgress {
		return nil, &types.InvalidJobException{Message: aws.String("The job has ended")}
	}
	d, err := j.data(ctx)
	if err != nil {
		return nil, err
	}
	d.PipelineContext.PipelineArn, d.PipelineContext.PipelineExecutionId = nil, nil // partners are not told
	return &codepipeline.GetThirdPartyJobDetailsOutput{JobDetails: &types.ThirdPartyJobDetails{
		Id: in.JobId, Nonce: optional(j.record.Work.Nonce),
		Data: &types.ThirdPartyJobData{
			ActionTypeId: d.ActionTypeId, ActionConfiguration: d.ActionConfiguration, PipelineContext: d.PipelineContext,
			InputArtifacts: d.InputArtifacts, OutputArtifacts: d.OutputArtifacts, ArtifactCredentials: d.ArtifactCredentials,
			ContinuationToken: d.ContinuationToken, EncryptionKey: d.EncryptionKey,
		},
	}}, nil
}

// PutThirdPartyJobSuccessResult ends a job well, as PutJobSuccessResult does.
func (s *Service) PutThirdPartyJobSuccessResult(ctx context.Context, in *codepipeline.PutThirdPartyJobSuccessResultInput) (*codepipeline.PutThirdPartyJobSuccessResultOutput, error) {
	place, _, err := s.proven(ctx, in.JobId, in.ClientToken)
	if err != nil {
		return nil, err
	}
	err = s.succeed(ctx, place, &success{job: *in.JobId, token: in.ContinuationToken, revision: in.CurrentRevision, details: in.ExecutionDetails})
	if err != nil {
		return nil, err
	}
	return &codepipeline.PutThirdPartyJobSuccessResultOutput{}, nil
}

// PutThirdPartyJobFailureResult ends a job and its action badly.
func (s *Service) PutThirdPartyJobFailureResult(ctx context.Context, in *codepipeline.PutThirdPartyJobFailureResultInput) (*codepipeline.PutThirdPartyJobFailureResultOutput, error) {
	place, _, err := s.proven(ctx, in.JobId, in.ClientToken)
	if err != nil {
		return nil, err
	}
	if err := s.fail(ctx, place, *in.JobId, in.FailureDetails); err != nil {
		return nil, err
	}
	return &codepipeline.PutThirdPartyJobFailureResultOutput{}, nil
}
