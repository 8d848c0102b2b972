package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func ecrKinds() []*Kind {
	return []*Kind{
		{
			Type: "AWS::ECR::Repository", NameProperty: "RepositoryName", Naming: &Naming{Max: 256, Lower: true}, Replace: []string{"RepositoryName", "EncryptionConfiguration"},
			Create: createImageRepository, Update: updateImageRepository,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, ecr.NewFromConfig).DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: &r.Physical, Force: r.Text("EmptyOnDelete") == "true"})
				return gone(err)
			},
		},
		{
			Type: "AWS::ECR::RegistryPolicy", Untagged: true, Create: putRegistryPolicy, Update: putRegistryPolicy,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, ecr.NewFromConfig).DeleteRegistryPolicy(ctx, &ecr.DeleteRegistryPolicyInput{})
				return gone(err)
			},
		},
		{
			Type: "AWS::ECR::RegistryScanningConfiguration", Untagged: true, Create: putRegistryScanning, Update: putRegistryScanning,
			Delete: func(ctx context.Context, r *Request) error { // to the default
				_, err := Client(r.Clients, ecr.NewFromConfig).PutRegistryScanningConfiguration(ctx, &ecr.PutRegistryScanningConfigurationInput{ScanType: types.ScanTypeBasic})
				return err
			},
		},
	}
}

// imageRepositoryElsewhere are the properties of a repository that
// CreateRepository does not take, or not in the template's form.
var imageRepositoryElsewhere = []string{"EmptyOnDelete", "LifecyclePolicy", "RepositoryPolicyText", "Tags", tagFilters}

const tagFilters = "ImageTagMutabilityExclusionFilters"

func createImageRepository(ctx context.Context, r *Request) (Result, error) {
	in := &ecr.CreateRepositoryInput{ImageTagMutabilityExclusionFilters: exclusionFilters(r)}
	if err := Bind(r.Properties, in, imageRepositoryElsewhere...); err != nil {
		return Result{}, err
	}
	in.RepositoryName, in.Tags = &r.Name, imageTags(r.allTags())
	client := Client(r.Clients, ecr.NewFromConfig)
	if _, err := client.CreateRepository(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return settleImageRepository(ctx, client, r)
}

func imageTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

// exclusionFilters are the filters, whose members a template calls otherwise.
func exclusionFilters(r *Request) []types.ImageTagMutabilityExclusionFilter {
	var out []types.ImageTagMutabilityExclusionFilter
	for _, item := range list(r.Properties[tagFilters]) {
		f := object(item)
		out = append(out, types.ImageTagMutabilityExclusionFilter{
			Filter:     aws.String(text(f["ImageTagMutabilityExclusionFilterValue"])),
			FilterType: types.ImageTagMutabilityExclusionFilterType(text(f["ImageTagMutabilityExclusionFilterType"])),
		})
	}
	return out
}

func updateImageRepository(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, ecr.NewFromConfig)
	in := &ecr.CreateRepositoryInput{} // for what the properties say
	if err := Bind(r.Properties, in, imageRepositoryElsewhere...); err != nil {
		return Result{}, err
	}
	if names := []string{"ImageTagMutability", tagFilters}; document(only(r.Properties, names...)) != document(only(r.Former, names...)) {
		mutability := in.ImageTagMutability
		if mutability == "" {
			mutability = types.ImageTagMutabilityMutable
		}
		if _, err := client.PutImageTagMutability(ctx, &ecr.PutImageTagMutabilityInput{
			RepositoryName: &r.Physical, ImageTagMutability: mutability, ImageTagMutabilityExclusionFilters: exclusionFilters(r),
		}); err != nil {
			return Result{}, err
		}
	}
	if name := "ImageScanningConfiguration"; document(r.Properties[name]) != document(r.Former[name]) {
		scanning := in.ImageScanningConfiguration
		if scanning == nil {
			scanning = &types.ImageScanningConfiguration{}
		}
		if _, err := client.PutImageScanningConfiguration(ctx, &ecr.PutImageScanningConfigurationInput{RepositoryName: &r.Physical, ImageScanningConfiguration: scanning}); err != nil {
			return Result{}, err
		}
	}
	arn := r.ARN("ecr", "repository/"+r.Physical)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &ecr.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &ecr.TagResourceInput{ResourceArn: &arn, Tags: imageTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return settleImageRepository(ctx, client, r)
}

// settleImageRepository brings the policies to what the properties say.
func settleImageRepository(ctx context.Context, client *ecr.Client, r *Request) (Result, error) {
	now, was := r.Properties["RepositoryPolicyText"], r.Former["RepositoryPolicyText"]
	switch {
	case now != nil && document(now) != document(was):
		if _, err := client.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{RepositoryName: &r.Physical, PolicyText: aws.String(document(now))}); err != nil {
			return Result{}, err
		}
	case now == nil && was != nil:
		if _, err := client.DeleteRepositoryPolicy(ctx, &ecr.DeleteRepositoryPolicyInput{RepositoryName: &r.Physical}); gone(err) != nil {
			return Result{}, err
		}
	}
	life, lived := text(object(r.Properties["LifecyclePolicy"])["LifecyclePolicyText"]), text(object(r.Former["LifecyclePolicy"])["LifecyclePolicyText"])
	switch {
	case life != "" && life != lived:
		if _, err := client.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &r.Physical, LifecyclePolicyText: &life}); err != nil {
			return Result{}, err
		}
	case life == "" && lived != "":
		if _, err := client.DeleteLifecyclePolicy(ctx, &ecr.DeleteLifecyclePolicyInput{RepositoryName: &r.Physical}); gone(err) != nil {
			return Result{}, err
		}
	}
	repository, err := describeImageRepository(ctx, client, r.Physical)
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Physical, Attributes: map[string]any{
		"Arn": aws.ToString(repository.RepositoryArn), "RepositoryUri": aws.ToString(repository.RepositoryUri)}}, nil
}

