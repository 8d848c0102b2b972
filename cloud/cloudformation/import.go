package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/template"
)

// imports reads which resources a change set is to take over, and holds them
// against the template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
func imports(in *cloudformation.CreateChangeSetInput, t *template.Template) (map[string]ledger.Import, error) {
	importing := in.ChangeSetType == types.ChangeSetTypeImport
	switch {
	case !importing && len(in.ResourcesToImport) > 0:
		return nil, invalid("ResourcesToImport can only be specified for change sets of type IMPORT.")
	case !importing:
		return nil, nil
	case len(in.ResourcesToImport) == 0:
		return nil, invalid("ResourcesToImport must be specified for change sets of type IMPORT.")
	case len(in.ResourcesToImport) > 200:
		return nil, invalid("At most 200 resources can be imported at once.")
	}
	out := map[string]ledger.Import{}
	var unkept []string
	for _, r := range in.ResourcesToImport {
		id, name := aws.ToString(r.LogicalResourceId), aws.ToString(r.ResourceType)
		res, ok := t.Resource(id)
		if !ok {
			return nil, invalid("Resources to import [%s] must be in the template.", id)
		}
		if res.Type != name {
			return nil, invalid("The type of resource to import [%s] is %s in the template, not %s.", id, res.Type, name)
		}
		if err := checkIdentifier(id, name, r.ResourceIdentifier); err != nil {
			return nil, err
		}
		if res.DeletionPolicy == nil {
			unkept = append(unkept, id)
		}
		out[id] = ledger.Import{Type: name, Identifier: r.ResourceIdentifier}
	}
	if len(unkept) > 0 {
		return nil, invalid("The following resources to import [%s] must have DeletionPolicy attribute specified in the template.", strings.Join(unkept, ", "))
	}
	return out, nil
}

func checkIdentifier(id, resourceType string, given map[string]string) error {
	names := resource.Identifier(resourceType)
	if len(names) == 0 {
		return invalid("ResourceTypes [%s] are not supported for Import", resourceType)
	}
	if sorted := slices.Sorted(slices.Values(names)); !slices.Equal(slices.Sorted(maps.Keys(given)), sorted) {
		return invalid("Resource to import [%s] of type %s must be identified by [%s].", id, resourceType, strings.Join(names, ", "))
	}
	return nil
}

// fillImports looks the resources up that are to be taken over; those that
// ImportExistingResources finds become imports.
func (s *Service) fillImports(ctx context.Context, caller door.Caller, p *proposal, d draft, model *engine.Model, plan engine.Plan) error {
	if p.set.ImportExisting {
		found, err := s.engine.Existing(ctx, caller, d.revision, model, plan)
		if err != nil {
			return err
		}
		p.set.Imports = found
		markImports(p.set.Changes, found)
		markImports(p.set.Outline, found)
		p.refuseUnkept(d.template, found)
	}
	if p.set.Type == types.ChangeSetTypeImport {
		p.refuseOthers(plan)
	}
	return s.refuseTaken(ctx, caller, p)
}

func markImports(changes []types.ResourceChange, found map[string]ledger.Import) {
	for i := range changes {
		if im, ok := found[aws.ToString(changes[i].LogicalResourceId)]; ok {
			changes[i].Action, changes[i].PhysicalResourceId = types.ChangeActionImport, aws.String(im.Physical())
		}
	}
}

// refuseUnkept wants what is imported without being named to be kept when the
// stack goes.
func (p *proposal) refuseUnkept(t *template.Template, found map[string]ledger.Import) {
	var unkept []string
	for _, id := range slices.Sorted(maps.Keys(found)) {
		res, _ := t.Resource(id)
		if policy := res.DeletionPolicy.Scalar(); policy != "Retain" && policy != "RetainExceptOnCreate" {
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(found[id].Identifier)) {
				pairs = append(pairs, name+"="+found[id].Identifier[name])
			}
			unkept = append(unkept, fmt.Sprintf("%s ({%s})", id, strings.Join(pairs, ", ")))
		}
	}
	if len(unkept) > 0 {
		p.fail("CloudFormation is attempting to import some resources because they already exist in your account. The resources must have the DeletionPolicy attribute " +
			"set to 'Retain' or 'RetainExceptOnCreate' in the template for successful import. The affected resources are " + strings.Join(unkept, ", "))
	}
}

// refuseOthers wants a change set of type IMPORT to do nothing else.
func (p *proposal) refuseOthers(plan engine.Plan) {
	var others []string
	for _, c := range plan.Changes {
		if c.Action != types.ChangeActionImport {
			others = append(others, *c.LogicalResourceId)
		}
	}
	switch {
	case len(others) > 0:
		p.fail("You have modified resources [" + strings.Join(others, ", ") + "] in your template that are not being imported. " +
			"Update, create or delete operations cannot be executed during import operations.")
	case plan.Outputs:
		p.fail("As part of the import operation, you cannot modify or add [Outputs]")
	}
}

// refuseTaken fails a change set whose imports do not exist, or belong to a stack.
func (s *Service) refuseTaken(ctx context.Context, caller door.Caller, p *proposal) error {
	for _, id := range slices.Sorted(maps.Keys(p.set.Imports)) {
		im := p.set.Imports[id]
		physical, err := resource.Find(ctx, s.engine.Config(caller, p.set.Revision.RoleARN), im.Type, im.Identifier)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.fail(resource.Reason(err, p.set.UUID))
			return nil
		}
		owner, err := s.ownerOf(ctx, im.Type, physical)
		if err != nil {
			return err
		}
		if owner != "" {
			p.fail(fmt.Sprintf("%s already exists in stack %s", physical, owner))
			return nil
		}
	}
	return nil
}

// ownerOf is the id of the stack that a physical resource belongs to, or empty.
func (s *Service) ownerOf(ctx context.Context, resourceType, physical string) (string, error) {
	stacks, err := s.stacks(ctx, func(st ledger.Stack) bool { return st.Status != types.StackStatusDeleteComplete })
	if err != nil {
		return "", err
	}
	for _, st := range stacks {
		rows, err := s.ledger.ResourcesOf(ctx, door.CallerFrom(ctx).Scope(), st.UUID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			if row.Type == resourceType && row.Now.Physical == physical && row.Status != types.ResourceStatusDeleteComplete && row.Status != types.ResourceStatusDeleteSkipped {
				return st.ID, nil
			}
		}
	}
	return "", nil
}
