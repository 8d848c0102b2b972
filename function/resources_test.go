package function_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestCustomResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]func(*testing.T, *world){
		"bucket.empty": testEmpty, "bucket.notify": testNotify, "key.create": testKey, "key.create in a bucket": testKeyObject, "key.create twice": testKeyRace,
		"repository.seed": testSeed, "repository.seed of many": testSeedMany, "what is wrong": testWrong,
	} {
		t.Run(name, func(t *testing.T) { test(t, &world{t, w.cloud, w.buckets, w.clients}) })
	}
}

func (w *world) success(name string, e event) answer {
	w.Helper()
	a := w.ask(name, e)
	if a.Status != "SUCCESS" {
		w.Fatalf("%s: %s: %+v", name, e.RequestType, a)
	}
	return a
}

func testEmpty(t *testing.T, w *world) {
	w.bucket("full")
	if _, err := w.buckets.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("full"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 260 {
		for range 4 {
			w.put("full", fmt.Sprintf("k%d", i), []byte("x"))
		}
		if _, err := w.buckets.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("full"), Key: aws.String(fmt.Sprintf("k%d", i))}); err != nil {
			t.Fatal(err)
		}
	}
	p := map[string]any{"ServiceToken": "arn", "BucketName": "full"}
	id := w.success("bucket.empty", event{RequestType: "Create", ResourceProperties: p}).PhysicalResourceID
	if page, err := w.buckets.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("full")}); err != nil || !aws.ToBool(page.IsTruncated) {
		t.Fatalf("a creation emptied the bucket: %v", err)
	}
	w.success("bucket.empty", event{RequestType: "Delete", PhysicalResourceID: id, ResourceProperties: map[string]any{"ServiceToken": "arn", "BucketName": "full", "Retain": "true"}})
	if page, err := w.buckets.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("full")}); err != nil || !aws.ToBool(page.IsTruncated) {
		t.Fatalf("a bucket that is retained was emptied: %v", err)
	}
	for range 2 { // the second time, the bucket is gone
		w.success("bucket.empty", event{RequestType: "Delete", PhysicalResourceID: id, ResourceProperties: p})
		if _, err := w.buckets.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("full")}); err != nil && !strings.Contains(err.Error(), "NoSuchBucket") {
			t.Fatal(err)
		}
	}
}

func testNotify(t *testing.T, w *world) {
	w.bucket("told")
	foreign := &s3types.NotificationConfiguration{EventBridgeConfiguration: &s3types.EventBridgeConfiguration{}}
	if _, err := w.buckets.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: aws.String("told"), NotificationConfiguration: foreign, SkipDestinationValidation: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
	there := func() (ids []string, events []string, bridge bool) {
		out, err := w.buckets.GetBucketNotificationConfiguration(t.Context(), &s3.GetBucketNotificationConfigurationInput{Bucket: aws.String("told")})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range out.LambdaFunctionConfigurations {
			ids = append(ids, aws.ToString(f.Id))
			for _, e := range f.Events {
				events = append(events, string(e))
			}
		}
		return ids, events, out.EventBridgeConfiguration != nil
	}
	p := map[string]any{"BucketName": "told", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "Events": []string{"s3:ObjectCreated:*"}, "Suffix": ".zip"}
	w.function("f", "s3.amazonaws.com")
	first := w.success("bucket.notify", event{RequestType: "Create", ResourceProperties: p})
	second := w.success("bucket.notify", event{RequestType: "Create", ResourceProperties: merged(p, "Suffix", ".txt"), Logical: "Other"})
	if ids, _, bridge := there(); len(ids) != 2 || !bridge || first.PhysicalResourceID == second.PhysicalResourceID {
		t.Errorf("there are %v, and the bridge is %t", ids, bridge)
	}
	changed := merged(p, "Events", []string{"s3:ObjectRemoved:*"})
	for range 2 {
		again := w.success("bucket.notify", event{RequestType: "Update", PhysicalResourceID: first.PhysicalResourceID, ResourceProperties: changed, OldResourceProperties: p})
		if again.PhysicalResourceID != first.PhysicalResourceID {
			t.Errorf("the id became %s", again.PhysicalResourceID)
		}
	}
	if _, events, bridge := there(); len(events) != 2 || !slices.Contains(events, "s3:ObjectRemoved:*") || !bridge {
		t.Errorf("after the update there are %v, and the bridge is %t", events, bridge)
	}
	// S3 would look at all that the bucket tells, and the function is gone.
	if _, err := lambda.NewFromConfig(w.cloud.Config).DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.success("bucket.notify", event{RequestType: "Delete", PhysicalResourceID: first.PhysicalResourceID, ResourceProperties: changed})
	}
	if ids, _, bridge := there(); len(ids) != 1 || ids[0] != second.Data["NotificationId"] || !bridge {
		t.Errorf("after the deletion there are %v, and the bridge is %t", ids, bridge)
	}
}

