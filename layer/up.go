package layer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/pipeline"
	"ouro/stack"
)

// Up is what makes a layer, from nothing if need be.
type Up struct {
	Clients  *Clients
	Account  string
	State    string // a directory for what pushing needs
	Observer pipeline.Observer
	// Consent tells whether a change may be made; nil consents to all.
	Consent  func(context.Context, *stack.Changes) (bool, error)
	Program  *Program      // the functions' code
	NoFollow bool          // ends Run when all is made and pushed
	Patience time.Duration // how long a change may take to start an execution
}

// Base makes what all layers share, in the order in which one stack finds the
// others: the bucket, the roles, and the functions, whose code goes into the
// bucket.
func (u *Up) Base(ctx context.Context) error {
	if err := u.apply(ctx, ArtifactsStack, "layer/artifacts.yaml", nil); err != nil {
		return err
	}
	if err := u.apply(ctx, RolesStack, "layer/roles.yaml", nil); err != nil {
		return err
	}
	bucket, err := Bucket(ctx, u.Clients)
	if err != nil {
		return err
	}
	if err := u.Program.Upload(ctx, u.Clients.Buckets, bucket, u.Observer); err != nil {
		return err
	}
	return u.apply(ctx, FunctionsStack, "layer/functions.yaml", map[string]string{"CodeKey": u.Program.Key, "Architecture": u.Program.Architecture})
}

// apply has a stack of one of the library's templates made or changed, if there
// is consent.
func (u *Up) apply(ctx context.Context, name, of string, parameters map[string]string) error {
	spec, err := specOf(name, of, parameters)
	if err != nil {
		return err
	}
	there, err := stack.Describe(ctx, u.Clients.Stacks, name)
	if err != nil {
		return err
	}
	if there != nil && there.StackStatus != cfntypes.StackStatusReviewInProgress && stack.LeftOver(there.StackStatus) {
		u.Observer.Step(fmt.Sprintf("Stack %s was left over as %s: deleting it first", name, there.StackStatus))
		if err := stack.Delete(ctx, u.Clients.Stacks, aws.ToString(there.StackId), u.Observer.StackEvent); err != nil {
			return err
		}
	}
	for {
		err := u.change(ctx, spec)
		if !stack.Outdated(err) {
			return err
		}
		u.Observer.Step("Stack " + name + " was changed by somebody else meanwhile")
	}
}

func (u *Up) change(ctx context.Context, spec stack.Spec) error {
	p, err := stack.Propose(ctx, u.Clients.Stacks, spec)
	if err != nil {
		return err
	}
	if p.Changes.Empty() {
		u.Observer.Step("Stack " + spec.Name + ", unchanged")
		return p.Discard(ctx)
	}
	if u.Consent != nil {
		ok, err := u.Consent(ctx, p.Changes)
		if err == nil && !ok {
			err = pipeline.ErrDeclined
		}
		if err != nil {
			return errors.Join(err, p.Discard(ctx))
		}
	}
	u.Observer.Step("Stack " + spec.Name)
	return p.Execute(ctx, u.Observer.StackEvent)
}

// Layer makes the pipeline of a layer, pushes the source to its repository, and
// follows the execution that comes of it. dir is the source; empty for none but
// what the repository begins with. The Outcome is nil with NoFollow.
func (u *Up) Layer(ctx context.Context, p *Pipeline, dir string) (*pipeline.Outcome, *pipeline.Up, error) {
	there, err := stack.Describe(ctx, u.Clients.Stacks, PipelineStack(p.Name))
	if err != nil {
		return nil, nil, err
	}
	seed := ""
	if dir != "" && begins(there) {
		if seed, err = u.seed(ctx, dir); err != nil {
			return nil, nil, err
		}
	}
	up, err := u.work(ctx, p, seed)
	if err != nil {
		return nil, nil, err
	}
	up.Project.Dir = dir
	outcome, err := up.Run(ctx)
	return outcome, up, err
}

// work is the work on the pipeline of a layer.
func (u *Up) work(ctx context.Context, p *Pipeline, seed string) (*pipeline.Up, error) {
	spec, err := p.Spec(seed)
	if err != nil {
		return nil, err
	}
	there, err := stack.Describe(ctx, u.Clients.Stacks, spec.Name)
	if err != nil {
		return nil, err
	}
	keep(spec.Parameters, there, p.Unsaid)
	project, err := pipeline.NewProject(spec.Name, "layer/pipeline.yaml", []byte(spec.Template))
	if err != nil {
		return nil, err
	}
	project.Configure(spec.Parameters)
	project.Name, project.Config.Tags = PipelineName(p.Name), spec.Tags
	facts, err := project.Facts(u.Account, u.Clients.Region)
	if err != nil {
		return nil, err
	}
	state, err := filepath.Abs(filepath.Join(u.State, "layers", p.Name))
	if err != nil {
		return nil, err
	}
	up := &pipeline.Up{
		Clients: u.Clients.Clients, Project: project, Facts: facts, State: state,
		Observer: u.Observer, NoFollow: u.NoFollow, Patience: u.Patience,
	}
	if u.Consent != nil {
		up.Consent = func(ctx context.Context, work pipeline.Work) (bool, error) {
			if work.Changes == nil {
				return true, nil // what is left over of a try of ours
			}
			return u.Consent(ctx, work.Changes)
		}
	}
	return up, os.MkdirAll(up.State, 0o755)
}
