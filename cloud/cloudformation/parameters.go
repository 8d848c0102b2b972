package cloudformation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/template"
)

// fillParameters gives every parameter its value: the given one, the previous
// one, or the default; and holds them all against the template's rules.
func (s *Service) fillParameters(ctx context.Context, d *draft, in asked, old *ledger.Stack) error {
	given, err := s.given(in, old)
	if err != nil {
		return err
	}
	if err := s.resolve(ctx, d, given); err != nil {
		return err
	}
	caller := door.CallerFrom(ctx)
	env := &template.Env{Account: caller.Account, Region: caller.Region, Parameters: d.values,
		ValueOf: valueOf(ctx, s.engine.Config(caller, d.revision.RoleARN))}
	if err := d.template.CheckRules(env); err != nil {
		return invalid("Template constraint violated: %s", err)
	}
	return nil
}

// resolve evaluates the parameters of the draft's template.
func (s *Service) resolve(ctx context.Context, d *draft, given map[string]string) (err error) {
	caller := door.CallerFrom(ctx)
	client := ssm.NewFromConfig(s.engine.Config(caller, d.revision.RoleARN))
	looked := map[string]string{}
	d.given = given
	d.values, err = d.template.ResolveParameters(given, func(name string) (string, error) {
		out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
		if err != nil {
			return "", err
		}
		looked[name] = aws.ToString(out.Parameter.Value)
		return looked[name], nil
	})
	if err != nil {
		return invalid("%s", err)
	}
	d.revision.Parameters = nil
	for _, p := range d.template.Parameters() {
		value, ok := given[p.Name]
		if !ok && p.Default != nil {
			value = *p.Default
		}
		kept, err := s.ledger.Seal(p.Name, value, p.NoEcho)
		if err != nil {
			return err
		}
		if _, fromSSM := p.SSM(); fromSSM {
			kept.Resolved = looked[value]
		}
		d.revision.Parameters = append(d.revision.Parameters, kept)
	}
	return nil
}

// given are the values that a request gives, itself or by pointing to the
// previous ones.
func (s *Service) given(in asked, old *ledger.Stack) (map[string]string, error) {
	given := map[string]string{}
	for _, p := range in.parameters {
		key := aws.ToString(p.ParameterKey)
		switch {
		case p.ParameterKey == nil:
			return nil, invalid("ParameterKey must be specified for every parameter")
		case aws.ToBool(p.UsePreviousValue) && p.ParameterValue != nil:
			return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and non empty value for a parameter", key)
		case !aws.ToBool(p.UsePreviousValue):
			if p.ParameterValue != nil {
				given[key] = *p.ParameterValue
			}
			continue
		}
		value, ok, err := s.previous(old, key)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", key)
		}
		given[key] = value
	}
	return given, nil
}

func (s *Service) previous(old *ledger.Stack, key string) (value string, ok bool, err error) {
	if old == nil {
		return "", false, nil
	}
	for _, p := range old.Parameters {
		if p.Key == key {
			value, err = s.ledger.Reveal(p)
			return value, true, err
		}
	}
	return "", false, nil
}
