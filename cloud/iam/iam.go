// Package iam is AWS IAM: users, groups, roles, their policies, instance
// profiles and access keys. It keeps them and checks them as AWS does; nobody
// evaluates identity policies. What is evaluated is the trust of roles, by sts,
// which asks for it here.
//
// IAM is global: a record belongs to an account and to no region.
//
// Of AWS's own managed policies (arn:aws:iam::aws:policy/…) the local cloud
// takes every well-formed ARN, since their list is long and grows; it can show
// the document of the few in awsmanaged.go.
package iam

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/accesskey"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Service is AWS IAM.
type Service struct {
	host     door.Host
	users    family
	groups   family
	roles    family
	policies store.Table[managed]
	uses     store.Table[use]
	profiles store.Table[profile]
	keys     store.Table[key]
	tasks    store.Table[deletion]
}

// New makes the service.
func New(host door.Host) *Service {
	s := host.Store()
	table := func(kind string) store.Table[entity] { return store.NewTable[entity](s, "iam", kind) }
	return &Service{
		host:     host,
		users:    family{table: table("user"), word: "user", title: "User", prefix: "AIDA", longest: 64, inline: 2048},
		groups:   family{table: table("group"), word: "group", title: "Group", prefix: "AGPA", longest: 128, inline: 5120},
		roles:    family{table: table("role"), word: "role", title: "Role", prefix: "AROA", longest: 64, inline: 10240},
		policies: store.NewTable[managed](s, "iam", "policy"),
		uses:     store.NewTable[use](s, "iam", "use"),
		profiles: store.NewTable[profile](s, "iam", "instance-profile"),
		keys:     store.NewTable[key](s, "iam", "access-key"),
		tasks:    store.NewTable[deletion](s, "iam", "deletion-task"),
	}
}

// entity is a user, a group or a role.
type entity struct {
	Name     string
	Path     string
	ID       string
	Created  time.Time
	Tags     map[string]string `json:",omitempty"`
	Boundary string            `json:",omitempty"` // ARN of the permissions boundary
	Inline   map[string]string `json:",omitempty"` // policy documents by name
	Attached []string          `json:",omitempty"` // ARNs of managed policies

	Groups []string `json:",omitempty"` // of a user

	Trust       string `json:",omitempty"` // of a role, with the next two
	Description string `json:",omitempty"`
	MaxSession  int32  `json:",omitempty"` // seconds
}

// family is one of the three kinds of entities.
type family struct {
	table   store.Table[entity]
	word    string // as in ARNs and in the names of members
	title   string
	prefix  string // of unique ids
	longest int    // name, in characters
	inline  int    // inline policies together, in characters that are no white space
}

// id is the name as the table has it: AWS takes names that differ only in case
// for the same.
func id(name string) string { return strings.ToLower(name) }

// arn is the entity's ARN in the caller's account.
func (f family) arn(caller door.Caller, e entity) *string {
	return globalARN(caller, f.word+e.Path+e.Name)
}

func globalARN(caller door.Caller, resource string) *string {
	return aws.String("arn:" + caller.Partition() + ":iam::" + caller.Account + ":" + resource)
}

// fresh is a new entity, once its name, path and tags are found right.
func (s *Service) fresh(f family, name, path *string) (entity, error) {
	if err := checkName(f.word+"Name", name, f.longest); err != nil {
		return entity{}, err
	}
	at, err := checkPath("path", path)
	return entity{Name: aws.ToString(name), Path: at, ID: accesskey.NewID(f.prefix), Created: s.now()}, err
}

// now is the time as IAM tells it: to the second.
func (s *Service) now() time.Time { return s.host.Now().UTC().Truncate(time.Second) }

// insert keeps a new entity, and the use of its boundary with it.
func (s *Service) insert(ctx context.Context, f family, e entity) error {
	scope := door.CallerFrom(ctx).GlobalScope()
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		err := f.table.Insert(ctx, scope, id(e.Name), e)
		if err == store.ErrExists {
			return exists("%s with name %s already exists.", f.title, e.Name)
		}
		if err != nil || e.Boundary == "" {
			return err
		}
		return s.setUse(ctx, e.Boundary, asBoundary, f, e)
	})
}

func (f family) get(ctx context.Context, name *string) (entity, error) {
	e, err := f.table.Get(ctx, door.CallerFrom(ctx).GlobalScope(), id(aws.ToString(name)))
	return e, f.missing(err, name)
}

func (f family) update(ctx context.Context, name *string, change func(*entity) error) (entity, error) {
	e, err := f.table.Update(ctx, door.CallerFrom(ctx).GlobalScope(), id(aws.ToString(name)), change)
	return e, f.missing(err, name)
}

// missing turns the store's error into AWS's.
func (f family) missing(err error, name *string) error {
	if err == store.ErrNotFound {
		return noSuch("The %s with name %s cannot be found.", f.word, aws.ToString(name))
	}
	return err
}

// list gives the family's entities whose path begins with the prefix, by name.
func (f family) list(ctx context.Context, pathPrefix *string) ([]entity, error) {
	all, err := f.table.List(ctx, door.CallerFrom(ctx).GlobalScope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var list []entity
	for _, e := range all {
		if strings.HasPrefix(e.Value.Path, aws.ToString(pathPrefix)) {
			list = append(list, e.Value)
		}
	}
	return list, nil
}

// remove deletes an entity that nothing holds on to any more.
func (s *Service) remove(ctx context.Context, f family, name *string, held func(ctx context.Context, e entity) error) error {
	scope := door.CallerFrom(ctx).GlobalScope()
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		e, err := f.get(ctx, name)
		if err != nil {
			return err
		}
		if err := held(ctx, e); err != nil {
			return err
		}
		switch {
		case len(e.Attached) > 0:
			return conflict("Cannot delete entity, must detach all policies first.")
		case len(e.Inline) > 0:
			return conflict("Cannot delete entity, must delete policies first.")
		}
		if e.Boundary != "" {
			if err := s.dropUse(ctx, e.Boundary, asBoundary, f, e); err != nil {
				return err
			}
		}
		return f.table.Delete(ctx, scope, id(e.Name))
	})
}
