package ecr_test

import (
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// TestRepositories makes, tells of, tags, and deletes repositories.
func TestRepositories(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	for _, name := range []string{"b", "A", "a/", "a//b", "a b", strings.Repeat("a", 257)} {
		_, err := w.api.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: &name})
		refused(t, "the name "+name, err, "InvalidParameterException", "'repositoryName' failed to satisfy constraint")
	}
	for _, name := range []string{"one", "two", "three"} {
		w.create(&sdk.CreateRepositoryInput{RepositoryName: &name, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String(name)}}})
	}
	_, err := w.api.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: aws.String("one")})
	refused(t, "a second one", err, "RepositoryAlreadyExistsException", "The repository with name 'one' already exists in the registry with id '000000000000'")
	pages, err := w.api.DescribeRepositories(ctx, &sdk.DescribeRepositoriesInput{MaxResults: aws.Int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := w.api.DescribeRepositories(ctx, &sdk.DescribeRepositoriesInput{MaxResults: aws.Int32(2), NextToken: pages.NextToken})
	if err != nil || rest.NextToken != nil {
		t.Fatalf("%v, %v", err, rest)
	}
	var names []string
	for _, r := range append(pages.Repositories, rest.Repositories...) {
		names = append(names, *r.RepositoryName)
	}
	if !slices.Equal(names, []string{"one", "three", "two"}) {
		t.Errorf("the repositories are %v", names)
	}
	one := pages.Repositories[0]
	if *one.RepositoryArn != "arn:aws:ecr:us-east-1:000000000000:repository/one" || one.ImageTagMutability != types.ImageTagMutabilityMutable || one.EncryptionConfiguration.EncryptionType != types.EncryptionTypeAes256 {
		t.Errorf("a repository is %+v", one)
	}
	if _, err := w.api.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: one.RepositoryArn, Tags: []types.Tag{{Key: aws.String("l"), Value: aws.String("2")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: one.RepositoryArn, TagKeys: []string{"k"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := w.api.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: one.RepositoryArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "l" {
		t.Errorf("the tags are %v, %v", tags, err)
	}
	_, err = w.api.DescribeRepositories(ctx, &sdk.DescribeRepositoriesInput{RepositoryNames: []string{"none"}})
	refused(t, "none", err, "RepositoryNotFoundException", "The repository with name 'none' does not exist in the registry with id '000000000000'")

	uri := strings.TrimPrefix(w.URL, "http://") + "/one"
	w.push(uri+":v1", 2)
	_, err = w.api.DeleteRepository(ctx, &sdk.DeleteRepositoryInput{RepositoryName: aws.String("one")})
	refused(t, "with an image", err, "RepositoryNotEmptyException", "cannot be deleted because it still contains images")
	if _, err := w.api.DeleteRepository(ctx, &sdk.DeleteRepositoryInput{RepositoryName: aws.String("one"), Force: true}); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(w.Dir, "ecr"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left of the repository", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	eventually(t, "the events", func() bool { return slices.Equal(w.events.of("one"), []string{"PUSH v1", "DELETE v1"}) })
}

// TestLayersByAPI pushes an image by the API alone, and meets its refusals.
func TestLayersByAPI(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	app := aws.String("app")
	w.create(&sdk.CreateRepositoryInput{RepositoryName: app})
	upload := func(text string) (*string, error) {
		begun, err := w.api.InitiateLayerUpload(ctx, &sdk.InitiateLayerUploadInput{RepositoryName: app})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.api.UploadLayerPart(ctx, &sdk.UploadLayerPartInput{RepositoryName: app, UploadId: begun.UploadId,
			PartFirstByte: aws.Int64(0), PartLastByte: aws.Int64(int64(len(text) - 1)), LayerPartBlob: []byte(text)})
		if err != nil {
			return begun.UploadId, err
		}
		_, err = w.api.CompleteLayerUpload(ctx, &sdk.CompleteLayerUploadInput{RepositoryName: app, UploadId: begun.UploadId, LayerDigests: []string{sum(text)}})
		return begun.UploadId, err
	}
	for _, text := range []string{"config", "layer"} {
		if _, err := upload(text); err != nil {
			t.Fatal(err)
		}
	}
	_, err := upload("layer")
	refused(t, "a layer twice", err, "LayerAlreadyExistsException", sum("layer"))
	_, err = upload("")
	refused(t, "nothing", err, "InvalidParameterException", "layerPartBlob")
	begun, err := w.api.InitiateLayerUpload(ctx, &sdk.InitiateLayerUploadInput{RepositoryName: app})
	if err != nil {
		t.Fatal(err)
	}
	complete := &sdk.CompleteLayerUploadInput{RepositoryName: app, UploadId: begun.UploadId, LayerDigests: []string{sum("x")}}
	_, err = w.api.CompleteLayerUpload(ctx, complete)
	refused(t, "no parts", err, "EmptyUploadException", *begun.UploadId)
	part := &sdk.UploadLayerPartInput{RepositoryName: app, UploadId: begun.UploadId, PartFirstByte: aws.Int64(0), PartLastByte: aws.Int64(1), LayerPartBlob: []byte("ab")}
	if _, err := w.api.UploadLayerPart(ctx, part); err != nil {
		t.Fatal(err)
	}
	_, err = w.api.UploadLayerPart(ctx, part)
	refused(t, "a part twice", err, "InvalidLayerPartException", "does not follow")
	part.PartFirstByte, part.PartLastByte = aws.Int64(2), aws.Int64(3)
	_, err = w.api.UploadLayerPart(ctx, part)
	refused(t, "after a small part", err, "InvalidLayerPartException", "smaller than 5242880")
	_, err = w.api.CompleteLayerUpload(ctx, complete)
	refused(t, "another digest", err, "InvalidLayerException", sum("ab"))
	complete.UploadId = aws.String("none")
	_, err = w.api.CompleteLayerUpload(ctx, complete)
	refused(t, "no upload", err, "UploadNotFoundException", "none")

	there, err := w.api.BatchCheckLayerAvailability(ctx, &sdk.BatchCheckLayerAvailabilityInput{RepositoryName: app, LayerDigests: []string{sum("layer"), sum("none"), "x"}})
	if err != nil || there.Layers[0].LayerAvailability != types.LayerAvailabilityAvailable || *there.Layers[0].LayerSize != 5 ||
		there.Layers[1].LayerAvailability != types.LayerAvailabilityUnavailable || there.Failures[0].FailureCode != types.LayerFailureCodeInvalidLayerDigest {
		t.Errorf("the layers are %+v, %v", there, err)
	}
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":6,"digest":"` +
		sum("config") + `"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":5,"digest":"` + sum("layer") + `"}]}`
	put := &sdk.PutImageInput{RepositoryName: app, ImageManifest: &manifest, ImageTag: aws.String("v1"), ImageDigest: aws.String(sum("x"))}
	_, err = w.api.PutImage(ctx, put)
	refused(t, "another digest", err, "ImageDigestDoesNotMatchException", sum(manifest))
	put.ImageDigest = nil
	if out, err := w.api.PutImage(ctx, put); err != nil || *out.Image.ImageId.ImageDigest != sum(manifest) {
		t.Fatalf("%v, %v", out, err)
	}
	_, err = w.api.PutImage(ctx, put)
	refused(t, "an image twice", err, "ImageAlreadyExistsException", "and tag 'v1' already exists in the repository with name 'app'")
	without := strings.Replace(manifest, sum("layer"), sum("none"), 1)
	_, err = w.api.PutImage(ctx, &sdk.PutImageInput{RepositoryName: app, ImageManifest: &without})
	refused(t, "without its layers", err, "LayersNotFoundException", "Layers with digests '["+sum("none")+"]' required")

	got, err := w.api.BatchGetImage(ctx, &sdk.BatchGetImageInput{RepositoryName: app, ImageIds: []types.ImageIdentifier{
		{ImageTag: aws.String("v1")}, {ImageTag: aws.String("v2")}, {}, {ImageDigest: aws.String("x")}, {ImageTag: aws.String("v1"), ImageDigest: aws.String(sum(manifest))},
	}})
	if err != nil || len(got.Images) != 2 || *got.Images[0].ImageManifest != manifest {
		t.Fatalf("the images are %+v, %v", got, err)
	}
	var codes []string
	for _, f := range got.Failures {
		codes = append(codes, string(f.FailureCode))
	}
	if !slices.Equal(codes, []string{"ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest"}) {
		t.Errorf("the failures are %v", codes)
	}
	at, err := w.api.GetDownloadUrlForLayer(ctx, &sdk.GetDownloadUrlForLayerInput{RepositoryName: app, LayerDigest: aws.String(sum("layer"))})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, text := w.call(http.MethodGet, *at.DownloadUrl, ""); status != 200 || text != "layer" {
		t.Errorf("the layer's URL gives %d %q", status, text)
	}
	if status, _, _ := w.call(http.MethodGet, strings.Replace(*at.DownloadUrl, sum("layer"), sum("config"), 1), ""); status != 403 {
		t.Errorf("another layer's URL gives %d", status)
	}
	w.now.turn(2 * time.Hour)
	if status, _, _ := w.call(http.MethodGet, *at.DownloadUrl, ""); status != 403 {
		t.Errorf("the layer's URL gives %d after its hour", status)
	}
}

// TestTagsOfImages moves tags, keeps them from moving, and deletes images.
func TestTagsOfImages(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	app := aws.String("app")
	uri := w.create(&sdk.CreateRepositoryInput{RepositoryName: app})
	first, one := w.push(uri+":v1", 1)
	_, two := w.push(uri+":v1", 1)
	ids, err := w.api.ListImages(ctx, &sdk.ListImagesInput{RepositoryName: app, Filter: &types.ListImagesFilter{TagStatus: types.TagStatusUntagged}})
	if err != nil || len(ids.ImageIds) != 1 || *ids.ImageIds[0].ImageDigest != one || ids.ImageIds[0].ImageTag != nil {
		t.Errorf("untagged are %+v, %v", ids, err)
	}
	_, err = w.api.PutImageTagMutability(ctx, &sdk.PutImageTagMutabilityInput{RepositoryName: app, ImageTagMutability: types.ImageTagMutabilityImmutableWithExclusion,
		ImageTagMutabilityExclusionFilters: []types.ImageTagMutabilityExclusionFilter{{Filter: aws.String("latest*"), FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard}}})
	if err != nil {
		t.Fatal(err)
	}
	err = remote.Write(ref(t, uri+":v1"), first, w.login(w.api))
	if err == nil || !strings.Contains(err.Error(), "TAG_INVALID: The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.") {
		t.Errorf("moving a tag that stays: %v", err)
	}
	for range 2 {
		w.push(uri+":latest-x", 1)
	}
	index := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"` + two + `"}]}`
	if _, err := w.api.PutImage(ctx, &sdk.PutImageInput{RepositoryName: app, ImageManifest: &index, ImageTag: aws.String("all")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.PutImage(ctx, &sdk.PutImageInput{RepositoryName: app, ImageManifest: &index, ImageTag: aws.String("same")}); err != nil {
		t.Fatal(err)
	}
	remove := func(ids ...types.ImageIdentifier) *sdk.BatchDeleteImageOutput {
		out, err := w.api.BatchDeleteImage(ctx, &sdk.BatchDeleteImageInput{RepositoryName: app, ImageIds: ids})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := remove(types.ImageIdentifier{ImageDigest: &two}, types.ImageIdentifier{ImageTag: aws.String("none")}, types.ImageIdentifier{ImageTag: aws.String("same")})
	if len(out.Failures) != 2 || out.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound && out.Failures[1].FailureCode != types.ImageFailureCodeImageNotFound ||
		len(out.ImageIds) != 1 || *out.ImageIds[0].ImageTag != "same" {
		t.Errorf("deleted %+v, failed %+v", out.ImageIds, out.Failures)
	}
	// An index and its image in one request, in any order.
	out = remove(types.ImageIdentifier{ImageDigest: &two}, types.ImageIdentifier{ImageTag: aws.String("all")})
	if len(out.Failures) != 0 || len(out.ImageIds) != 2 {
		t.Errorf("deleted %+v, failed %+v", out.ImageIds, out.Failures)
	}
	_, err = w.api.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: app, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	refused(t, "an image that is gone", err, "ImageNotFoundException", "The image with imageId {imageDigest:'null', imageTag:'v1'} does not exist within the repository with name 'app'")
	want := []string{"PUSH v1", "PUSH v1", "PUSH latest-x", "PUSH latest-x", "PUSH all", "PUSH same", "DELETE same", "DELETE all", "DELETE v1"}
	eventually(t, "the events", func() bool { return len(w.events.of("app")) >= len(want) })
	if got := w.events.of("app"); !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
}

// TestOthers has another account pull, as far as the repository lets it.
func TestOthers(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	app, theirs, owner := aws.String("app"), w.as("111111111111"), aws.String("000000000000")
	uri := w.create(&sdk.CreateRepositoryInput{RepositoryName: app})
	_, pushed := w.push(uri+":v1", 1)
	ids := []types.ImageIdentifier{{ImageTag: aws.String("v1")}}
	_, err := theirs.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: app, RegistryId: owner, ImageIds: ids})
	refused(t, "without leave", err, "AccessDeniedException", "arn:aws:iam::111111111111:root is not authorized to perform: ecr:DescribeImages on resource: arn:aws:ecr:us-east-1:000000000000:repository/app")
	_, err = theirs.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: app, ImageIds: ids})
	refused(t, "in their own registry", err, "RepositoryNotFoundException", "'111111111111'")
	_, err = w.api.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: app, PolicyText: aws.String(`{"Statement": {}}`)})
	refused(t, "no policy", err, "InvalidParameterException", "Invalid repository policy provided")
	_, err = w.api.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: app, PolicyText: aws.String(`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"ecr:*"}]}`)})
	refused(t, "a policy that locks out", err, "InvalidParameterException", "force")
	policy := `{"Version":"2012-10-17","Statement":[{"Sid":"Pull","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"]}]}`
	if _, err := w.api.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: app, PolicyText: &policy}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.api.GetRepositoryPolicy(ctx, &sdk.GetRepositoryPolicyInput{RepositoryName: app}); err != nil || *got.PolicyText != policy {
		t.Errorf("the policy is %v, %v", got, err)
	}
	if got, err := theirs.BatchGetImage(ctx, &sdk.BatchGetImageInput{RepositoryName: app, RegistryId: owner, ImageIds: ids}); err != nil || *got.Images[0].ImageId.ImageDigest != pushed {
		t.Errorf("they get %v, %v", got, err)
	}
	// By host, as on AWS, since the address alone is that of their own registry.
	_, password := w.password(theirs)
	request, _ := http.NewRequest(http.MethodGet, w.URL, nil)
	request.SetBasicAuth("AWS", password)
	login := request.Header.Get("Authorization")
	for _, c := range []struct {
		method, path, host string
		status             int
	}{
		{"GET", "/v2/app/manifests/v1", "000000000000.dkr.ecr.us-east-1.localhost", 200},
		{"GET", "/v2/app/manifests/v1", "127.0.0.1", 404},
		{"GET", "/v2/app/tags/list", "000000000000.dkr.ecr.us-east-1.localhost", 403},
		{"POST", "/v2/app/blobs/uploads/", "000000000000.dkr.ecr.us-east-1.localhost", 403},
		{"GET", "/v2/_catalog", "000000000000.dkr.ecr.us-east-1.localhost", 403},
	} {
		if status, _, text := w.call(c.method, w.URL+c.path, "", "Authorization", login, "Host", c.host); status != c.status {
			t.Errorf("%s %s at %s: %d %s, want %d", c.method, c.path, c.host, status, text, c.status)
		}
	}
	if _, err := w.api.DeleteRepositoryPolicy(ctx, &sdk.DeleteRepositoryPolicyInput{RepositoryName: app}); err != nil {
		t.Fatal(err)
	}
	_, err = w.api.GetRepositoryPolicy(ctx, &sdk.GetRepositoryPolicyInput{RepositoryName: app})
	refused(t, "no policy", err, "RepositoryPolicyNotFoundException", "Repository policy does not exist")
}