// role makes a role that functions and stacks take, and gives its ARN.
func (w *world) role(name string) *string {
	w.Helper()
	role, err := w.clients.Roles.CreateRole(w.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","cloudformation.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		w.Fatal(err)
	}
	return role.Role.Arn
}

// function makes a function that the service may call.
func (w *world) function(name, caller string) {
	w.Helper()
	api := lambda.NewFromConfig(w.cloud.Config)
	if _, err := api.CreateFunction(w.Context(), &lambda.CreateFunctionInput{FunctionName: &name, Role: w.role(name), PackageType: lambdatypes.PackageTypeImage,
		Code: &lambdatypes.FunctionCode{ImageUri: aws.String("000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1")}}); err != nil {
		w.Fatal(err)
	}
	if _, err := api.AddPermission(w.Context(), &lambda.AddPermissionInput{FunctionName: &name, StatementId: aws.String("call"), Action: aws.String("lambda:InvokeFunction"), Principal: &caller}); err != nil {
		w.Fatal(err)
	}
}

func merged(p map[string]any, name string, value any) map[string]any {
	p = maps.Clone(p)
	p[name] = value
	return p
}

func testKey(t *testing.T, w *world) {
	secrets := w.clients.Secrets
	p := map[string]any{"SecretName": "deploy/key", "Comment": "site"}
	made := w.success("key.create", event{RequestType: "Create", ResourceProperties: p})
	if again := w.success("key.create", event{RequestType: "Create", ResourceProperties: p}); again.Data["PublicKey"] != made.Data["PublicKey"] {
		t.Error("a request that comes twice made two keys")
	}
	renamed := w.success("key.create", event{RequestType: "Update", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: merged(p, "Comment", "other"), OldResourceProperties: p})
	if want := strings.TrimSuffix(made.Data["PublicKey"], "site") + "other"; renamed.Data["PublicKey"] != want || renamed.PhysicalResourceID != made.PhysicalResourceID {
		t.Errorf("another comment made of it %+v", renamed)
	}
	master, err := kms.NewFromConfig(w.cloud.Config).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	encrypted := w.success("key.create", event{RequestType: "Update", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: merged(p, "KmsKeyId", *master.KeyMetadata.Arn), OldResourceProperties: p})
	if s, err := secrets.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("deploy/key")}); err != nil || aws.ToString(s.KmsKeyId) != *master.KeyMetadata.Arn || encrypted.Data["PublicKey"] != made.Data["PublicKey"] {
		t.Errorf("another KMS key made %+v of it: %v", s, err)
	}
	out, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("deploy/key")})
	if err != nil {
		t.Fatal(err)
	}
	checkKey(t, []byte(*out.SecretString), made)

	foreign := w.ask("key.create", event{RequestType: "Create", ResourceProperties: p, Logical: "Other"})
	if foreign.Status != "FAILED" || strings.Contains(foreign.Reason, "PRIVATE") {
		t.Errorf("a key of somebody else was taken: %+v", foreign)
	}
	w.success("key.create", event{RequestType: "Delete", PhysicalResourceID: foreign.PhysicalResourceID, ResourceProperties: p, Logical: "Other"})
	if _, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("deploy/key")}); err != nil {
		t.Errorf("a key of somebody else is gone: %v", err)
	}
	for range 2 {
		w.success("key.create", event{RequestType: "Delete", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: p})
	}
	if _, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("deploy/key")}); err == nil {
		t.Error("the key is still there")
	}
}

