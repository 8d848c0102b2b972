package function_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/gitsource"
	"ouro/gitsource/gittest"
	"ouro/library"
)

// gitea is the API of a Gitea, of which the deploy keys may read over SSH.
type gitea struct {
	server *gittest.Server
	mu     sync.Mutex
	keys   map[int]string
}

func (g *gitea) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	const at = "/api/v1/repos/acme/app/keys"
	id := 0
	fmt.Sscanf(r.URL.Path, at+"/%d", &id) //nolint:errcheck // 0 then, which is none
	switch {
	case r.Header.Get("Authorization") != "token the-admins-token":
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == at && r.Method == http.MethodGet:
		list := []map[string]any{}
		for id, key := range g.keys {
			if r.URL.Query().Get("page") == "1" {
				list = append(list, map[string]any{"id": id, "key": key})
			}
		}
		json.NewEncoder(w).Encode(list) //nolint:errcheck // a test
	case r.URL.Path == at && r.Method == http.MethodPost:
		var in struct {
			Key      string `json:"key"`
			ReadOnly bool   `json:"read_only"`
		}
		if json.NewDecoder(r.Body).Decode(&in) != nil || !in.ReadOnly {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		id := len(g.keys) + 1
		g.keys[id] = in.Key
		g.server.Allow(in.Key)
		w.WriteHeader(http.StatusCreated)
	case g.keys[id] != "" && r.Method == http.MethodDelete:
		g.server.Forbid(g.keys[id])
		delete(g.keys, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestPullStack: the library's stack makes a key and registers it; pushes that
// its webhook is told of become zips, the second on top of what the first left;
// and at its end it takes the key back.
func TestPullStack(t *testing.T) {
	t.Parallel()
	server := gittest.New(t)
	api := &gitea{server: server, keys: map[int]string{}}
	server.Handle(api)
	repository := server.Repository("acme/app")
	w := newWorld(t)
	w.bucket("code")
	w.program("code", "function.zip")
	secret := func(name, text string) string {
		out, err := w.clients.Secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &text})
		if err != nil {
			t.Fatal(err)
		}
		return *out.ARN
	}
	made, err := kms.NewFromConfig(w.cloud.Config).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	kmsKey := *made.KeyMetadata.Arn
	outputs := w.stack("site", "git/pull.yaml", map[string]string{
		"CodeBucket": "code", "CodeKey": "function.zip", "Architecture": string(architecture()), "Provider": "gitea", "Host": server.HTTPS, "Authorities": server.Authority,
		"SshHost": server.SSH, "HostKeys": server.HostKey, "Repository": "acme/app", "KeyTokenSecretArn": secret("admin", "the-admins-token"), "KmsKeyArn": kmsKey,
	})
	if len(api.keys) != 1 || !strings.HasPrefix(outputs["PublicKey"], "ssh-ed25519 ") {
		t.Fatalf("the keys are %v, and the public one %q", api.keys, outputs["PublicKey"])
	}
	key, err := w.clients.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("site-key")})
	if err != nil || !strings.Contains(*key.SecretString, "OPENSSH PRIVATE KEY") {
		t.Fatalf("the secret has no key: %v", err)
	}
	hooks, err := w.clients.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(outputs["SecretArn"])})
	if err != nil {
		t.Fatal(err)
	}
	repository.Write("large.txt", strings.Repeat("nothing that gets small at all? ", 100_000))
	before := ""
	for i := range 2 {
		repository.Write("a.txt", fmt.Sprint("push ", i))
		commit := repository.Push("main")
		sent := server.Sent.Load()
		w.deliver(outputs["WebhookUrl"], *hooks.SecretString, before, commit)
		bucket, object := outputs["Bucket"], "acme/app/main/app.zip"
		w.until(func() bool {
			out, err := w.buckets.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &object})
			return err == nil && out.Metadata["commit"] == commit
		})
		if files := unzipped(t, w.get(bucket, object)); len(files) != 2 || files["a.txt"] != fmt.Sprint("push ", i) {
			t.Errorf("the zip has %v", files)
		}
		if sent = server.Sent.Load() - sent; i > 0 && sent > 3_000 {
			t.Errorf("for a small change, the server sent %d bytes", sent)
		}
		before = commit
	}
	for _, bucket := range []string{outputs["Bucket"], outputs["StateBucket"]} {
		w.encryptedBy(bucket, kmsKey)
	}
	w.unstack("site")
	if len(api.keys) != 0 {
		t.Errorf("without the stack, the keys are %v", api.keys)
	}
	if _, err := w.clients.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("site-key")}); err == nil {
		t.Error("without the stack, there is the private key")
	}
}

