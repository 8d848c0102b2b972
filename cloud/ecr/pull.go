package ecr

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/store"
)

// maxImages is how many images one request may name.
const maxImages = 100

// pullEvery is how far the time of an image's last pull may lag behind.
const pullEvery = 24 * time.Hour

// pulled notes that an image was pulled.
func (s *Service) pulled(ctx context.Context, scope store.Scope, repository string, i image) error {
	now := s.now()
	if i.Pulled != nil && now.Sub(*i.Pulled) < pullEvery {
		return nil
	}
	_, err := s.images.Update(ctx, scope, layerID(repository, i.Digest), func(i *image) error {
		i.Pulled = &now
		return nil
	})
	return missing(err, nil)
}

// manifest reads an image's manifest.
func (s *Service) manifest(i image) ([]byte, error) {
	f, err := s.blobs.open(i.Digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func imageFailure(id types.ImageIdentifier, code types.ImageFailureCode, reason string) types.ImageFailure {
	return types.ImageFailure{ImageId: &id, FailureCode: code, FailureReason: &reason}
}

// identified finds the image that an identifier names. What is wrong with it
// is a failure of the answer.
func (s *Service) identified(ctx context.Context, scope store.Scope, repository string, id types.ImageIdentifier) (image, *types.ImageFailure, error) {
	digest, tag := aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag)
	fail := func(code types.ImageFailureCode, reason string) (image, *types.ImageFailure, error) {
		f := imageFailure(id, code, reason)
		return image{}, &f, nil
	}
	switch {
	case digest == "" && tag == "":
		return fail(types.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null")
	case digest != "" && !digestPattern().MatchString(digest):
		return fail(types.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	case tag != "" && !tagPattern().MatchString(tag):
		return fail(types.ImageFailureCodeInvalidImageTag, "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}'")
	}
	i, err := s.image(ctx, scope, repository, digest, tag)
	if errors.Is(err, store.ErrNotFound) {
		return fail(types.ImageFailureCodeImageNotFound, "Requested image not found")
	}
	if err == nil && tag != "" && digest != "" {
		if of, err := s.tagged.Get(ctx, scope, tagID(repository, tag)); missing(err, nil) != nil {
			return i, nil, err
		} else if of != digest {
			return fail(types.ImageFailureCodeImageTagDoesNotMatchDigest, "Invalid request parameters: image tag does not match image digest")
		}
	}
	return i, nil, err
}

// BatchGetImage gives manifests, as they were pushed.
func (s *Service) BatchGetImage(ctx context.Context, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "BatchGetImage")
	if err != nil {
		return nil, err
	}
	if n := len(in.ImageIds); n == 0 || n > maxImages {
		return nil, badParameter("imageIds", "must have length between 1 and %d", maxImages)
	}
	out := &ecr.BatchGetImageOutput{Images: []types.Image{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		i, failure, err := s.identified(ctx, scope, r.Name, id)
		if err != nil {
			return nil, err
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		content, err := s.manifest(i)
		if err != nil {
			return nil, err
		}
		if err := s.pulled(ctx, scope, r.Name, i); err != nil {
			return nil, err
		}
		out.Images = append(out.Images, types.Image{
			RegistryId: &scope.Account, RepositoryName: &r.Name, ImageManifest: aws.String(string(content)), ImageManifestMediaType: &i.MediaType,
			ImageId: &types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: id.ImageTag},
		})
	}
	return out, nil
}