// rival is a transport that lets somebody else go first, once.
type rival struct {
	target string // of the request
	first  func()
	once   sync.Once
}

func (r *rival) Do(q *http.Request) (*http.Response, error) {
	if strings.HasSuffix(q.Header.Get("X-Amz-Target"), r.target) || q.Method+" "+q.URL.Path == r.target {
		r.once.Do(r.first)
	}
	return http.DefaultClient.Do(q)
}

// Lambda may ask twice at the same time; both answers tell of one key.
func testKeyRace(t *testing.T, w *world) {
	w.bucket("raced")
	for target, p := range map[string]map[string]any{
		".CreateSecret": {"SecretName": "raced"}, "PUT /raced/key": {"BucketName": "raced", "Key": "key"},
	} {
		var faster answer
		cfg := w.cloud.Config
		cfg.HTTPClient = &rival{target: target, first: func() { faster = w.success("key.create", event{RequestType: "Create", ResourceProperties: p}) }}
		slower := askWith(t, cfg, t.Context(), "key.create", event{RequestType: "Create", ResourceProperties: p}, nil)
		if faster.Data["PublicKey"] == "" || slower.Status != "SUCCESS" || slower.Data["PublicKey"] != faster.Data["PublicKey"] {
			t.Errorf("%s: one said %+v, the other %+v", target, faster, slower)
		}
	}
}

// checkKey holds a key against what ssh-keygen finds in it.
func checkKey(t *testing.T, private []byte, a answer) {
	t.Helper()
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, private, 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := exec.Command(keygen, "-y", "-f", file).CombinedOutput()
	if want := strings.Fields(a.Data["PublicKey"]); err != nil || !slices.Equal(strings.Fields(string(public))[:2], want[:2]) {
		t.Errorf("ssh-keygen reads %q, not %v: %v", public, want, err)
	}
	if said, err := exec.Command(keygen, "-l", "-f", file).CombinedOutput(); err != nil || !strings.Contains(string(said), a.Data["Fingerprint"]) {
		t.Errorf("ssh-keygen says %q, not %q: %v", said, a.Data["Fingerprint"], err)
	}
}

func testKeyObject(t *testing.T, w *world) {
	w.bucket("keys")
	p := map[string]any{"BucketName": "keys", "Key": "site/id_ed25519"}
	made := w.success("key.create", event{RequestType: "Create", ResourceProperties: p})
	if again := w.success("key.create", event{RequestType: "Update", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: p, OldResourceProperties: p}); again.Data["PublicKey"] != made.Data["PublicKey"] {
		t.Error("an update that changes nothing made another key")
	}
	checkKey(t, w.get("keys", "site/id_ed25519"), made)
	head, err := w.buckets.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("keys"), Key: aws.String("site/id_ed25519")})
	if err != nil || head.ServerSideEncryption != s3types.ServerSideEncryptionAwsKms {
		t.Errorf("the object is encrypted by %q: %v", head.ServerSideEncryption, err)
	}
	master, err := kms.NewFromConfig(w.cloud.Config).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	q := merged(p, "KmsKeyId", *master.KeyMetadata.Arn)
	w.success("key.create", event{RequestType: "Update", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: q, OldResourceProperties: p})
	if head, err := w.buckets.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("keys"), Key: aws.String("site/id_ed25519")}); err != nil || aws.ToString(head.SSEKMSKeyId) != *master.KeyMetadata.Arn {
		t.Errorf("another KMS key is not used: %+v: %v", head, err)
	}
	for range 2 {
		w.success("key.create", event{RequestType: "Delete", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: p})
	}
}

