package codebuild

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// hookEvent is what happened in a repository, whoever told of it.
type hookEvent struct {
	kind     string // PUSH, PULL_REQUEST_CREATED, …
	headRef  string // refs/heads/… or refs/tags/…; empty for releases
	baseRef  string // of a pull request
	actor    string // the provider's id of who did it
	message  *string
	files    []string
	listed   bool   // files has all changed files
	number   string // of a pull request
	tag      string // of a release
	release  string // its name
	version  string // the source version to build
	previous string // the commit before a push
	merge    string // of a pull request that was merged with squash
	fork     bool   // the pull request comes from another repository
	role     types.PullRequestBuildApproverRole
}

const (
	branches = "refs/heads/"
	tags     = "refs/tags/"
)

// trigger is how CODEBUILD_WEBHOOK_TRIGGER names the event.
func (e *hookEvent) trigger() string {
	if e.number != "" {
		return "pr/" + e.number
	}
	if e.tag != "" {
		return "tag/" + e.tag
	}
	if tag, ok := strings.CutPrefix(e.headRef, tags); ok {
		return "tag/" + tag
	}
	return "branch/" + strings.TrimPrefix(e.headRef, branches)
}

// passes tells whether the webhook builds the event: if one of its filter
// groups passes, which it does when each of its filters does.
func (e *hookEvent) passes(hook *types.Webhook) (bool, error) {
	if len(hook.FilterGroups) > 0 {
		for _, group := range hook.FilterGroups {
			if ok, err := e.passesGroup(group); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	branch := strings.TrimPrefix(e.headRef, branches)
	if !slices.Contains(unfiltered, e.kind) || branch == e.headRef && aws.ToString(hook.BranchFilter) != "" {
		return false, nil
	}
	re, err := hookPattern(aws.ToString(hook.BranchFilter))
	if err != nil {
		return false, err
	}
	return re.MatchString(branch)
}

func (e *hookEvent) passesGroup(group []types.WebhookFilter) (bool, error) {
	for _, f := range group {
		if ok, err := e.passesFilter(f); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (e *hookEvent) passesFilter(f types.WebhookFilter) (bool, error) {
	excluded := aws.ToBool(f.ExcludeMatchedPattern)
	if f.Type == types.WebhookFilterTypeEvent {
		return slices.Contains(eventNames(*f.Pattern), e.kind) != excluded, nil
	}
	values, known := e.values(f.Type)
	if !known {
		return false, nil // neither what matches nor what does not
	}
	re, err := hookPattern(*f.Pattern)
	if err != nil {
		return false, err
	}
	for _, v := range values {
		if matched, err := re.MatchString(v); matched || err != nil {
			return !excluded, err
		}
	}
	return excluded, nil
}

// values are what a filter looks at: one that matches is enough. What an event
// of this kind does not have are no values; what it has and nobody told is not
// known.
func (e *hookEvent) values(kind types.WebhookFilterType) (values []string, known bool) {
	one := map[types.WebhookFilterType]string{
		types.WebhookFilterTypeHeadRef:        e.headRef,
		types.WebhookFilterTypeBaseRef:        e.baseRef,
		types.WebhookFilterTypeActorAccountId: e.actor,
		types.WebhookFilterTypeTagName:        e.tag,
		types.WebhookFilterTypeReleaseName:    e.release,
	}
	isRelease := e.tag != ""
	switch {
	case kind == types.WebhookFilterTypeFilePath && !isRelease:
		return e.files, e.listed
	case kind == types.WebhookFilterTypeCommitMessage && !isRelease:
		return []string{aws.ToString(e.message)}, e.message != nil
	case one[kind] == "":
		return nil, true
	}
	return []string{one[kind]}, true
}

// isHeld tells whether the policy wants somebody's consent in a comment before
// the pull request is built
// (https://docs.aws.amazon.com/codebuild/latest/userguide/pull-request-build-policy.html).
func (e *hookEvent) isHeld(policy *types.PullRequestBuildPolicy) bool {
	if policy == nil || e.number == "" || slices.Contains(policy.ApproverRoles, e.role) {
		return false
	}
	switch policy.RequiresCommentApproval {
	case types.PullRequestBuildCommentApprovalAllPullRequests:
		return true
	case types.PullRequestBuildCommentApprovalForkPullRequests:
		return e.fork
	}
	return false
}

// origin is what a build knows of the event that started it.
type origin struct {
	Trigger, Event, HeadRef, BaseRef, Actor, Previous, Merge string
	Agent                                                    string // who delivered the event; the build's initiator
}

// mark makes the build one that the event started; who delivered the event is
// its initiator.
func (o *origin) mark(rec *record) {
	if o != nil {
		rec.Origin, rec.Build.Initiator = o, &o.Agent
	}
}

// environ is the variables that only builds of webhooks have.
func (o *origin) environ() []string {
	if o == nil {
		return nil
	}
	var out []string
	for _, v := range []struct{ name, value string }{
		{"ACTOR_ACCOUNT_ID", o.Actor}, {"BASE_REF", o.BaseRef}, {"EVENT", o.Event}, {"HEAD_REF", o.HeadRef},
		{"MERGE_COMMIT", o.Merge}, {"PREV_COMMIT", o.Previous}, {"TRIGGER", o.Trigger},
	} {
		if v.value != "" {
			out = append(out, "CODEBUILD_WEBHOOK_"+v.name+"="+v.value)
		}
	}
	return out
}
