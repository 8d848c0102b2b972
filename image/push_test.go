package image_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"ouro/cloud/cloudtest"
	"ouro/image"
)

// TestPush packs an image on top of one that lies in another registry, and
// pushes it to ECR under each of its addresses.
func TestPush(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(elsewhere.Close)
	c := cloudtest.New(t)
	client := ecr.NewFromConfig(c.Config)
	shop := aws.String("shop/web")
	made, err := client.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: shop, ImageTagMutability: types.ImageTagMutabilityImmutable})
	if err != nil {
		t.Fatal(err)
	}
	registries := &image.Registries{Config: c.Config}
	dir := site(t, 0o022)
	base, err := build(t, dir, "FROM scratch\nCOPY web /web/\nENTRYPOINT [\"/serve\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	from := strings.TrimPrefix(elsewhere.URL, "http://") + "/base:1"
	if _, err := registries.Push(t.Context(), from, base); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM "+from+"\nCOPY bin/serve /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := image.Build(t.Context(), image.Options{Dir: dir, Base: registries.Get})
	if err != nil {
		t.Fatal(err)
	}
	uri := *made.Repository.RepositoryUri
	onAWS := "000000000000.dkr.ecr.us-east-1.amazonaws.com/shop/web"
	for _, at := range []string{uri, uri, onAWS} { // the same image may come again, although its tag does not move
		ref, err := registries.Push(t.Context(), at+":v1", img)
		if want := at + "@" + digest(t, img); err != nil || ref != want {
			t.Errorf("pushing to %s: %s, %v; want %s", at, ref, err, want)
		}
	}
	ref, err := name.ParseReference(onAWS + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := registries.Get(t.Context(), ref, v1.Platform{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
	for at, want := range map[string]string{
		uri + ":v1":        "cannot be overwritten because the tag is immutable",
		uri + "x:v1":       "does not exist in the registry",
		"shop/web:v1":      "is not of the form REGISTRY/NAME:TAG",
		onAWS + "@sha256:": "tag",
		"000000000001.dkr.ecr.us-east-1.amazonaws.com/shop/web:v1": "does not exist in the registry with id '000000000001'",
	} {
		if _, err := registries.Push(t.Context(), at, base); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("pushing to %s: %v, want %q", at, err, want)
		}
	}
}