func describeImageRepository(ctx context.Context, client *ecr.Client, name string) (*types.Repository, error) {
	out, err := client.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	if err != nil {
		return nil, err
	}
	return &out.Repositories[0], nil
}

// readImageRepository asks how the repository is now.
func readImageRepository(ctx context.Context, r *Request) ([]any, error) {
	client := Client(r.Clients, ecr.NewFromConfig)
	repository, err := describeImageRepository(ctx, client, r.Physical)
	if err != nil {
		return nil, err
	}
	filters := []any{}
	for _, f := range repository.ImageTagMutabilityExclusionFilters {
		filters = append(filters, map[string]any{"ImageTagMutabilityExclusionFilterValue": aws.ToString(f.Filter), "ImageTagMutabilityExclusionFilterType": string(f.FilterType)})
	}
	actual := map[string]any{
		"RepositoryName": r.Physical, "ImageTagMutability": string(repository.ImageTagMutability), tagFilters: filters,
		"ImageScanningConfiguration": repository.ImageScanningConfiguration, "EncryptionConfiguration": repository.EncryptionConfiguration,
		"RepositoryPolicyText": nil, "LifecyclePolicy": nil,
	}
	policy, err := client.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &r.Physical})
	if err == nil {
		actual["RepositoryPolicyText"] = aws.ToString(policy.PolicyText)
	} else if !IsNotFound(err) {
		return nil, err
	}
	life, err := client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: &r.Physical})
	if err == nil {
		actual["LifecyclePolicy"] = map[string]any{"LifecyclePolicyText": aws.ToString(life.LifecyclePolicyText)}
	} else if !IsNotFound(err) {
		return nil, err
	}
	return []any{actual}, nil
}

func putRegistryPolicy(ctx context.Context, r *Request) (Result, error) {
	if r.Properties["PolicyText"] == nil {
		return Result{}, Sayf("Properties validation failed: #: required key [PolicyText] not found")
	}
	in := &ecr.PutRegistryPolicyInput{}
	if err := Bind(r.Properties, in); err != nil {
		return Result{}, err
	}
	_, err := Client(r.Clients, ecr.NewFromConfig).PutRegistryPolicy(ctx, in)
	return registryResult(r), err
}

func putRegistryScanning(ctx context.Context, r *Request) (Result, error) {
	in := &ecr.PutRegistryScanningConfigurationInput{}
	if err := Bind(r.Properties, in); err != nil {
		return Result{}, err
	}
	_, err := Client(r.Clients, ecr.NewFromConfig).PutRegistryScanningConfiguration(ctx, in)
	return registryResult(r), err
}

// registryResult is what is set for a whole registry: it is called as the
// account.
func registryResult(r *Request) Result {
	return Result{Physical: r.Account, Attributes: map[string]any{"RegistryId": r.Account}}
}
