package codebuild

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
)

type originKey struct{}

// withOrigin returns a context in which builds start for an event.
func withOrigin(ctx context.Context, o *origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// originFrom is the event that builds start for in the context, nil for none.
func originFrom(ctx context.Context) *origin {
	o, _ := ctx.Value(originKey{}).(*origin)
	return o
}

// delivery is how CodeBuild learned of events: by whom, and under which id. An
// id that comes again within five minutes starts nothing new.
type delivery struct{ id, agent string }

// deliver starts the builds, or batch builds, that the events ask for, and
// tells what became of them.
func (s *Service) deliver(ctx context.Context, caller door.Caller, p *project, d delivery, events []hookEvent) (string, error) {
	var said []string
	for i := range events {
		// One event may be delivered to several projects.
		token := fmt.Sprintf("webhook %s %s %d", *p.Project.Name, d.id, i)
		text, err := s.deliverOne(ctx, caller, p, delivery{token, d.agent}, &events[i])
		if err != nil {
			return "", err
		}
		said = append(said, text)
	}
	if len(said) == 0 {
		return "nothing to build", nil
	}
	return strings.Join(said, "\n"), nil
}

func (s *Service) deliverOne(ctx context.Context, caller door.Caller, p *project, d delivery, e *hookEvent) (string, error) {
	hook := p.Project.Webhook
	passes, err := e.passes(hook)
	switch {
	case err != nil: // a pattern that finds no end, which it would not find later
		return fmt.Sprintf("%s of %s: matching the filters: %v", e.kind, e.trigger(), err), nil
	case !passes:
		return fmt.Sprintf("%s of %s: no filter group passes", e.kind, e.trigger()), nil
	case e.isHeld(hook.PullRequestBuildPolicy):
		return fmt.Sprintf("%s of %s: the pull request build policy wants an approval by a comment, which the local cloud does not read", e.kind, e.trigger()), nil
	}
	caller = door.Caller{Account: caller.Account, Region: caller.Region, Service: "codebuild.amazonaws.com"}
	ctx = withOrigin(door.WithCaller(ctx, caller), &origin{
		Trigger: e.trigger(), Event: e.kind, HeadRef: e.headRef, BaseRef: e.baseRef, Actor: e.actor,
		Previous: e.previous, Merge: e.merge, Agent: d.agent,
	})
	if hook.BuildType == types.WebhookBuildTypeBuildBatch {
		out, err := s.StartBuildBatch(ctx, &api.StartBuildBatchInput{ProjectName: p.Project.Name, SourceVersion: &e.version, IdempotencyToken: &d.id})
		if err != nil {
			return "", err
		}
		return "started batch build " + aws.ToString(out.BuildBatch.Id), nil
	}
	out, err := s.StartBuild(ctx, &api.StartBuildInput{ProjectName: p.Project.Name, SourceVersion: &e.version, IdempotencyToken: &d.id})
	if err != nil {
		return "", err
	}
	return "started build " + *out.Build.Id, nil
}
