package engine

import (
	"context"
	"errors"
	"fmt"
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
	p.run = run{e: e, scope: caller.Scope(), stack: stack, clients: e.clients(caller, stack.RoleARN)}
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
	for _, found := range differences(expected, actual, nil) {
		if !sameScalar(found.was, found.now) {
			d.Differences = append(d.Differences, p.drifted(found))
		}
	}
	if len(d.Differences) > 0 {
		d.Status = types.StackResourceDriftStatusModified
	}
	return d, nil
}

// drifted tells a difference in AWS's words; nil stands for none.
func (p *planner) drifted(d difference) types.PropertyDifference {
	was, is := p.shown(d.was), p.shown(d.now)
	if strings.Contains(was, Mask) { // what a secret was changed to may be one as well
		is = Mask
	}
	out := types.PropertyDifference{PropertyPath: aws.String("/" + strings.Join(d.path, "/")), ExpectedValue: &was, ActualValue: &is, DifferenceType: types.DifferenceTypeNotEqual}
	switch {
	case d.was == nil:
		out.DifferenceType = types.DifferenceTypeAdd
	case d.now == nil:
		out.DifferenceType = types.DifferenceTypeRemove
	}
	return out
}

// sameScalar compares texts, numbers and booleans as templates do: by how they
// are written.
func sameScalar(a, b any) bool {
	return a != nil && b != nil && fmt.Sprint(a) == fmt.Sprint(b)
}
