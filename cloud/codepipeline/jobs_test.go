package codepipeline_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"
)

// mine is the action type Custom/Build/Mine/1 with a secret and a property that
// workers ask by.
func mine() *api.CreateCustomActionTypeInput {
	return &api.CreateCustomActionTypeInput{
		Category: types.ActionCategoryBuild, Provider: aws.String("Mine"), Version: aws.String("1"),
		InputArtifactDetails:  &types.ArtifactDetails{MinimumCount: 1, MaximumCount: 1},
		OutputArtifactDetails: &types.ArtifactDetails{MaximumCount: 1},
		ConfigurationProperties: []types.ActionConfigurationProperty{
			{Name: aws.String("Project"), Required: true, Key: true, Queryable: true},
			{Name: aws.String("Password"), Secret: true},
		},
		Settings: &types.ActionTypeSettings{
			EntityUrlTemplate: aws.String("https://ci.example.com/{Config:Project}"), ExecutionUrlTemplate: aws.String("https://ci.example.com/{Config:Project}/{ExternalExecutionId}"),
		},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
	}
}

func mineID() *types.ActionTypeId {
	return &types.ActionTypeId{Category: types.ActionCategoryBuild, Owner: types.ActionOwnerCustom, Provider: aws.String("Mine"), Version: aws.String("1")}
}

func owned(id *types.ActionTypeId) func(*types.ActionDeclaration) {
	return func(a *types.ActionDeclaration) { a.ActionTypeId = id }
}

func (w *world) createMine(password string) {
	w.t.Helper()
	must[*api.CreateCustomActionTypeOutput](w.t)(w.client.CreateCustomActionType(w.t.Context(), mine()))
	work := act("Work", "", "", map[string]string{"Project": "site", "Password": password}, in("App"), out("Built"), owned(mineID()))
	work.Namespace = aws.String("Work")
	w.create(stage("Build", work), stage("Use", build("Use", "quick-#{Work.Level}")))
}

// poll takes the only job that waits for the project.
func (w *world) poll(project string) *types.Job {
	w.t.Helper()
	var found *types.Job
	w.until("a job of "+project, func() bool {
		out := must[*api.PollForJobsOutput](w.t)(w.client.PollForJobs(w.t.Context(), &api.PollForJobsInput{
			ActionTypeId: mineID(), QueryParam: map[string]string{"Project": project}, MaxBatchSize: aws.Int32(5),
		}))
		if len(out.Jobs) > 1 {
			w.t.Fatalf("%d jobs", len(out.Jobs))
		}
		for _, j := range out.Jobs {
			found = &j
		}
		return found != nil
	})
	return found
}

func (w *world) acknowledge(j *types.Job) {
	w.t.Helper()
	out := must[*api.AcknowledgeJobOutput](w.t)(w.client.AcknowledgeJob(w.t.Context(), &api.AcknowledgeJobInput{JobId: j.Id, Nonce: j.Nonce}))
	if out.Status != types.JobStatusInProgress {
		w.t.Errorf("the job is acknowledged as %s", out.Status)
	}
}

