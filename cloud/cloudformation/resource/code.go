package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func codeKinds() []*Kind {
	return []*Kind{
		{
			Type: "AWS::CodeBuild::Project", NameProperty: "Name", Naming: &Naming{Max: 255}, Replace: []string{"Name"},
			Create: createProject, Update: updateProject, Delete: deleteProject,
		},
		{
			Type: "AWS::CodePipeline::Pipeline", NameProperty: "Name", Naming: &Naming{Max: 100}, Replace: []string{"Name"},
			Create: createPipeline, Update: updatePipeline, Delete: deletePipeline,
		},
		repositoryKind(),
		connectionKind("AWS::CodeConnections::Connection"),
		connectionKind("AWS::CodeStarConnections::Connection"),
	}
}

// projectElsewhere are the properties of a project that go to other calls.
var projectElsewhere = []string{"Tags", "Triggers", "Visibility", "ResourceAccessRole"}

func createProject(ctx context.Context, r *Request) (Result, error) {
	in := &codebuild.CreateProjectInput{}
	if err := Bind(r.Properties, in, projectElsewhere...); err != nil {
		return Result{}, err
	}
	in.Name, in.Tags = &r.Name, projectTags(r)
	client := Client(r.Clients, codebuild.NewFromConfig)
	if _, err := client.CreateProject(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return finishProject(ctx, client, r)
}

func updateProject(ctx context.Context, r *Request) (Result, error) {
	in := &codebuild.UpdateProjectInput{}
	if err := Bind(r.Properties, in, projectElsewhere...); err != nil {
		return Result{}, err
	}
	Clear(in, r.Former, r.Properties, projectElsewhere...)
	in.Name, in.Tags = &r.Physical, projectTags(r)
	client := Client(r.Clients, codebuild.NewFromConfig)
	if _, err := client.UpdateProject(ctx, in); err != nil {
		return Result{}, err
	}
	return finishProject(ctx, client, r)
}

func projectTags(r *Request) []cbtypes.Tag {
	return tagList(r.allTags(), func(k, v *string) cbtypes.Tag { return cbtypes.Tag{Key: k, Value: v} })
}

// finishProject sets what CodeBuild keeps apart from the project: its webhook
// and who may see it.
func finishProject(ctx context.Context, client *codebuild.Client, r *Request) (Result, error) {
	arn := r.ARN("codebuild", "project/"+r.Name)
	if v := r.Text("Visibility"); v != "" && v != text(r.Former["Visibility"]) {
		in := &codebuild.UpdateProjectVisibilityInput{ProjectArn: &arn, ProjectVisibility: cbtypes.ProjectVisibilityType(v)}
		if role := r.Text("ResourceAccessRole"); role != "" {
			in.ResourceAccessRole = &role
		}
		if _, err := client.UpdateProjectVisibility(ctx, in); err != nil {
			return Result{}, err
		}
	}
	if err := putWebhook(ctx, client, r); err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Arn": arn, "Id": r.Name}}, nil
}

func deleteProject(ctx context.Context, r *Request) error {
	client := Client(r.Clients, codebuild.NewFromConfig)
	if text(object(r.Properties["Triggers"])["Webhook"]) == "true" {
		if _, err := client.DeleteWebhook(ctx, &codebuild.DeleteWebhookInput{ProjectName: &r.Physical}); gone(err) != nil {
			return err
		}
	}
	_, err := client.DeleteProject(ctx, &codebuild.DeleteProjectInput{Name: &r.Physical})
	return gone(err)
}

// pipelineDeclaration builds the structure that CodePipeline wants. The
// template has the stores of several regions as a list, the API as a map.
func pipelineDeclaration(r *Request) (*cptypes.PipelineDeclaration, error) {
	p := &cptypes.PipelineDeclaration{}
	if err := Bind(r.Properties, p, "ArtifactStores", "DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags"); err != nil {
		return nil, err
	}
	p.Name = &r.Name
	for _, item := range list(r.Properties["ArtifactStores"]) {
		store := cptypes.ArtifactStore{}
		if err := Bind(object(object(item)["ArtifactStore"]), &store); err != nil {
			return nil, err
		}
		if p.ArtifactStores == nil {
			p.ArtifactStores = map[string]cptypes.ArtifactStore{}
		}
		p.ArtifactStores[text(object(item)["Region"])] = store
	}
	return p, nil
}

func createPipeline(ctx context.Context, r *Request) (Result, error) {
	p, err := pipelineDeclaration(r)
	if err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, codepipeline.NewFromConfig)
	out, err := client.CreatePipeline(ctx, &codepipeline.CreatePipelineInput{Pipeline: p, Tags: pipelineTags(r.allTags())})
	switch {
	case err == nil:
		p = out.Pipeline
	case r.Retry && IsExists(err):
		was, err := client.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &r.Name})
		if err != nil {
			return Result{}, err
		}
		p = was.Pipeline
	default:
		return Result{}, err
	}
	r.Physical = r.Name
	if err := putTransitions(ctx, client, r); err != nil {
		return Result{}, err
	}
	return pipelineResult(r, p), nil
}