// TestRegistrySettings sets what an account has for all its repositories.
func TestRegistrySettings(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	_, err := w.api.GetRegistryPolicy(ctx, &sdk.GetRegistryPolicyInput{})
	refused(t, "no policy", err, "RegistryPolicyNotFoundException", "'000000000000'")
	policy := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"ecr:ReplicateImage","Resource":"*"}]}`)
	if _, err := w.api.PutRegistryPolicy(ctx, &sdk.PutRegistryPolicyInput{PolicyText: policy}); err != nil {
		t.Fatal(err)
	}
	if out, err := w.api.DeleteRegistryPolicy(ctx, &sdk.DeleteRegistryPolicyInput{}); err != nil || *out.PolicyText != *policy {
		t.Errorf("the policy is %v, %v", out, err)
	}
	_, err = w.api.PutReplicationConfiguration(ctx, &sdk.PutReplicationConfigurationInput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{
		{Destinations: []types.ReplicationDestination{{Region: aws.String("eu-west-1"), RegistryId: aws.String("000000000000")}}}}}})
	refused(t, "replication", err, "ValidationException", "does not replicate")

	for _, name := range []string{"prod/web", "dev/web"} {
		w.create(&sdk.CreateRepositoryInput{RepositoryName: &name})
	}
	_, err = w.api.PutRegistryScanningConfiguration(ctx, &sdk.PutRegistryScanningConfigurationInput{ScanType: types.ScanTypeBasic, Rules: []types.RegistryScanningRule{
		{ScanFrequency: types.ScanFrequencyScanOnPush, RepositoryFilters: []types.ScanningRepositoryFilter{{Filter: aws.String("prod"), FilterType: types.ScanningRepositoryFilterTypeWildcard}}}}})
	if err != nil {
		t.Fatal(err)
	}
	scans, err := w.api.BatchGetRepositoryScanningConfiguration(ctx, &sdk.BatchGetRepositoryScanningConfigurationInput{RepositoryNames: []string{"prod/web", "dev/web", "none"}})
	if err != nil || !scans.ScanningConfigurations[0].ScanOnPush || scans.ScanningConfigurations[1].ScanOnPush || len(scans.Failures) != 1 {
		t.Errorf("the scans are %+v, %v", scans, err)
	}
	uri := strings.TrimPrefix(w.URL, "http://") + "/prod/web"
	w.push(uri+":v1", 1)
	id := &types.ImageIdentifier{ImageTag: aws.String("v1")}
	_, err = w.api.StartImageScan(ctx, &sdk.StartImageScanInput{RepositoryName: aws.String("prod/web"), ImageId: id})
	refused(t, "a scan", err, "ValidationException", "does not scan")
	_, err = w.api.DescribeImageScanFindings(ctx, &sdk.DescribeImageScanFindingsInput{RepositoryName: aws.String("prod/web"), ImageId: id})
	refused(t, "its findings", err, "ScanNotFoundException", "Image scan does not exist for the image")

	// Layers of another repository are there at once where the account says so.
	mount := func(digest string) int {
		_, password := w.password(w.api)
		request, _ := http.NewRequest(http.MethodGet, w.URL, nil)
		request.SetBasicAuth("AWS", password)
		status, _, _ := w.call(http.MethodPost, w.URL+"/v2/dev/web/blobs/uploads/?mount="+digest+"&from=prod/web", "", "Authorization", request.Header.Get("Authorization"))
		return status
	}
	img, _ := w.push(uri+":v2", 1)
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	before := mount(config.String())
	if _, err := w.api.PutAccountSetting(ctx, &sdk.PutAccountSettingInput{Name: aws.String("BLOB_MOUNTING"), Value: aws.String("ENABLED")}); err != nil {
		t.Fatal(err)
	}
	if after, none := mount(config.String()), mount(sum("none")); before != 202 || after != 201 || none != 202 {
		t.Errorf("mounting gives %d, then %d, and %d for what is not there", before, after, none)
	}
	_, err = w.api.PutAccountSetting(ctx, &sdk.PutAccountSettingInput{Name: aws.String("BLOB_MOUNTING"), Value: aws.String("SOMETIMES")})
	refused(t, "a value", err, "InvalidParameterException", "DISABLED, ENABLED")
}
