package ecr

import (
	"context"
	"errors"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/store"
)

// layer is a blob of a repository: a layer of an image, or its configuration.
type layer struct {
	Size int64
	Used time.Time // when it was pushed, or a client that pushes was told that it is there
}

func layerID(repository, digest string) string { return repository + "@" + digest }

func holder(scope store.Scope, repository, digest string) string {
	return digest + "/" + scope.Account + "/" + scope.Region + "/" + repository
}

// imageHolder is the holder of an image's manifest.
func imageHolder(scope store.Scope, repository, digest string) string {
	return holder(scope, repository, digest) + "@"
}

// hold enters a blob into a repository.
func (s *Service) hold(ctx context.Context, scope store.Scope, repository, digest string, size int64) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.held.Put(ctx, store.Scope{}, holder(scope, repository, digest), true); err != nil {
			return err
		}
		return s.layers.Put(ctx, scope, layerID(repository, digest), layer{Size: size, Used: s.now()})
	})
}

// drop takes a blob out of a repository. Its file is left to discard.
func (s *Service) drop(ctx context.Context, scope store.Scope, repository, digest string) error {
	return errors.Join(
		missing(s.layers.Delete(ctx, scope, layerID(repository, digest)), nil),
		missing(s.held.Delete(ctx, store.Scope{}, holder(scope, repository, digest)), nil))
}

// discard removes the files of those digests that no repository holds.
func (s *Service) discard(ctx context.Context, digests []string) error {
	var errs []error
	for _, digest := range digests {
		errs = append(errs, s.discardOne(ctx, digest))
	}
	return errors.Join(errs...)
}

func (s *Service) discardOne(ctx context.Context, digest string) error {
	s.blobs.keeping.Lock()
	defer s.blobs.keeping.Unlock()
	list, err := s.held.List(ctx, store.Scope{}, store.Query{Prefix: digest + "/", Limit: 1})
	if err != nil || len(list) > 0 {
		return err
	}
	return unlessGone(os.Remove(s.blobs.path(digest)))
}

// promise is how long a client that was told that a layer is there may take to
// push the image that needs it. After that, a layer without an image goes.
const promise = 24 * time.Hour

// layer gives a blob of a repository. With renew it is kept for an image that
// is about to be pushed.
func (s *Service) layer(ctx context.Context, scope store.Scope, repository, digest string, renew bool) (layer, error) {
	l, err := s.layers.Get(ctx, scope, layerID(repository, digest))
	if err != nil || !renew || s.now().Sub(l.Used) < promise/24 {
		return l, err
	}
	return s.layers.Update(ctx, scope, layerID(repository, digest), func(l *layer) error {
		l.Used = s.now()
		return nil
	})
}

// maxDigests is how many layers one request may ask about.
const maxDigests = 100

// BatchCheckLayerAvailability tells which layers a repository has.
func (s *Service) BatchCheckLayerAvailability(ctx context.Context, in *ecr.BatchCheckLayerAvailabilityInput) (*ecr.BatchCheckLayerAvailabilityOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "BatchCheckLayerAvailability")
	if err != nil {
		return nil, err
	}
	if n := len(in.LayerDigests); n == 0 || n > maxDigests {
		return nil, badParameter("layerDigests", "must have length between 1 and %d", maxDigests)
	}
	out := &ecr.BatchCheckLayerAvailabilityOutput{Layers: []types.Layer{}, Failures: []types.LayerFailure{}}
	for _, digest := range in.LayerDigests {
		if !digestPattern().MatchString(digest) {
			out.Failures = append(out.Failures, types.LayerFailure{
				LayerDigest: &digest, FailureCode: types.LayerFailureCodeInvalidLayerDigest,
				FailureReason: aws.String("Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
			})
			continue
		}
		l, err := s.layer(ctx, scope, r.Name, digest, true)
		switch {
		case errors.Is(err, store.ErrNotFound):
			out.Layers = append(out.Layers, types.Layer{LayerDigest: &digest, LayerAvailability: types.LayerAvailabilityUnavailable})
		case err != nil:
			return nil, err
		default:
			out.Layers = append(out.Layers, types.Layer{LayerDigest: &digest, LayerAvailability: types.LayerAvailabilityAvailable, LayerSize: &l.Size, MediaType: aws.String("application/vnd.docker.image.rootfs.diff.tar.gzip")})
		}
	}
	return out, nil
}

// GetDownloadUrlForLayer gives a URL from which a layer can be read for an
// hour, without a signature or a password.
func (s *Service) GetDownloadUrlForLayer(ctx context.Context, in *ecr.GetDownloadUrlForLayerInput) (*ecr.GetDownloadUrlForLayerOutput, error) { //nolint:revive // the operation is called so
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "GetDownloadUrlForLayer")
	if err != nil {
		return nil, err
	}
	digest := aws.ToString(in.LayerDigest)
	if !digestPattern().MatchString(digest) {
		return nil, badParameter("layerDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	}
	if _, err := s.layer(ctx, scope, r.Name, digest, false); err != nil {
		return nil, missing(err, noLayers(scope, r.Name, digest))
	}
	ticket, err := s.seal(claims{Scope: scope, Layer: layerID(r.Name, digest), Expires: s.now().Add(downloadLife)}, bindDownload)
	if err != nil {
		return nil, err
	}
	return &ecr.GetDownloadUrlForLayerOutput{LayerDigest: &digest, DownloadUrl: aws.String(s.host.Endpoint() + downloads + digest + "?ticket=" + url.QueryEscape(ticket))}, nil
}

// downloadLife is how long the URL of a layer can be used, as on AWS.
const downloadLife = time.Hour

func noLayers(scope store.Scope, repository, digest string) error {
	return refuse("LayersNotFound", "The layer with digest '%s' does not exist in the repository with name '%s' in the registry with id '%s'", digest, repository, scope.Account)
}