// A worker does an action in two jobs, and the cloud goes away and comes back
// at every step.
func TestCustomJob(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t)
	w.createMine("open sesame")
	again := func() { w.close(); w.open() }
	for _, c := range must[*api.GetPipelineOutput](t)(w.client.GetPipeline(ctx, &api.GetPipelineInput{Name: aws.String("p")})).Pipeline.Stages[1].Actions {
		if c.Configuration["Password"] != "****" {
			t.Errorf("the password is shown: %v", c.Configuration)
		}
	}
	job := w.poll("site")
	again()
	d := job.Data
	if got := d.ActionConfiguration.Configuration; got["Password"] != "open sesame" || got["Project"] != "site" {
		t.Errorf("configuration %v", got)
	}
	if in, out := d.InputArtifacts[0], d.OutputArtifacts[0]; *in.Name != "App" || *in.Revision != "c1" || *out.Name != "Built" || *out.Location.S3Location.BucketName != "artifacts" {
		t.Errorf("artifacts %+v %+v", in, out)
	}
	if c, p := d.ArtifactCredentials, d.PipelineContext; *c.AccessKeyId != "ASIA" || *p.PipelineName != "p" || *p.Action.Name != "Work" || *p.PipelineExecutionId != w.first() {
		t.Errorf("credentials %+v, context %+v", c, p)
	}
	if _, err := w.client.AcknowledgeJob(ctx, &api.AcknowledgeJobInput{JobId: job.Id, Nonce: aws.String("1")}); code(err) != "InvalidNonceException" {
		t.Errorf("a nonce that was guessed: %v", err)
	}
	success := &api.PutJobSuccessResultInput{
		JobId: job.Id, ContinuationToken: aws.String("half"), ExecutionDetails: &types.ExecutionDetails{Summary: aws.String("halfway"), ExternalExecutionId: aws.String("17"), PercentComplete: aws.Int32(50)},
	}
	if _, err := w.client.PutJobSuccessResult(ctx, success); code(err) != "InvalidJobStateException" {
		t.Errorf("a result for a job that nobody has taken: %v", err)
	}
	w.acknowledge(job)
	again()
	must[*api.PutJobSuccessResultOutput](t)(w.client.PutJobSuccessResult(ctx, success))
	if e := w.action("Work").LatestExecution; *e.Summary != "halfway" || *e.PercentComplete != 50 || *e.ExternalExecutionUrl != "https://ci.example.com/site/17" {
		t.Errorf("state %+v", e)
	}
	again()
	next := w.poll("site")
	if *next.Id == *job.Id || *next.Data.ContinuationToken != "half" {
		t.Errorf("the next job is %s with %v", *next.Id, next.Data.ContinuationToken)
	}
	w.acknowledge(next)
	success.JobId, success.ContinuationToken, success.OutputVariables = next.Id, nil, map[string]string{"Level": "9"}
	again()
	must[*api.PutJobSuccessResultOutput](t)(w.client.PutJobSuccessResult(ctx, success))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	if got := *w.builds.starts[0].ProjectName; got != "quick-9" {
		t.Errorf("the variable made the project %q", got)
	}
	if _, err := w.client.PutJobSuccessResult(ctx, success); code(err) != "InvalidJobStateException" {
		t.Errorf("the job has ended: %v", err)
	}
	must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(ctx, &api.DeletePipelineInput{Name: aws.String("p")}))
	if _, err := w.client.GetJobDetails(ctx, &api.GetJobDetailsInput{JobId: next.Id}); code(err) != "JobNotFoundException" {
		t.Errorf("the pipeline was deleted: %v", err)
	}
}

func TestCustomJobFails(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t)
	w.createMine("x")
	job := w.poll("site")
	w.acknowledge(job)
	must[*api.PutJobFailureResultOutput](t)(w.client.PutJobFailureResult(ctx, &api.PutJobFailureResultInput{
		JobId: job.Id, FailureDetails: &types.FailureDetails{Type: types.FailureTypeConfigurationError, Message: aws.String("no such project"), ExternalExecutionId: aws.String("18")},
	}))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if e := w.action("Work").LatestExecution; *e.ErrorDetails.Code != "ConfigurationError" || *e.ErrorDetails.Message != "no such project" || *e.ExternalExecutionId != "18" {
		t.Errorf("state %+v %+v", e, e.ErrorDetails)
	}
	// A job of an execution that was stopped is not given out any more.
	id := w.start()
	w.until("the second job waits", func() bool {
		e := w.action("Work").LatestExecution
		return e.Status == types.ActionExecutionStatusInProgress
	})
	must[*api.StopPipelineExecutionOutput](t)(w.client.StopPipelineExecution(ctx, &api.StopPipelineExecutionInput{PipelineName: aws.String("p"), PipelineExecutionId: &id, Abandon: true}))
	w.reaches(id, types.PipelineExecutionStatusStopped)
	out := must[*api.PollForJobsOutput](t)(w.client.PollForJobs(ctx, &api.PollForJobsInput{ActionTypeId: mineID(), QueryParam: map[string]string{"Project": "site"}}))
	if len(out.Jobs) != 0 {
		t.Errorf("jobs %+v", out.Jobs)
	}
}

