package secretsmanager

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Staging labels that Secrets Manager itself moves.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

const (
	maxValue      = 65536 // bytes
	maxDeprecated = 100   // versions without a label that are kept
)

// content is a value in the clear.
type content struct {
	binary bool
	bytes  []byte
}

// contentOf takes the value of a request; nil if there is none.
func contentOf(text *string, binary []byte) (*content, error) {
	var c *content
	switch {
	case text != nil && len(binary) > 0:
		return nil, invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil:
		c = &content{bytes: []byte(*text)}
	case len(binary) > 0:
		c = &content{binary: true, bytes: binary}
	default:
		return nil, nil
	}
	if len(c.bytes) > maxValue {
		return nil, invalid("The secret value is too long: it may have %d bytes.", maxValue)
	}
	return c, nil
}

// text and blob are the two forms in which answers carry a value.
func (c *content) text() *string {
	if c.binary {
		return nil
	}
	return aws.String(string(c.bytes))
}

func (c *content) blob() []byte {
	if c.binary {
		return c.bytes
	}
	return nil
}

// add gives the secret a version with that value and labels. A token that was
// used for the same value before changes nothing, for another one it fails.
func (s *Service) add(ctx context.Context, to *secret, token *string, c content, stages []string) (string, error) {
	id := aws.ToString(token)
	if id == "" {
		id = s.host.NewID()
	}
	if to.version(id) != nil {
		old, err := s.read(ctx, *to, id)
		if err != nil {
			return id, err
		}
		if old.binary != c.binary || !bytes.Equal(old.bytes, c.bytes) {
			return id, &types.ResourceExistsException{Message: aws.String("The operation failed because the version " + id + " already exists with another value; a version's value can't be changed.")}
		}
		to.move(stages, id)
		return id, nil
	}
	box, err := s.box()
	if err != nil {
		return id, err
	}
	kept := value{Binary: c.binary, Sealed: box.Seal(c.bytes, to.ARN+"|"+id)}
	if err := s.values.Put(ctx, door.CallerFrom(ctx).Scope(), valueID(to.Name, id), kept); err != nil {
		return id, err
	}
	if len(to.Versions) == 0 && !slices.Contains(stages, current) {
		stages = append([]string{current}, stages...)
	}
	now := s.host.Now()
	to.Versions = append(to.Versions, version{ID: id, Created: now})
	to.Changed = now
	to.move(stages, id)
	return id, s.prune(ctx, to)
}

// prune forgets the oldest of many versions that nothing points at.
func (s *Service) prune(ctx context.Context, of *secret) error {
	deprecated := 0
	for _, v := range of.Versions {
		if len(v.Stages) == 0 {
			deprecated++
		}
	}
	for i := 0; deprecated > maxDeprecated; {
		if v := of.Versions[i]; len(v.Stages) > 0 {
			i++
			continue
		}
		err := s.values.Delete(ctx, door.CallerFrom(ctx).Scope(), valueID(of.Name, of.Versions[i].ID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		of.Versions = slices.Delete(of.Versions, i, i+1)
		deprecated--
	}
	return nil
}

// read opens the value of a version that the secret has.
func (s *Service) read(ctx context.Context, of secret, id string) (*content, error) {
	kept, err := s.values.Get(ctx, door.CallerFrom(ctx).Scope(), valueID(of.Name, id))
	if err != nil {
		return nil, err
	}
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	plain, err := box.Unseal(kept.Sealed, of.ARN+"|"+id)
	return &content{kept.Binary, plain}, err
}

func (of *secret) version(id string) *version {
	i := slices.IndexFunc(of.Versions, func(v version) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return &of.Versions[i]
}

func (of *secret) staged(stage string) *version {
	i := slices.IndexFunc(of.Versions, func(v version) bool { return slices.Contains(v.Stages, stage) })
	if i < 0 {
		return nil
	}
	return &of.Versions[i]
}

// move puts labels on a version and takes them from the versions that had
// them. The version that was current becomes the previous one.
func (of *secret) move(stages []string, to string) {
	for _, stage := range stages {
		from := of.staged(stage)
		if from != nil && from.ID == to {
			continue
		}
		if from != nil {
			from.drop(stage)
		}
		target := of.version(to)
		target.Stages = append(target.Stages, stage)
		if stage != current {
			continue
		}
		target.drop(previous)
		if from != nil {
			if old := of.staged(previous); old != nil {
				old.drop(previous)
			}
			from.Stages = append(from.Stages, previous)
		}
	}
}

func (v *version) drop(stage string) {
	v.Stages = slices.DeleteFunc(v.Stages, func(s string) bool { return s == stage })
}

// labelled gives the versions that have labels, by id.
func (of secret) labelled() map[string][]string {
	m := map[string][]string{}
	for _, v := range of.Versions {
		if len(v.Stages) > 0 {
			m[v.ID] = v.Stages
		}
	}
	return m
}

// dateOrNil is a time for answers that leave it out when it is not set.
func dateOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
