package ecr

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/store"
)

// image is an image of a repository, or an index of images.
type image struct {
	Digest       string
	MediaType    string
	ArtifactType string            `json:",omitempty"`
	Size         int64             // of its layers; of an index, of the largest of its images
	Manifest     int64             // bytes of the manifest
	Blobs        []string          `json:",omitempty"`
	Members      []string          `json:",omitempty"` // of an index, by digest
	Subject      string            `json:",omitempty"`
	Annotations  map[string]string `json:",omitempty"`
	Tags         []string          `json:",omitempty"` // sorted
	Pushed       time.Time
	Pulled       *time.Time `json:",omitempty"`
}

// maxImageTags is how many tags an image can have.
const maxImageTags = 1000

func tagID(repository, tag string) string { return repository + ":" + tag }

// push is an image on its way into a repository.
type push struct {
	scope      store.Scope
	repository string
	content    []byte // of the manifest
	mediaType  string // as the client says it
	tag        string // "" for none
	again      bool   // whether an image with that tag may be pushed once more
}

// put enters an image. What it consists of must be there.
func (s *Service) put(ctx context.Context, p push) (image, error) {
	m, err := readManifest(p.content, p.mediaType)
	if err != nil {
		return image{}, err
	}
	if p.tag != "" && !tagPattern().MatchString(p.tag) {
		return image{}, badParameter("imageTag", "must have 1 to 300 letters, digits and characters of . _ -, of which the first is neither . nor -")
	}
	i, err := s.write(ctx, p, m.newImage(p.content))
	if err != nil {
		// Somebody else's image may have the same manifest.
		return i, errors.Join(err, s.discardOne(context.WithoutCancel(ctx), i.Digest))
	}
	s.outbox.Tell()
	s.expireSoon(ctx, p.scope, p.repository)
	return i, nil
}

// write keeps the manifest and writes the records.
func (s *Service) write(ctx context.Context, p push, i image) (image, error) {
	s.blobs.keeping.RLock()
	defer s.blobs.keeping.RUnlock()
	if err := s.blobs.write(s.host.NewID(), i.Digest, p.content); err != nil {
		return i, err
	}
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) (err error) {
		i, err = s.enter(ctx, p, i)
		return err
	})
	return i, err
}

// enter writes the records of an image that is pushed.
func (s *Service) enter(ctx context.Context, p push, i image) (image, error) {
	r, err := s.repositories.Get(ctx, p.scope, p.repository)
	if err != nil {
		return i, missing(err, noRepository(p.scope, p.repository))
	}
	if err := s.complete(ctx, p, &i); err != nil {
		return i, err
	}
	i.Pushed = s.now()
	was, err := s.images.Get(ctx, p.scope, layerID(p.repository, i.Digest))
	switch {
	case err == nil:
		i.Tags, i.Pushed, i.Pulled = was.Tags, was.Pushed, was.Pulled
	case !errors.Is(err, store.ErrNotFound):
		return i, err
	}
	if p.tag != "" || was.Digest == "" {
		if err := s.tag(ctx, r, p, &i); err != nil {
			return i, err
		}
	} else if !p.again {
		return i, refuse("ImageAlreadyExists", "Image with digest '%s' already exists in the repository with name '%s' in registry with id '%s'", i.Digest, p.repository, p.scope.Account)
	}
	if err := s.held.Put(ctx, store.Scope{}, imageHolder(p.scope, p.repository, i.Digest), true); err != nil {
		return i, err
	}
	if err := s.images.Put(ctx, p.scope, layerID(p.repository, i.Digest), i); err != nil {
		return i, err
	}
	return i, s.note(ctx, p.scope, p.repository, "PUSH", i, p.tag)
}

