package ci

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/stack"
)

// API is the part of the CodeBuild client that batches need.
type API interface {
	StartBuildBatch(context.Context, *codebuild.StartBuildBatchInput, ...func(*codebuild.Options)) (*codebuild.StartBuildBatchOutput, error)
	StopBuildBatch(context.Context, *codebuild.StopBuildBatchInput, ...func(*codebuild.Options)) (*codebuild.StopBuildBatchOutput, error)
	BatchGetBuildBatches(context.Context, *codebuild.BatchGetBuildBatchesInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildBatchesOutput, error)
	BatchGetBuilds(context.Context, *codebuild.BatchGetBuildsInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error)
}

var _ API = (*codebuild.Client)(nil)

// Batch is a batch as it stands.
type Batch struct {
	ID       string        `json:"id"`
	Project  string        `json:"project"`
	Number   int64         `json:"number"`
	Status   string        `json:"status"` // AWS's word
	Phase    string        `json:"phase"`
	Reason   string        `json:"reason,omitempty"` // why it failed, as far as no part says it
	Version  string        `json:"sourceVersion,omitempty"`
	Duration time.Duration `json:"-"`
	Seconds  float64       `json:"durationInSeconds"`
	Parts    []Part        `json:"parts"`
}

// Part is one build of a batch.
type Part struct {
	Identifier string        `json:"identifier"`
	Build      string        `json:"build,omitempty"`  // its id; empty before it was started
	Status     string        `json:"status,omitempty"` // empty as long as it waits
	Phase      string        `json:"phase,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	Log        string        `json:"log,omitempty"` // a link
	Ignored    bool          `json:"failureIgnored,omitempty"`
	Attempt    int           `json:"attempt"`
	Duration   time.Duration `json:"-"`
	Seconds    float64       `json:"durationInSeconds"`
}

// Ended tells whether the batch has come to its end.
func (b *Batch) Ended() bool { return b.Status != string(types.StatusTypeInProgress) }

// Succeeded tells whether it has come to a good one.
func (b *Batch) Succeeded() bool { return b.Status == string(types.StatusTypeSucceeded) }

// Ended tells whether the build has come to its end.
func (p Part) Ended() bool { return p.Status != "" && p.Status != string(types.StatusTypeInProgress) }

// Run is a batch to start.
type Run struct {
	Project   string // CodeBuild's
	Version   string // branch, tag or commit; empty: the project's own
	Variables []types.EnvironmentVariable
}

// Start starts a batch and returns its id.
func Start(ctx context.Context, api API, r Run) (string, error) {
	in := &codebuild.StartBuildBatchInput{ProjectName: &r.Project, EnvironmentVariablesOverride: r.Variables}
	if r.Version != "" {
		in.SourceVersion = &r.Version
	}
	out, err := api.StartBuildBatch(ctx, in)
	if err != nil {
		return "", fmt.Errorf("starting a batch of %q: %w", r.Project, err)
	}
	return aws.ToString(out.BuildBatch.Id), nil
}

// Stop stops a batch and the builds of it that run.
func Stop(ctx context.Context, api API, id string) error {
	if _, err := api.StopBuildBatch(ctx, &codebuild.StopBuildBatchInput{Id: &id}); err != nil {
		return fmt.Errorf("stopping batch %q: %w", id, err)
	}
	return nil
}

// Follow tells seen how a batch stands, whenever that has changed, and returns
// it when it has ended.
func Follow(ctx context.Context, api API, id string, seen func(*Batch)) (*Batch, error) {
	f := follower{api: api, id: id, parts: map[string]Part{}}
	poll := stack.NewPoll()
	before := ""
	for {
		b, err := f.look(ctx)
		if err != nil {
			return nil, err
		}
		now := b.state()
		if now != before {
			seen(b)
		}
		if b.Ended() {
			return b, nil
		}
		if err := poll.Wait(ctx, now != before); err != nil {
			return nil, fmt.Errorf("following batch %q: %w", id, err)
		}
		before = now
	}
}

// state is all that seen is told of, but the time.
func (b *Batch) state() string {
	var w strings.Builder
	fmt.Fprint(&w, b.Status, b.Phase, b.Version)
	for _, p := range b.Parts {
		fmt.Fprint(&w, "|", p.Identifier, " ", p.Build, " ", p.Status, " ", p.Phase, " ", p.Log)
	}
	return w.String()
}

// follower asks for what may have changed only.
type follower struct {
	api   API
	id    string
	parts map[string]Part // those that have ended, by build
}

func (f *follower) look(ctx context.Context) (*Batch, error) {
	out, err := f.api.BatchGetBuildBatches(ctx, &codebuild.BatchGetBuildBatchesInput{Ids: []string{f.id}})
	if err != nil {
		return nil, fmt.Errorf("looking at batch %q: %w", f.id, err)
	}
	if len(out.BuildBatches) == 0 {
		return nil, fmt.Errorf("batch %q is gone", f.id)
	}
	in := out.BuildBatches[0]
	b := &Batch{
		ID: f.id, Project: aws.ToString(in.ProjectName), Number: aws.ToInt64(in.BuildBatchNumber), Status: string(in.BuildBatchStatus),
		Phase: aws.ToString(in.CurrentPhase), Version: aws.ToString(in.ResolvedSourceVersion), Duration: span(in.StartTime, in.EndTime),
	}
	b.Seconds = b.Duration.Seconds()
	for _, p := range in.Phases {
		if s := p.PhaseStatus; s != "" && s != types.StatusTypeSucceeded && s != types.StatusTypeInProgress && b.Reason == "" {
			b.Reason = said(p.Contexts)
		}
	}
	for _, g := range in.BuildGroups {
		p := Part{Identifier: aws.ToString(g.Identifier), Ignored: g.IgnoreFailure, Attempt: 1 + len(g.PriorBuildSummaryList)}
		if s := g.CurrentBuildSummary; s != nil {
			_, p.Build, _ = strings.Cut(aws.ToString(s.Arn), ":build/")
			p.Status = string(s.BuildStatus)
		}
		b.Parts = append(b.Parts, p)
	}
	return b, f.builds(ctx, b.Parts)
}

// atOnce is how many builds AWS tells of in one answer.
const atOnce = 100

// builds adds to the parts what only their builds say.
func (f *follower) builds(ctx context.Context, parts []Part) error {
	places := map[string]*Part{}
	var ids []string
	for i := range parts {
		p := &parts[i]
		if done, ok := f.parts[p.Build]; ok {
			*p = done
		} else if p.Build != "" {
			places[p.Build] = p
			ids = append(ids, p.Build)
		}
	}
	for some := range slices.Chunk(ids, atOnce) {
		out, err := f.api.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: some})
		if err != nil {
			return fmt.Errorf("looking at the builds of batch %q: %w", f.id, err)
		}
		for _, build := range out.Builds {
			p := places[aws.ToString(build.Id)]
			if p == nil {
				continue
			}
			p.fill(build)
			if p.Ended() && build.BuildComplete {
				f.parts[p.Build] = *p
			}
		}
	}
	return nil
}

func (p *Part) fill(build types.Build) {
	p.Status, p.Phase = string(build.BuildStatus), aws.ToString(build.CurrentPhase)
	p.Duration = span(build.StartTime, build.EndTime)
	p.Seconds = p.Duration.Seconds()
	if build.Logs != nil {
		p.Log = aws.ToString(build.Logs.DeepLink)
	}
	for _, phase := range build.Phases {
		if s := phase.PhaseStatus; s != "" && s != types.StatusTypeSucceeded && s != types.StatusTypeInProgress && p.Reason == "" {
			p.Reason = cmp.Or(said(phase.Contexts), string(phase.PhaseType)+" ended as "+string(s))
		}
	}
}

// said is what the contexts of a phase say, each with the code of its failure.
func said(contexts []types.PhaseContext) string {
	var all []string
	for _, c := range contexts {
		text := strings.Join(strings.Fields(aws.ToString(c.StatusCode)+": "+aws.ToString(c.Message)), " ") // on one line
		if text = strings.Trim(text, ": "); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// span is how long something took, or has taken until now.
func span(start, end *time.Time) time.Duration {
	switch {
	case start == nil:
		return 0
	case end == nil:
		return max(0, time.Since(*start))
	}
	return end.Sub(*start)
}
