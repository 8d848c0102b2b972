package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ouro/stack"
)

// Up is a project being brought up.
type Up struct {
	Clients  *Clients
	Project  *Project
	Facts    Facts
	State    string // a directory for what pushing needs
	Observer Observer

	Remote   string // the repository's clone URL, once known
	Commit   string // what was pushed
	Pipeline string // the pipeline's name, once its stack is there
	seen     string // the newest execution before anything was changed
}

// Identify tells which account the clients work in.
func Identify(ctx context.Context, c *Clients) (account string, err error) {
	out, err := c.Identities.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("asking who we are: %w", err)
	}
	return aws.ToString(out.Account), nil
}

// Run pushes the project's source, creates or updates its stack, and follows
// the execution that comes of it to the end. The project has been checked
// before. A failed execution is an Outcome, not an error.
func (u *Up) Run(ctx context.Context) (*Outcome, error) {
	if u.Facts.Repository == "" {
		return nil, fmt.Errorf("%s: the pipeline has no CodeCommit source that ouro could push to", u.Project.TemplateFile)
	}
	if err := u.findPipeline(ctx); err != nil {
		return nil, err
	}
	pushed := false
	if !u.Facts.Owned {
		u.Observer.Step("Source")
		if err := u.ensureRepository(ctx); err != nil {
			return nil, err
		}
		var err error
		if pushed, err = u.push(ctx); err != nil {
			return nil, err
		}
	}
	u.Observer.Step("Stack " + u.Project.StackName())
	changed, err := stack.Apply(ctx, u.Clients.Stacks, stack.Spec{
		Name: u.Project.StackName(), Template: string(u.Project.Body),
		Parameters: u.Project.Config.Parameters, Tags: u.Project.Config.Tags,
	}, u.Observer.StackEvent)
	if err != nil {
		return nil, err
	}
	if u.Pipeline == "" {
		if err := u.findPipeline(ctx); err != nil {
			return nil, err
		}
		u.seen = ""
	}
	if u.Facts.Owned {
		if u.seen, err = newest(ctx, u.Clients, u.Pipeline); err != nil {
			return nil, err
		}
		u.Observer.Step("Source")
		if pushed, err = u.push(ctx); err != nil {
			return nil, err
		}
	}
	id, err := u.execution(ctx, changed || pushed)
	if err != nil {
		return nil, err
	}
	return FollowToEnd(ctx, u.Clients, u.Pipeline, id, u.Observer)
}

const pipelineType = "AWS::CodePipeline::Pipeline"

// findPipeline looks up the pipeline in the stack, if both are there, and its
// newest execution.
func (u *Up) findPipeline(ctx context.Context) error {
	s, err := stack.Describe(ctx, u.Clients.Stacks, u.Project.StackName())
	if err != nil || s == nil {
		return err
	}
	out, err := u.Clients.Stacks.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: s.StackId})
	if err != nil {
		return fmt.Errorf("looking for the pipeline in stack %q: %w", u.Project.StackName(), err)
	}
	for _, r := range out.StackResources {
		if aws.ToString(r.ResourceType) == pipelineType && aws.ToString(r.PhysicalResourceId) != "" && !strings.HasPrefix(string(r.ResourceStatus), "DELETE") {
			name := aws.ToString(r.PhysicalResourceId)
			if u.seen, err = newest(ctx, u.Clients, name); err != nil {
				return err
			}
			u.Pipeline = name
		}
	}
	return nil
}

func (u *Up) ensureRepository(ctx context.Context) error {
	_, err := u.Clients.Repos.CreateRepository(ctx, &codecommit.CreateRepositoryInput{
		RepositoryName: &u.Facts.Repository, Tags: map[string]string{madeBy: u.Project.Name},
		RepositoryDescription: aws.String("Source of " + u.Project.StackName()),
	})
	if exists := (*cctypes.RepositoryNameExistsException)(nil); err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("creating repository %q: %w", u.Facts.Repository, err)
	}
	return nil
}

// madeBy is the tag on what Up itself made, so that Down may delete it. Its
// value is the project's name.
const madeBy = "ouro:project"

func (u *Up) push(ctx context.Context) (changed bool, err error) {
	out, err := u.Clients.Repos.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &u.Facts.Repository})
	if err != nil {
		return false, fmt.Errorf("looking up repository %q: %w", u.Facts.Repository, err)
	}
	u.Remote = aws.ToString(out.RepositoryMetadata.CloneUrlHttp)
	pushed, err := Push(ctx, u.Project.Dir, u.State, u.Remote, u.Facts.Branch)
	u.Commit = pushed.Commit
	return pushed.Changed, err
}

// patience is how long a change may take to start an execution before Up
// starts one itself.
const patience = 3 * time.Second

// execution is the execution to follow: the one that the changes started, or
// else a new one.
func (u *Up) execution(ctx context.Context, expected bool) (string, error) {
	if u.Pipeline == "" {
		return "", fmt.Errorf("stack %q has no pipeline", u.Project.StackName())
	}
	if expected {
		if id, err := newer(ctx, u.Clients, u.Pipeline, u.seen, patience); err != nil || id != "" {
			return id, err
		}
	}
	out, err := u.Clients.Pipelines.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: &u.Pipeline})
	if err != nil {
		return "", fmt.Errorf("starting pipeline %q: %w", u.Pipeline, err)
	}
	return aws.ToString(out.PipelineExecutionId), nil
}

// newest is the id of the newest execution, "" if there is none.
func newest(ctx context.Context, c *Clients, pipeline string) (string, error) {
	out, err := c.Pipelines.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &pipeline, MaxResults: aws.Int32(1)})
	if err != nil {
		return "", fmt.Errorf("listing the executions of pipeline %q: %w", pipeline, err)
	}
	if len(out.PipelineExecutionSummaries) == 0 {
		return "", nil
	}
	return aws.ToString(out.PipelineExecutionSummaries[0].PipelineExecutionId), nil
}

// FollowToEnd follows an execution, and when a newer one took its place,
// because the pipeline changed itself or another push came, that one, to the
// end of the last.
func FollowToEnd(ctx context.Context, c *Clients, pipeline, id string, obs Observer) (*Outcome, error) {
	for {
		out, err := Follow(ctx, c, pipeline, id, obs)
		if err != nil {
			return nil, err
		}
		if out.Status != types.PipelineExecutionStatusCancelled && out.Status != types.PipelineExecutionStatusSuperseded {
			return out, nil
		}
		next, err := newer(ctx, c, pipeline, id, patience)
		if err != nil || next == "" {
			return out, err
		}
		id = next
	}
}

// Next waits for an execution that is newer than the one with the id last.
func Next(ctx context.Context, c *Clients, pipeline, last string) (string, error) {
	return newer(ctx, c, pipeline, last, 0)
}

// newer waits for an execution that is newer than the one with the id last:
// "" if none comes within that time, which is without end if it is 0.
func newer(ctx context.Context, c *Clients, pipeline, last string, within time.Duration) (string, error) {
	poll := stack.NewPoll()
	for start := time.Now(); within == 0 || time.Since(start) < within; {
		id, err := newest(ctx, c, pipeline)
		if err != nil || id != last {
			return id, err
		}
		if err := poll.Wait(ctx, false); err != nil {
			return "", err
		}
	}
	return "", nil
}
