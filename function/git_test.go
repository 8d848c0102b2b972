package function_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// program puts this program into a bucket, as the code of functions.
func (w *world) program(bucket, key string) {
	w.Helper()
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		w.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err == nil {
		_, err = f.Write(self)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		w.Fatal(err)
	}
	w.put(bucket, key, b.Bytes())
}

// runs makes a function of this program, whose handler has that name.
func (w *world) runs(handler string, variables map[string]string) {
	w.Helper()
	name := strings.ReplaceAll(handler, ".", "-")
	api := lambda.NewFromConfig(w.cloud.Config)
	_, err := api.CreateFunction(w.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Handler: &handler, Runtime: types.RuntimeProvidedal2023, Timeout: aws.Int32(60), Role: w.role(name),
		Architectures: []types.Architecture{architecture()},
		Code:          &types.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String("function.zip")}, Environment: &types.Environment{Variables: variables},
	})
	if err == nil {
		err = lambda.NewFunctionActiveV2Waiter(api, func(o *lambda.FunctionActiveV2WaiterOptions) {
			o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
		}).Wait(w.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func architecture() types.Architecture {
	return map[string]types.Architecture{"amd64": types.ArchitectureX8664, "arm64": types.ArchitectureArm64}[runtime.GOARCH]
}

// tarball is a commit as a provider packs it.
func tarball(t *testing.T, sha string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := errors.Join(
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": sha}}),
		w.WriteHeader(&tar.Header{Name: "acme-app/commit.txt", Mode: 0o664, Size: int64(len(sha))}))
	io.WriteString(w, sha) //nolint:errcheck // into memory
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWebhookToBucket: what a provider sends becomes an object, by way of both
// functions; what is forged, and what comes twice, does not.
func TestWebhookToBucket(t *testing.T) {
	t.Parallel()
	const sha, secret = "2222222222222222222222222222222222222222", "the-secret-of-the-hook"
	provider := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v3/repos/acme/app/tarball/"+sha || r.Header.Get("Authorization") != "Bearer the-token" {
			t.Errorf("the provider was asked for %s", r.URL)
		}
		w.Write(tarball(t, sha)) //nolint:errcheck // a test
	}))
	defer provider.Close()
	w := newWorld(t)
	for _, bucket := range []string{"code", "zips", "state"} {
		w.bucket(bucket)
	}
	w.program("code", "function.zip")
	for name, text := range map[string]string{"token": "the-token\n", "secret": secret} {
		if _, err := w.clients.Secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &text}); err != nil {
			t.Fatal(err)
		}
	}
	variables := map[string]string{
		"GIT_PROVIDER": "github-enterprise", "GIT_HOST": strings.TrimPrefix(provider.URL, "https://"), "GIT_STATE_BUCKET": "state", "GIT_BUCKET": "zips",
		"GIT_SECRET": "secret", "GIT_TOKEN": "token", "GIT_WORKER": "git-zip", "GIT_NETWORKS": "192.0.2.0/24",
		"GIT_AUTHORITIES": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})),
	}
	w.runs("git.hook", variables)
	w.runs("git.zip", variables)
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/feature/x", "before": strings.Repeat("0", 40), "after": sha,
		"repository": map[string]any{"full_name": "acme/app", "pushed_at": time.Now().Unix()}, "sender": map[string]any{"login": "ada"},
	})
	if err != nil {
		t.Fatal(err)
	}
	api := lambda.NewFromConfig(w.cloud.Config)
	deliver := func(secret string) int {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		event := events.APIGatewayV2HTTPRequest{Version: "2.0", Body: string(body), Headers: map[string]string{
			"content-type": "application/json", "x-github-event": "push", "x-github-delivery": "1", "x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		}}
		event.RequestContext.HTTP.Method, event.RequestContext.HTTP.SourceIP = "POST", "192.0.2.1"
		out, err := api.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("git-hook"), Payload: text(t, event)})
		if err != nil {
			t.Fatal(err)
		}
		var a events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(out.Payload, &a); err != nil || out.FunctionError != nil {
			t.Fatalf("%s %v", out.Payload, err)
		}
		return a.StatusCode
	}
	for i, by := range []string{"a-forged-secret-of-some-length", secret, secret} {
		if got, want := deliver(by), []int{403, 202, 403}[i]; got != want {
			t.Fatalf("delivery %d got %d, not %d", i, got, want)
		}
	}
	bucket, key := "zips", "acme/app/feature/x/app.zip"
	waiter := s3.NewObjectExistsWaiter(w.buckets, func(o *s3.ObjectExistsWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	if err := waiter.Wait(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if files := unzipped(t, w.get(bucket, key)); len(files) != 1 || files["commit.txt"] != sha {
		t.Errorf("the zip has %v", files)
	}
}
