package stackset

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
)

// Vault keeps the values of parameters: those of NoEcho ones are sealed, and
// nowhere shown. *ledger.Ledger is one.
type Vault interface {
	Seal(key, value string, noEcho bool) (ledger.Parameter, error)
	Reveal(p ledger.Parameter) (string, error)
}

// mask is what AWS shows for a value that is not to be seen.
const mask = "****"

// shown are parameters as they may be seen.
func shown(list []ledger.Parameter) []types.Parameter {
	var out []types.Parameter
	for _, p := range list {
		value := p.Value
		if p.NoEcho {
			value = mask
		}
		out = append(out, types.Parameter{ParameterKey: aws.String(p.Key), ParameterValue: aws.String(value)})
	}
	return out
}

// revealed are parameters as a stack's operation takes them.
func (s *Sets) revealed(list []ledger.Parameter) ([]types.Parameter, error) {
	var out []types.Parameter
	for _, p := range list {
		value, err := s.vault.Reveal(p)
		if err != nil {
			return nil, err
		}
		out = append(out, types.Parameter{ParameterKey: aws.String(p.Key), ParameterValue: aws.String(value)})
	}
	return out, nil
}

// overrides are values of parameters that are an instance's own, as they are
// kept. One that is to stay as it was overrides nothing.
func (s *Sets) overrides(v set, given []types.Parameter) ([]ledger.Parameter, error) {
	var out []ledger.Parameter
	for _, p := range given {
		if aws.ToBool(p.UsePreviousValue) {
			continue
		}
		key := aws.ToString(p.ParameterKey)
		kept, err := s.vault.Seal(key, aws.ToString(p.ParameterValue), slices.Contains(v.Revision.Hidden, key))
		if err != nil {
			return nil, err
		}
		out = append(out, kept)
	}
	return out, nil
}
