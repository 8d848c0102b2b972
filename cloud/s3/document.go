package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// document is one kind of configuration that a bucket may have: put whole, got
// as it was put, deleted.
type document[T any] struct {
	name string
	// missing is AWS's code and sentence for a bucket without one; without a
	// code such a bucket has the zero document.
	missing, message string
	// check refuses what AWS refuses and fills in what AWS fills in.
	check func(b bucket, doc *T) error
	// apply keeps in the bucket's own record what writing objects must know.
	// doc is the zero value when the document was deleted.
	apply func(b *bucket, doc T)
}

func documentID(bucket, name string) string { return bucket + "\x00" + name }

func (d document[T]) absent(bucket string) *wire.Error {
	return problem(http.StatusNotFound, d.missing, d.message, "BucketName", bucket)
}

// read gives the bucket's document, or the error for a bucket without one.
func (d document[T]) read(ctx context.Context, s *Service, bucket string) (T, error) {
	var doc T
	raw, err := s.documents.Get(ctx, everywhere, documentID(bucket, d.name))
	switch {
	case errors.Is(err, store.ErrNotFound) && d.missing == "":
		return doc, nil
	case errors.Is(err, store.ErrNotFound):
		return doc, d.absent(bucket)
	case err != nil:
		return doc, err
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return doc, fmt.Errorf("reading %s of bucket %q: %w", d.name, bucket, err)
	}
	return doc, nil
}

func (d document[T]) write(ctx context.Context, s *Service, bucket string, doc T) error {
	raw, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("writing %s of bucket %q: %w", d.name, bucket, err)
	}
	return s.documents.Put(ctx, everywhere, documentID(bucket, d.name), raw)
}

// getDocument is an operation that reads a document; answer makes its output.
func getDocument[T, Out any](ctx context.Context, s *Service, d document[T], name, owner *string, answer func(T) *Out) (*Out, error) {
	b, err := s.bucket(ctx, name, owner)
	if err != nil {
		return nil, err
	}
	doc, err := d.read(ctx, s, b.Name)
	if err != nil {
		return nil, err
	}
	return answer(doc), nil
}

// putDocument is an operation that writes a document.
func putDocument[T, Out any](ctx context.Context, s *Service, d document[T], name, owner *string, doc *T) (*Out, error) {
	if doc == nil {
		return nil, malformedXML()
	}
	err := s.changeBucket(ctx, name, owner, func(ctx context.Context, b *bucket) error {
		if d.check != nil {
			if err := d.check(*b, doc); err != nil {
				return err
			}
		}
		if d.apply != nil {
			d.apply(b, *doc)
		}
		return d.write(ctx, s, b.Name, *doc)
	})
	if err != nil {
		return nil, err
	}
	return new(Out), nil
}

// deleteDocument is an operation that deletes a document, if there is one.
func deleteDocument[T, Out any](ctx context.Context, s *Service, d document[T], name, owner *string) (*Out, error) {
	err := s.changeBucket(ctx, name, owner, func(ctx context.Context, b *bucket) error {
		if d.apply != nil {
			var none T
			d.apply(b, none)
		}
		err := s.documents.Delete(ctx, everywhere, documentID(b.Name, d.name))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(Out), nil
}

// changeBucket alters a bucket's record, and what else change writes, as one.
func (s *Service) changeBucket(ctx context.Context, name, owner *string, change func(ctx context.Context, b *bucket) error) error {
	defer s.known.change(aws.ToString(name))()
	return s.atomically(ctx, func(ctx context.Context) error {
		b, err := s.bucket(ctx, name, owner)
		if err != nil {
			return err
		}
		if err := change(ctx, &b); err != nil {
			return err
		}
		return s.buckets.Put(ctx, everywhere, b.Name, b)
	})
}
