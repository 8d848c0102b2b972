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

// A pipeline with a connection source starts on a push. The service keeps an
// EventBridge rule for each such source, whose target is the pipeline.

// rule is a rule that starts a pipeline.
type rule struct {
	name    string
	pattern string
}

const ruleTarget = "pipeline"

// rulesOf are the rules that a pipeline needs, by name. A nil plan needs none.
func rulesOf(pipeline string, p *plan) map[string]rule {
	rules := map[string]rule{}
	if p == nil {
		return rules
	}
	for _, a := range p.sources() {
		c := a.Configuration
		if aws.ToString(a.ActionTypeId.Provider) != "CodeStarSourceConnection" || strings.EqualFold(c["DetectChanges"], "false") {
			continue
		}
		r := rule{name: ruleName(pipeline, p.stages[0].name, aws.ToString(a.Name)), pattern: pushPattern(a)}
		rules[r.name] = r
	}
	return rules
}

func ruleName(pipeline, stage, action string) string {
	sum := sha256.Sum256([]byte(pipeline + "\x00" + stage + "\x00" + action))
	return cut("codepipeline-"+pipeline, 55) + "-" + hex.EncodeToString(sum[:4])
}

// pushPattern matches pushes to the action's branch. A branch that goes away
// has no commit and starts nothing.
func pushPattern(a types.ActionDeclaration) string {
	pattern, err := json.Marshal(map[string]any{
		"source":      []string{"aws.codeconnections"},
		"detail-type": []string{"CodeConnections Repository State Change"},
		"detail": map[string]any{
			"connectionArn":    []string{a.Configuration["ConnectionArn"]},
			"fullRepositoryId": []string{a.Configuration["FullRepositoryId"]},
			"referenceType":    []string{"branch"},
			"referenceName":    []string{a.Configuration["BranchName"]},
			"commitId":         []any{map[string]bool{"exists": true}},
		},
	})
	if err != nil { // strings only
		return ""
	}
	return string(pattern)
}

// putRules makes the rules that the plan needs.
func (s *Service) putRules(ctx context.Context, key lineKey, now *plan) error {
	caller := self(key.scope, "")
	for _, r := range rulesOf(key.name, now) {
		client := eventbridge.NewFromConfig(s.host.As(caller))
		if err := putRule(ctx, client, r, caller.ResourceARN("codepipeline", key.name)); err != nil {
			return fmt.Errorf("making the rule %q that starts pipeline %q: %w", r.name, key.name, err)
		}
	}
	return nil
}

// dropRules takes away the rules that the old plan needed and the new one does
// not.
func (s *Service) dropRules(ctx context.Context, key lineKey, old, now *plan) error {
	after := rulesOf(key.name, now)
	for name := range rulesOf(key.name, old) {
		if _, ok := after[name]; ok {
			continue
		}
		client := eventbridge.NewFromConfig(s.host.As(self(key.scope, "")))
		if err := deleteRule(ctx, client, name); err != nil {
			return fmt.Errorf("deleting the rule %q that starts pipeline %q: %w", name, key.name, err)
		}
	}
	return nil
}

func putRule(ctx context.Context, client *eventbridge.Client, r rule, pipeline string) error {
	_, err := client.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: &r.name, EventPattern: &r.pattern, State: ebtypes.RuleStateEnabled,
		Description: aws.String("Starts the pipeline " + pipeline + " on a push. Kept by CodePipeline; do not edit or delete."),
	})
	if err != nil {
		return err
	}
	out, err := client.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: &r.name, Targets: []ebtypes.Target{{Id: aws.String(ruleTarget), Arn: &pipeline}},
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
