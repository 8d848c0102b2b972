package ecr_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// rules is a lifecycle policy: each rule is its selection.
func rules(selections ...string) *string {
	var all []string
	for i, s := range selections {
		all = append(all, fmt.Sprintf(`{"rulePriority": %d, "description": "the rule with the number %d", "selection": {%s}, "action": {"type": "expire"}}`, i+1, i+1, s))
	}
	return aws.String(`{"rules": [` + strings.Join(all, ",") + `]}`)
}

func tagged(prefix string, keep int) string {
	return fmt.Sprintf(`"tagStatus": "tagged", "tagPatternList": [%q], "countType": "imageCountMoreThan", "countNumber": %d`, prefix+"*", keep)
}

func aged(status string, days int) string {
	return fmt.Sprintf(`"tagStatus": %q, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": %d`, status, days)
}

// TestLifecycle previews policies over images of three days, among them the
// examples of AWS's guide
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html),
// and then has one of them applied.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	app := aws.String("app")
	uri := w.create(&sdk.CreateRepositoryInput{RepositoryName: app})
	name := map[string]string{}
	for _, tags := range [][]string{{"beta-1", "prod-1"}, {"beta-2", "prod-2"}, {"beta-3"}, {"moved"}, {"moved"}} {
		img, digest := w.push(uri+":"+tags[0], 1)
		for _, tag := range tags[1:] {
			if err := remote.Tag(ref(t, uri).Context().Tag(tag), img, w.login(w.api)); err != nil {
				t.Fatal(err)
			}
		}
		name[digest] = string(rune('A' + len(name)))
		w.now.turn(24 * time.Hour)
	}
	preview := func(policy *string) string {
		if _, err := w.api.StartLifecyclePolicyPreview(ctx, &sdk.StartLifecyclePolicyPreviewInput{RepositoryName: app, LifecyclePolicyText: policy}); err != nil {
			t.Fatal(err)
		}
		out, err := w.api.GetLifecyclePolicyPreview(ctx, &sdk.GetLifecyclePolicyPreviewInput{RepositoryName: app})
		if err != nil || out.Status != types.LifecyclePolicyPreviewStatusComplete || int(*out.Summary.ExpiringImageTotalCount) != len(out.PreviewResults) {
			t.Fatalf("%+v, %v", out, err)
		}
		var gone []string
		for _, r := range out.PreviewResults {
			gone = append(gone, fmt.Sprintf("%s%d", name[*r.ImageDigest], *r.AppliedRulePriority))
		}
		slices.Sort(gone)
		return strings.Join(gone, " ")
	}
	for _, c := range []struct {
		what, want string
		policy     *string
	}{
		{"prod before beta", "A1", rules(tagged("prod", 1), tagged("beta", 1))},
		{"beta before prod", "A1 B1", rules(tagged("beta", 1), tagged("prod", 1))},
		{"both prefixes", "A1", rules(`"tagStatus": "tagged", "tagPrefixList": ["prod", "beta"], "countType": "imageCountMoreThan", "countNumber": 1`)},
		{"untagged", "D1", rules(aged("untagged", 2))},
		{"untagged, but young", "", rules(aged("untagged", 3))},
		{"older than three days", "A1 B1 C1", rules(aged("any", 3))},
		{"any but what is tagged", "D2", rules(tagged("beta", 9), `"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1`)},
		{"all but the newest", "A1 B1 C1 D1", rules(`"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1`)},
		{"not pulled for long", "A1 B1 C1", rules(strings.Replace(aged("any", 3), "Pushed", "Pulled", 1))},
	} {
		if got := preview(c.policy); got != c.want {
			t.Errorf("%s: %q goes, want %q", c.what, got, c.want)
		}
	}
	for _, c := range []struct {
		what, want string
		policy     *string
	}{
		{"nothing", "length", aws.String("{}")},
		{"no JSON", "not JSON", aws.String(strings.Repeat("x", 100))},
		{"no rules", "must have 1 to 50", aws.String(`{"rules": []` + strings.Repeat(" ", 100) + `}`)},
		{"an unknown member", "unknown field", aws.String(strings.Replace(*rules(aged("any", 1)), "description", "about", 1))},
		{"any before others", "highest priority number", rules(aged("any", 1), tagged("x", 1))},
		{"untagged twice", "only one rule", rules(aged("untagged", 1), aged("untagged", 2))},
		{"the same priority", "priority 1", aws.String(strings.Replace(*rules(tagged("x", 1), tagged("y", 1)), `"rulePriority": 2`, `"rulePriority": 1`, 1))},
		{"untagged with a prefix", "only the tag status tagged", rules(strings.Replace(tagged("x", 1), `"tagged"`, `"untagged"`, 1))},
		{"too many wildcards", "four wildcards", rules(tagged("*a*b*c*d", 1))},
		{"a count with a unit", "takes no count unit", rules(tagged("x", 1) + `, "countUnit": "days"`)},
		{"an age without unit", "count unit days", rules(strings.Replace(aged("any", 1), `"countUnit": "days", `, "", 1))},
		{"none to keep", "at least 1", rules(tagged("x", 0))},
		{"an archive", "no archive", aws.String(strings.Replace(*rules(tagged("x", 1)), `"expire"`, `"transition", "targetStorageClass": "archive"`, 1))},
	} {
		_, err := w.api.PutLifecyclePolicy(ctx, &sdk.PutLifecyclePolicyInput{RepositoryName: app, LifecyclePolicyText: c.policy})
		refused(t, c.what, err, "InvalidParameterException", c.want)
	}
	_, err := w.api.GetLifecyclePolicy(ctx, &sdk.GetLifecyclePolicyInput{RepositoryName: app})
	refused(t, "no policy", err, "LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name 'app'")

	left := func() string {
		out, err := w.api.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: app})
		if err != nil {
			t.Fatal(err)
		}
		var there []string
		for _, d := range out.ImageDetails {
			there = append(there, name[*d.ImageDigest])
		}
		slices.Sort(there)
		return strings.Join(there, "")
	}
	if _, err := w.api.PutLifecyclePolicy(ctx, &sdk.PutLifecyclePolicyInput{RepositoryName: app, LifecyclePolicyText: rules(tagged("beta", 1), aged("untagged", 1))}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the policy", func() bool { return left() == "CE" })
	_, digest := w.push(uri+":beta-4", 1)
	name[digest] = "F"
	eventually(t, "the policy after a push", func() bool { return left() == "EF" })
	if out, err := w.api.DeleteLifecyclePolicy(ctx, &sdk.DeleteLifecyclePolicyInput{RepositoryName: app}); err != nil || out.LastEvaluatedAt.IsZero() {
		t.Errorf("the policy is %v, %v", out, err)
	}
}

