package ssm_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	secretsapi "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	api "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/ssm"
	"ouro/cloud/store"
)

// secrets stands where Secrets Manager is, with one secret.
type secrets struct{}

func (secrets) GetSecretValue(_ context.Context, in *secretsapi.GetSecretValueInput) (*secretsapi.GetSecretValueOutput, error) {
	return &secretsapi.GetSecretValueOutput{Name: in.SecretId, SecretString: aws.String("of " + *in.SecretId)}, nil
}

func start(t *testing.T) (client *api.Client, dir string) {
	t.Helper()
	dir = t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	t.Cleanup(func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, impl := range map[string]any{"ssm": ssm.New(d), "secretsmanager": secrets{}} {
		if err := d.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	return api.NewFromConfig(d.As(door.Caller{Account: "000000000000", Region: "us-east-1"})), dir
}

func put(t *testing.T, c *api.Client, name, value string, more ...func(*api.PutParameterInput)) *api.PutParameterOutput {
	t.Helper()
	in := &api.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeString}
	for _, m := range more {
		m(in)
	}
	out, err := c.PutParameter(t.Context(), in)
	if err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
	return out
}

func overwrite(in *api.PutParameterInput) { in.Overwrite = aws.Bool(true) }
func secure(in *api.PutParameterInput)    { in.Type = types.ParameterTypeSecureString }

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestVersionsAndLabels(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _ := start(t)
	put(t, c, "/app/db", "one")
	if out := put(t, c, "/app/db", "two", overwrite); out.Version != 2 || out.Tier != types.ParameterTierStandard {
		t.Errorf("second put: %+v", out)
	}
	if _, err := c.LabelParameterVersion(ctx, &api.LabelParameterVersionInput{Name: aws.String("/app/db"), ParameterVersion: aws.Int64(1), Labels: []string{"prod"}}); err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]string{
		"/app/db": "two", "/app/db:1": "one", "/app/db:2": "two", "/app/db:prod": "one",
		"arn:aws:ssm:us-east-1:000000000000:parameter/app/db":      "two",
		"arn:aws:ssm:us-east-1:000000000000:parameter/app/db:prod": "one",
	} {
		out, err := c.GetParameter(ctx, &api.GetParameterInput{Name: &reference})
		if err != nil || *out.Parameter.Value != want || *out.Parameter.ARN != "arn:aws:ssm:us-east-1:000000000000:parameter/app/db" {
			t.Errorf("%s: %+v, %v; want %q", reference, out, err, want)
		}
	}
	out, err := c.LabelParameterVersion(ctx, &api.LabelParameterVersionInput{Name: aws.String("/app/db"), Labels: []string{"prod", "aws-x", "1st"}})
	if err != nil || !slices.Equal(out.InvalidLabels, []string{"aws-x", "1st"}) || out.ParameterVersion != 2 {
		t.Errorf("label: %+v, %v", out, err)
	}
	history, err := c.GetParameterHistory(ctx, &api.GetParameterHistoryInput{Name: aws.String("/app/db")})
	if err != nil || len(history.Parameters) != 2 || len(history.Parameters[0].Labels) != 0 || history.Parameters[1].Labels[0] != "prod" {
		t.Errorf("history: %+v, %v", history, err)
	}
	for name, want := range map[string]string{"/app/db:9": "ParameterVersionNotFound", "/app/db:none": "ParameterVersionNotFound", "/app/none": "ParameterNotFound"} {
		if _, err := c.GetParameter(ctx, &api.GetParameterInput{Name: &name}); code(err) != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestOldVersionsGoUnlessALabelHoldsThem(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _ := start(t)
	put(t, c, "p", "0")
	for i := 2; i <= 101; i++ {
		put(t, c, "p", fmt.Sprint(i), overwrite)
	}
	if _, err := c.GetParameter(ctx, &api.GetParameterInput{Name: aws.String("p:1")}); code(err) != "ParameterVersionNotFound" {
		t.Errorf("version 1 of 101: %v", err)
	}
	if _, err := c.LabelParameterVersion(ctx, &api.LabelParameterVersionInput{Name: aws.String("p"), ParameterVersion: aws.Int64(2), Labels: []string{"keep"}}); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutParameter(ctx, &api.PutParameterInput{Name: aws.String("p"), Value: aws.String("x"), Overwrite: aws.Bool(true)})
	if code(err) != "ParameterMaxVersionLimitExceeded" {
		t.Errorf("a version more than a label allows: %v", err)
	}
}

func TestSecureStringsAreSealed(t *testing.T) {
	t.Parallel()
	c, dir := start(t)
	put(t, c, "token", "correct horse", secure)
	sealed, err := c.GetParameter(t.Context(), &api.GetParameterInput{Name: aws.String("token")})
	if err != nil || strings.Contains(*sealed.Parameter.Value, "horse") {
		t.Errorf("without decryption: %q, %v", *sealed.Parameter.Value, err)
	}
	open, err := c.GetParameter(t.Context(), &api.GetParameterInput{Name: aws.String("token"), WithDecryption: aws.Bool(true)})
	if err != nil || *open.Parameter.Value != "correct horse" {
		t.Errorf("with decryption: %+v, %v", open, err)
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), "correct horse") {
			t.Errorf("the value lies in the clear in %s", e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHierarchies(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _ := start(t)
	for _, name := range []string{"/a/1", "/a/2", "/a/b/3", "/a/b/c/4", "/ab/5", "root"} {
		put(t, c, name, "v")
	}
	names := func(path string, recursive bool) (all []string) {
		pages := api.NewGetParametersByPathPaginator(c, &api.GetParametersByPathInput{Path: &path, Recursive: &recursive, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Parameters {
				all = append(all, *p.Name)
			}
		}
		return all
	}
	for _, row := range []struct {
		path      string
		recursive bool
		want      []string
	}{
		{"/a", false, []string{"/a/1", "/a/2"}},
		{"/a/", false, []string{"/a/1", "/a/2"}},
		{"/a", true, []string{"/a/1", "/a/2", "/a/b/3", "/a/b/c/4"}},
		{"/a/b", true, []string{"/a/b/3", "/a/b/c/4"}},
		{"/", false, []string{"root"}},
		{"/none", true, nil},
	} {
		if got := names(row.path, row.recursive); !slices.Equal(got, row.want) {
			t.Errorf("below %s (recursive %v): %v, want %v", row.path, row.recursive, got, row.want)
		}
	}
	for _, row := range []struct {
		key, option, value string
		want               int
	}{
		{"Name", "BeginsWith", "/a/", 4}, {"Name", "Contains", "b", 3}, {"Name", "", "root", 1},
		{"Path", "OneLevel", "/a", 2}, {"Path", "Recursive", "/a", 4}, {"Type", "Equals", "SecureString", 0},
	} {
		f := types.ParameterStringFilter{Key: &row.key, Values: []string{row.value}}
		if row.option != "" {
			f.Option = &row.option
		}
		out, err := c.DescribeParameters(ctx, &api.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{f}})
		if err != nil || len(out.Parameters) != row.want {
			t.Errorf("%s %s %s: %d, %v; want %d", row.key, row.option, row.value, len(out.Parameters), err, row.want)
		}
	}
	many, err := c.GetParameters(ctx, &api.GetParametersInput{Names: []string{"/a/1", "none", "root:1"}})
	if err != nil || len(many.Parameters) != 2 || !slices.Equal(many.InvalidParameters, []string{"none"}) {
		t.Errorf("several: %+v, %v", many, err)
	}
	gone, err := c.DeleteParameters(ctx, &api.DeleteParametersInput{Names: []string{"/a/1", "none"}})
	if err != nil || !slices.Equal(gone.DeletedParameters, []string{"/a/1"}) || !slices.Equal(gone.InvalidParameters, []string{"none"}) {
		t.Errorf("deleted: %+v, %v", gone, err)
	}
}

func TestParametersThatAreRefused(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	put(t, c, "there", "v")
	for _, row := range []struct {
		name, value, want string
		more              func(*api.PutParameterInput)
	}{
		{"there", "v", "ParameterAlreadyExists", nil},
		{"a/b", "v", "ValidationException", nil},
		{"ssmx", "v", "ValidationException", nil},
		{"/AWS/x", "v", "AccessDeniedException", nil},
		{"a b", "v", "ValidationException", nil},
		{strings.Repeat("/a", 16), "v", "HierarchyLevelLimitExceededException", nil},
		{"new", strings.Repeat("v", 4097), "ValidationException", nil},
		{"new", "v", "ValidationException", func(in *api.PutParameterInput) { in.Type = "" }},
		{"new", "v", "ParameterPatternMismatchException", func(in *api.PutParameterInput) { in.AllowedPattern = aws.String(`\d+`) }},
		{"new", "v", "InvalidAllowedPatternException", func(in *api.PutParameterInput) { in.AllowedPattern = aws.String(`(`) }},
		{"new", "v", "ValidationException", func(in *api.PutParameterInput) { in.DataType = aws.String("aws:ec2:image") }},
		{"new", "v", "InvalidPolicyTypeException", func(in *api.PutParameterInput) { in.Policies = aws.String(`[{"Type":"Expiration"}]`) }},
		{"there", "v", "HierarchyTypeMismatchException", func(in *api.PutParameterInput) { overwrite(in); secure(in) }},
	} {
		in := &api.PutParameterInput{Name: &row.name, Value: &row.value, Type: types.ParameterTypeString}
		if row.more != nil {
			row.more(in)
		}
		if _, err := c.PutParameter(t.Context(), in); code(err) != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
	big := put(t, c, "big", strings.Repeat("v", 4097), func(in *api.PutParameterInput) { in.Tier = types.ParameterTierIntelligentTiering })
	if big.Tier != types.ParameterTierAdvanced {
		t.Errorf("tier %s", big.Tier)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _ := start(t)
	put(t, c, "p", "v", func(in *api.PutParameterInput) {
		in.Tags = []types.Tag{{Key: aws.String("b"), Value: aws.String("1")}}
	})
	kind, id := types.ResourceTypeForTaggingParameter, aws.String("p")
	if _, err := c.AddTagsToResource(ctx, &api.AddTagsToResourceInput{ResourceType: kind, ResourceId: id, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("2")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RemoveTagsFromResource(ctx, &api.RemoveTagsFromResourceInput{ResourceType: kind, ResourceId: id, TagKeys: []string{"b"}}); err != nil {
		t.Fatal(err)
	}
	out, err := c.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceType: kind, ResourceId: id})
	if err != nil || len(out.TagList) != 1 || *out.TagList[0].Key != "a" {
		t.Errorf("tags: %+v, %v", out, err)
	}
	found, err := c.DescribeParameters(ctx, &api.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("tag:a"), Values: []string{"2"}}}})
	if err != nil || len(found.Parameters) != 1 {
		t.Errorf("by tag: %+v, %v", found, err)
	}
	_, err = c.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceType: kind, ResourceId: aws.String("none")})
	if code(err) != "InvalidResourceId" {
		t.Errorf("tags of nothing: %v", err)
	}
}

func TestParametersOfOthers(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	image := "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
	var ids []string
	for range 2 {
		out, err := c.GetParameters(t.Context(), &api.GetParametersInput{Names: []string{image}})
		if err != nil || len(out.Parameters) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		ids = append(ids, *out.Parameters[0].Value)
	}
	if ids[0] != ids[1] || !regexp.MustCompile(`^ami-[0-9a-f]{17}$`).MatchString(ids[0]) {
		t.Errorf("image ids %v", ids)
	}
	if _, err := c.GetParameter(t.Context(), &api.GetParameterInput{Name: aws.String("/aws/service/global-infrastructure/regions/eu-west-1")}); code(err) != "ParameterNotFound" {
		t.Errorf("a public parameter that is not here: %v", err)
	}
	name := aws.String("/aws/reference/secretsmanager/db")
	out, err := c.GetParameter(t.Context(), &api.GetParameterInput{Name: name, WithDecryption: aws.Bool(true)})
	if err != nil || *out.Parameter.Value != "of db" || out.Parameter.Type != types.ParameterTypeSecureString {
		t.Errorf("secret: %+v, %v", out, err)
	}
	if _, err := c.GetParameter(t.Context(), &api.GetParameterInput{Name: name}); code(err) != "ValidationException" {
		t.Errorf("secret without decryption: %v", err)
	}
}
