package ecr

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// repository is a repository's settings.
type repository struct {
	Name       string
	Created    time.Time
	Mutability types.ImageTagMutability
	Exclusions []types.ImageTagMutabilityExclusionFilter `json:",omitempty"`
	ScanOnPush bool
	Encryption types.EncryptionConfiguration
	Tags       []types.Tag `json:",omitempty"`
	Policy     string      `json:",omitempty"`
	Lifecycle  string      `json:",omitempty"`
	Evaluated  time.Time   // when the lifecycle policy was applied last
}

func noRepository(scope store.Scope, name string) error {
	return refuse("RepositoryNotFound", "The repository with name '%s' does not exist in the registry with id '%s'", name, scope.Account)
}

// find gives the repository that a request is about, and its scope. A caller
// of another account needs the repository's leave for the action.
func (s *Service) find(ctx context.Context, registryID, name *string, action string) (store.Scope, repository, error) {
	scope, err := scopeOf(ctx, registryID)
	if err != nil {
		return scope, repository{}, err
	}
	n, err := repositoryNameOf(name)
	if err != nil {
		return scope, repository{}, err
	}
	r, err := s.repositories.Get(ctx, scope, n)
	if err != nil {
		return scope, r, missing(err, noRepository(scope, n))
	}
	return scope, r, s.permit(ctx, scope, r, action)
}

// change changes a repository.
func (s *Service) change(ctx context.Context, registryID, name *string, action string, how func(*repository) error) (store.Scope, repository, error) {
	scope, r, err := s.find(ctx, registryID, name, action)
	if err != nil {
		return scope, r, err
	}
	r, err = s.repositories.Update(ctx, scope, r.Name, how)
	return scope, r, missing(err, noRepository(scope, aws.ToString(name)))
}

// CreateRepository makes a repository.
func (s *Service) CreateRepository(ctx context.Context, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	scope, err := scopeOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	name, err := repositoryNameOf(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	r := repository{Name: name, Created: s.now()}
	if scope != door.CallerFrom(ctx).Scope() {
		return nil, denied(ctx, "CreateRepository", arnOf(scope, name))
	}
	if r.Tags, err = setTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if r.Mutability, r.Exclusions, err = mutabilityOf(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	if r.Encryption, err = encryptionOf(ctx, in.EncryptionConfiguration); err != nil {
		return nil, err
	}
	r.ScanOnPush = in.ImageScanningConfiguration != nil && in.ImageScanningConfiguration.ScanOnPush
	err = s.repositories.Insert(ctx, scope, name, r)
	if errors.Is(err, store.ErrExists) {
		err = refuse("RepositoryAlreadyExists", "The repository with name '%s' already exists in the registry with id '%s'", name, scope.Account)
	}
	if err != nil {
		return nil, err
	}
	return &ecr.CreateRepositoryOutput{Repository: s.describe(scope, r)}, nil
}

// encryptionOf reads how a repository says that it encrypts. It is kept; files
// of this machine are not encrypted by it.
func encryptionOf(ctx context.Context, in *types.EncryptionConfiguration) (types.EncryptionConfiguration, error) {
	if in == nil {
		return types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256}, nil
	}
	out := *in
	switch in.EncryptionType {
	case types.EncryptionTypeAes256:
		if in.KmsKey != nil {
			return out, badParameter("encryptionConfiguration", "a KMS key needs the encryption type KMS")
		}
	case types.EncryptionTypeKms, types.EncryptionTypeKmsDsse:
		if in.KmsKey == nil {
			out.KmsKey = aws.String(door.CallerFrom(ctx).ResourceARN("kms", "alias/aws/ecr"))
		}
	default:
		return out, badParameter("encryptionType", "must be AES256, KMS or KMS_DSSE")
	}
	return out, nil
}

func (s *Service) describe(scope store.Scope, r repository) *types.Repository {
	return &types.Repository{
		RepositoryArn: aws.String(arnOf(scope, r.Name)), RegistryId: aws.String(scope.Account), RepositoryName: aws.String(r.Name),
		RepositoryUri: aws.String(s.uri(r.Name)), CreatedAt: aws.Time(r.Created), ImageTagMutability: r.Mutability,
		ImageTagMutabilityExclusionFilters: r.Exclusions, EncryptionConfiguration: &r.Encryption,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: r.ScanOnPush},
	}
}

// maxNames is how many repositories one request may name.
const maxNames = 100

// DescribeRepositories tells of the repositories that are named, or of all.
func (s *Service) DescribeRepositories(ctx context.Context, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	out := &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}}
	if len(in.RepositoryNames) > 0 {
		if in.MaxResults != nil || in.NextToken != nil || len(in.RepositoryNames) > maxNames {
			return nil, badParameter("repositoryNames", "at most %d names, and neither maxResults nor nextToken with them", maxNames)
		}
		for _, name := range in.RepositoryNames {
			scope, r, err := s.find(ctx, in.RegistryId, &name, "DescribeRepositories")
			if err != nil {
				return nil, err
			}
			out.Repositories = append(out.Repositories, *s.describe(scope, r))
		}
		return out, nil
	}
	p, err := pageOf(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	scope, err := scopeOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if scope != door.CallerFrom(ctx).Scope() {
		return nil, denied(ctx, "DescribeRepositories", arnOf(scope, "*"))
	}
	all, err := s.repositories.List(ctx, scope, store.Query{After: p.after, Limit: p.size + 1})
	if err != nil {
		return nil, err
	}
	all, out.NextToken = cut(p, all, func(e store.Entry[repository]) string { return e.ID })
	for _, e := range all {
		out.Repositories = append(out.Repositories, *s.describe(scope, e.Value))
	}
	return out, nil
}

// DeleteRepository deletes a repository; one with images only by force.
func (s *Service) DeleteRepository(ctx context.Context, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "DeleteRepository")
	if err != nil {
		return nil, err
	}
	var lost []string
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		images, err := s.images.List(ctx, scope, store.Query{Prefix: r.Name + "@"})
		if err != nil {
			return err
		}
		if len(images) > 0 && !in.Force {
			return refuse("RepositoryNotEmpty", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", r.Name, scope.Account)
		}
		if lost, err = s.empty(ctx, scope, r.Name, images); err != nil {
			return err
		}
		if err := missing(s.previews.Delete(ctx, scope, r.Name), nil); err != nil {
			return err
		}
		return missing(s.repositories.Delete(ctx, scope, r.Name), noRepository(scope, r.Name))
	})
	if err != nil {
		return nil, err
	}
	s.outbox.Tell()
	return &ecr.DeleteRepositoryOutput{Repository: s.describe(scope, r)}, s.discard(ctx, lost)
}

// empty deletes all that a repository holds, and gives the digests that it
// held.
func (s *Service) empty(ctx context.Context, scope store.Scope, name string, images []store.Entry[image]) (lost []string, err error) {
	for _, e := range images {
		if err := s.remove(ctx, scope, name, e.Value); err != nil {
			return nil, err
		}
		lost = append(lost, e.Value.Digest)
	}
	layers, err := s.layers.List(ctx, scope, store.Query{Prefix: name + "@"})
	for _, e := range layers {
		digest := e.ID[len(name)+1:]
		err = errors.Join(err, s.drop(ctx, scope, name, digest))
		lost = append(lost, digest)
	}
	return lost, err
}
