package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/codepipeline"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// noConnections stands in for CodeConnections: nothing is hosted.
type noConnections struct{}

func (noConnections) ListConnections(context.Context, *codeconnections.ListConnectionsInput) (*codeconnections.ListConnectionsOutput, error) {
	return &codeconnections.ListConnectionsOutput{}, nil
}

// gitHubAt answers as GitHub's API does for one repository, to those with the
// token. The archive comes from another address.
func gitHubAt(t *testing.T, tip *atomic.Value) string {
	archives := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token travels to another host")
		}
		_, _ = w.Write(zipped(map[string]string{"me-site-1/": "", "me-site-1/template.yaml": "Resources: {}", "me-site-1/src/a.txt": "a"}))
	}))
	t.Cleanup(archives.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/me/site/commits/{name}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") != "main" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"sha": %q, "commit": {"message": "first\n", "author": {"date": "2020-01-01T00:00:00Z"}, "committer": {"date": "2020-01-02T00:00:00Z"}}}`, tip.Load())
	})
	mux.HandleFunc("GET /repos/me/site/zipball/{commit}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(archives.URL, "127.0.0.1", "localhost", 1)+"?token=temporary", http.StatusFound)
	})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token-of-forty" {
			http.Error(w, "Bad credentials", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

func TestGitHubSource(t *testing.T) {
	t.Parallel()
	var tip atomic.Value
	tip.Store("c1")
	w := newWorld(t)
	w.close()
	st, err := store.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.store, w.door = st, door.New(door.Options{Store: st})
	service := codepipeline.New(w.door)
	service.UseGitHub(gitHubAt(t, &tip))
	for name, impl := range map[string]any{
		"sts": identities{}, "s3": w.objects, "codebuild": w.builds, "events": w.notices, "codeconnections": noConnections{}, "codepipeline": service,
	} {
		if err := w.door.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	w.client = api.NewFromConfig(w.door.As(door.Caller{Account: "000000000000", Region: "us-east-1"}))
	start := func(token, branch string) (string, types.ActionState) {
		t.Helper()
		def := definition(stage("Build", build("Quick", "quick")))
		def.Stages[0].Actions[0] = act("Source", "Source", "GitHub", map[string]string{"Owner": "me", "Repo": "site", "Branch": branch, "OAuthToken": token}, out("App"))
		def.Stages[0].Actions[0].ActionTypeId.Owner = types.ActionOwnerThirdParty
		must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
		id := w.first()
		w.until("the execution ends", func() bool { return w.execution(id).Status != types.PipelineExecutionStatusInProgress })
		return id, w.action("Source")
	}
	for _, test := range []struct{ token, branch, code, message string }{
		{"wrong", "main", "PermissionError", "GitHub refuses the token"},
		{"token-of-forty", "none", "ConfigurationError", "Either the GitHub repository or branch does not exist"},
	} {
		_, a := start(test.token, test.branch)
		if d := a.LatestExecution.ErrorDetails; d == nil || *d.Code != test.code || !strings.Contains(*d.Message, test.message) || strings.Contains(*d.Message, test.token) {
			t.Errorf("%s, %s: %+v", test.token, test.branch, d)
		}
		must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(t.Context(), &api.DeletePipelineInput{Name: aws.String("p")}))
	}
	id, a := start("token-of-forty", "main")
	if w.execution(id).Status != types.PipelineExecutionStatusSucceeded || *a.CurrentRevision.RevisionId != "c1" {
		t.Fatalf("%s", w.picture())
	}
	details := must[*api.ListActionExecutionsOutput](t)(w.client.ListActionExecutions(t.Context(), &api.ListActionExecutionsInput{PipelineName: aws.String("p")})).ActionExecutionDetails
	source := details[len(details)-1]
	if v := source.Output.OutputVariables; v["CommitMessage"] != "first" || v["CommitterDate"] != "2020-01-02T00:00:00Z" || v["RepositoryName"] != "site" {
		t.Errorf("variables: %v", v)
	}
	if source.Input.ResolvedConfiguration["OAuthToken"] != "****" {
		t.Errorf("resolved configuration: %v", source.Input.ResolvedConfiguration)
	}
	at := source.Output.OutputArtifacts[0].S3location
	b, err := w.objects.get(*at.Bucket + "/" + *at.Key)
	if err != nil {
		t.Fatal(err)
	}
	files, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range files.File {
		names[f.Name] = true
	}
	if len(names) != 2 || !names["template.yaml"] || !names["src/a.txt"] {
		t.Errorf("artifact: %v", names)
	}
}
