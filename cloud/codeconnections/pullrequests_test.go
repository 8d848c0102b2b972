package codeconnections_test

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"ouro/cloud/codeconnections"
)

// What a provider's webhook says of a pull request becomes an event, whose
// commit and files come from the repository.
func TestPullRequests(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	arn, dir := c.connect(t), newWork(t)
	base := commit(t, dir, "a.txt")
	gitIn(t, dir, "checkout", "--quiet", "-b", "side")
	head := commit(t, dir, "b.txt")
	gitIn(t, dir, "push", "--quiet", c.remote(arn, "ann/site"), "main", "side")
	post := func(header, event, body string) (status int, answer string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			c.url+"/_codeconnections/events/000000000000/us-east-1/"+arn[strings.LastIndex(arn, "/")+1:], strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(header, event)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	gitHub := func(action, commit string) string {
		return fmt.Sprintf(`{"action": %q, "number": 7, "pull_request": {"title": "Side", "merged": false, "head": {"ref": "side", "sha": %q},
			"base": {"ref": "main", "sha": %q}}, "repository": {"full_name": "ann/site"}, "sender": {"login": "ann"}}`, action, commit, base)
	}
	gitLab := func(action, old string) string {
		return fmt.Sprintf(`{"object_kind": "merge_request", "user": {"username": "ann"}, "project": {"path_with_namespace": "ann/site"},
			"object_attributes": {"iid": 7, "title": "Side", "action": %q, "oldrev": %q, "source_branch": "side", "target_branch": "main", "last_commit": {"id": %q}}}`, action, old, head)
	}
	bitbucket := fmt.Sprintf(`{"actor": {"nickname": "ann"}, "pullrequest": {"id": 7, "title": "Side", "source": {"branch": {"name": "side"}, "commit": {"hash": %q}},
		"destination": {"branch": {"name": "main"}, "commit": {"hash": %q}}}, "repository": {"full_name": "ann/site"}}`, head[:12], base[:12])
	for _, test := range []struct{ header, event, body, want, base string }{
		{"X-GitHub-Event", "pull_request", gitHub("opened", head), "OPEN", base},
		{"X-GitHub-Event", "pull_request", gitHub("synchronize", head), "UPDATED", base},
		{"X-GitHub-Event", "pull_request", gitHub("reopened", head), "OPEN", base},
		{"X-Gitlab-Event", "Merge Request Hook", gitLab("open", ""), "OPEN", ""},
		{"X-Gitlab-Event", "Merge Request Hook", gitLab("update", base), "UPDATED", ""},
		{"X-Event-Key", "pullrequest:rejected", bitbucket, "CLOSED", ""},
	} {
		if status, answer := post(test.header, test.event, test.body); status != http.StatusOK {
			t.Errorf("%s %s: %d %s", test.event, test.want, status, answer)
			continue
		}
		want := codeconnections.PullRequest{
			Event: test.want, Reopened: strings.Contains(test.body, "reopened"), PullRequestID: "7", PullRequestTitle: "Side", DestinationBranch: "main",
			StateChange: codeconnections.StateChange{
				ConnectionARN: arn, FullRepositoryID: "ann/site", ProviderType: types.ProviderTypeGithub,
				ReferenceType: "branch", ReferenceName: "side", CommitID: head, OldCommitID: test.base, ChangedFiles: []string{"b.txt"}, AddedFiles: []string{"b.txt"},
				CommitMessage: "add b.txt", AuthorName: "Ann", AuthorEmail: "ann@example.com", AuthorDate: "2023-11-14T22:13:20Z", Sender: "ann",
			},
		}
		if got := <-c.events.requests; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: event %+v\nwant %+v", test.event, got, want)
		}
	}
	if got := gitIn(t, dir, "ls-remote", c.remote(arn, "ann/site"), "refs/pull/7/head"); got != head+"\trefs/pull/7/head" {
		t.Errorf("the head of the pull request: %q", got)
	}
	for _, test := range []struct {
		header, event, body string
		want                int
	}{
		{"X-GitHub-Event", "pull_request", gitHub("labeled", head), http.StatusAccepted},
		{"X-GitHub-Event", "push", `{}`, http.StatusAccepted},
		{"X-Gitlab-Event", "Merge Request Hook", gitLab("update", ""), http.StatusAccepted},
		{"X-Event-Key", "pullrequest:approved", bitbucket, http.StatusAccepted},
		{"X-GitHub-Event", "pull_request", gitHub("opened", strings.Repeat("0", 40)), http.StatusUnprocessableEntity},
		{"X-GitHub-Event", "pull_request", strings.Replace(gitHub("opened", head), "ann/site", "../../x", 1), http.StatusUnprocessableEntity},
		{"X-GitHub-Event", "pull_request", "{", http.StatusBadRequest},
		{"X-Other", "pull_request", "{}", http.StatusBadRequest},
		{"X-GitHub-Event", "pull_request", strings.Repeat(" ", 1<<20+1), http.StatusRequestEntityTooLarge},
	} {
		if status, answer := post(test.header, test.event, test.body); status != test.want {
			t.Errorf("%s %s: %d %s, want %d", test.header, test.event, status, answer, test.want)
		}
	}
	if n := len(c.events.requests); n != 0 {
		t.Errorf("%d events too many", n)
	}
}
