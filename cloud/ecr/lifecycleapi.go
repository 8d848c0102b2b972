package ecr

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

func noLifecycle(scope store.Scope, repository string) error {
	return refuse("LifecyclePolicyNotFound", "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", repository, scope.Account)
}

// PutLifecyclePolicy sets a repository's lifecycle policy, and applies it.
func (s *Service) PutLifecyclePolicy(ctx context.Context, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	text := aws.ToString(in.LifecyclePolicyText)
	if _, err := readLifecycle(text); err != nil {
		return nil, err
	}
	scope, r, err := s.change(ctx, in.RegistryId, in.RepositoryName, "PutLifecyclePolicy", func(r *repository) error {
		r.Lifecycle = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.expireSoon(ctx, scope, r.Name)
	return &ecr.PutLifecyclePolicyOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &text}, nil
}

// GetLifecyclePolicy gives a repository's lifecycle policy.
func (s *Service) GetLifecyclePolicy(ctx context.Context, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "GetLifecyclePolicy")
	if err == nil && r.Lifecycle == "" {
		err = noLifecycle(scope, r.Name)
	}
	return &ecr.GetLifecyclePolicyOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &r.Lifecycle, LastEvaluatedAt: &r.Evaluated}, err
}

// DeleteLifecyclePolicy takes a repository's lifecycle policy away.
func (s *Service) DeleteLifecyclePolicy(ctx context.Context, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	var was repository
	scope, r, err := s.change(ctx, in.RegistryId, in.RepositoryName, "DeleteLifecyclePolicy", func(r *repository) error {
		if r.Lifecycle == "" {
			return noLifecycle(store.Scope{Account: cmp.Or(aws.ToString(in.RegistryId), door.CallerFrom(ctx).Account)}, r.Name)
		}
		was, r.Lifecycle = *r, ""
		return nil
	})
	return &ecr.DeleteLifecyclePolicyOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &was.Lifecycle, LastEvaluatedAt: &was.Evaluated}, err
}

// preview is what a lifecycle policy would do.
type preview struct {
	Text    string
	Results []previewed
}

type previewed struct {
	Digest string
	Tags   []string `json:",omitempty"`
	Pushed time.Time
	Rule   int32
}

// StartLifecyclePolicyPreview looks what a lifecycle policy, given or the
// repository's own, would do now.
func (s *Service) StartLifecyclePolicyPreview(ctx context.Context, in *ecr.StartLifecyclePolicyPreviewInput) (*ecr.StartLifecyclePolicyPreviewOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "StartLifecyclePolicyPreview")
	if err != nil {
		return nil, err
	}
	text := cmp.Or(aws.ToString(in.LifecyclePolicyText), r.Lifecycle)
	if text == "" {
		return nil, noLifecycle(scope, r.Name)
	}
	rules, err := readLifecycle(text)
	if err != nil {
		return nil, err
	}
	images, err := s.all(ctx, scope, r.Name)
	if err != nil {
		return nil, err
	}
	p := preview{Text: text}
	for _, e := range evaluate(rules, images, s.now()) {
		p.Results = append(p.Results, previewed{Digest: e.image.Digest, Tags: e.image.Tags, Pushed: e.image.Pushed, Rule: e.rule})
	}
	if err := s.previews.Put(ctx, scope, r.Name, p); err != nil {
		return nil, err
	}
	return &ecr.StartLifecyclePolicyPreviewOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &text, Status: types.LifecyclePolicyPreviewStatusInProgress}, nil
}

// GetLifecyclePolicyPreview gives what StartLifecyclePolicyPreview found.
func (s *Service) GetLifecyclePolicyPreview(ctx context.Context, in *ecr.GetLifecyclePolicyPreviewInput) (*ecr.GetLifecyclePolicyPreviewOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "GetLifecyclePolicyPreview")
	if err != nil {
		return nil, err
	}
	found, err := s.previews.Get(ctx, scope, r.Name)
	if err != nil {
		return nil, missing(err, refuse("LifecyclePolicyPreviewNotFound", "Lifecycle policy preview does not exist for the repository with name '%s' in the registry with id '%s'", r.Name, scope.Account))
	}
	if len(in.ImageIds) > 0 && (in.MaxResults != nil || in.NextToken != nil || len(in.ImageIds) > maxImages) {
		return nil, badParameter("imageIds", "at most %d images, and neither maxResults nor nextToken with them", maxImages)
	}
	p, err := pageOf(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	shown := found.shown(in.ImageIds, in.Filter)
	total := int32(len(found.Results))
	out := &ecr.GetLifecyclePolicyPreviewOutput{
		RegistryId: &scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &found.Text, Status: types.LifecyclePolicyPreviewStatusComplete,
		PreviewResults: []types.LifecyclePolicyPreviewResult{}, Summary: &types.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: &total},
	}
	shown, out.NextToken = cut(p, shown, func(r previewed) string { return r.Digest })
	for _, r := range shown {
		out.PreviewResults = append(out.PreviewResults, types.LifecyclePolicyPreviewResult{
			Action: &types.LifecyclePolicyRuleAction{Type: types.ImageActionTypeExpire}, AppliedRulePriority: &r.Rule,
			ImageDigest: &r.Digest, ImagePushedAt: &r.Pushed, ImageTags: r.Tags, StorageClass: types.LifecyclePolicyStorageClassStandard,
		})
	}
	return out, nil
}

// shown are the results that a request wants to see, by digest.
func (p preview) shown(ids []types.ImageIdentifier, filter *types.LifecyclePolicyPreviewFilter) []previewed {
	out := []previewed{}
	for _, r := range p.Results {
		named := len(ids) == 0 || slices.ContainsFunc(ids, func(id types.ImageIdentifier) bool {
			return aws.ToString(id.ImageDigest) == r.Digest || id.ImageTag != nil && slices.Contains(r.Tags, *id.ImageTag)
		})
		if named && (filter == nil || shows(filter.TagStatus, "", image{Tags: r.Tags})) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b previewed) int { return cmp.Compare(a.Digest, b.Digest) })
	return out
}

// all are the images of a repository.
func (s *Service) all(ctx context.Context, scope store.Scope, repository string) ([]image, error) {
	list, err := s.images.List(ctx, scope, store.Query{Prefix: repository + "@"})
	images := make([]image, len(list))
	for i, e := range list {
		images[i] = e.Value
	}
	return images, err
}
