package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// maxWebhooks is how many an account may have in a region.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxWebhooks = 300

// webhook is a webhook. Its secret is sealed.
type webhook struct {
	Definition    types.WebhookDefinition
	ARN           string
	Token         string            // proves in the URL that the sender was told it
	Tags          map[string]string `json:",omitempty"`
	Registered    bool              `json:",omitempty"` // with the repository that its action names
	LastTriggered time.Time         `json:",omitzero"`
	ErrorCode     string            `json:",omitempty"`
	ErrorMessage  string            `json:",omitempty"`
}

// PutWebhook makes a webhook, or gives one another definition. Its URL stays
// until it is deleted.
func (s *Service) PutWebhook(ctx context.Context, in *codepipeline.PutWebhookInput) (*codepipeline.PutWebhookOutput, error) {
	caller := door.CallerFrom(ctx)
	if in.Webhook == nil {
		return nil, constraint("null", "webhook", "Member must not be null")
	}
	def := *in.Webhook
	if err := checkWebhook(&def); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.checkTarget(ctx, caller, &def); err != nil {
		return nil, err
	}
	hook, err := s.redefine(ctx, caller.Scope(), def, in.Tags != nil, tags)
	if errors.Is(err, store.ErrNotFound) {
		hook, err = s.newWebhook(ctx, caller, def, tags)
	}
	if err != nil {
		return nil, err
	}
	item := s.describeWebhook(caller, hook)
	return &codepipeline.PutWebhookOutput{Webhook: &item}, nil
}

// redefine gives a webhook another definition, and other tags if retag says so.
func (s *Service) redefine(ctx context.Context, scope store.Scope, def types.WebhookDefinition, retag bool, tags map[string]string) (webhook, error) {
	hook, err := s.webhooks.Get(ctx, scope, *def.Name)
	if err != nil {
		return hook, err
	}
	if hook.Registered { // the action, and with it the repository, may be another
		hook.Definition = def
		if err := s.feedWebhook(ctx, scope, &hook); err != nil {
			return hook, err
		}
	}
	return s.webhooks.Update(ctx, scope, *def.Name, func(w *webhook) (err error) {
		if w.Definition, err = s.sealWebhook(def, w.Definition); err != nil {
			return err
		}
		if retag {
			w.Tags = tags
		}
		w.ErrorCode, w.ErrorMessage = "", ""
		return nil
	})
}

func (s *Service) newWebhook(ctx context.Context, caller door.Caller, def types.WebhookDefinition, tags map[string]string) (webhook, error) {
	name := *def.Name
	hook := webhook{ARN: caller.ResourceARN("codepipeline", "webhook:"+name), Token: s.host.NewID() + s.host.NewID(), Tags: tags}
	all, err := s.webhooks.List(ctx, caller.Scope(), store.Query{})
	if err != nil {
		return hook, err
	}
	if len(all) >= maxWebhooks {
		return hook, &types.LimitExceededException{Message: aws.String(fmt.Sprintf("The account has reached its limit of %d webhooks", maxWebhooks))}
	}
	if hook.Definition, err = s.sealWebhook(def, hook.Definition); err != nil {
		return hook, err
	}
	err = s.webhooks.Insert(ctx, caller.Scope(), name, hook)
	if errors.Is(err, store.ErrExists) {
		err = &types.ConcurrentModificationException{Message: aws.String(fmt.Sprintf("Webhook '%s' was made by another request at the same time", name))}
	}
	return hook, err
}

// checkTarget checks that the pipeline has the action, among its sources.
func (s *Service) checkTarget(ctx context.Context, caller door.Caller, def *types.WebhookDefinition) error {
	p, err := s.pipelines.Get(ctx, caller.Scope(), *def.TargetPipeline)
	if errors.Is(err, store.ErrNotFound) {
		return noPipeline(caller, *def.TargetPipeline)
	}
	if err != nil {
		return err
	}
	if a, err := s.sourceAction(ctx, caller.Scope(), p, *def.TargetAction); err != nil || a != nil {
		return err
	}
	return invalid("Pipeline '%s' does not have a source action with name '%s'", *def.TargetPipeline, *def.TargetAction)
}

// sourceAction is the source action of that name in the pipeline's newest
// version, or nil.
func (s *Service) sourceAction(ctx context.Context, scope store.Scope, p pipeline, name string) (*types.ActionDeclaration, error) {
	def, err := s.definitions.Get(ctx, scope, definitionKey(p.Name, p.Version))
	if err != nil {
		return nil, fmt.Errorf("reading version %d of pipeline %q: %w", p.Version, p.Name, err)
	}
	a, _ := newPlan(&def).stages[0].action(name)
	return a, nil
}