// complete checks that the repository has what the image consists of, and sums
// an index up.
func (s *Service) complete(ctx context.Context, p push, i *image) error {
	var absent []string
	for _, digest := range i.Blobs {
		if _, err := s.layers.Get(ctx, p.scope, layerID(p.repository, digest)); errors.Is(err, store.ErrNotFound) {
			absent = append(absent, digest)
		} else if err != nil {
			return err
		}
	}
	if len(absent) > 0 {
		return absentLayers(p.scope, p.repository, absent)
	}
	for _, digest := range i.Members {
		member, err := s.images.Get(ctx, p.scope, layerID(p.repository, digest))
		if errors.Is(err, store.ErrNotFound) {
			absent = append(absent, digest)
		} else if err != nil {
			return err
		}
		i.Size = max(i.Size, member.Size)
	}
	if len(absent) > 0 {
		return absentImages(p.scope, p.repository, absent)
	}
	return nil
}

// tag moves the push's tag, if it has one, to the image.
func (s *Service) tag(ctx context.Context, r repository, p push, i *image) error {
	if p.tag == "" {
		return nil
	}
	digest, err := s.tagged.Get(ctx, p.scope, tagID(p.repository, p.tag))
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	case r.fixes(p.tag): // on AWS also when it is the tag of the same image
		return refuse("ImageTagAlreadyExists", "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", p.tag, p.repository)
	case digest == i.Digest && p.again:
		return nil
	case digest == i.Digest:
		return refuse("ImageAlreadyExists", "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", i.Digest, p.tag, p.repository, p.scope.Account)
	default:
		_, err := s.images.Update(ctx, p.scope, layerID(p.repository, digest), func(old *image) error {
			old.Tags = slices.DeleteFunc(old.Tags, func(t string) bool { return t == p.tag })
			return nil
		})
		if err := missing(err, nil); err != nil {
			return err
		}
	}
	if len(i.Tags) == maxImageTags {
		return refuse("LimitExceeded", "An image has at most %d tags", maxImageTags)
	}
	i.Tags = append(i.Tags, p.tag)
	slices.Sort(i.Tags)
	return s.tagged.Put(ctx, p.scope, tagID(p.repository, p.tag), i.Digest)
}

// remove deletes the records of an image, and notes the event.
func (s *Service) remove(ctx context.Context, scope store.Scope, repository string, i image) error {
	for _, tag := range i.Tags {
		if err := missing(s.tagged.Delete(ctx, scope, tagID(repository, tag)), nil); err != nil {
			return err
		}
	}
	err := errors.Join(
		missing(s.images.Delete(ctx, scope, layerID(repository, i.Digest)), nil),
		missing(s.held.Delete(ctx, store.Scope{}, imageHolder(scope, repository, i.Digest)), nil))
	if err != nil {
		return err
	}
	tags := i.Tags
	if len(tags) == 0 {
		tags = []string{""}
	}
	for _, tag := range tags {
		if err := s.note(ctx, scope, repository, "DELETE", i, tag); err != nil {
			return err
		}
	}
	return nil
}

// image gives an image by digest, tag, or both.
func (s *Service) image(ctx context.Context, scope store.Scope, repository, digest, tag string) (image, error) {
	if digest == "" {
		var err error
		if digest, err = s.tagged.Get(ctx, scope, tagID(repository, tag)); err != nil {
			return image{}, err
		}
	}
	return s.images.Get(ctx, scope, layerID(repository, digest))
}

// PutImage enters an image whose layers are there.
func (s *Service) PutImage(ctx context.Context, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "PutImage")
	if err != nil {
		return nil, err
	}
	content, digest := []byte(aws.ToString(in.ImageManifest)), aws.ToString(in.ImageDigest)
	if digest != "" && digest != digestOf(content) {
		return nil, refuse("ImageDigestDoesNotMatch", "The provided digest '%s' does not match the digest '%s' of the manifest", digest, digestOf(content))
	}
	i, err := s.put(ctx, push{scope: scope, repository: r.Name, content: content, mediaType: aws.ToString(in.ImageManifestMediaType), tag: aws.ToString(in.ImageTag)})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageOutput{Image: &types.Image{
		RegistryId: &scope.Account, RepositoryName: &r.Name, ImageManifest: in.ImageManifest, ImageManifestMediaType: &i.MediaType,
		ImageId: &types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageTag},
	}}, nil
}