// encryptedBy looks whether all objects of a bucket are encrypted with the key.
func (w *world) encryptedBy(bucket, key string) {
	w.Helper()
	list, err := w.buckets.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil || len(list.Contents) == 0 {
		w.Fatalf("the bucket %s has %d objects: %v", bucket, len(list.Contents), err)
	}
	for _, o := range list.Contents {
		head, err := w.buckets.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			w.Fatal(err)
		}
		if head.ServerSideEncryption != s3types.ServerSideEncryptionAwsKms || aws.ToString(head.SSEKMSKeyId) != key || !aws.ToBool(head.BucketKeyEnabled) {
			w.Errorf("%s is encrypted by %s %s", *o.Key, head.ServerSideEncryption, aws.ToString(head.SSEKMSKeyId))
		}
	}
}

// deliver sends a push as the provider does.
func (w *world) deliver(to, secret, before, after string) {
	w.Helper()
	if before == "" {
		before = strings.Repeat("0", 40)
	}
	body := text(w.T, map[string]any{"ref": "refs/heads/main", "before": before, "after": after, "repository": map[string]any{"full_name": "acme/app"}})
	p, err := gitsource.NewProvider("gitea", "git.example.com")
	if err != nil {
		w.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header = p.Headers("push", after, secret, body)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		w.Fatalf("the webhook answers %s", response.Status)
	}
}

// until waits for something that becomes true.
func (w *world) until(is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatal("it did not come true within a minute")
		}
	}
}

// stack makes a stack of a template of the library, and gives its outputs.
func (w *world) stack(name, template string, parameters map[string]string) map[string]string {
	w.Helper()
	whole, err := library.Whole(template)
	if err != nil {
		w.Fatal(err)
	}
	at := w.cloud.URL + "/code/"
	for _, t := range whole {
		body := bytes.ReplaceAll(t.Body, []byte("TemplateURL: "), []byte("TemplateURL: "+at+"git/"))
		w.put("code", t.Name, body)
	}
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateURL: aws.String(at + template), Capabilities: []types.Capability{"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}}
	for n, v := range parameters {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(n), ParameterValue: aws.String(v)})
	}
	api := cloudformation.NewFromConfig(w.cloud.Config)
	if _, err := api.CreateStack(w.Context(), in); err != nil {
		w.Fatal(err)
	}
	var made types.Stack
	w.until(func() bool {
		out, err := api.DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			w.Fatal(err)
		}
		made = out.Stacks[0]
		return made.StackStatus != types.StackStatusCreateInProgress && made.StackStatus != types.StackStatusRollbackInProgress
	})
	if made.StackStatus != types.StackStatusCreateComplete {
		w.Fatalf("the stack is %s: %s", made.StackStatus, w.failures(api, name))
	}
	outputs := map[string]string{}
	for _, o := range made.Outputs {
		outputs[*o.OutputKey] = *o.OutputValue
	}
	return outputs
}

func (w *world) failures(api *cloudformation.Client, name string) (text string) {
	out, err := api.DescribeStackEvents(w.Context(), &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range out.StackEvents {
		if e.ResourceStatusReason != nil {
			text += *e.LogicalResourceId + ": " + *e.ResourceStatusReason + "\n"
		}
	}
	return text
}

// unstack deletes a stack.
func (w *world) unstack(name string) {
	w.Helper()
	api := cloudformation.NewFromConfig(w.cloud.Config)
	if _, err := api.DeleteStack(w.Context(), &cloudformation.DeleteStackInput{StackName: &name}); err != nil {
		w.Fatal(err)
	}
	w.until(func() bool {
		out, err := api.DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
		if err == nil && out.Stacks[0].StackStatus == types.StackStatusDeleteFailed {
			w.Fatal(w.failures(api, name))
		}
		return err != nil
	})
}
