package resource

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

func ruleKind() *Kind {
	return &Kind{
		Type: "AWS::Events::Rule", NameProperty: "Name", Naming: &Naming{Max: 64},
		Replace: []string{"Name", "EventBusName"},
		Create:  putRule, Update: putRule, Delete: deleteRule,
	}
}

// putRule makes or changes a rule: PutRule and PutTargets replace what is there.
func putRule(ctx context.Context, r *Request) (Result, error) {
	in := &eventbridge.PutRuleInput{}
	if err := Bind(r.Properties, in, "Targets", "Tags"); err != nil {
		return Result{}, err
	}
	in.Name = &r.Name
	in.Tags = busTags(r.allTags())
	targets := &eventbridge.PutTargetsInput{}
	if err := Bind(map[string]any{"Targets": r.Properties["Targets"]}, targets); err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, eventbridge.NewFromConfig)
	out, err := client.PutRule(ctx, in)
	if err != nil {
		return Result{}, err
	}
	physical := r.Name
	if bus := r.Text("EventBusName"); bus != "" && bus != "default" {
		physical = bus + "|" + r.Name
	}
	r.Physical = physical
	if len(targets.Targets) > 0 {
		targets.Rule, targets.EventBusName = in.Name, in.EventBusName
		if _, err := client.PutTargets(ctx, targets); err != nil {
			return Result{}, err
		}
	}
	if old := droppedTargets(r); len(old) > 0 {
		if _, err := client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: in.Name, EventBusName: in.EventBusName, Ids: old}); err != nil {
			return Result{}, err
		}
	}
	attributes := map[string]any{}
	if out.RuleArn != nil {
		attributes["Arn"] = *out.RuleArn
	}
	return Result{Physical: physical, Attributes: attributes}, nil
}

func droppedTargets(r *Request) []string {
	kept := targetIDs(r.Properties)
	return slices.DeleteFunc(targetIDs(r.Former), func(id string) bool { return slices.Contains(kept, id) })
}

func targetIDs(properties map[string]any) []string {
	var ids []string
	for _, t := range list(properties["Targets"]) {
		ids = append(ids, text(object(t)["Id"]))
	}
	return ids
}

func deleteRule(ctx context.Context, r *Request) error {
	client := Client(r.Clients, eventbridge.NewFromConfig)
	var bus *string
	name := r.Physical
	if before, after, ok := strings.Cut(r.Physical, "|"); ok {
		bus, name = &before, after
	}
	if ids := targetIDs(r.Properties); len(ids) > 0 {
		if _, err := client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: &name, EventBusName: bus, Ids: ids}); gone(err) != nil {
			return err
		}
	}
	_, err := client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &name, EventBusName: bus})
	return gone(err)
}
