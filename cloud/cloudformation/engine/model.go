package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"strings"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/template"
)

// Model is a revision of a stack, parsed, with its parameters and conditions
// evaluated: everything but the values of resources.
type Model struct {
	Template  *template.Template
	IDs       []string                     // the resources that exist under the conditions, in source order
	Resources map[string]template.Resource // these
	Depends   map[string][]string          // on which others of these each depends
	Imports   map[string]ledger.Import     // resources that are to be taken over instead of made
	// Nested plans a nested stack that is made or changed, and tells the
	// outputs that it will have; nil where that is not known. Without it, those
	// of a stack that is there are taken to stay.
	Nested func(NestedPlan) (map[string]any, error)

	env    template.Env // without Ref, GetAtt, Import
	masked map[string]any
	rows   map[string]*ledger.Resource // as Plan found them; nil without a plan
}

// Mask is what AWS shows for a value that is not to be seen.
const Mask = "****"

// Load builds the model of a stack's revision. Values of SSM parameters are
// those that were looked up when the revision was made.
func (e *Engine) Load(ctx context.Context, caller door.Caller, stack ledger.Stack, rev ledger.Revision) (*Model, error) {
	text, err := e.ledger.Template(ctx, caller.Scope(), cmp.Or(rev.Processed, rev.Template))
	if err != nil {
		return nil, err
	}
	t, err := template.Parse("", []byte(text))
	if err != nil {
		return nil, resource.Sayf("Template format error: %w", err)
	}
	given, looked := map[string]string{}, map[string]string{}
	for _, p := range rev.Parameters {
		if given[p.Key], err = e.ledger.Reveal(p); err != nil {
			return nil, err
		}
		looked[given[p.Key]] = p.Resolved
	}
	values, err := t.ResolveParameters(given, func(name string) (string, error) { return looked[name], nil })
	if err != nil {
		return nil, err
	}
	return NewModel(t, values, caller, stack, rev)
}

// NewModel builds a model from a parsed template and the values of its parameters.
func NewModel(t *template.Template, values map[string]any, caller door.Caller, stack ledger.Stack, rev ledger.Revision) (*Model, error) {
	m := &Model{Template: t, Resources: map[string]template.Resource{}, Depends: map[string][]string{}}
	m.env = *Env(values, caller, stack, rev)
	var err error
	if m.env.Conditions, err = t.EvalConditions(&m.env); err != nil {
		return nil, err
	}
	for _, p := range t.Parameters() {
		if p.NoEcho {
			if m.masked == nil {
				m.masked = maps.Clone(values)
			}
			m.masked[p.Name] = Mask
		}
	}
	for _, r := range t.Resources() {
		if r.Condition == "" || m.env.Conditions[r.Condition] {
			m.Resources[r.LogicalID] = r
			m.IDs = append(m.IDs, r.LogicalID)
		}
	}
	for _, id := range m.IDs {
		for _, on := range t.DependenciesWith(m.Resources[id], m.env.Conditions) {
			if _, exists := m.Resources[on]; exists {
				m.Depends[id] = append(m.Depends[id], on)
			}
		}
	}
	return m, nil
}

// zones are the availability zones of a region: three, as most regions have.
func zones(region string) []string {
	return []string{region + "a", region + "b", region + "c"}
}

// answers are where the values of resources and exports come from.
type answers struct {
	ref    func(id string) (any, error)
	getAtt func(id, attribute string) (any, error)
	imp    func(export string) (string, error)
	hidden func(id string) bool // its attributes are not to be shown
}

// shown gives the values of attributes as they may be shown.
func (a answers) shown(id, attribute string) (any, error) {
	v, err := a.getAtt(id, attribute)
	if err == nil && a.hidden(id) {
		v = Mask
	}
	return v, err
}

// wanted is a resource as the revision wants it.
type wanted struct {
	id       string
	version  ledger.Version // Properties, Hash, policies, DependsOn
	metadata string
	shown    string // the properties as JSON, with secrets masked
}

// want evaluates a resource. Dynamic references stay as they are: they are
// resolved for each call, and never kept.
func (m *Model) want(id string, a answers) (wanted, error) {
	env := m.env
	secret := false // an attribute was used that is not to be shown
	env.Ref, env.Import = a.ref, a.imp
	env.GetAtt = func(id, attribute string) (any, error) {
		secret = secret || a.hidden(id)
		return a.getAtt(id, attribute)
	}
	res := m.Resources[id]
	properties, err := m.properties(res, &env)
	if err != nil {
		return wanted{}, err
	}
	doc := canonical(properties)
	w := wanted{id: id, version: ledger.Version{Properties: properties, Hash: template.Hash(doc), DependsOn: m.Depends[id],
		DeletionPolicy: res.DeletionPolicy.Scalar(), ReplacePolicy: res.UpdateReplacePolicy.Scalar()}, shown: string(doc)}
	if m.masked != nil || secret {
		if env.GetAtt = a.shown; m.masked != nil {
			env.Parameters = m.masked
		}
		if shown, err := m.properties(res, &env); err == nil {
			w.shown = string(canonical(shown))
		} else {
			w.shown = "" // a mask is no member of a list, say; better nothing than a secret
		}
	}
	if res.Metadata != nil {
		metadata, err := m.Template.Eval(res.Metadata, &env)
		if err != nil {
			return wanted{}, err
		}
		w.metadata = string(canonical(metadata))
	}
	return w, nil
}

func (m *Model) properties(res template.Resource, env *template.Env) (map[string]any, error) {
	if res.Properties == nil {
		return map[string]any{}, nil
	}
	v, err := m.Template.Eval(res.Properties, env)
	if err != nil {
		return nil, err
	}
	properties, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, resource.Sayf("Template format error: [/Resources/%s/Properties] 'null' values or non-objects are not allowed in templates", res.LogicalID)
	}
	if properties == nil {
		properties = map[string]any{}
	}
	return properties, nil
}

// canonical is an evaluated value as JSON with sorted keys.
func canonical(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil { // evaluated values always encode
		return nil
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// Parameters are the values of the parameters: string or []string.
func (m *Model) Parameters() map[string]any { return m.env.Parameters }