func TestActionTypes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t)
	none := act("Work", "", "", map[string]string{"Project": "site"}, in("App"), owned(mineID()))
	_, err := w.client.CreatePipeline(ctx, &api.CreatePipelineInput{Pipeline: definition(stage("Build", none))})
	if code(err) != "InvalidActionDeclarationException" || !strings.Contains(err.Error(), "ActionType (Category: 'Build', Provider: 'Mine', Owner: 'Custom', Version: '1') in action 'Work' is not available in region") {
		t.Errorf("an action type that nobody has made: %v", err)
	}
	for name, spoil := range map[string]func(*api.CreateCustomActionTypeInput){
		"two queryable": func(in *api.CreateCustomActionTypeInput) {
			in.ConfigurationProperties = append(in.ConfigurationProperties, types.ActionConfigurationProperty{Name: aws.String("B"), Required: true, Queryable: true})
		},
		"secret in a URL": func(in *api.CreateCustomActionTypeInput) {
			in.Settings.EntityUrlTemplate = aws.String("https://x/{Config:Password}")
		},
		"six inputs": func(in *api.CreateCustomActionTypeInput) { in.InputArtifactDetails.MaximumCount = 6 },
		"version":    func(in *api.CreateCustomActionTypeInput) { in.Version = aws.String("1.0") },
	} {
		bad := mine()
		spoil(bad)
		if _, err := w.client.CreateCustomActionType(ctx, bad); code(err) != "ValidationException" {
			t.Errorf("%s: %v", name, err)
		}
	}
	must[*api.CreateCustomActionTypeOutput](t)(w.client.CreateCustomActionType(ctx, mine()))
	list := func() (providers []string) {
		out := must[*api.ListActionTypesOutput](t)(w.client.ListActionTypes(ctx, &api.ListActionTypesInput{ActionOwnerFilter: types.ActionOwnerCustom}))
		for _, a := range out.ActionTypes {
			providers = append(providers, *a.Id.Provider)
		}
		return providers
	}
	if diff := cmp.Diff([]string{"Mine"}, list()); diff != "" {
		t.Error(diff)
	}
	arn := aws.String("arn:aws:codepipeline:us-east-1:000000000000:actiontype:Custom/Build/Mine/1")
	must[*api.TagResourceOutput](t)(w.client.TagResource(ctx, &api.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("cost"), Value: aws.String("7")}}}))
	if tags := must[*api.ListTagsForResourceOutput](t)(w.client.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: arn})).Tags; len(tags) != 2 || *tags[0].Key != "cost" {
		t.Errorf("tags %+v", tags)
	}
	gone := func() {
		must[*api.DeleteCustomActionTypeOutput](t)(w.client.DeleteCustomActionType(ctx, &api.DeleteCustomActionTypeInput{Category: "Build", Provider: aws.String("Mine"), Version: aws.String("1")}))
	}
	gone()
	if _, err := w.client.PollForJobs(ctx, &api.PollForJobsInput{ActionTypeId: mineID()}); code(err) != "ActionTypeNotFoundException" || len(list()) != 0 {
		t.Errorf("after the deletion: %v, %v", list(), err)
	}
	if _, err := w.client.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: arn}); code(err) != "ResourceNotFoundException" {
		t.Errorf("tags of a deleted type: %v", err)
	}
	other := mine()
	other.OutputArtifactDetails.MaximumCount = 2
	if _, err := w.client.CreateCustomActionType(ctx, other); code(err) != "ValidationException" {
		t.Errorf("another type with the version of the deleted one: %v", err)
	}
	must[*api.CreateCustomActionTypeOutput](t)(w.client.CreateCustomActionType(ctx, mine()))
	gone()
}

