package cloudformation

import (
	"context"
	"errors"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/wire"
	"ouro/template"
)

// expand runs the transforms of a draft. One that fails is told of by
// d.refused: the answer to that differs between operations.
func (s *Service) expand(ctx context.Context, d *draft, stack ledger.Stack) error {
	if !usesMacros(d.template) {
		return nil
	}
	caller := door.CallerFrom(ctx)
	original := d.template
	expanded, err := original.Expand(ctx, engine.Env(d.values, caller, stack, d.revision), s.engine.Macros(caller, stack))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		text := string(template.Canonical(expanded.Root))
		if d.template, err = s.parseExpanded(text); err == nil {
			d.revision.Processed, err = s.ledger.KeepTemplate(ctx, caller.Scope(), text)
		}
	}
	var says *wire.Error
	switch {
	case errors.As(err, &says):
		d.refused = says.Message
	case err != nil:
		d.refused = err.Error()
	default:
		return s.resolve(ctx, d, declared(d.template, d.given))
	}
	d.template = original
	return nil
}

// parseExpanded is parse for what transforms made, in which none may be left.
func (s *Service) parseExpanded(text string) (*template.Template, error) {
	if len(text) > engine.MaxTemplateURL {
		return nil, invalid("Template may not exceed %d bytes in size.", engine.MaxTemplateURL)
	}
	t, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	return t, s.checkTypes(t)
}

// declared are the values of those parameters that the processed template
// still declares: a macro may drop some, and may add some that have defaults.
func declared(t *template.Template, given map[string]string) map[string]string {
	out := map[string]string{}
	for _, p := range t.Parameters() {
		if value, ok := given[p.Name]; ok {
			out[p.Name] = value
		}
	}
	return out
}
