package sns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/store"
)

// dedup remembers a message of a FIFO topic, so that it is not sent twice.
type dedup struct {
	ID, Sequence string
	At           time.Time
}

// dedupWindow is how long that is.
const dedupWindow = 5 * time.Minute

// number gives a message of a FIFO topic its number; again tells that it is
// one that was published already. ctx is that of a transaction.
func (s *Service) number(ctx context.Context, scope store.Scope, t topic, p post, id string) (is dedup, again bool, err error) {
	token := aws.ToString(p.dedup)
	if token == "" {
		sum := sha256.Sum256([]byte(aws.ToString(p.message)))
		token = hex.EncodeToString(sum[:])
	}
	key := t.Name + "/" + token
	if t.Attributes["FifoThroughputScope"] == "MessageGroup" {
		key += " " + aws.ToString(p.group) // neither of the two holds a blank
	}
	was, err := s.published.Get(ctx, scope, key)
	if err == nil && s.host.Now().Sub(was.At) < dedupWindow {
		return was, true, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return is, false, err
	}
	t, err = s.topics.Update(ctx, scope, t.Name, func(t *topic) error {
		t.Sequence++
		return nil
	})
	if err != nil {
		return is, false, err
	}
	if t.Sequence%forgetEvery == 0 {
		if err := s.forgetPublished(ctx, scope, t.Name, func(d dedup) bool { return s.host.Now().Sub(d.At) >= dedupWindow }); err != nil {
			return is, false, err
		}
	}
	is = dedup{id, fmt.Sprintf("1%019d", t.Sequence), s.host.Now()}
	return is, false, s.published.Put(ctx, scope, key, is)
}

// forgetEvery is after how many messages those are forgotten that are too old
// to matter.
const forgetEvery = 256

func (s *Service) forgetPublished(ctx context.Context, scope store.Scope, name string, which func(dedup) bool) error {
	entries, err := s.published.List(ctx, scope, store.Query{Prefix: name + "/"})
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !which(e.Value) {
			continue
		}
		if err := s.published.Delete(ctx, scope, e.ID); err != nil {
			return err
		}
	}
	return nil
}