// A partner's worker proves by the client token that it may have the job; the
// partner may have a function do the jobs instead.
func TestThirdParty(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t)
	functions := &functions{world: w}
	w.more = map[string]any{"lambda": functions}
	w.close()
	w.open()
	snyk := &types.ActionTypeId{Category: types.ActionCategoryInvoke, Owner: types.ActionOwnerThirdParty, Provider: aws.String("Snyk"), Version: aws.String("1")}
	w.create(stage("Scan", act("Scan", "", "", map[string]string{"ClientId": "me", "ClientToken": "mine alone"}, in("App"), out("Report"), owned(snyk))))
	var job types.ThirdPartyJob
	w.until("a job", func() bool {
		out := must[*api.PollForThirdPartyJobsOutput](t)(w.client.PollForThirdPartyJobs(ctx, &api.PollForThirdPartyJobsInput{ActionTypeId: snyk}))
		for _, j := range out.Jobs {
			job = j
		}
		return job.JobId != nil
	})
	if _, err := w.client.GetThirdPartyJobDetails(ctx, &api.GetThirdPartyJobDetailsInput{JobId: job.JobId, ClientToken: aws.String("another's")}); code(err) != "InvalidClientTokenException" {
		t.Errorf("with another's token: %v", err)
	}
	token := aws.String("mine alone")
	d := must[*api.GetThirdPartyJobDetailsOutput](t)(w.client.GetThirdPartyJobDetails(ctx, &api.GetThirdPartyJobDetailsInput{JobId: job.JobId, ClientToken: token})).JobDetails
	if *job.ClientId != "me" || *d.Data.InputArtifacts[0].Name != "App" || d.Data.PipelineContext.PipelineArn != nil {
		t.Errorf("job %s of %s: %+v", *job.JobId, *job.ClientId, d.Data)
	}
	must[*api.AcknowledgeThirdPartyJobOutput](t)(w.client.AcknowledgeThirdPartyJob(ctx, &api.AcknowledgeThirdPartyJobInput{JobId: job.JobId, ClientToken: token, Nonce: d.Nonce}))
	must[*api.PutThirdPartyJobSuccessResultOutput](t)(w.client.PutThirdPartyJobSuccessResult(ctx, &api.PutThirdPartyJobSuccessResultInput{JobId: job.JobId, ClientToken: token}))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)

	got := must[*api.GetActionTypeOutput](t)(w.client.GetActionType(ctx, &api.GetActionTypeInput{Category: "Invoke", Owner: aws.String("ThirdParty"), Provider: aws.String("Snyk"), Version: aws.String("1")})).ActionType
	if got.Executor.Type != types.ExecutorTypeJobWorker {
		t.Errorf("executor %+v", got.Executor)
	}
	for provider, owner := range map[string]string{"CodeBuild": "AWS", "Nobody": "ThirdParty"} {
		_, err := w.client.GetActionType(ctx, &api.GetActionTypeInput{Category: "Build", Owner: &owner, Provider: &provider, Version: aws.String("1")})
		if code(err) != "ActionTypeNotFoundException" {
			t.Errorf("%s: %v", provider, err)
		}
	}
	got.Executor = &types.ActionTypeExecutor{Type: types.ExecutorTypeLambda, JobTimeout: aws.Int32(60), Configuration: &types.ExecutorConfiguration{}}
	if _, err := w.client.UpdateActionType(ctx, &api.UpdateActionTypeInput{ActionType: got}); code(err) != "ValidationException" {
		t.Errorf("an executor without its function: %v", err)
	}
	got.Executor.Configuration.LambdaExecutorConfiguration = &types.LambdaExecutorConfiguration{LambdaFunctionArn: aws.String("arn:aws:lambda:us-east-1:000000000000:function:scan")}
	must[*api.UpdateActionTypeOutput](t)(w.client.UpdateActionType(ctx, &api.UpdateActionTypeInput{ActionType: got}))
	w.reaches(w.start(), types.PipelineExecutionStatusSucceeded)
	if diff := cmp.Diff([]string{"arn:aws:lambda:us-east-1:000000000000:function:scan "}, functions.told()); diff != "" {
		t.Error(diff)
	}
}
