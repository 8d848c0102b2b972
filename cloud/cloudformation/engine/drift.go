package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
)

// Drift is how one resource of a stack differs from its template.
type Drift struct {
	Status           types.StackResourceDriftStatus
	Expected, Actual string // the properties that were compared, as JSON
	Differences      []types.PropertyDifference
}

// Drift asks the resource's service how it is now. Only properties that the
// template sets are compared, as on AWS; types that cannot be asked are
// NOT_CHECKED. Values of NoEcho parameters are masked.
func (e *Engine) Drift(ctx context.Context, caller door.Caller, stack ledger.Stack, row *ledger.Resource) (Drift, error) {
	kind, err := e.kinds.Find(row.Type)
	if err != nil || kind.Read == nil || row.Now.Physical == "" {
		return Drift{Status: types.StackResourceDriftStatusNotChecked}, err
	}
	p := &planner{after: stack.Revision}
	p.run = run{e: e, scope: caller.Scope(), stack: stack, cfg: e.Config(caller, stack.RoleARN)}
	p.op.Caller = caller
	if p.mask, err = p.secrets(); err != nil {
		return Drift{}, err
	}
	answered, err := kind.Read(ctx, p.request(row, &row.Now, nil))
	if errors.Is(err, resource.ErrGone) || resource.IsNotFound(err) {
		return Drift{Status: types.StackResourceDriftStatusDeleted, Expected: p.shown(row.Now.Properties)}, nil
	}
	if err != nil {
		return Drift{}, fmt.Errorf("reading %s %q: %w", row.Type, row.Now.Physical, err)
	}
	expected, actual := resource.Actual(row.Now.Properties, answered)
	d := Drift{Status: types.StackResourceDriftStatusInSync, Expected: p.shown(expected), Actual: p.shown(actual)}
	p.differ("", expected, actual, &d)
	if len(d.Differences) > 0 {
		d.Status = types.StackResourceDriftStatusModified
	}
	return d, nil
}

// differ adds what differs in two values; nil stands for none.
func (p *planner) differ(path string, expected, actual any, d *Drift) {
	switch e := expected.(type) {
	case map[string]any:
		if a, ok := actual.(map[string]any); ok {
			names := maps.Clone(e)
			maps.Copy(names, a)
			for _, name := range slices.Sorted(maps.Keys(names)) {
				p.differ(path+"/"+name, e[name], a[name], d)
			}
			return
		}
	case []any:
		if a, ok := actual.([]any); ok {
			for i := range max(len(e), len(a)) {
				p.differ(path+"/"+strconv.Itoa(i), at(e, i), at(a, i), d)
			}
			return
		}
	}
	was, is := p.shown(expected), p.shown(actual)
	if sameScalar(expected, actual) || was == is && !strings.Contains(was, Mask) {
		return
	}
	if strings.Contains(was, Mask) { // what a secret was changed to may be one as well
		is = Mask
	}
	diff := types.PropertyDifference{PropertyPath: aws.String(path), ExpectedValue: &was, ActualValue: &is, DifferenceType: types.DifferenceTypeNotEqual}
	switch {
	case expected == nil:
		diff.DifferenceType, diff.ExpectedValue = types.DifferenceTypeAdd, aws.String("null")
	case actual == nil:
		diff.DifferenceType, diff.ActualValue = types.DifferenceTypeRemove, aws.String("null")
	}
	d.Differences = append(d.Differences, diff)
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// sameScalar compares texts, numbers and booleans as templates do: by how they
// are written.
func sameScalar(a, b any) bool {
	return a != nil && b != nil && fmt.Sprint(a) == fmt.Sprint(b)
}
