package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
	"ouro/cloud/store"
)

// function is what all versions of a function have in common.
type function struct {
	Name      string
	Tags      map[string]string
	Reserved  *int32 // concurrency; nil: it shares in the account's
	Published int64  // number of the newest version that was ever published
	Recursive types.RecursiveLoop
}

// version is a version of a function; the one that may change is $LATEST.
type version struct {
	Config  types.FunctionConfiguration // as its owner sees it, but for the environment
	Sealed  string                      // the environment
	Code    code
	Runtime runtimeManagement
	// Generation changes with everything that an invocation could tell from
	// what was before.
	Generation string
}

// alias is a name for one version of a function, or two.
type alias struct {
	Name, Version, Description, Revision string
	Weights                              map[string]float64 // of the second version
}

func (v version) number() string { return *v.Config.Version }

// lookup finds a version by a qualifier that may be an alias. alias is nil if
// it is none.
func (s *Service) lookup(ctx context.Context, t target) (version, *alias, error) {
	absent := noFunction(t.qualified())
	qualifier := t.qualifier
	var by *alias
	if qualifier != "" && qualifier != latest && !isVersion(qualifier) {
		a, err := s.aliases.Get(ctx, t.scope, qualifiedKey(t.name, qualifier))
		if err != nil {
			return version{}, nil, missing(err, absent)
		}
		by, qualifier = &a, a.Version
	}
	v, err := s.versions.Get(ctx, t.scope, versionKey(t.name, qualifier))
	return v, by, missing(err, absent)
}

// find gives a function of the caller's.
func (s *Service) find(ctx context.Context, t target) (function, error) {
	f, err := s.functions.Get(ctx, t.scope, t.name)
	return f, missing(err, noFunction(t.arn()))
}

// permit lets the function's own account in, and others and services that a
// policy of the function, or of its qualifier, allows the action.
func (s *Service) permit(ctx context.Context, t target, action string) error {
	c := door.CallerFrom(ctx)
	if c.Service == "" && c.Account == t.scope.Account {
		return nil
	}
	p, err := s.policies.Get(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if p.allow(c, action, nil) {
		return nil
	}
	return denied(c, action, t.qualified())
}

// allow tells whether a statement lets the caller do it. Conditions that
// cannot be judged here count for the caller; known are keys that can be, in
// lower case.
func (p permissions) allow(c door.Caller, action string, known map[string]string) bool {
	who := policy.Principal{Account: c.Account, ARN: c.ARN, Service: c.Service}
	for _, raw := range p.Statements {
		var st policy.Statement
		if json.Unmarshal(raw, &st) != nil || !st.AllowsAction(action) || !st.Principals.Match(who) {
			continue
		}
		holds := true
		for _, condition := range st.Conditions {
			ok, judged := condition.Holds(func(key string) ([]string, bool) {
				if value, ok := known[key]; ok {
					return []string{value}, true
				}
				if key == "aws:sourceaccount" || key == "aws:principalaccount" {
					return []string{c.Account}, true
				}
				return nil, false
			})
			holds = holds && (ok || !judged)
		}
		if holds {
			return true
		}
	}
	return false
}

// environment is the environment of a version, opened.
func (s *Service) environment(v version) (map[string]string, error) {
	if v.Sealed == "" {
		return nil, nil
	}
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	b, err := box.Unseal(v.Sealed, "lambda/"+*v.Config.FunctionName)
	if err != nil {
		return nil, err
	}
	var vars map[string]string
	return vars, json.Unmarshal(b, &vars)
}

// seal puts an environment into a version; nil for none.
func (s *Service) seal(v *version, vars map[string]string) error {
	v.Sealed = ""
	if vars == nil {
		return nil
	}
	box, err := s.box()
	if err != nil {
		return err
	}
	b, err := json.Marshal(vars)
	if err != nil {
		return err
	}
	v.Sealed = box.Seal(b, "lambda/"+*v.Config.FunctionName)
	return nil
}

// same tells whether two versions would run alike.
func (s *Service) same(a, b version) (bool, error) {
	x, err := s.environment(a)
	if err != nil {
		return false, err
	}
	y, err := s.environment(b)
	if err != nil {
		return false, err
	}
	return a.Code == b.Code && maps.Equal(x, y) && reflect.DeepEqual(substance(a.Config), substance(b.Config)), nil
}

// substance is a configuration without what tells of the version itself.
func substance(c types.FunctionConfiguration) types.FunctionConfiguration {
	c.FunctionArn, c.LastModified, c.RevisionId, c.Version = nil, nil, nil, nil
	return c
}

// shown is a version's configuration as its owner sees it.
func (s *Service) shown(v version) (types.FunctionConfiguration, error) {
	c := v.Config
	vars, err := s.environment(v)
	if vars != nil {
		c.Environment = &types.EnvironmentResponse{Variables: vars}
	}
	return c, err
}

// listed is shown without what lists leave out.
func (s *Service) listed(v version) (types.FunctionConfiguration, error) {
	c, err := s.shown(v)
	c.State, c.StateReason, c.StateReasonCode, c.LastUpdateStatus, c.RuntimeVersionConfig = "", nil, "", "", nil
	return c, err
}

// answer is an operation's output that has the members of a configuration.
func answer[T any](c types.FunctionConfiguration) *T {
	out := new(T)
	copyMembers(reflect.ValueOf(out).Elem(), reflect.ValueOf(c))
	return out
}

// copyMembers copies the members that both structs have.
func copyMembers(to, from reflect.Value) {
	for i := range to.NumField() {
		f := to.Type().Field(i)
		if v := from.FieldByName(f.Name); f.IsExported() && v.IsValid() && v.Type() == f.Type {
			to.Field(i).Set(v)
		}
	}
}

// versionsOf are all versions of a function, $LATEST first.
func (s *Service) versionsOf(ctx context.Context, t target) ([]version, error) {
	entries, err := s.versions.List(ctx, t.scope, store.Query{Prefix: t.name + ":"})
	list := make([]version, len(entries))
	for i, e := range entries {
		list[i] = e.Value
	}
	return list, err
}

// aliasesOf are the aliases of a function by name.
func (s *Service) aliasesOf(ctx context.Context, t target) ([]alias, error) {
	entries, err := s.aliases.List(ctx, t.scope, store.Query{Prefix: t.name + ":"})
	list := make([]alias, len(entries))
	for i, e := range entries {
		list[i] = e.Value
	}
	return list, err
}
