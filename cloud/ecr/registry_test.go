package ecr_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gatewaytypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestPushAndPull goes the way of an image with go-containerregistry, the
// client of crane and of others, through a restart.
func TestPushAndPull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := openWorld(t, dir)
	uri := w.create(&sdk.CreateRepositoryInput{RepositoryName: aws.String("shop/web")})
	if want := strings.TrimPrefix(w.URL, "http://") + "/shop/web"; uri != want {
		t.Errorf("the URI is %s, want %s", uri, want)
	}
	img, pushed := w.push(uri+":v1", 3)
	index, err := random.Index(256, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref(t, uri+":all"), index, w.login(w.api)); err != nil {
		t.Fatal(err)
	}
	if err := remote.Tag(ref(t, uri+":v2").Context().Tag("v2"), img, w.login(w.api)); err != nil {
		t.Fatal(err)
	}
	signature, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := remote.Head(ref(t, uri+":v1"), w.login(w.api))
	if err != nil {
		t.Fatal(err)
	}
	signature = mutate.Subject(signature, *descriptor).(v1.Image)
	signed := ref(t, uri+"@"+digest(t, signature))
	if err := remote.Write(signed, signature, w.login(w.api)); err != nil {
		t.Fatal(err)
	}
	w.close()

	w = openWorld(t, dir)
	uri = strings.TrimPrefix(w.URL, "http://") + "/shop/web"
	got, err := remote.Image(ref(t, uri+":v1"), w.login(w.api))
	if err != nil {
		t.Fatal(err)
	}
	if d := digest(t, got); d != pushed {
		t.Errorf("pulled %s, pushed %s", d, pushed)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
	whole, err := remote.Index(ref(t, uri+":all"), w.login(w.api))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(whole); err != nil {
		t.Error(err)
	}
	repo := ref(t, uri).Context()
	tags, err := remote.List(repo, w.login(w.api), remote.WithPageSize(1))
	if err != nil || !slices.Equal(tags, []string{"all", "v1", "v2"}) {
		t.Errorf("the tags are %v, %v", tags, err)
	}
	names, err := remote.Catalog(t.Context(), repo.Registry, w.login(w.api))
	if err != nil || !slices.Equal(names, []string{"shop/web"}) {
		t.Errorf("the repositories are %v, %v", names, err)
	}
	referrers, err := remote.Referrers(repo.Digest(pushed), w.login(w.api))
	if err != nil {
		t.Fatal(err)
	}
	m, err := referrers.IndexManifest()
	if err != nil || len(m.Manifests) != 1 || m.Manifests[0].Digest.String() != signed.Identifier() {
		t.Errorf("the referrers are %+v, %v", m, err)
	}
	if err := remote.Delete(repo.Digest(pushed), w.login(w.api)); err == nil || !strings.Contains(err.Error(), "UNSUPPORTED") {
		t.Errorf("deleting over the registry: %v", err)
	}

	details, err := w.api.DescribeImages(t.Context(), &sdk.DescribeImagesInput{RepositoryName: aws.String("shop/web"), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v2")}}})
	if err != nil {
		t.Fatal(err)
	}
	size := descriptorSize(t, img)
	d := details.ImageDetails[0]
	if *d.ImageDigest != pushed || !slices.Equal(d.ImageTags, []string{"v1", "v2"}) || *d.ImageSizeInBytes != size || d.LastRecordedPullTime == nil || *d.RegistryId != "000000000000" {
		t.Errorf("the image is described as %+v", d)
	}
}

func descriptorSize(t *testing.T, img v1.Image) int64 {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	size := m.Config.Size
	for _, l := range m.Layers {
		size += l.Size
	}
	return size
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(s[:])
}

// TestProtocol speaks the protocol by hand where clients that behave do not go.
func TestProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(&sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	user, password := w.password(w.api)
	request, _ := http.NewRequest(http.MethodGet, w.URL, nil)
	request.SetBasicAuth(user, password)
	login := request.Header.Get("Authorization")
	request.SetBasicAuth(user, "x"+password)
	forged := request.Header.Get("Authorization")
	host := "000000000000.dkr.ecr.us-east-1.localhost"

	// A layer in chunks, with one that does not follow on the others.
	start := func() string {
		status, h, _ := w.call("POST", w.URL+"/v2/app/blobs/uploads/", "", "Authorization", login)
		if status != 202 || h.Get("Docker-Upload-Uuid") == "" {
			t.Fatalf("an upload begins with %d, %v", status, h)
		}
		return w.URL + h.Get("Location")
	}
	at := start()
	for _, c := range []struct {
		method, query, body, span string
		status                    int
		far                       string
	}{
		{"PATCH", "", "hello ", "0-5", 202, "0-5"},
		{"PATCH", "", "hello ", "0-5", 416, "0-5"},
		{"PATCH", "", "world", "6-99", 416, "0-5"},
		{"GET", "", "", "", 204, "0-5"},
		{"PUT", "?digest=" + sum("hello"), "", "", 400, ""},
		{"PUT", "?digest=md5:00", "", "", 400, ""},
		{"PATCH", "", "wor", "", 202, "0-8"},
		{"PUT", "?digest=" + sum("hello world"), "ld", "9-10", 201, ""},
		{"GET", "", "", "", 404, ""},
		{"DELETE", "", "", "", 404, ""},
	} {
		header := []string{"Authorization", login}
		if c.span != "" {
			header = append(header, "Content-Range", c.span)
		}
		status, h, text := w.call(c.method, at+c.query, c.body, header...)
		if status != c.status || h.Get("Range") != c.far {
			t.Errorf("%s %s %q: %d, range %q, %s; want %d and %q", c.method, c.query, c.body, status, h.Get("Range"), text, c.status, c.far)
		}
	}
	whole := sum("at once")
	if status, h, text := w.call("POST", w.URL+"/v2/app/blobs/uploads/?digest="+whole, "at once", "Authorization", login); status != 201 || h.Get("Docker-Content-Digest") != whole {
		t.Errorf("a layer at once: %d %v %s", status, h, text)
	}
	broken := start()
	if status, _, _ := w.call("DELETE", broken, "", "Authorization", login); status != 204 {
		t.Errorf("an upload is given up with %d", status)
	}

	config, layer := sum("hello world"), whole
	manifest := func(config, layer string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":11,"digest":"%s"},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":7,"digest":"%s"}]}`, config, layer)
	}
	good := manifest(config, layer)
	blob := "/v2/app/blobs/" + layer
	for _, c := range []struct {
		what, method, path, body string
		header                   []string
		status                   int
		says                     string
	}{
		{"the base", "GET", "/v2/", "", nil, 200, "{}"},
		{"the base without a slash", "GET", "/v2", "", nil, 200, "{}"},
		{"nobody", "GET", "/v2/", "", []string{"Authorization", ""}, 401, "UNAUTHORIZED"},
		{"somebody else", "GET", "/v2/", "", []string{"Authorization", forged}, 401, "UNAUTHORIZED"},
		{"by host", "GET", "/v2/", "", []string{"Host", host}, 200, "{}"},
		{"a foreign page", "GET", "/v2/", "", []string{"Origin", "http://evil.example"}, 403, "foreign"},
		{"a part of a layer", "GET", blob, "", []string{"Range", "bytes=3-6"}, 206, "once"},
		{"a layer that is there", "HEAD", blob, "", nil, 200, ""},
		{"a layer that is not", "HEAD", "/v2/app/blobs/" + sum("none"), "", nil, 404, ""},
		{"no digest", "GET", "/v2/app/blobs/sha256:00", "", nil, 400, "DIGEST_INVALID"},
		{"elsewhere by host", "GET", "/v2/", "", []string{"Host", "000000000000.dkr.ecr.eu-west-1.localhost"}, 401, "UNAUTHORIZED"},
		{"a file of the state", "GET", "/v2/app/blobs/..%2f..%2f..%2fstate.db", "", nil, 405, "UNSUPPORTED"},
		{"no repository", "GET", "/v2/none/manifests/v1", "", nil, 404, "NAME_UNKNOWN"},
		{"no name", "GET", "/v2/App/manifests/v1", "", nil, 400, "NAME_INVALID"},
		{"no image", "GET", "/v2/app/manifests/v1", "", nil, 404, "MANIFEST_UNKNOWN"},
		{"another upload", "PATCH", "/v2/app/blobs/uploads/..%2f..%2fstate.db", "x", nil, 405, "UNSUPPORTED"},
		{"no upload", "PATCH", "/v2/app/blobs/uploads/state.db", "x", nil, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"no manifest", "PUT", "/v2/app/manifests/v1", "{}", nil, 400, "MANIFEST_INVALID"},
		{"nothing", "PUT", "/v2/app/manifests/v1", "", nil, 400, "MANIFEST_INVALID"},
		{"a manifest without its layers", "PUT", "/v2/app/manifests/v1", manifest(config, sum("none")), nil, 404, "BLOB_UNKNOWN"},
		{"an index without its images", "PUT", "/v2/app/manifests/v1", `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"` + sum("none") + `"}]}`, nil, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"an image of former days", "PUT", "/v2/app/manifests/v1", `{"schemaVersion":1,"name":"app"}`, nil, 400, "only 2 is supported"},
		{"an endless manifest", "PUT", "/v2/app/manifests/v1", strings.Repeat(" ", 4<<20) + good, nil, 400, "MANIFEST_INVALID"},
		{"a manifest of many layers", "PUT", "/v2/app/manifests/v1", strings.Replace(good, `"layers":[`, `"layers":[`+strings.Repeat(`{"digest":"`+layer+`"},`, 1000), 1), nil, 400, "may name 1000"},
		{"a manifest of another digest", "PUT", "/v2/app/manifests/" + sum("x"), good, nil, 400, "DIGEST_INVALID"},
		{"a bad tag", "PUT", "/v2/app/manifests/-v1", good, nil, 400, "TAG_INVALID"},
		{"a manifest", "PUT", "/v2/app/manifests/v1", good, nil, 201, ""},
		{"again", "PUT", "/v2/app/manifests/v1", good, nil, 201, ""},
		{"by digest", "GET", "/v2/app/manifests/" + sum(good), "", nil, 200, good},
		{"a method", "POST", "/v2/app/manifests/v1", "", nil, 405, "UNSUPPORTED"},
		{"a path", "GET", "/v2/app", "", nil, 405, "UNSUPPORTED"},
		{"a number", "GET", "/v2/app/tags/list?n=x", "", nil, 400, "NAME_INVALID"},
		{"tags", "GET", "/v2/app/tags/list", "", nil, 200, `{"name":"app","tags":["v1"]}`},
	} {
		header := append([]string{"Authorization", login}, c.header...)
		status, _, text := w.call(c.method, w.URL+c.path, c.body, header...)
		if status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %s, want %d with %s", c.what, status, text, c.status, c.says)
		}
	}
	w.now.turn(13 * time.Hour)
	if status, _, text := w.call("GET", w.URL+"/v2/", "", "Authorization", login); status != 403 || !strings.Contains(text, "has expired") {
		t.Errorf("an old token: %d %s", status, text)
	}
}

// TestBrokenOff begins uploads whose clients break off, and looks that nothing
// of them is there.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := openWorld(t, dir)
	w.create(&sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	user, password := w.password(w.api)
	request, _ := http.NewRequest(http.MethodPost, w.URL+"/v2/app/blobs/uploads/", nil)
	request.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	at := res.Header.Get("Location")
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\nContent-Length: 100\r\n\r\nhalf of it", at, request.Header.Get("Authorization"))
	file := filepath.Join(dir, "ecr", "uploads", filepath.Base(at))
	eventually(t, "half of the upload", func() bool { b, _ := os.ReadFile(file); return string(b) == "half of it" })
	// Two writers at a time would mix their bytes.
	if status, h, _ := w.call("PATCH", w.URL+at, "x", "Authorization", request.Header.Get("Authorization")); status != 416 || h.Get("Range") != "0-0" {
		t.Errorf("a second writer: %d %v", status, h)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	// What a process that was killed has left is written over in the same way.
	w.close()
	w = openWorld(t, dir)
	if status, h, text := w.call("PUT", w.URL+at+"?digest="+sum("all"), "all", "Authorization", request.Header.Get("Authorization")); status != 201 {
		t.Errorf("the rest of the upload: %d %v %s", status, h, text)
	}
	if _, _, text := w.call("GET", w.URL+"/v2/app/blobs/"+sum("all"), "", "Authorization", request.Header.Get("Authorization")); text != "all" {
		t.Errorf("the layer is %q", text)
	}
	var files []string
	err = filepath.WalkDir(filepath.Join(dir, "ecr"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, d.Name())
		}
		return err
	})
	if diff := cmp.Diff([]string{strings.TrimPrefix(sum("all"), "sha256:")}, files); err != nil || diff != "" {
		t.Errorf("files of the registry (-want +got, %v):\n%s", err, diff)
	}
}

// TestBesides looks that other paths that begin with /v2/ are still who they
// were.
func TestBesides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api, err := apigatewayv2.NewFromConfig(w.Config).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("a"), ProtocolType: gatewaytypes.ProtocolTypeHttp})
	if err != nil || *api.Name != "a" {
		t.Errorf("an API is made: %v", err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v2/x HTTP/1.1\r\nHost: pictures.s3.localhost\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 404 || res.Header.Get("X-Amz-Request-Id") == "" {
		t.Errorf("an object below v2/: %d %v, want S3's 404", res.StatusCode, res.Header)
	}
}
