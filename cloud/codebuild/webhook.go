package codebuild

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// hookKeys are what only the two ends of a webhook know. They are kept sealed.
type hookKeys struct {
	Token  string // what the payload URL carries
	Secret string // what deliveries are signed with; empty for Bitbucket, which signs none
}

// CreateWebhook lets pushes and pull requests start builds of a project.
//
// On AWS the provider is told of the webhook. Here nobody is: repositories of
// the local cloud need no telling, and at a provider it is made by hand, with
// the payload URL and the secret of the answer.
func (s *Service) CreateWebhook(ctx context.Context, in *api.CreateWebhookInput) (*api.CreateWebhookOutput, error) {
	if in.ScopeConfiguration != nil {
		return nil, invalid("The local cloud has no global and organization webhooks: scopeConfiguration is not supported")
	}
	hook := types.Webhook{
		BranchFilter: in.BranchFilter, FilterGroups: in.FilterGroups, BuildType: in.BuildType,
		ManualCreation: in.ManualCreation, PullRequestBuildPolicy: in.PullRequestBuildPolicy,
		LastModifiedSecret: aws.Time(s.now()), Status: types.WebhookStatusActive,
	}
	if hook.BuildType == "" {
		hook.BuildType = types.WebhookBuildTypeBuild
	}
	p, err := s.project(ctx, aws.ToString(in.ProjectName))
	if err != nil {
		return nil, err
	}
	if p.Project.Webhook != nil {
		return nil, hookExists(&p)
	}
	if err := checkHook(p.Project.Source, &hook); err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	// A rule without a webhook starts nothing, a webhook without its rule would
	// miss pushes: so the rule comes first.
	if err := s.putHookRule(ctx, caller, &p.Project); err != nil {
		return nil, err
	}
	p, err = s.changeProject(ctx, *p.Project.Name, func(p *project) error {
		if p.Project.Webhook != nil {
			return hookExists(p)
		}
		p.Hook = &hookKeys{}
		p.Project.Webhook = &hook
		return errors.Join(s.newToken(caller, p), s.newSecret(caller, p))
	})
	if err != nil {
		return nil, err
	}
	out, err := s.describeHook(caller, &p, true)
	return &api.CreateWebhookOutput{Webhook: out}, err
}

func hookExists(p *project) error {
	return &types.ResourceAlreadyExistsException{Message: aws.String("Webhook already exists for project: " + *p.Project.Arn)}
}

// UpdateWebhook replaces what the request names. Filter groups take the place
// of a branch filter, and a branch filter that of filter groups.
func (s *Service) UpdateWebhook(ctx context.Context, in *api.UpdateWebhookInput) (*api.UpdateWebhookOutput, error) {
	caller := door.CallerFrom(ctx)
	if _, err := s.project(ctx, aws.ToString(in.ProjectName)); err != nil {
		return nil, err
	}
	p, err := s.changeProject(ctx, projectName(*in.ProjectName), func(p *project) error {
		if p.Project.Webhook == nil {
			return noHook(p)
		}
		hook := *p.Project.Webhook
		if in.FilterGroups != nil {
			hook.FilterGroups, hook.BranchFilter = in.FilterGroups, nil
		}
		if in.BranchFilter != nil {
			hook.BranchFilter = in.BranchFilter
			if in.FilterGroups == nil {
				hook.FilterGroups = nil
			}
		}
		if in.BuildType != "" {
			hook.BuildType = in.BuildType
		}
		replace(&hook.PullRequestBuildPolicy, in.PullRequestBuildPolicy)
		if err := checkHook(p.Project.Source, &hook); err != nil {
			return err
		}
		p.Project.Webhook = &hook
		if !in.RotateSecret || p.Project.Source.Type == types.SourceTypeBitbucket {
			return nil
		}
		hook.LastModifiedSecret = aws.Time(s.now())
		return s.newSecret(caller, p)
	})
	if err != nil {
		return nil, err
	}
	out, err := s.describeHook(caller, &p, in.RotateSecret)
	return &api.UpdateWebhookOutput{Webhook: out}, err
}

