package engine

import (
	"context"
	"errors"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/store"
)

// request is what a handler is told about a version of a resource. former is
// the version before it, or nil.
func (r *run) request(row *ledger.Resource, v, former *ledger.Version) *resource.Request {
	req := &resource.Request{
		Clients: r.clients, Account: r.op.Caller.Account, Region: r.op.Caller.Region, Partition: r.op.Caller.Partition(),
		StackID: r.stack.ID, StackName: r.stack.Name, LogicalID: row.LogicalID, Type: row.Type,
		Name: v.Name, Physical: v.Physical, Properties: v.Properties, Attributes: v.Attributes,
		Tags: r.tags(row, r.stack.Tags), Token: r.op.ID + "-" + row.LogicalID, Mail: r.e.mail, Since: r.op.Started,
	}
	if former != nil {
		req.Former, req.FormerTags = former.Properties, req.Tags
		if former.Tags != v.Tags && r.op.Before != nil {
			req.FormerTags = r.tags(row, r.op.Before.Tags)
		}
	}
	return req
}

// tags are those that CloudFormation puts on every resource that takes tags.
func (r *run) tags(row *ledger.Resource, stackTags []ledger.Tag) map[string]string {
	tags := map[string]string{
		"aws:cloudformation:stack-name": r.stack.Name,
		"aws:cloudformation:stack-id":   r.stack.ID,
		"aws:cloudformation:logical-id": row.LogicalID,
	}
	for _, t := range stackTags {
		tags[t.Key] = t.Value
	}
	return tags
}

// revealAll resolves dynamic references in the properties of a request.
func (r *run) revealAll(ctx context.Context, req *resource.Request) error {
	for _, p := range []*map[string]any{&req.Properties, &req.Former} {
		if *p == nil {
			continue
		}
		v, err := reveal(ctx, r.clients.Config, *p)
		if err != nil {
			return err
		}
		*p = v.(map[string]any)
	}
	return nil
}

// answers gives the values of resources as they are now, and of exports.
func (r *run) answers(ctx context.Context) answers {
	return answers{
		ref: func(id string) (any, error) {
			row := r.row(id)
			if row == nil || row.Now.Physical == "" {
				return nil, resource.Sayf("Unresolved resource dependency [%s]", id)
			}
			return row.Now.Physical, nil
		},
		getAtt: func(id, attribute string) (any, error) {
			row := r.row(id)
			if row == nil {
				return nil, resource.Sayf("Unresolved resource dependency [%s]", id)
			}
			kind, err := r.e.kinds.Find(row.Type)
			if err != nil {
				return nil, err
			}
			v, ok := kind.Attribute(r.request(row, &row.Now, nil), attribute)
			if !ok && kind.Missing != nil {
				return nil, kind.Missing(r.request(row, &row.Now, nil), attribute)
			}
			if !ok {
				return nil, resource.Sayf("Requested attribute %s does not exist in schema for %s", attribute, row.Type)
			}
			return v, nil
		},
		imp: func(name string) (string, error) { return r.importValue(ctx, name) },
		hidden: func(id string) bool {
			row := r.row(id)
			return row != nil && row.Now.Hidden
		},
	}
}

// importValue looks an export up and notes that this stack uses it, so that it
// cannot go away from then on.
func (r *run) importValue(ctx context.Context, name string) (string, error) {
	r.mu.Lock()
	known := r.imports[name]
	r.imports[name] = true
	r.mu.Unlock()
	var export ledger.Export
	err := r.e.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		var err error
		if export, err = r.e.ledger.Exports.Get(ctx, r.scope, name); err != nil || known {
			return err
		}
		return r.e.ledger.Import(ctx, r.scope, name, r.stack)
	})
	if errors.Is(err, store.ErrNotFound) {
		return "", resource.Sayf("No export named %s found.", name)
	}
	return export.Value, err
}