// TestTidying looks what the hourly tidying, which a start begins with, takes
// away: layers that no image needs, uploads that were given up.
func TestTidying(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := openWorld(t, dir)
	uri := w.create(&sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	kept, _ := w.push(uri+":kept", 1)
	gone, digest := w.push(uri+":gone", 1)
	if _, err := w.api.BatchDeleteImage(t.Context(), &sdk.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}}}); err != nil {
		t.Fatal(err)
	}
	begun, err := w.api.InitiateLayerUpload(t.Context(), &sdk.InitiateLayerUploadInput{RepositoryName: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	has := func(w *world, digest string) bool {
		out, err := w.api.BatchCheckLayerAvailability(t.Context(), &sdk.BatchCheckLayerAvailabilityInput{RepositoryName: aws.String("app"), LayerDigests: []string{digest}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Layers[0].LayerAvailability == types.LayerAvailabilityAvailable
	}
	needed, err := kept.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	unused, err := gone.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	if !has(w, unused.String()) {
		t.Error("a layer goes with its image, although a push may count upon it")
	}
	w.close()

	ahead := openAhead(t, dir, 25*time.Hour)
	eventually(t, "the end of the upload", func() bool {
		_, err := ahead.api.CompleteLayerUpload(t.Context(), &sdk.CompleteLayerUploadInput{RepositoryName: aws.String("app"), UploadId: begun.UploadId, LayerDigests: []string{sum("x")}})
		return err != nil && strings.Contains(err.Error(), "UploadNotFoundException")
	})
	if has(ahead, unused.String()) || !has(ahead, needed.String()) {
		t.Error("a layer without an image stays, or one with an image goes")
	}
}
