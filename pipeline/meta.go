package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/stack"
	"ouro/template"
)

// Meta is a pipeline that wraps another one: it keeps the stack of that one up
// to date, by the template in the source that the two share.
type Meta struct {
	Dir        string            // with the source
	Body       []byte            // of the meta pipeline's template, the library's
	Wrapped    string            // the stack of the wrapped pipeline
	Parameters map[string]string // of the meta pipeline's template
	Overrides  map[string]string // of the wrapped stack's parameters
}

// TokenMark is what an override says that is to become a reference to the
// source's token.
const TokenMark = "@token@"

// The parameters of the meta pipeline's template that Meta sets or reads itself.
const (
	targetParameter    = "TargetStackName"
	templateParameter  = "TemplatePath"
	configParameter    = "TemplateConfigurationPath"
	overridesParameter = "ParameterOverrides"
)

// MetaStack is the stack of the meta pipeline that wraps a stack.
func MetaStack(wrapped string) string { return wrapped + "-Meta" }

// Project is the meta pipeline as a project of its own, for an Up.
func (m *Meta) Project() (*Project, error) {
	dir, err := filepath.Abs(m.Dir)
	if err != nil {
		return nil, err
	}
	p, err := NewProject(MetaStack(m.Wrapped), "meta.yaml", m.Body)
	if err != nil {
		return nil, err
	}
	p.Dir = dir
	given := maps.Clone(m.Parameters)
	given[targetParameter] = m.Wrapped
	if len(m.Overrides) > 0 {
		if given[overridesParameter], err = overridesText(m.Overrides); err != nil {
			return nil, err
		}
	}
	p.Configure(given)
	return p, nil
}

// overridesText is the overrides as the template takes them. A reference to a
// secret is written so that it is none yet when the meta pipeline is made: it is
// the wrapped stack that resolves it.
func overridesText(overrides map[string]string) (string, error) {
	text, err := json.Marshal(overrides)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), TokenMark); n > 1 {
		return "", fmt.Errorf("%s stands for the token in one parameter, and %d have it", TokenMark, n)
	}
	return strings.ReplaceAll(string(text), "{{resolve:", `\u007b{resolve:`), nil
}

// Adopt looks for the wrapped stack. One that is there keeps the values of its
// parameters: those that neither the configuration nor an override sets, and
// that are not what the template says anyway, become overrides. kept names them.
func (m *Meta) Adopt(ctx context.Context, c *Clients) (kept []string, err error) {
	wrapped, given, err := m.source()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(m.Overrides)) {
		if _, ok := wrapped.Parameter(name); !ok {
			return nil, fmt.Errorf("%s has no parameter %s, which --parameter sets", m.Parameters[templateParameter], name)
		}
	}
	s, err := stack.Describe(ctx, c.Stacks, m.Wrapped)
	if err != nil || s == nil || s.StackStatus == cfntypes.StackStatusReviewInProgress {
		return nil, err
	}
	overrides := maps.Clone(m.Overrides)
	if overrides == nil {
		overrides = map[string]string{}
	}
	for _, p := range s.Parameters {
		name, value := aws.ToString(p.ParameterKey), aws.ToString(p.ParameterValue)
		declared, ok := wrapped.Parameter(name)
		_, configured := given[name]
		_, overridden := overrides[name]
		switch {
		case !ok, configured, overridden, declared.Default != nil && *declared.Default == value:
		case declared.NoEcho && declared.Default == nil:
			return nil, fmt.Errorf("stack %q does not tell the value of its parameter %s: give it with --parameter %s=VALUE", m.Wrapped, name, name)
		case declared.NoEcho: // it cannot be told from its default
		default:
			overrides[name] = value
			kept = append(kept, name)
		}
	}
	m.Overrides = overrides
	slices.Sort(kept)
	return kept, nil
}

// source reads the wrapped stack's template and the parameters of its
// configuration, as they are in the directory.
func (m *Meta) source() (*template.Template, map[string]string, error) {
	file := m.Parameters[templateParameter]
	body, err := os.ReadFile(filepath.Join(m.Dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the wrapped pipeline's template: %w", err)
	}
	t, err := template.Parse(file, body)
	if err != nil {
		return nil, nil, err
	}
	config := m.Parameters[configParameter]
	if config == "" {
		return t, nil, nil
	}
	read, err := readConfig(m.Dir, config)
	return t, read.Parameters, err
}
