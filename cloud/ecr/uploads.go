package ecr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"ouro/cloud/store"
)

// upload is a layer that is being pushed. What its file has beyond Received
// belongs to a request that did not end.
type upload struct {
	Repository string
	Received   int64
	Parts      int
	Short      bool // a part was less than minPart: none may follow
	Started    time.Time
}

// AWS's bounds of layers.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const (
	maxLayer = 52000 << 20
	maxParts = 4200
	minPart  = 5 << 20
	maxPart  = 20 << 20
	partSize = 10 << 20 // what clients are advised
)

func (s *Service) startUpload(ctx context.Context, scope store.Scope, repository string) (id string, err error) {
	id = s.host.NewID()
	if err := s.blobs.begin(id); err != nil {
		return "", err
	}
	return id, s.uploads.Put(ctx, scope, id, upload{Repository: repository, Started: s.now()})
}

func noUpload(repository, id string, scope store.Scope) error {
	return refuse("UploadNotFound", "The upload with id '%s' in the repository with name '%s' in registry with id '%s' does not exist", id, repository, scope.Account)
}

func (s *Service) upload(ctx context.Context, scope store.Scope, repository, id string) (upload, error) {
	u, err := s.uploads.Get(ctx, scope, id)
	if err != nil {
		return u, missing(err, noUpload(repository, id, scope))
	}
	// A process that was killed as it finished may have left the record alone.
	if u.Repository != repository || !s.blobs.begun(id) {
		return u, noUpload(repository, id, scope)
	}
	return u, nil
}

// alone runs fn while no other request writes to the upload.
func (s *Service) alone(repository, id string, fn func() error) error {
	if _, taken := s.writing.LoadOrStore(id, true); taken {
		return refuse("InvalidLayerPart", "Another request is writing to the upload with id '%s' in the repository with name '%s'", id, repository)
	}
	defer s.writing.Delete(id)
	return fn()
}

// receive appends to an upload. check looks at the upload as it is.
func (s *Service) receive(ctx context.Context, scope store.Scope, repository, id string, body io.Reader, check func(*upload) error) (u upload, err error) {
	err = s.alone(repository, id, func() error {
		if u, err = s.upload(ctx, scope, repository, id); err != nil {
			return err
		}
		if err := check(&u); err != nil {
			return err
		}
		size, err := s.blobs.extend(id, u.Received, maxLayer, body)
		if errors.Is(err, errTooLarge) {
			return refuse("LimitExceeded", "A layer has at most %d bytes", int64(maxLayer))
		}
		if err != nil {
			return err
		}
		u.Received = size
		return s.uploads.Put(ctx, scope, id, u)
	})
	return u, err
}

// finish makes an upload a layer of its repository, if it has the digest.
func (s *Service) finish(ctx context.Context, scope store.Scope, repository, id, digest string) error {
	return s.alone(repository, id, func() error {
		u, err := s.upload(ctx, scope, repository, id)
		if err != nil {
			return err
		}
		got, err := digestOfFile(s.blobs.uploadPath(id), u.Received)
		if err != nil {
			return err
		}
		if got != digest {
			return refuse("InvalidLayer", "Layer digest mismatch: the bytes of the upload with id '%s' have the digest %s, not %s", id, got, digest)
		}
		s.blobs.keeping.RLock()
		defer s.blobs.keeping.RUnlock()
		if err := s.blobs.keep(id, digest, u.Received); err != nil {
			return err
		}
		return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
			// The repository may have been deleted meanwhile.
			if _, err := s.repositories.Get(ctx, scope, repository); err != nil {
				return missing(err, noRepository(scope, repository))
			}
			if err := s.hold(ctx, scope, repository, digest, u.Received); err != nil {
				return err
			}
			return s.uploads.Delete(ctx, scope, id)
		})
	})
}

// cancel ends an upload and removes what it has received.
func (s *Service) cancel(ctx context.Context, scope store.Scope, repository, id string) error {
	return s.alone(repository, id, func() error {
		if _, err := s.upload(ctx, scope, repository, id); err != nil {
			return err
		}
		if err := s.uploads.Delete(ctx, scope, id); err != nil {
			return err
		}
		return s.blobs.forget(id)
	})
}

// InitiateLayerUpload begins the upload of a layer.
func (s *Service) InitiateLayerUpload(ctx context.Context, in *ecr.InitiateLayerUploadInput) (*ecr.InitiateLayerUploadOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "InitiateLayerUpload")
	if err != nil {
		return nil, err
	}
	id, err := s.startUpload(ctx, scope, r.Name)
	return &ecr.InitiateLayerUploadOutput{UploadId: &id, PartSize: aws.Int64(partSize)}, err
}

// UploadLayerPart takes the next part of a layer.
func (s *Service) UploadLayerPart(ctx context.Context, in *ecr.UploadLayerPartInput) (*ecr.UploadLayerPartOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "UploadLayerPart")
	if err != nil {
		return nil, err
	}
	id, size := aws.ToString(in.UploadId), int64(len(in.LayerPartBlob))
	first, last := aws.ToInt64(in.PartFirstByte), aws.ToInt64(in.PartLastByte)
	u, err := s.receive(ctx, scope, r.Name, id, bytes.NewReader(in.LayerPartBlob), func(u *upload) error {
		switch {
		case size == 0 || size > maxPart:
			return badParameter("layerPartBlob", "must have length between 1 and %d", maxPart)
		case first != u.Received || last != first+size-1:
			return refuse("InvalidLayerPart", "The layer part of the bytes %d to %d, of %d bytes, does not follow on the %d bytes that were received of the upload with id '%s'", first, last, size, u.Received, id)
		case u.Short:
			return refuse("InvalidLayerPart", "The part before was smaller than %d bytes, which only the last one may be", minPart)
		case u.Parts == maxParts:
			return refuse("LimitExceeded", "A layer has at most %d parts", maxParts)
		}
		u.Parts, u.Short = u.Parts+1, size < minPart
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.UploadLayerPartOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, UploadId: &id, LastByteReceived: aws.Int64(u.Received - 1)}, nil
}

// CompleteLayerUpload makes what was uploaded a layer of the repository.
func (s *Service) CompleteLayerUpload(ctx context.Context, in *ecr.CompleteLayerUploadInput) (*ecr.CompleteLayerUploadOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "CompleteLayerUpload")
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.UploadId)
	u, err := s.upload(ctx, scope, r.Name, id)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(in.LayerDigests, digestPattern().MatchString)
	switch {
	case at < 0:
		return nil, badParameter("layerDigests", "one is sha256: and 64 digits of lower-case hexadecimal")
	case u.Received == 0:
		return nil, refuse("EmptyUpload", "The upload with id '%s' has no parts", id)
	}
	digest := in.LayerDigests[at]
	if _, err := s.layer(ctx, scope, r.Name, digest, true); err == nil {
		if err := s.cancel(ctx, scope, r.Name, id); err != nil {
			return nil, err
		}
		return nil, refuse("LayerAlreadyExists", "The layer with digest '%s' already exists in the repository with name '%s' in registry with id '%s'", digest, r.Name, scope.Account)
	}
	if err := s.finish(ctx, scope, r.Name, id, digest); err != nil {
		return nil, err
	}
	return &ecr.CompleteLayerUploadOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, UploadId: &id, LayerDigest: &digest}, nil
}
