package codepipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// A pipeline with a connection source starts on a push or a pull request. The
// service keeps an EventBridge rule for each such source, in the region of its
// connection, whose target are the pipeline's triggers (triggers.go). The rule
// picks the repository, the triggers' filters do the rest.

// rule is a rule that starts a pipeline.
type rule struct {
	name    string
	region  string
	pattern string
}

const ruleTarget = "pipeline"

// rulesOf are the rules that a pipeline in a region needs, by region and name.
// A nil plan needs none.
func rulesOf(key lineKey, p *plan) map[string]rule {
	rules := map[string]rule{}
	if p == nil {
		return rules
	}
	for _, a := range p.sources() {
		if !isConnection(a) || p.trigger(aws.ToString(a.Name)) == nil && !detects(a) {
			continue
		}
		r := rule{name: ruleName(key.name, p.stages[0].name, aws.ToString(a.Name)), region: key.scope.Region, pattern: changePattern(p, a)}
		if parts := strings.Split(a.Configuration["ConnectionArn"], ":"); len(parts) > 3 && parts[3] != "" {
			r.region = parts[3]
		}
		rules[r.region+"/"+r.name] = r
	}
	return rules
}

func ruleName(pipeline, stage, action string) string {
	sum := sha256.Sum256([]byte(pipeline + "\x00" + stage + "\x00" + action))
	return cut("codepipeline-"+pipeline, 55) + "-" + hex.EncodeToString(sum[:4])
}

// changePattern matches the changes of the action's repository that may start
// the pipeline. A branch that goes away has no commit and starts nothing.
func changePattern(p *plan, a types.ActionDeclaration) string {
	kinds := []string{"CodeConnections Repository State Change"}
	detail := map[string]any{
		"connectionArn":    []string{connectionName(a.Configuration["ConnectionArn"])},
		"fullRepositoryId": []string{a.Configuration["FullRepositoryId"]},
		"commitId":         []any{map[string]bool{"exists": true}},
	}
	git := p.trigger(aws.ToString(a.Name))
	switch {
	case git == nil || len(git.Push) == 0 && len(git.PullRequest) == 0:
		detail["referenceType"], detail["referenceName"] = []string{"branch"}, []string{a.Configuration["BranchName"]}
	case len(git.Push) == 0:
		kinds = nil
	}
	if git != nil && len(git.PullRequest) > 0 {
		kinds = append(kinds, "CodeConnections Pull Request State Change")
	}
	pattern, err := json.Marshal(map[string]any{"source": []string{"aws.codeconnections"}, "detail-type": kinds, "detail": detail})
	if err != nil { // strings only
		return ""
	}
	return string(pattern)
}

// putRules makes the rules that the plan needs.
func (s *Service) putRules(ctx context.Context, key lineKey, now *plan) error {
	pipeline := self(key.scope, "").ResourceARN("codepipeline", key.name)
	for _, r := range rulesOf(key, now) {
		client := eventbridge.NewFromConfig(s.host.As(self(key.scope, r.region)))
		if err := putRule(ctx, client, r, "Starts the pipeline "+key.name+" on a push or a pull request", pipeline+"/trigger"); err != nil {
			return fmt.Errorf("making the rule %q that starts pipeline %q: %w", r.name, key.name, err)
		}
	}
	return nil
}

// dropRules takes away the rules that the old plan needed and the new one does
// not.
func (s *Service) dropRules(ctx context.Context, key lineKey, old, now *plan) error {
	after := rulesOf(key, now)
	for id, r := range rulesOf(key, old) {
		if _, ok := after[id]; ok {
			continue
		}
		client := eventbridge.NewFromConfig(s.host.As(self(key.scope, r.region)))
		if err := deleteRule(ctx, client, r.name); err != nil {
			return fmt.Errorf("deleting the rule %q that starts pipeline %q: %w", r.name, key.name, err)
		}
	}
	return nil
}

// putRule makes a rule with one target.
func putRule(ctx context.Context, client *eventbridge.Client, r rule, what, target string) error {
	_, err := client.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: &r.name, EventPattern: &r.pattern, State: ebtypes.RuleStateEnabled,
		Description: aws.String(what + ". Kept by CodePipeline; do not edit or delete."),
	})
	if err != nil {
		return err
	}
	out, err := client.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: &r.name, Targets: []ebtypes.Target{{Id: aws.String(ruleTarget), Arn: &target}},
	})
	if err == nil && out.FailedEntryCount > 0 {
		err = errors.New(aws.ToString(out.FailedEntries[0].ErrorMessage))
	}
	return err
}

func deleteRule(ctx context.Context, client *eventbridge.Client, name string) error {
	var gone *ebtypes.ResourceNotFoundException
	_, err := client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: &name, Ids: []string{ruleTarget}})
	if err == nil {
		_, err = client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &name})
	}
	if errors.As(err, &gone) {
		return nil
	}
	return err
}
