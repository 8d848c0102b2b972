package ecr

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/store"
)

func noImage(scope store.Scope, repository string, id types.ImageIdentifier) error {
	return refuse("ImageNotFound", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
		cmp.Or(aws.ToString(id.ImageDigest), "null"), cmp.Or(aws.ToString(id.ImageTag), "null"), repository, scope.Account)
}

// mustFind finds the image that an identifier names, or fails.
func (s *Service) mustFind(ctx context.Context, scope store.Scope, repository string, id types.ImageIdentifier) (image, error) {
	i, failure, err := s.identified(ctx, scope, repository, id)
	switch {
	case err != nil || failure == nil:
		return i, err
	case failure.FailureCode == types.ImageFailureCodeImageNotFound:
		return i, noImage(scope, repository, id)
	}
	return i, badParameter("imageIds", "%s", *failure.FailureReason)
}

// detail tells of an image, with the tags in the order in which they are told.
func (i image) detail(scope store.Scope, repository string) types.ImageDetail {
	d := types.ImageDetail{
		RegistryId: aws.String(scope.Account), RepositoryName: &repository, ImageDigest: &i.Digest, ImageTags: i.Tags,
		ImageSizeInBytes: &i.Size, ImagePushedAt: &i.Pushed, ImageManifestMediaType: &i.MediaType, LastRecordedPullTime: i.Pulled,
		ImageStatus: types.ImageStatusActive,
	}
	if i.ArtifactType != "" {
		d.ArtifactMediaType = &i.ArtifactType
	}
	if i.Subject != "" {
		d.SubjectManifestDigest = &i.Subject
	}
	return d
}

// shows tells whether a filter lets the image through. Everything here is
// active: there is no archive.
func shows(tags types.TagStatus, status types.ImageStatusFilter, i image) bool {
	if status != "" && status != types.ImageStatusFilterActive && status != types.ImageStatusFilterAny {
		return false
	}
	return tags == "" || tags == types.TagStatusAny || (tags == types.TagStatusTagged) == (len(i.Tags) > 0)
}

// DescribeImages tells of the images that are named, or of all.
func (s *Service) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "DescribeImages")
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}}
	filter := types.DescribeImagesFilter{}
	if in.Filter != nil {
		filter = *in.Filter
	}
	if len(in.ImageIds) > 0 {
		if in.MaxResults != nil || in.NextToken != nil || len(in.ImageIds) > maxImages {
			return nil, badParameter("imageIds", "at most %d images, and neither maxResults nor nextToken with them", maxImages)
		}
		for _, id := range in.ImageIds {
			i, err := s.mustFind(ctx, scope, r.Name, id)
			if err != nil {
				return nil, err
			}
			if shows(filter.TagStatus, filter.ImageStatus, i) {
				out.ImageDetails = append(out.ImageDetails, i.detail(scope, r.Name))
			}
		}
		return out, nil
	}
	images, next, err := s.pageOfImages(ctx, scope, r.Name, in.MaxResults, in.NextToken, func(i image) bool { return shows(filter.TagStatus, filter.ImageStatus, i) })
	for _, i := range images {
		out.ImageDetails = append(out.ImageDetails, i.detail(scope, r.Name))
	}
	out.NextToken = next
	return out, err
}

// pageOfImages gives a page of a repository's images, by digest.
func (s *Service) pageOfImages(ctx context.Context, scope store.Scope, repository string, size *int32, token *string, shown func(image) bool) ([]image, *string, error) {
	p, err := pageOf(size, token)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.images.List(ctx, scope, store.Query{Prefix: repository + "@"})
	if err != nil {
		return nil, nil, err
	}
	images := []image{}
	for _, e := range all {
		if shown(e.Value) {
			images = append(images, e.Value)
		}
	}
	images, next := cut(p, images, func(i image) string { return i.Digest })
	return images, next, nil
}

// ListImages gives the identifiers of images: each tag is one, and each image
// without a tag.
func (s *Service) ListImages(ctx context.Context, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "ListImages")
	if err != nil {
		return nil, err
	}
	filter := types.ListImagesFilter{}
	if in.Filter != nil {
		filter = *in.Filter
	}
	p, err := pageOf(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := s.images.List(ctx, scope, store.Query{Prefix: r.Name + "@"})
	if err != nil {
		return nil, err
	}
	ids := []types.ImageIdentifier{}
	for _, e := range all {
		if !shows(filter.TagStatus, filter.ImageStatus, e.Value) {
			continue
		}
		for _, tag := range e.Value.Tags {
			ids = append(ids, types.ImageIdentifier{ImageDigest: &e.Value.Digest, ImageTag: &tag})
		}
		if len(e.Value.Tags) == 0 {
			ids = append(ids, types.ImageIdentifier{ImageDigest: &e.Value.Digest})
		}
	}
	key := func(id types.ImageIdentifier) string { return *id.ImageDigest + " " + aws.ToString(id.ImageTag) }
	ids, next := cut(p, ids, key)
	return &ecr.ListImagesOutput{ImageIds: ids, NextToken: next}, nil
}

// ListImageReferrers gives what refers to an image: signatures, lists of its
// parts, and the like.
func (s *Service) ListImageReferrers(ctx context.Context, in *ecr.ListImageReferrersInput) (*ecr.ListImageReferrersOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "ListImageReferrers")
	if err != nil {
		return nil, err
	}
	if in.SubjectId == nil || !digestPattern().MatchString(aws.ToString(in.SubjectId.ImageDigest)) {
		return nil, badParameter("subjectId", "must have the digest of an image")
	}
	images, next, err := s.pageOfImages(ctx, scope, r.Name, in.MaxResults, in.NextToken, func(i image) bool {
		if f := in.Filter; f != nil {
			other := f.ArtifactStatus != "" && f.ArtifactStatus != types.ArtifactStatusFilterActive && f.ArtifactStatus != types.ArtifactStatusFilterAny
			if other || len(f.ArtifactTypes) > 0 && !slices.Contains(f.ArtifactTypes, i.ArtifactType) {
				return false
			}
		}
		return i.Subject == *in.SubjectId.ImageDigest
	})
	out := &ecr.ListImageReferrersOutput{Referrers: []types.ImageReferrer{}, NextToken: next}
	for _, i := range images {
		out.Referrers = append(out.Referrers, types.ImageReferrer{
			Digest: &i.Digest, MediaType: &i.MediaType, ArtifactType: &i.ArtifactType, Size: &i.Manifest, Annotations: i.Annotations, ArtifactStatus: types.ArtifactStatusActive,
		})
	}
	return out, err
}