func (w *world) repository(name string) {
	w.Helper()
	if _, err := w.clients.Repos.CreateRepository(w.Context(), &codecommit.CreateRepositoryInput{RepositoryName: &name}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) tip(repository string) string {
	w.Helper()
	out, err := w.clients.Repos.GetBranch(w.Context(), &codecommit.GetBranchInput{RepositoryName: &repository, BranchName: aws.String("main")})
	if err != nil {
		w.Fatal(err)
	}
	return aws.ToString(out.Branch.CommitId)
}

func testSeed(t *testing.T, w *world) {
	w.repository("seeded")
	p := map[string]any{"RepositoryName": "seeded", "BranchName": "main", "Files": []map[string]string{{"Path": "README.md", "Content": "hello\n"}, {"Path": "python/x.py", "Content": "y = 1\n"}}}
	made := w.success("repository.seed", event{RequestType: "Create", ResourceProperties: p})
	for _, e := range []event{{RequestType: "Create"}, {RequestType: "Update", PhysicalResourceID: made.PhysicalResourceID}, {RequestType: "Delete", PhysicalResourceID: made.PhysicalResourceID}} {
		e.ResourceProperties, e.OldResourceProperties = p, p
		w.success("repository.seed", e)
	}
	if tip := w.tip("seeded"); tip != made.Data["CommitId"] {
		t.Errorf("the tip is %s, after %s", tip, made.Data["CommitId"])
	}
	other := w.success("repository.seed", event{RequestType: "Update", PhysicalResourceID: made.PhysicalResourceID, ResourceProperties: merged(p, "BranchName", "other"), OldResourceProperties: p})
	if branch, err := w.clients.Repos.GetBranch(t.Context(), &codecommit.GetBranchInput{RepositoryName: aws.String("seeded"), BranchName: aws.String("other")}); err != nil || aws.ToString(branch.Branch.CommitId) != made.Data["CommitId"] || other.PhysicalResourceID == made.PhysicalResourceID {
		t.Errorf("another branch is %+v: %v", branch, err)
	}
	out, err := w.clients.Repos.GetFile(t.Context(), &codecommit.GetFileInput{RepositoryName: aws.String("seeded"), FilePath: aws.String("python/x.py")})
	if err != nil || string(out.FileContent) != "y = 1\n" {
		t.Errorf("the file holds %q: %v", out.FileContent, err)
	}
}

func testSeedMany(t *testing.T, w *world) {
	w.repository("many")
	w.repository("large")
	w.bucket("seeds")
	files := map[string]string{}
	for i := range 230 {
		files[fmt.Sprintf("d%d/f%d", i%7, i)] = strings.Repeat("x", i)
	}
	w.put("seeds", "many.zip", zipped(t, files))
	p := map[string]any{"RepositoryName": "many", "BranchName": "main", "BucketName": "seeds", "Key": "many.zip"}
	made := w.success("repository.seed", event{RequestType: "Create", ResourceProperties: p})
	commit, err := w.clients.Repos.GetCommit(t.Context(), &codecommit.GetCommitInput{RepositoryName: aws.String("many"), CommitId: aws.String(made.Data["CommitId"])})
	if err != nil || aws.ToString(commit.Commit.Message) != "First files, part 3 of 3" {
		t.Fatalf("the last commit is %v: %v", commit, err)
	}
	w.put("seeds", "large.zip", zipped(t, map[string]string{"large": strings.Repeat("x", 6<<20+1)}))
	if a := w.ask("repository.seed", event{RequestType: "Create", ResourceProperties: merged(merged(p, "Key", "large.zip"), "RepositoryName", "large")}); !strings.Contains(a.Reason, `file "large" it is larger than CodeCommit's API takes`) {
		t.Errorf("a large file: %+v", a)
	}
	// Somebody began, and died after the first of three commits.
	first := commit.Commit
	for len(first.Parents) > 0 {
		out, err := w.clients.Repos.GetCommit(t.Context(), &codecommit.GetCommitInput{RepositoryName: aws.String("many"), CommitId: &first.Parents[0]})
		if err != nil {
			t.Fatal(err)
		}
		first = out.Commit
	}
	if _, err := w.clients.Repos.CreateBranch(t.Context(), &codecommit.CreateBranchInput{RepositoryName: aws.String("many"), BranchName: aws.String("begun"), CommitId: first.CommitId}); err != nil {
		t.Fatal(err)
	}
	again := w.success("repository.seed", event{RequestType: "Create", ResourceProperties: merged(p, "BranchName", "begun")})
	out, err := w.clients.Repos.GetCommit(t.Context(), &codecommit.GetCommitInput{RepositoryName: aws.String("many"), CommitId: aws.String(again.Data["CommitId"])})
	if err != nil || aws.ToString(out.Commit.TreeId) != aws.ToString(commit.Commit.TreeId) {
		t.Errorf("going on ended elsewhere: %v: %v", out, err)
	}
}

func testWrong(t *testing.T, w *world) {
	for name, properties := range map[string]map[string]any{
		"bucket.empty":    {},
		"bucket.notify":   {"BucketName": "b"},
		"key.create":      {"SecretName": "a", "BucketName": "b", "Key": "c"},
		"repository.seed": {"RepositoryName": "r", "BranchName": "main"},
	} {
		a := w.ask(name, event{RequestType: "Create", ResourceProperties: properties})
		if a.Status != "FAILED" || a.Reason == "" {
			t.Errorf("%s: %+v", name, a)
		}
		// CloudFormation then takes the resource back that was not made.
		w.success(name, event{RequestType: "Delete", PhysicalResourceID: a.PhysicalResourceID, ResourceProperties: properties})
	}
	if a := w.ask("bucket.empty", event{RequestType: "Create", ResourceProperties: map[string]any{"BucketName": "b", "Bukket": "x"}}); a.Status != "FAILED" || !strings.Contains(a.Reason, "Bukket") {
		t.Errorf("%+v", a)
	}
	// CloudFormation takes 4,096 bytes, however the text has to be written.
	w.ask("bucket.empty", event{RequestType: "Create", ResourceProperties: map[string]any{"BucketName": "b", strings.Repeat("<", 3000): "x"}})
	if a := w.ask("key.create", event{RequestType: "Create", ResourceProperties: map[string]any{"SecretName": "s", "Comment": "a\nssh-ed25519 AAAA b"}}); a.Status != "FAILED" {
		t.Errorf("%+v", a)
	}
}

// TestAnswersInTime: work that hangs is given up while there is time to say so.
func TestAnswersInTime(t *testing.T) {
	t.Parallel()
	block := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer hangs.Close()
	defer close(block)
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &hangs.URL, Credentials: aws.AnonymousCredentials{}}
	p := map[string]any{"BucketName": "b"}
	a := askWith(t, cfg, soon(t, 4*time.Second), "bucket.empty", event{RequestType: "Delete", PhysicalResourceID: "b", ResourceProperties: p}, nil)
	if a.Status != "FAILED" || !strings.Contains(a.Reason, "time ran out") || a.PhysicalResourceID != "b" {
		t.Errorf("%+v", a)
	}
}

// TestAnswersAgain: an answer that does not get through is given again.
func TestAnswersAgain(t *testing.T) {
	t.Parallel()
	a := askWith(t, aws.Config{Region: "us-east-1"}, t.Context(), "bucket.empty", event{RequestType: "Create", ResourceProperties: map[string]any{"BucketName": "b"}}, []int{503, 500})
	if a.Status != "SUCCESS" {
		t.Errorf("%+v", a)
	}
}
