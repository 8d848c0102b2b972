package codepipeline

import (
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
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

func maskedConfiguration(id *types.ActionTypeId, configuration map[string]string) map[string]string {
	k := kindOf(id)
	if k == nil {
		return configuration
	}
	copied := maps.Clone(configuration)
	for name := range copied {
		if p := k.property(name); p != nil && p.flag&secret != 0 {
			copied[name] = mask
		}
	}
	return copied
}

// keepSecrets seals the secrets of a definition before it is stored, and puts
// those of the old definition, if there is one, where the new one has masks.
func (s *Service) keepSecrets(def, old *types.PipelineDeclaration) error {
	for _, st := range def.Stages {
		for i, a := range st.Actions {
			k := kindOf(a.ActionTypeId)
			for name, value := range a.Configuration {
				if p := k.property(name); p == nil || p.flag&secret == 0 {
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
		return box.Seal([]byte(value), stage+"/"+action+"/"+property), nil
	}
	if old != nil {
		if kept, ok := secretOf(newPlan(old), stage, action, property); ok {
			return kept, nil
		}
	}
	return "", invalidAction("Action configuration for the new action '%s' contains an invalid configuration for the secret property '%s'. '****' may be used in secret properties only when updating an existing action.", action, property)
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

// openSecret opens a secret of a stored definition.
func (s *Service) openSecret(sealed, stage, action, property string) (string, error) {
	box, err := s.box()
	if err != nil {
		return "", err
	}
	plain, err := box.Unseal(sealed, stage+"/"+action+"/"+property)
	if err != nil {
		return "", fmt.Errorf("opening %s of action %q: %w", property, action, err)
	}
	return string(plain), nil
}
