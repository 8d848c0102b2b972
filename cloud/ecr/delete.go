package ecr

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/store"
)

// BatchDeleteImage deletes images by digest, and takes tags away. The image
// goes with its last tag.
func (s *Service) BatchDeleteImage(ctx context.Context, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "BatchDeleteImage")
	if err != nil {
		return nil, err
	}
	if n := len(in.ImageIds); n == 0 || n > maxImages {
		return nil, badParameter("imageIds", "must have length between 1 and %d", maxImages)
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}, Failures: []types.ImageFailure{}}
	var lost []string
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		parents, err := s.parents(ctx, scope, r.Name)
		if err != nil {
			return err
		}
		for _, id := range inOrder(in.ImageIds, parents) {
			gone, failure, err := s.deleteOne(ctx, scope, r.Name, id, parents)
			switch {
			case err != nil:
				return err
			case failure != nil:
				out.Failures = append(out.Failures, *failure)
			default:
				out.ImageIds = append(out.ImageIds, gone...)
				lost = append(lost, *gone[0].ImageDigest)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.outbox.Tell()
	return out, s.discard(ctx, lost)
}

// parents gives, for each image, the indexes that name it.
func (s *Service) parents(ctx context.Context, scope store.Scope, repository string) (map[string][]string, error) {
	all, err := s.images.List(ctx, scope, store.Query{Prefix: repository + "@"})
	parents := map[string][]string{}
	for _, e := range all {
		for _, member := range e.Value.Members {
			parents[member] = append(parents[member], e.Value.Digest)
		}
	}
	return parents, err
}

// inOrder puts what no index names before what one does, so that an index and
// its images can be deleted by one request.
func inOrder(ids []types.ImageIdentifier, parents map[string][]string) []types.ImageIdentifier {
	named := func(id types.ImageIdentifier) int { return len(parents[aws.ToString(id.ImageDigest)]) }
	ids = slices.Clone(ids)
	slices.SortStableFunc(ids, func(a, b types.ImageIdentifier) int { return min(named(a), 1) - min(named(b), 1) })
	return ids
}

// deleteOne deletes what an identifier names, and gives what is gone.
func (s *Service) deleteOne(ctx context.Context, scope store.Scope, repository string, id types.ImageIdentifier, parents map[string][]string) ([]types.ImageIdentifier, *types.ImageFailure, error) {
	i, failure, err := s.identified(ctx, scope, repository, id)
	if err != nil || failure != nil {
		return nil, failure, err
	}
	tag := aws.ToString(id.ImageTag)
	if tag != "" && len(i.Tags) > 1 {
		return []types.ImageIdentifier{{ImageDigest: &i.Digest, ImageTag: &tag}}, nil, s.untag(ctx, scope, repository, i, tag)
	}
	if of := parents[i.Digest]; len(of) > 0 {
		f := imageFailure(id, types.ImageFailureCodeImageReferencedByManifestList, fmt.Sprintf("Requested image referenced by manifest list: [%s]", strings.Join(of, ",")))
		return nil, &f, nil
	}
	for _, member := range i.Members {
		parents[member] = slices.DeleteFunc(parents[member], func(of string) bool { return of == i.Digest })
	}
	gone := []types.ImageIdentifier{}
	for _, t := range i.Tags {
		gone = append(gone, types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: &t})
	}
	if len(gone) == 0 {
		gone = append(gone, types.ImageIdentifier{ImageDigest: &i.Digest})
	}
	return gone, nil, s.remove(ctx, scope, repository, i)
}

// untag takes one of several tags from an image.
func (s *Service) untag(ctx context.Context, scope store.Scope, repository string, i image, tag string) error {
	if err := s.tagged.Delete(ctx, scope, tagID(repository, tag)); err != nil {
		return err
	}
	i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(t string) bool { return t == tag })
	if err := s.images.Put(ctx, scope, layerID(repository, i.Digest), i); err != nil {
		return err
	}
	return s.note(ctx, scope, repository, "DELETE", i, tag)
}
