package cloudformation_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// TestImageRepositories takes a stack with a repository of images and the
// registry's own settings through its life.
func TestImageRepositories(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	client := ecr.NewFromConfig(w.Config)
	allow := func(action string) map[string]any {
		return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Sid": "S", "Effect": "Allow", "Principal": map[string]any{"AWS": "111111111111"}, "Action": action}}}
	}
	const life = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9}, "action": {"type": "expire"}}]}`
	full := map[string]any{
		"RepositoryName": "shop", "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "ImageScanningConfiguration": map[string]any{"ScanOnPush": "true"},
		"ImageTagMutabilityExclusionFilters": []any{map[string]any{"ImageTagMutabilityExclusionFilterType": "WILDCARD", "ImageTagMutabilityExclusionFilterValue": "latest*"}},
		"RepositoryPolicyText":               allow("ecr:BatchGetImage"), "LifecyclePolicy": map[string]any{"LifecyclePolicyText": life},
		"Tags": []any{map[string]any{"Key": "k", "Value": "v"}},
	}
	body := func(properties map[string]any) string {
		return template(t, map[string]any{
			"Shop":     map[string]any{"Type": "AWS::ECR::Repository", "Properties": properties},
			"Nameless": map[string]any{"Type": "AWS::ECR::Repository"},
			"Policy":   map[string]any{"Type": "AWS::ECR::RegistryPolicy", "Properties": map[string]any{"PolicyText": allow("ecr:ReplicateImage")}},
			"Scans": map[string]any{"Type": "AWS::ECR::RegistryScanningConfiguration", "Properties": map[string]any{"ScanType": "BASIC", "Rules": []any{map[string]any{
				"ScanFrequency": "SCAN_ON_PUSH", "RepositoryFilters": []any{map[string]any{"Filter": "*", "FilterType": "WILDCARD"}}}}}},
		}, "Outputs", map[string]any{"Uri": value(getAtt("Shop", "RepositoryUri")), "Arn": value(getAtt("Shop", "Arn")), "Name": value(ref("Shop")), "Registry": value(ref("Policy"))})
	}
	s := w.create("s", body(full))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	host := strings.TrimPrefix(w.URL, "http://")
	if out := outputs(s); out["Uri"] != host+"/shop" || out["Arn"] != "arn:aws:ecr:us-east-1:000000000000:repository/shop" || out["Name"] != "shop" || out["Registry"] != "000000000000" {
		t.Errorf("outputs %v", out)
	}
	if name := w.physical("s", "Nameless"); !strings.HasPrefix(name, "s-nameless-") {
		t.Errorf("the repository without a name is called %q", name)
	}
	look := func() ecrtypes.Repository {
		out, err := client.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"shop"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Repositories[0]
	}
	if r := look(); r.ImageTagMutability != ecrtypes.ImageTagMutabilityImmutableWithExclusion || *r.ImageTagMutabilityExclusionFilters[0].Filter != "latest*" || !r.ImageScanningConfiguration.ScanOnPush {
		t.Errorf("the repository is %+v", r)
	}
	w.drift("s")
	for logical, how := range w.drifts("s") {
		if how != "IN_SYNC" {
			t.Errorf("%s is %s at once", logical, how)
		}
	}
	if _, err := client.PutImageTagMutability(ctx, &ecr.PutImageTagMutabilityInput{RepositoryName: aws.String("shop"), ImageTagMutability: ecrtypes.ImageTagMutabilityMutable}); err != nil {
		t.Fatal(err)
	}
	w.drift("s")
	if how := w.drifts("s")["Shop"]; !strings.HasPrefix(how, "MODIFIED /ImageTagMutability NOT_EQUAL IMMUTABLE_WITH_EXCLUSION MUTABLE") {
		t.Errorf("the repository that somebody changed is %s", how)
	}

	plain := map[string]any{"RepositoryName": "shop"}
	if s := w.update("s", body(plain)); s.StackStatus != types.StackStatusUpdateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if r := look(); r.ImageTagMutability != ecrtypes.ImageTagMutabilityMutable || len(r.ImageTagMutabilityExclusionFilters) > 0 || r.ImageScanningConfiguration.ScanOnPush {
		t.Errorf("the repository without properties is %+v", r)
	}
	if _, err := client.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String("shop")}); err == nil {
		t.Error("the policy stays")
	}
	if _, err := client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: aws.String("shop")}); err == nil {
		t.Error("the lifecycle policy stays")
	}

	// An image keeps its repository, unless the template says otherwise.
	index := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
	if _, err := client.PutImage(ctx, &ecr.PutImageInput{RepositoryName: aws.String("shop"), ImageManifest: &index, ImageTag: aws.String("v1")}); err != nil {
		t.Fatal(err)
	}
	if s := w.delete("s"); s.StackStatus != types.StackStatusDeleteFailed || !strings.Contains(w.story("s"), "cannot be deleted because it still contains images") {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if _, err := client.GetRegistryPolicy(ctx, &ecr.GetRegistryPolicyInput{}); err == nil {
		t.Error("the registry's policy stays")
	}
	emptied := maps.Clone(plain)
	emptied["EmptyOnDelete"], emptied["RepositoryName"] = true, "stall"
	one := template(t, map[string]any{"Stall": map[string]any{"Type": "AWS::ECR::Repository", "Properties": emptied}})
	if s := w.create("e", one); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("e"))
	}
	if _, err := client.PutImage(ctx, &ecr.PutImageInput{RepositoryName: aws.String("stall"), ImageManifest: &index}); err != nil {
		t.Fatal(err)
	}
	if s := w.delete("e"); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("e"))
	}
}