func updatePipeline(ctx context.Context, r *Request) (Result, error) {
	p, err := pipelineDeclaration(r)
	if err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, codepipeline.NewFromConfig)
	version := r.Attributes["Version"]
	if !sameBut(r.Former, r.Properties, "Tags", "RestartExecutionOnUpdate", "DisableInboundStageTransitions") {
		now, err := definePipeline(ctx, client, r, p)
		if err != nil {
			return Result{}, err
		}
		version = fmt.Sprint(now)
		// A rollback restarts nothing: the execution would meet the template
		// that failed, and the two would take turns for ever.
		if r.Text("RestartExecutionOnUpdate") == "true" && !r.Rollback {
			// The token makes a repetition after a crash the same request.
			if _, err := client.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: &r.Name, ClientRequestToken: &r.Token}); err != nil {
				return Result{}, err
			}
		}
	}
	if err := putTransitions(ctx, client, r); err != nil {
		return Result{}, err
	}
	arn := r.ARN("codepipeline", r.Name)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &codepipeline.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &codepipeline.TagResourceInput{ResourceArn: &arn, Tags: pipelineTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Version": version}}, nil
}

// definePipeline updates the pipeline and gives its version. What a process
// that died did already is not done again, as each update is a new version.
func definePipeline(ctx context.Context, client *codepipeline.Client, r *Request, p *cptypes.PipelineDeclaration) (int32, error) {
	if r.Retry {
		now, err := client.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &r.Name})
		if err != nil {
			return 0, err
		}
		version := aws.ToInt32(now.Pipeline.Version)
		now.Pipeline.Version = p.Version
		if sameJSON(now.Pipeline, p) {
			return version, nil
		}
	}
	out, err := client.UpdatePipeline(ctx, &codepipeline.UpdatePipelineInput{Pipeline: p})
	if err != nil {
		return 0, err
	}
	return aws.ToInt32(out.Pipeline.Version), nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// putTransitions closes the stages that the template says are closed, and
// opens those that it no longer closes.
func putTransitions(ctx context.Context, client *codepipeline.Client, r *Request) error {
	closed := map[string]bool{}
	for _, item := range list(r.Properties["DisableInboundStageTransitions"]) {
		t := object(item)
		stage, reason := text(t["StageName"]), text(t["Reason"])
		closed[stage] = true
		if _, err := client.DisableStageTransition(ctx, &codepipeline.DisableStageTransitionInput{
			PipelineName: &r.Name, StageName: &stage, Reason: &reason, TransitionType: cptypes.StageTransitionTypeInbound}); err != nil {
			return err
		}
	}
	for _, item := range list(r.Former["DisableInboundStageTransitions"]) {
		stage := text(object(item)["StageName"])
		if closed[stage] {
			continue
		}
		if _, err := client.EnableStageTransition(ctx, &codepipeline.EnableStageTransitionInput{
			PipelineName: &r.Name, StageName: &stage, TransitionType: cptypes.StageTransitionTypeInbound}); gone(err) != nil {
			return err
		}
	}
	return nil
}

func deletePipeline(ctx context.Context, r *Request) error {
	_, err := Client(r.Clients, codepipeline.NewFromConfig).DeletePipeline(ctx, &codepipeline.DeletePipelineInput{Name: &r.Physical})
	return gone(err)
}

func pipelineTags(tags map[string]string) []cptypes.Tag {
	return tagList(tags, func(k, v *string) cptypes.Tag { return cptypes.Tag{Key: k, Value: v} })
}

func pipelineResult(r *Request, p *cptypes.PipelineDeclaration) Result {
	return Result{Physical: r.Name, Attributes: map[string]any{"Version": fmt.Sprint(aws.ToInt32(p.Version))}}
}

func connectionKind(name string) *Kind {
	return &Kind{
		Type: name, NameProperty: "ConnectionName", Naming: &Naming{Max: 32}, Replace: []string{"ConnectionName", "ProviderType", "HostArn"},
		Create: createConnection, Update: updateConnection,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, codeconnections.NewFromConfig).DeleteConnection(ctx, &codeconnections.DeleteConnectionInput{ConnectionArn: &r.Physical})
			return gone(err)
		},
	}
}

func createConnection(ctx context.Context, r *Request) (Result, error) {
	in := &codeconnections.CreateConnectionInput{}
	if err := Bind(r.Properties, in, "Tags"); err != nil {
		return Result{}, err
	}
	in.ConnectionName = &r.Name
	in.Tags = connectionTags(r.allTags())
	client := Client(r.Clients, codeconnections.NewFromConfig)
	if r.Retry {
		// Names of connections need not be unique, so the service would not refuse a second one.
		pages := codeconnections.NewListConnectionsPaginator(client, &codeconnections.ListConnectionsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return Result{}, err
			}
			for _, c := range page.Connections {
				if aws.ToString(c.ConnectionName) == r.Name {
					return connectionResult(ctx, client, aws.ToString(c.ConnectionArn))
				}
			}
		}
	}
	out, err := client.CreateConnection(ctx, in)
	if err != nil {
		return Result{}, err
	}
	r.Physical = aws.ToString(out.ConnectionArn)
	return connectionResult(ctx, client, r.Physical)
}

func updateConnection(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, codeconnections.NewFromConfig)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &codeconnections.UntagResourceInput{ResourceArn: &r.Physical, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &codeconnections.TagResourceInput{ResourceArn: &r.Physical, Tags: connectionTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return connectionResult(ctx, client, r.Physical)
}

func connectionTags(tags map[string]string) []cctypes.Tag {
	return tagList(tags, func(k, v *string) cctypes.Tag { return cctypes.Tag{Key: k, Value: v} })
}

func connectionResult(ctx context.Context, client *codeconnections.Client, arn string) (Result, error) {
	out, err := client.GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: &arn})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: arn, Attributes: map[string]any{"ConnectionArn": arn,
		"ConnectionStatus": string(out.Connection.ConnectionStatus), "OwnerAccountId": aws.ToString(out.Connection.OwnerAccountId)}}, nil
}
