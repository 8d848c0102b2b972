package codepipeline

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/store"
)

// mask stands for a secret in every answer; in UpdatePipeline it stands for the
// secret that is kept.
const mask = "****"

// masked gives a copy of the definition without its secrets.
func masked(def types.PipelineDeclaration) *types.PipelineDeclaration {
	def = settle(def, aws.ToInt32(def.Version))
	for _, st := range def.Stages {
		for i, a := range st.Actions {
			st.Actions[i].Configuration = maskedConfiguration(a.ActionTypeId, a.Configuration)
		}
	}
	return &def
}

// sealMark begins a sealed secret in a definition, by which it is known as one.
const sealMark = "sealed::"

func maskedConfiguration(id *types.ActionTypeId, configuration map[string]string) map[string]string {
	k := kindOf(id)
	copied := maps.Clone(configuration)
	for name, value := range copied {
		if strings.HasPrefix(value, sealMark) || k.hides(name) {
			copied[name] = mask
		}
	}
	return copied
}

// hides tells whether the property of that name is a secret. The token by which
// a partner knows its customer is one, declared or not.
func (k *kind) hides(name string) bool {
	switch {
	case k == nil:
		return false
	case k.owner == types.ActionOwnerThirdParty && name == clientToken:
		return true
	}
	p := k.property(name)
	return p != nil && p.flag&secret != 0
}

// keepSecrets seals the secrets of a definition before it is stored, and puts
// those of the old definition, if there is one, where the new one has masks.
func (s *Service) keepSecrets(ctx context.Context, scope store.Scope, def, old *types.PipelineDeclaration) error {
	for _, st := range def.Stages {
		for i, a := range st.Actions {
			k, err := s.kind(ctx, actionScope(scope, &a), a.ActionTypeId)
			if err != nil {
				return err
			}
			for name, value := range a.Configuration {
				if !k.hides(name) {
					continue
				}
				kept, err := s.keepSecret(old, aws.ToString(st.Name), aws.ToString(a.Name), name, value)
				if err != nil {
					return err
				}
				configuration := maps.Clone(st.Actions[i].Configuration)
				configuration[name] = kept
				st.Actions[i].Configuration = configuration
			}
		}
	}
	return nil
}

func (s *Service) keepSecret(old *types.PipelineDeclaration, stage, action, property, value string) (string, error) {
	if value != mask {
		box, err := s.box()
		if err != nil {
			return "", err
		}
		return sealMark + box.Seal([]byte(value), bindOf(stage, action, property)), nil
	}
	if old != nil {
		if kept, ok := secretOf(newPlan(old), stage, action, property); ok {
			return kept, nil
		}
	}
	return "", invalidAction("Action configuration for the new action '%s' contains an invalid configuration for the secret property '%s'. '****' may be used in secret properties only when updating an existing action.", action, property)
}

// bindOf is what a secret belongs to.
func bindOf(stage, action, property string) string { return stage + "/" + action + "/" + property }

// opened gives an action's configuration with its secrets in the clear, for
// whoever does the action.
func (s *Service) opened(a *action, k *kind) (map[string]string, error) {
	clear := maps.Clone(a.Resolved)
	for name, value := range a.Resolved {
		if !strings.HasPrefix(value, sealMark) && !k.hides(name) {
			continue
		}
		plain, err := s.openSecret(value, a.Stage, a.Name, name)
		if err != nil {
			return nil, err
		}
		clear[name] = plain
	}
	return clear, nil
}

// openSecret opens a secret of a stored definition. Definitions of old have
// secrets without the mark.
func (s *Service) openSecret(sealed, stage, action, property string) (string, error) {
	box, err := s.box()
	if err != nil {
		return "", err
	}
	plain, err := box.Unseal(strings.TrimPrefix(sealed, sealMark), bindOf(stage, action, property))
	if err != nil {
		return "", fmt.Errorf("opening the secret %q of action %q: %w", property, action, err)
	}
	return string(plain), nil
}

func secretOf(p *plan, stage, name, property string) (string, bool) {
	i := p.stageIndex(stage)
	if i < 0 {
		return "", false
	}
	a, _ := p.stages[i].action(name)
	if a == nil {
		return "", false
	}
	v, ok := a.Configuration[property]
	return v, ok
}