// sealWebhook gives the definition as it is kept. A masked secret is the one
// that was kept before.
func (s *Service) sealWebhook(def, old types.WebhookDefinition) (types.WebhookDefinition, error) {
	c := *def.AuthenticationConfiguration
	def.AuthenticationConfiguration = &c
	if c.SecretToken == nil {
		return def, nil
	}
	if *c.SecretToken == mask && old.AuthenticationConfiguration != nil && old.AuthenticationConfiguration.SecretToken != nil {
		c.SecretToken = old.AuthenticationConfiguration.SecretToken
		return def, nil
	}
	box, err := s.box()
	if err != nil {
		return def, err
	}
	c.SecretToken = aws.String(box.Seal([]byte(*c.SecretToken), webhookSecret(*def.Name)))
	return def, nil
}

// webhookSecret is what the secret of a webhook is sealed for.
func webhookSecret(name string) string { return "webhook/" + name }

// describeWebhook is the webhook as answers have it, without its secret.
func (s *Service) describeWebhook(caller door.Caller, hook webhook) types.ListWebhookItem {
	def := hook.Definition
	c := *def.AuthenticationConfiguration
	if c.SecretToken != nil {
		c.SecretToken = aws.String(mask)
	}
	def.AuthenticationConfiguration = &c
	item := types.ListWebhookItem{
		Definition: &def, Arn: &hook.ARN, Url: aws.String(s.webhookURL(caller.Scope(), hook)), Tags: listTags(hook.Tags),
		ErrorCode: optional(hook.ErrorCode), ErrorMessage: optional(hook.ErrorMessage),
	}
	if !hook.LastTriggered.IsZero() {
		item.LastTriggered = &hook.LastTriggered
	}
	return item
}

// ListWebhooks gives the webhooks of the account and region by name.
func (s *Service) ListWebhooks(ctx context.Context, in *codepipeline.ListWebhooksInput) (*codepipeline.ListWebhooksOutput, error) {
	page, err := newPage(in.MaxResults, in.NextToken, 100)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	list, err := s.webhooks.List(ctx, caller.Scope(), page.query(""))
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListWebhooksOutput{Webhooks: []types.ListWebhookItem{}}
	list, out.NextToken = cutPage(page, list)
	for _, e := range list {
		out.Webhooks = append(out.Webhooks, s.describeWebhook(caller, e.Value))
	}
	return out, nil
}

// DeleteWebhook deletes a webhook. One that is not there is deleted already.
func (s *Service) DeleteWebhook(ctx context.Context, in *codepipeline.DeleteWebhookInput) (*codepipeline.DeleteWebhookOutput, error) {
	name := aws.ToString(in.Name)
	if err := checkName(name, "name"); err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	hook, err := s.webhooks.Get(ctx, scope, name)
	if errors.Is(err, store.ErrNotFound) {
		return &codepipeline.DeleteWebhookOutput{}, nil
	}
	if err == nil && hook.Registered {
		err = s.starveWebhook(ctx, scope, name)
	}
	if err != nil {
		return nil, err
	}
	if err := s.webhooks.Delete(ctx, scope, name); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("deleting webhook %q: %w", name, err)
	}
	return &codepipeline.DeleteWebhookOutput{}, nil
}

// RegisterWebhookWithThirdParty has the repository that the webhook's action
// names deliver its pushes to the webhook.
func (s *Service) RegisterWebhookWithThirdParty(ctx context.Context, in *codepipeline.RegisterWebhookWithThirdPartyInput) (*codepipeline.RegisterWebhookWithThirdPartyOutput, error) {
	err := s.register(ctx, in.WebhookName, func(ctx context.Context, scope store.Scope, hook *webhook) error {
		hook.Registered = true
		return s.feedWebhook(ctx, scope, hook)
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.RegisterWebhookWithThirdPartyOutput{}, nil
}

// DeregisterWebhookWithThirdParty ends what RegisterWebhookWithThirdParty began.
func (s *Service) DeregisterWebhookWithThirdParty(ctx context.Context, in *codepipeline.DeregisterWebhookWithThirdPartyInput) (*codepipeline.DeregisterWebhookWithThirdPartyOutput, error) {
	err := s.register(ctx, in.WebhookName, func(ctx context.Context, scope store.Scope, hook *webhook) error {
		hook.Registered = false
		return s.starveWebhook(ctx, scope, *hook.Definition.Name)
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.DeregisterWebhookWithThirdPartyOutput{}, nil
}

func (s *Service) register(ctx context.Context, name *string, change func(context.Context, store.Scope, *webhook) error) error {
	if err := checkName(aws.ToString(name), "webhookName"); err != nil {
		return err
	}
	scope := door.CallerFrom(ctx).Scope()
	hook, err := s.webhooks.Get(ctx, scope, *name)
	if errors.Is(err, store.ErrNotFound) {
		return &types.WebhookNotFoundException{Message: aws.String(fmt.Sprintf("Webhook '%s' does not exist", *name))}
	}
	if err == nil {
		err = change(ctx, scope, &hook)
	}
	if err != nil {
		return err
	}
	_, err = s.webhooks.Update(ctx, scope, *name, func(w *webhook) error {
		w.Registered = hook.Registered
		return nil
	})
	return err
}
