package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
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

	// Consent tells whether Run may do the work; nil consents to all.
	Consent func(context.Context, Work) (bool, error)
	// Token is asked for the token of a source whose secret is not there.
	Token func(ctx context.Context, secret string) (string, error)
	// Binary is this program for the builds; nil where they find it by themselves.
	Binary *Binary
	// NoFollow ends Run when all is made and pushed; the Outcome is nil then.
	NoFollow bool
	// Patience is how long a change may take to start an execution before Run
	// starts one itself; 0 is what the local cloud needs.
	Patience time.Duration
	// AtApproval ends Run where only approvals are left to wait for, too.
	AtApproval bool

	Remote   string // the repository's clone URL, once known
	Commit   string // what was pushed
	Pipeline string // the pipeline's name, once its stack is there
	seen     string // the newest execution before anything was changed
}

// Identity is who the clients work as.
type Identity struct{ Account, ARN string }

// Identify tells who the clients work as.
func Identify(ctx context.Context, c *Clients) (Identity, error) {
	out, err := c.Identities.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, fmt.Errorf("asking who we are: %w", err)
	}
	return Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Run proposes the change of the project's stack, has it made if there is
// consent, pushes the source where it is ours to push, and follows the
// execution that comes of it to the end. The project has been checked before. A
// failed execution is an Outcome, not an error. Whatever ended a Run halfway,
// the next one goes on from there.
func (u *Up) Run(ctx context.Context) (*Outcome, error) {
	if u.Facts.Source.Provider == "" {
		return nil, fmt.Errorf("%s: the pipeline has no source action", u.Project.TemplateFile)
	}
	secret, err := u.findSecret(ctx)
	if err != nil {
		return nil, err
	}
	if err := u.removeLeftOver(ctx); err != nil {
		return nil, err
	}
	if err := u.findPipeline(ctx); err != nil {
		return nil, err
	}
	changed, pushed, err := u.apply(ctx, secret)
	if err != nil {
		return nil, err
	}
	if u.Pipeline == "" {
		if err := u.findPipeline(ctx); err != nil {
			return nil, err
		}
		u.seen = "" // all of a new pipeline are new
	}
	if u.Facts.Source.Owned {
		if pushed, err = u.pushOwned(ctx); err != nil {
			return nil, err
		}
	}
	if u.NoFollow {
		return nil, nil
	}
	id, err := u.execution(ctx, changed || pushed)
	if err != nil {
		return nil, err
	}
	f := newFollower(u.Clients, u.Pipeline, id, u.Observer)
	f.atApproval = u.AtApproval
	return f.toEnd(ctx)
}

// pushOwned pushes the source to the repository that the stack made. What that
// starts is what comes after the newest execution now. If the repository has
// the source already, it is the one that began with the stack.
func (u *Up) pushOwned(ctx context.Context) (pushed bool, err error) {
	if u.Project.Dir == "" {
		remote, err := u.remote(ctx)
		u.Remote = remote.URL
		return false, err
	}
	before, err := u.newestHere(ctx)
	if err != nil {
		return false, err
	}
	u.Observer.Step("Source")
	if pushed, err = u.push(ctx); pushed {
		u.seen = before
	}
	return pushed, err
}

const pipelineType = "AWS::CodePipeline::Pipeline"

// findPipeline looks up the pipeline in the stack, if both are there, and its
// newest execution.
func (u *Up) findPipeline(ctx context.Context) error {
	var err error
	if u.Pipeline, err = Named(ctx, u.Clients, u.Project.StackName()); err != nil {
		return err
	}
	u.seen, err = u.newestHere(ctx)
	return err
}

// patience is the local cloud's.
const patience = 3 * time.Second

// execution is the execution to follow: the one that the changes started, or
// else a new one.
func (u *Up) execution(ctx context.Context, expected bool) (string, error) {
	if u.Pipeline == "" {
		return "", fmt.Errorf("stack %q is there, but no pipeline is listed among its resources, so there is no execution to follow; --no-follow leaves it at that", u.Project.StackName())
	}
	if expected {
		if id, err := newer(ctx, u.Clients, u.Pipeline, u.seen, cmp.Or(u.Patience, patience)); err != nil || id != "" {
			return id, err
		}
	}
	out, err := u.Clients.Pipelines.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: &u.Pipeline})
	if err != nil {
		return "", fmt.Errorf("starting pipeline %q: %w", u.Pipeline, err)
	}
	return aws.ToString(out.PipelineExecutionId), nil
}

// newestHere is the newest execution of the pipeline, if that is there.
func (u *Up) newestHere(ctx context.Context) (string, error) {
	if u.Pipeline == "" {
		return "", nil
	}
	return newest(ctx, u.Clients, u.Pipeline)
}

// newest is the id of the newest execution, "" if there is none.
func newest(ctx context.Context, c *Clients, pipeline string) (string, error) {
	e, err := newestExecution(ctx, c, pipeline)
	if err != nil || e == nil {
		return "", err
	}
	return e.ID, nil
}

// FollowToEnd follows an execution, and when a newer one took its place,
// because the pipeline changed itself or another push came, that one, to the
// end of the last.
func FollowToEnd(ctx context.Context, c *Clients, pipeline, id string, obs Observer) (*Outcome, error) {
	return newFollower(c, pipeline, id, obs).toEnd(ctx)
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
