package codebuild

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/dlclark/regexp2"
)

// The events of webhooks.
const (
	eventPush        = "PUSH"
	eventCreated     = "PULL_REQUEST_CREATED"
	eventUpdated     = "PULL_REQUEST_UPDATED"
	eventReopened    = "PULL_REQUEST_REOPENED"
	eventMerged      = "PULL_REQUEST_MERGED"
	eventClosed      = "PULL_REQUEST_CLOSED"
	eventReleased    = "RELEASED"
	eventPrereleased = "PRERELEASED"
	eventWorkflowJob = "WORKFLOW_JOB_QUEUED" // of self-hosted runners, which the local cloud does not have
)

// hookEvents are the events that each provider can tell of
// (https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html).
var hookEvents = map[types.SourceType][]string{
	types.SourceTypeGithub:            {eventPush, eventCreated, eventUpdated, eventReopened, eventMerged, eventClosed, eventReleased, eventPrereleased},
	types.SourceTypeGithubEnterprise:  {eventPush, eventCreated, eventUpdated, eventReopened, eventMerged, eventClosed},
	types.SourceTypeGitlab:            {eventPush, eventCreated, eventUpdated, eventMerged, eventClosed},
	types.SourceTypeGitlabSelfManaged: {eventPush, eventCreated, eventUpdated, eventMerged, eventClosed},
	types.SourceTypeBitbucket:         {eventPush, eventCreated, eventUpdated, eventMerged, eventClosed},
}

// unfiltered are the events that start builds of a webhook without filter
// groups.
var unfiltered = []string{eventPush, eventCreated, eventUpdated, eventReopened}

// hookFilters are the types of filters that webhooks of one repository have.
var hookFilters = []types.WebhookFilterType{
	types.WebhookFilterTypeEvent, types.WebhookFilterTypeHeadRef, types.WebhookFilterTypeBaseRef, types.WebhookFilterTypeFilePath,
	types.WebhookFilterTypeActorAccountId, types.WebhookFilterTypeCommitMessage, types.WebhookFilterTypeTagName, types.WebhookFilterTypeReleaseName,
}

// checkHook says what CodeBuild would refuse about a webhook, and what the
// local cloud does not have.
func checkHook(source *types.ProjectSource, hook *types.Webhook) error {
	events, ok := hookEvents[source.Type]
	github := source.Type == types.SourceTypeGithub || source.Type == types.SourceTypeGithubEnterprise
	switch {
	case !ok:
		return invalid("Webhooks are not supported for projects with the source type %s", source.Type)
	case hook.BuildType == types.WebhookBuildTypeRunnerBuildkiteBuild:
		return invalid("The local cloud has no Buildkite runners: the build type %s is not supported", hook.BuildType)
	case !slices.Contains(hook.BuildType.Values(), hook.BuildType):
		return invalid("Invalid webhook build type: %s", hook.BuildType)
	case aws.ToBool(hook.ManualCreation) && !github:
		return invalid("manualCreation is only available for GitHub webhooks")
	case aws.ToString(hook.BranchFilter) != "" && len(hook.FilterGroups) > 0:
		return invalid("Invalid webhook: only one of branchFilter and filterGroups can be specified")
	}
	if err := checkPolicy(hook.PullRequestBuildPolicy); err != nil {
		return err
	}
	if _, err := hookPattern(aws.ToString(hook.BranchFilter)); err != nil {
		return invalid("Invalid branch filter %s: %v", *hook.BranchFilter, err)
	}
	for _, group := range hook.FilterGroups {
		if err := checkGroup(events, group); err != nil {
			return err
		}
	}
	return nil
}

func checkGroup(events []string, group []types.WebhookFilter) error {
	has := false
	for _, f := range group {
		pattern := aws.ToString(f.Pattern)
		if !slices.Contains(hookFilters, f.Type) {
			if slices.Contains(f.Type.Values(), f.Type) {
				return invalid("The local cloud has no runners and no organization webhooks: the webhook filter type %s is not supported", f.Type)
			}
			return invalid("Invalid webhook filter type: %s", f.Type)
		}
		if pattern == "" {
			return invalid("Invalid webhook filter: the filter of type %s has no pattern", f.Type)
		}
		if f.Type != types.WebhookFilterTypeEvent {
			if _, err := hookPattern(pattern); err != nil {
				return invalid("Invalid webhook filter pattern %s: %v", pattern, err)
			}
			continue
		}
		has = true
		for _, name := range eventNames(pattern) {
			if name == eventWorkflowJob {
				return invalid("The local cloud has no self-hosted runners: the webhook event %s is not supported", name)
			}
			if !slices.Contains(events, name) {
				return invalid("Invalid webhook filter event: %s is none of %s", name, strings.Join(events, ", "))
			}
		}
	}
	if !has {
		return invalid("Invalid webhook filter group: it must contain at least one filter of type EVENT")
	}
	return nil
}

func checkPolicy(policy *types.PullRequestBuildPolicy) error {
	if policy == nil {
		return nil
	}
	if kind := policy.RequiresCommentApproval; !slices.Contains(kind.Values(), kind) {
		return invalid("Invalid pull request build policy: requiresCommentApproval %q", kind)
	}
	for _, role := range policy.ApproverRoles {
		if !slices.Contains(role.Values(), role) {
			return invalid("Invalid pull request build policy: approver role %q", role)
		}
	}
	return nil
}

// eventNames takes the pattern of an EVENT filter apart: a list with commas.
func eventNames(pattern string) []string {
	names := strings.Split(pattern, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// matchTime is how long one pattern may look for its match.
const matchTime = time.Second

// hookPattern compiles a filter's pattern. CodeBuild takes Java's regular
// expressions, which have look-around.
func hookPattern(pattern string) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(pattern, regexp2.None)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = matchTime
	return re, nil
}