// DeleteWebhook ends what CreateWebhook began.
func (s *Service) DeleteWebhook(ctx context.Context, in *api.DeleteWebhookInput) (*api.DeleteWebhookOutput, error) {
	if _, err := s.project(ctx, aws.ToString(in.ProjectName)); err != nil {
		return nil, err
	}
	p, err := s.changeProject(ctx, projectName(*in.ProjectName), func(p *project) error {
		if p.Project.Webhook == nil {
			return noHook(p)
		}
		p.Project.Webhook, p.Hook = nil, nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteWebhookOutput{}, s.dropHookRule(ctx, door.CallerFrom(ctx), *p.Project.Name)
}

func noHook(p *project) error {
	return notFound("Project does not have a webhook: %s", *p.Project.Arn)
}

// changeProject changes a project of the caller that exists.
func (s *Service) changeProject(ctx context.Context, name string, f func(p *project) error) (project, error) {
	caller := door.CallerFrom(ctx)
	p, err := s.projects.Update(ctx, caller.Scope(), name, f)
	if errors.Is(err, store.ErrNotFound) {
		return p, notFound("Project does not exist: %s", caller.ResourceARN("codebuild", "project/"+name))
	}
	return p, err
}

// hookBind is what the keys of a project's webhook are sealed for.
func hookBind(caller door.Caller, p *project, key string) string {
	return caller.ResourceARN("codebuild", "webhook/"+*p.Project.Name+"/"+key)
}

func (s *Service) newToken(caller door.Caller, p *project) error {
	box, err := s.box()
	if err != nil {
		return err
	}
	p.Hook.Token = box.Seal([]byte(rand.Text()), hookBind(caller, p, "token"))
	return nil
}

func (s *Service) newSecret(caller door.Caller, p *project) error {
	p.Hook.Secret = ""
	if p.Project.Source.Type == types.SourceTypeBitbucket {
		return nil
	}
	box, err := s.box()
	if err != nil {
		return err
	}
	p.Hook.Secret = box.Seal([]byte(rand.Text()), hookBind(caller, p, "secret"))
	return nil
}

// openKeys unseals the keys of a project's webhook.
func (s *Service) openKeys(caller door.Caller, p *project) (hookKeys, error) {
	box, err := s.box()
	if err != nil {
		return hookKeys{}, err
	}
	var open hookKeys
	for _, key := range []struct {
		name, sealed string
		to           *string
	}{{"token", p.Hook.Token, &open.Token}, {"secret", p.Hook.Secret, &open.Secret}} {
		if key.sealed == "" {
			continue
		}
		plain, err := box.Unseal(key.sealed, hookBind(caller, p, key.name))
		if err != nil {
			return hookKeys{}, err
		}
		*key.to = string(plain)
	}
	return open, nil
}

// describeHook is the webhook as it is answered. The secret is told only by
// the answer that follows its making.
func (s *Service) describeHook(caller door.Caller, p *project, secret bool) (*types.Webhook, error) {
	if p.Project.Webhook == nil {
		return nil, nil
	}
	keys, err := s.openKeys(caller, p)
	if err != nil {
		return nil, fmt.Errorf("reading the webhook of project %q: %w", *p.Project.Name, err)
	}
	out := *p.Project.Webhook
	out.PayloadUrl = aws.String(s.payloadURL(caller, *p.Project.Name, keys.Token))
	// On AWS it is the webhook's address in the provider's API. A webhook that
	// was made by hand has none there, nor has one of the local cloud.
	if !aws.ToBool(out.ManualCreation) {
		out.Url = out.PayloadUrl
	}
	if secret && keys.Secret != "" {
		out.Secret = &keys.Secret
	}
	return &out, nil
}

// described is the project as it is answered: with the addresses that the
// cloud has at the time.
func (s *Service) described(caller door.Caller, p project) (types.Project, error) {
	var err error
	p.Project.Badge = s.badge(caller, &p.Project)
	p.Project.Webhook, err = s.describeHook(caller, &p, false)
	return p.Project, err
}
