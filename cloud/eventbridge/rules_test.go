package eventbridge_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func TestRulesAndTargets(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t, nil)
	for i := range 3 {
		b.rule(t, fmt.Sprintf("r%d", i), `{"source": ["a"]}`, types.Target{Id: aws.String("t"), Arn: aws.String(pipelineARN)})
	}
	var names []string
	for token := (*string)(nil); ; {
		page, err := b.events.ListRules(ctx, &api.ListRulesInput{Limit: aws.Int32(2), NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rules {
			names = append(names, *r.Name)
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if !slices.Equal(names, []string{"r0", "r1", "r2"}) {
		t.Errorf("rules %v", names)
	}
	by, err := b.events.ListRuleNamesByTarget(ctx, &api.ListRuleNamesByTargetInput{TargetArn: aws.String(pipelineARN)})
	if err != nil || len(by.RuleNames) != 3 {
		t.Errorf("rules by target: %v, %v", by, err)
	}
	rule, err := b.events.DescribeRule(ctx, &api.DescribeRuleInput{Name: aws.String("r0")})
	if err != nil || *rule.Arn != "arn:aws:events:us-east-1:000000000000:rule/r0" || rule.State != types.RuleStateEnabled {
		t.Errorf("rule: %+v, %v", rule, err)
	}
	// A rule that is put again keeps its targets and takes the rest from the request.
	if _, err := b.events.PutRule(ctx, &api.PutRuleInput{Name: aws.String("r0"), ScheduleExpression: aws.String("rate(5 minutes)")}); err != nil {
		t.Fatal(err)
	}
	targets, err := b.events.ListTargetsByRule(ctx, &api.ListTargetsByRuleInput{Rule: aws.String("r0")})
	if err != nil || len(targets.Targets) != 1 {
		t.Errorf("targets: %+v, %v", targets, err)
	}
	_, err = b.events.DeleteRule(ctx, &api.DeleteRuleInput{Name: aws.String("r0")})
	if code(err) != "ValidationException" {
		t.Errorf("deleting a rule with targets: %v", err)
	}
	if _, err := b.events.RemoveTargets(ctx, &api.RemoveTargetsInput{Rule: aws.String("r0"), Ids: []string{"t"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is gone already
		if _, err := b.events.DeleteRule(ctx, &api.DeleteRuleInput{Name: aws.String("r0")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.events.DescribeRule(ctx, &api.DescribeRuleInput{Name: aws.String("r0")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("a deleted rule: %v", err)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, c := range []struct {
		name string
		in   api.PutRuleInput
		code string
	}{
		{"nothing to react to", api.PutRuleInput{}, "ValidationException"},
		{"name", api.PutRuleInput{Name: aws.String("a b"), EventPattern: aws.String(`{"source":["a"]}`)}, "ValidationException"},
		{"bus", api.PutRuleInput{EventBusName: aws.String("none"), EventPattern: aws.String(`{"source":["a"]}`)}, "ResourceNotFoundException"},
		{"pattern", api.PutRuleInput{EventPattern: aws.String(`{"source":"a"}`)}, "InvalidEventPatternException"},
		{"rate", api.PutRuleInput{ScheduleExpression: aws.String("rate(1 minutes)")}, "ValidationException"},
		{"cron of five fields", api.PutRuleInput{ScheduleExpression: aws.String("cron(0 12 * * ?)")}, "ValidationException"},
		{"cron with both days", api.PutRuleInput{ScheduleExpression: aws.String("cron(0 12 1 * MON *)")}, "ValidationException"},
		{"cron", api.PutRuleInput{ScheduleExpression: aws.String("cron(0/15 8-18 ? * MON-FRI *)")}, ""},
		{"last day", api.PutRuleInput{ScheduleExpression: aws.String("cron(0 0 L * ? 2027)")}, ""},
	} {
		if c.in.Name == nil {
			c.in.Name = aws.String("r")
		}
		if _, err := b.events.PutRule(t.Context(), &c.in); code(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}

func TestBusesAreApart(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t, nil)
	bus, err := b.events.CreateEventBus(ctx, &api.CreateEventBusInput{Name: aws.String("own"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.events.CreateEventBus(ctx, &api.CreateEventBusInput{Name: aws.String("own")})
	if code(err) != "ResourceAlreadyExistsException" {
		t.Errorf("the same bus again: %v", err)
	}
	in := &api.PutRuleInput{Name: aws.String("r"), EventBusName: bus.EventBusArn, EventPattern: aws.String(`{"source":["mine"]}`)}
	rule, err := b.events.PutRule(ctx, in)
	if err != nil || *rule.RuleArn != "arn:aws:events:us-east-1:000000000000:rule/own/r" {
		t.Fatalf("%+v, %v", rule, err)
	}
	_, err = b.events.PutTargets(ctx, &api.PutTargetsInput{Rule: in.Name, EventBusName: aws.String("own"), Targets: []types.Target{{Id: aws.String("p"), Arn: aws.String(pipelineARN)}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"default", "own"} {
		_, err := b.events.PutEvents(ctx, &api.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			EventBusName: &name, Source: aws.String("mine"), DetailType: aws.String("a"), Detail: aws.String("{}"),
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	receive(t, b.pipelines.calls)
	if len(b.pipelines.calls) != 0 {
		t.Error("an event of one bus matched a rule of the other")
	}
	for _, arn := range []string{*bus.EventBusArn, *rule.RuleArn} {
		if _, err := b.events.TagResource(ctx, &api.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}); err != nil {
			t.Fatal(err)
		}
		tags, err := b.events.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceARN: &arn})
		if err != nil || len(tags.Tags) == 0 || *tags.Tags[0].Key != "a" {
			t.Errorf("tags of %s: %+v, %v", arn, tags, err)
		}
	}
	list, err := b.events.ListEventBuses(ctx, &api.ListEventBusesInput{})
	if err != nil || len(list.EventBuses) != 2 {
		t.Errorf("buses: %+v, %v", list, err)
	}
	if _, err := b.events.DeleteEventBus(ctx, &api.DeleteEventBusInput{Name: aws.String("own")}); code(err) != "ValidationException" {
		t.Errorf("deleting a bus with rules: %v", err)
	}
}
