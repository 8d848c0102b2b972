package secretsmanager_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/secretsmanager"
	"ouro/cloud/store"
)

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(by time.Duration) { c.ahead.Add(int64(by)) }

func start(t *testing.T) (client *api.Client, at *clock, dir string) {
	t.Helper()
	at, dir = &clock{}, t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st, Now: at.now})
	t.Cleanup(func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Register("secretsmanager", secretsmanager.New(d)); err != nil {
		t.Fatal(err)
	}
	return api.NewFromConfig(d.As(door.Caller{Account: "000000000000", Region: "us-east-1"})), at, dir
}

func create(t *testing.T, c *api.Client, name, value string) *api.CreateSecretOutput {
	t.Helper()
	out, err := c.CreateSecret(t.Context(), &api.CreateSecretInput{Name: &name, SecretString: &value})
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return out
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestVersionsMoveTheirLabels(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _, dir := start(t)
	made := create(t, c, "app/db", "correct horse one")
	if !regexp.MustCompile(`^arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-[A-Za-z0-9]{6}$`).MatchString(*made.ARN) {
		t.Errorf("ARN %s", *made.ARN)
	}
	second, err := c.PutSecretValue(ctx, &api.PutSecretValueInput{SecretId: made.ARN, SecretString: aws.String("correct horse two")})
	if err != nil {
		t.Fatal(err)
	}
	pending, err := c.PutSecretValue(ctx, &api.PutSecretValueInput{SecretId: made.Name, SecretBinary: []byte{0, 1}, VersionStages: []string{"AWSPENDING"}})
	if err != nil {
		t.Fatal(err)
	}
	value := func(id, version, stage *string) string {
		out, err := c.GetSecretValue(ctx, &api.GetSecretValueInput{SecretId: id, VersionId: version, VersionStage: stage})
		if err != nil {
			return code(err)
		}
		return aws.ToString(out.SecretString) + string(out.SecretBinary)
	}
	partial := aws.String((*made.ARN)[:len(*made.ARN)-7])
	for i, row := range []struct {
		id, version, stage *string
		want               string
	}{
		{made.Name, nil, nil, "correct horse two"},
		{made.ARN, nil, nil, "correct horse two"},
		{partial, nil, nil, "correct horse two"},
		{made.Name, nil, aws.String("AWSPREVIOUS"), "correct horse one"},
		{made.Name, nil, aws.String("AWSPENDING"), "\x00\x01"},
		{made.Name, made.VersionId, nil, "correct horse one"},
		{made.Name, made.VersionId, aws.String("AWSCURRENT"), "InvalidRequestException"},
		{made.Name, aws.String("none"), nil, "ResourceNotFoundException"},
		{aws.String("none"), nil, nil, "ResourceNotFoundException"},
		{aws.String(*partial + "-AAAAAA"), nil, nil, "ResourceNotFoundException"},
	} {
		if got := value(row.id, row.version, row.stage); got != row.want {
			t.Errorf("row %d: %q, want %q", i, got, row.want)
		}
	}
	move := &api.UpdateSecretVersionStageInput{SecretId: made.Name, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: pending.VersionId}
	if _, err := c.UpdateSecretVersionStage(ctx, move); code(err) != "InvalidParameterException" {
		t.Errorf("moving a label without naming where it is: %v", err)
	}
	move.RemoveFromVersionId = second.VersionId
	if _, err := c.UpdateSecretVersionStage(ctx, move); err != nil {
		t.Fatal(err)
	}
	all, err := c.DescribeSecret(ctx, &api.DescribeSecretInput{SecretId: made.Name})
	if err != nil || !slices.Equal(all.VersionIdsToStages[*pending.VersionId], []string{"AWSPENDING", "AWSCURRENT"}) || !slices.Equal(all.VersionIdsToStages[*second.VersionId], []string{"AWSPREVIOUS"}) {
		t.Errorf("labels %v, %v", all.VersionIdsToStages, err)
	}
	list, err := c.ListSecretVersionIds(ctx, &api.ListSecretVersionIdsInput{SecretId: made.Name, IncludeDeprecated: aws.Bool(true)})
	if err != nil || len(list.Versions) != 3 {
		t.Errorf("versions: %+v, %v", list, err)
	}
	assertSealed(t, dir)
}

func assertSealed(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), "correct horse") {
			t.Errorf("a value lies in the clear in %s", e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTokensMakeRequestsRepeatable(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _, _ := start(t)
	token := aws.String("11111111-2222-3333-4444-555555555555")
	in := &api.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("a"), ClientRequestToken: token}
	first, err := c.CreateSecret(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.CreateSecret(ctx, in)
	if err != nil || *again.ARN != *first.ARN || *again.VersionId != *token {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if _, err := c.PutSecretValue(ctx, &api.PutSecretValueInput{SecretId: in.Name, SecretString: aws.String("a"), ClientRequestToken: token}); err != nil {
		t.Errorf("the same value with the same token: %v", err)
	}
	_, err = c.PutSecretValue(ctx, &api.PutSecretValueInput{SecretId: in.Name, SecretString: aws.String("b"), ClientRequestToken: token})
	if code(err) != "ResourceExistsException" {
		t.Errorf("another value with the same token: %v", err)
	}
	in.ClientRequestToken = aws.String("99999999-2222-3333-4444-555555555555")
	if _, err := c.CreateSecret(ctx, in); code(err) != "ResourceExistsException" {
		t.Errorf("the same name: %v", err)
	}
}

func TestDeletionHasAWindow(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, at, _ := start(t)
	id := create(t, c, "s", "v").Name
	if _, err := c.DeleteSecret(ctx, &api.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(3)}); code(err) != "InvalidParameterException" {
		t.Errorf("a window of 3 days: %v", err)
	}
	remove := &api.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(7)}
	if _, err := c.DeleteSecret(ctx, remove); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetSecretValue(ctx, &api.GetSecretValueInput{SecretId: id}); code(err) != "InvalidRequestException" {
		t.Errorf("reading what is being deleted: %v", err)
	}
	if _, err := c.CreateSecret(ctx, &api.CreateSecretInput{Name: id}); code(err) != "InvalidRequestException" {
		t.Errorf("making what is being deleted: %v", err)
	}
	if _, err := c.RestoreSecret(ctx, &api.RestoreSecretInput{SecretId: id}); err != nil {
		t.Fatal(err)
	}
	if v, err := c.GetSecretValue(ctx, &api.GetSecretValueInput{SecretId: id}); err != nil || *v.SecretString != "v" {
		t.Errorf("restored: %+v, %v", v, err)
	}
	if _, err := c.DeleteSecret(ctx, remove); err != nil {
		t.Fatal(err)
	}
	at.forward(8 * 24 * time.Hour)
	if _, err := c.RestoreSecret(ctx, &api.RestoreSecretInput{SecretId: id}); code(err) != "ResourceNotFoundException" {
		t.Errorf("restoring too late: %v", err)
	}
	create(t, c, "s", "new")
	force := &api.DeleteSecretInput{SecretId: id, ForceDeleteWithoutRecovery: aws.Bool(true)}
	for range 2 { // what is gone is deleted already
		if _, err := c.DeleteSecret(ctx, force); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.DescribeSecret(ctx, &api.DescribeSecretInput{SecretId: id}); code(err) != "ResourceNotFoundException" {
		t.Errorf("after a forced deletion: %v", err)
	}
}

func TestListsAndBatches(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _, _ := start(t)
	for i := range 5 {
		name := fmt.Sprintf("app/%d", i)
		create(t, c, name, name)
	}
	create(t, c, "other", "o")
	if _, err := c.TagResource(ctx, &api.TagResourceInput{SecretId: aws.String("other"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("Blue")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateSecret(ctx, &api.UpdateSecretInput{SecretId: aws.String("app/0"), Description: aws.String("The first")}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		key   types.FilterNameStringType
		value string
		want  int
	}{
		{"name", "app/", 5}, {"name", "!app/", 1}, {"tag-key", "team", 1}, {"tag-value", "Bl", 1},
		{"description", "the f", 1}, {"all", "blue", 1}, {"all", "app", 5},
	} {
		got := 0
		pages := api.NewListSecretsPaginator(c, &api.ListSecretsInput{MaxResults: aws.Int32(2), Filters: []types.Filter{{Key: row.key, Values: []string{row.value}}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got += len(page.SecretList)
		}
		if got != row.want {
			t.Errorf("%s %s: %d, want %d", row.key, row.value, got, row.want)
		}
	}
	batch, err := c.BatchGetSecretValue(ctx, &api.BatchGetSecretValueInput{SecretIdList: []string{"app/1", "none", "other"}})
	if err != nil || len(batch.SecretValues) != 2 || len(batch.Errors) != 1 || *batch.Errors[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("batch: %+v, %v", batch, err)
	}
}

func TestPoliciesAreKept(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _, _ := start(t)
	id := create(t, c, "s", "v").Name
	policy := `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
	if _, err := c.PutResourcePolicy(ctx, &api.PutResourcePolicyInput{SecretId: id, ResourcePolicy: &policy}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetResourcePolicy(ctx, &api.GetResourcePolicyInput{SecretId: id})
	if err != nil || *got.ResourcePolicy != policy {
		t.Errorf("policy: %+v, %v", got, err)
	}
	_, err = c.PutResourcePolicy(ctx, &api.PutResourcePolicyInput{SecretId: id, ResourcePolicy: aws.String("{")})
	if code(err) != "MalformedPolicyDocumentException" {
		t.Errorf("no policy: %v", err)
	}
	if _, err := c.RotateSecret(ctx, &api.RotateSecretInput{SecretId: id}); code(err) != "InvalidRequestException" {
		t.Errorf("rotation: %v", err)
	}
}

func TestRandomPasswords(t *testing.T) {
	t.Parallel()
	c, _, _ := start(t)
	for _, row := range []struct {
		name string
		in   api.GetRandomPasswordInput
		want string
	}{
		{"default", api.GetRandomPasswordInput{}, `^[!-~]{32}$`},
		{"short with each kind", api.GetRandomPasswordInput{PasswordLength: aws.Int64(4)}, `^[!-~]{4}$`},
		{"letters", api.GetRandomPasswordInput{PasswordLength: aws.Int64(64), ExcludePunctuation: aws.Bool(true), ExcludeNumbers: aws.Bool(true)}, `^[A-Za-z]{64}$`},
		{"without a and b", api.GetRandomPasswordInput{PasswordLength: aws.Int64(400), ExcludeCharacters: aws.String("ab")}, `^[^ab]{400}$`},
		{"too short", api.GetRandomPasswordInput{PasswordLength: aws.Int64(3)}, `InvalidParameterException`},
		{"too long", api.GetRandomPasswordInput{PasswordLength: aws.Int64(5000)}, `InvalidParameterException`},
	} {
		got := ""
		if out, err := c.GetRandomPassword(t.Context(), &row.in); err != nil {
			got = code(err)
		} else {
			got = *out.RandomPassword
		}
		if !regexp.MustCompile(row.want).MatchString(got) {
			t.Errorf("%s: %q, want %s", row.name, got, row.want)
		}
	}
}
