package codebuild_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// Links that stay inside by their words and lead out by way of another are
// refused; those that lead nowhere are not.
func TestLinksByLinks(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "refused")
	good := entry{"buildspec.yml", "version: 0.2\nphases: {}", 0o644}
	for name, want := range map[string]struct {
		body []byte
		want string
	}{
		"by another link": {zipped(t, good, entry{"a/b/up", "../..", 0o120777}, entry{"out", "a/b/up/../..", 0o120777}), `unpacking "out"`},
		"in a link":       {zipped(t, good, entry{"s", ".", 0o120777}, entry{"s/q/out", "../../x", 0o120777}), `unpacking "s"`},
		"nowhere":         {zipped(t, good, entry{"loop", "loop", 0o120777}, entry{"gone", "x/y", 0o120777}, entry{"d", "a/b", 0o120777}, entry{"a/b/c", "", 0o644}), ""},
	} {
		putObject(t, store, "refused", name, want.body)
		id := strings.ReplaceAll(name, " ", "-")
		c.create(t, project(id, "", func(in *api.CreateProjectInput) {
			in.Source = &types.ProjectSource{Type: types.SourceTypeS3, Location: aws.String("refused/" + name)}
		}))
		b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: &id}))
		p := phase(t, b, types.BuildPhaseTypeDownloadSource)
		if (want.want == "") != (b.BuildStatus == types.StatusTypeSucceeded) || want.want != "" && !strings.Contains(*p.Contexts[0].Message, want.want) {
			t.Errorf("%s: status %s: %+v", name, b.BuildStatus, p)
		}
	}
}
