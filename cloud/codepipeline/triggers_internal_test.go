package codepipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"
)

func TestGlobs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"main", "main", true}, {"main", "mainline", false}, {"a.b", "axb", false},
		{"*.java", "A.java", true}, {"*.java", "src/A.java", false}, {"*", "", true},
		{"**", "a/b/c", true}, {"feature/**", "feature/a/b", true}, {"feature/*", "feature/a/b", false}, {"feature**", "feature-x/y", true},
		{"**/README.md", "README.md", true}, {"**/README.md", "a/b/README.md", true}, {"common/**/*.js", "common/x.js", true}, {"common/**/*.js", "common/a/b/x.js", true},
		{"foo.?", "foo.c", true}, {"foo.?", "foo./", false}, {"*.{java,class}", "A.class", true}, {"{a,b/*}", "b/c", true}, {"a,b", "a,b", true},
		{"v[0-9]", "v7", true}, {"v[!0-9]", "v7", false}, {"v[!0-9]", "vx", true}, {"[-a]", "-", true}, {"[*?\\]", "*", true}, {"[*?\\]", "x", false},
		{`\*`, "*", true}, {`\*`, "x", false}, {"*hotfix*", "my-hotfix-1", true}, {"{a,{b}}", "b", false}, {"[a", "a", false}, {"{a", "a", false},
		{"grün/**", "grün/x", true}, {"f?r", "fär", true},
	} {
		if got := globMatches(test.pattern, test.name); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.name, got)
		}
	}
}

func branches(includes ...string) *types.GitBranchFilterCriteria {
	return &types.GitBranchFilterCriteria{Includes: includes}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	push := func(f ...types.GitPushFilter) *types.GitConfiguration { return &types.GitConfiguration{Push: f} }
	requests := func(f ...types.GitPullRequestFilter) *types.GitConfiguration {
		return &types.GitConfiguration{PullRequest: f}
	}
	onFiles := func(includes, excludes []string) *types.GitConfiguration {
		return push(types.GitPushFilter{Branches: branches("main"), FilePaths: &types.GitFilePathFilterCriteria{Includes: includes, Excludes: excludes}})
	}
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("a/%03d", i))
	}
	branch := func(name string) gitChange { return gitChange{ReferenceType: "branch", ReferenceName: name} }
	tag := func(name string) gitChange { return gitChange{ReferenceType: "tag", ReferenceName: name} }
	request := func(event, to string) gitChange {
		return gitChange{ReferenceType: "branch", ReferenceName: "side", PullRequestEvent: event, DestinationBranch: to}
	}
	for name, test := range map[string]struct {
		git    *types.GitConfiguration
		change gitChange
		files  []string
		want   bool
	}{
		"no filter, the action's branch":       {&types.GitConfiguration{}, branch("main"), nil, true},
		"no filter, another branch":            {&types.GitConfiguration{}, branch("side"), nil, false},
		"no filter, a tag":                     {&types.GitConfiguration{}, tag("main"), nil, false},
		"no filter, a pull request":            {&types.GitConfiguration{}, request("OPEN", "main"), nil, false},
		"a branch":                             {push(types.GitPushFilter{Branches: branches("feature/**", "release/**")}), branch("release/1"), nil, true},
		"another branch":                       {push(types.GitPushFilter{Branches: branches("feature/**")}), branch("main"), nil, false},
		"a tag for branches":                   {push(types.GitPushFilter{Branches: branches("**")}), tag("v1"), nil, false},
		"a tag":                                {push(types.GitPushFilter{Tags: &types.GitTagFilterCriteria{Includes: []string{"v*"}}}), tag("v1"), nil, true},
		"an excluded tag":                      {push(types.GitPushFilter{Tags: &types.GitTagFilterCriteria{Includes: []string{"v*"}, Excludes: []string{"v2"}}}), tag("v2"), nil, false},
		"a branch for tags":                    {push(types.GitPushFilter{Tags: &types.GitTagFilterCriteria{Includes: []string{"*"}}}), branch("main"), nil, false},
		"excludes alone":                       {push(types.GitPushFilter{Branches: &types.GitBranchFilterCriteria{Excludes: []string{"main"}}}), branch("side"), nil, true},
		"either filter":                        {push(types.GitPushFilter{Branches: branches("a")}, types.GitPushFilter{Branches: branches("b")}), branch("b"), nil, true},
		"a file":                               {onFiles([]string{"src/**"}, nil), branch("main"), []string{"README.md", "src/a.go"}, true},
		"no such file":                         {onFiles([]string{"src/**"}, nil), branch("main"), []string{"README.md"}, false},
		"files unknown":                        {onFiles([]string{"src/**"}, nil), branch("main"), nil, false},
		"only excluded files":                  {onFiles(nil, []string{"**/*.md"}), branch("main"), []string{"README.md", "doc/a.md"}, false},
		"a file beside excluded ones":          {onFiles(nil, []string{"**/*.md"}), branch("main"), []string{"README.md", "a.go"}, true},
		"excludes go first":                    {onFiles([]string{"src/**"}, []string{"src/**"}), branch("main"), []string{"src/a.go"}, false},
		"file of another branch":               {onFiles([]string{"src/**"}, nil), branch("side"), []string{"src/a.go"}, false},
		"the hundredth file":                   {onFiles([]string{"a/099"}, nil), branch("main"), many, true},
		"beyond the hundredth file":            {onFiles([]string{"b"}, nil), branch("main"), append(many, "b"), false},
		"a pull request":                       {requests(types.GitPullRequestFilter{Branches: branches("main")}), request("OPEN", "main"), nil, true},
		"a pull request to elsewhere":          {requests(types.GitPullRequestFilter{Branches: branches("main")}), request("OPEN", "side"), nil, false},
		"another event of it":                  {requests(types.GitPullRequestFilter{Events: []types.GitPullRequestEventType{"CLOSED"}, Branches: branches("main")}), request("OPEN", "main"), nil, false},
		"its files":                            {requests(types.GitPullRequestFilter{Branches: branches("main"), FilePaths: &types.GitFilePathFilterCriteria{Includes: []string{"x"}}}), request("UPDATED", "main"), []string{"y"}, false},
		"a push where pull requests start":     {requests(types.GitPullRequestFilter{Branches: branches("main")}), branch("main"), nil, false},
		"a pull request where pushes start it": {push(types.GitPushFilter{Branches: branches("side")}), request("OPEN", "side"), nil, false},
	} {
		if got := passes(test.git, "main", test.change, test.files); got != test.want {
			t.Errorf("%s: passes: %v", name, got)
		}
	}
}

func TestTriggersAreChecked(t *testing.T) {
	t.Parallel()
	combination := "The trigger configuration for the source action is not valid. Make sure to choose valid filter combinations."
	nine := strings.Split(strings.Repeat("x", 9), "")
	tags := &types.GitTagFilterCriteria{Includes: []string{"v*"}}
	files := &types.GitFilePathFilterCriteria{Includes: []string{"x"}}
	for want, git := range map[string]types.GitConfiguration{
		"":                {Push: []types.GitPushFilter{{Tags: tags}, {Branches: branches("a"), FilePaths: files}}, PullRequest: []types.GitPullRequestFilter{{Branches: branches("a"), FilePaths: files, Events: []types.GitPullRequestEventType{"OPEN"}}}},
		combination + "1": {Push: []types.GitPushFilter{{Tags: tags, Branches: branches("a")}}},
		combination + "2": {Push: []types.GitPushFilter{{FilePaths: files}}},
		combination + "3": {Push: []types.GitPushFilter{{}}},
		combination + "4": {PullRequest: []types.GitPullRequestFilter{{FilePaths: files}}},
		"Value '4' at 'pipeline.triggers.1.member.gitConfiguration.push' failed":                      {Push: make([]types.GitPushFilter, 4)},
		"Value '9' at 'pipeline.triggers.1.member.gitConfiguration.push.1.member.branches.includes'":  {Push: []types.GitPushFilter{{Branches: branches(nine...)}}},
		"branches.includes' failed to satisfy constraint: Member must have length between 1 and 255":  {Push: []types.GitPushFilter{{Branches: branches(strings.Repeat("x", 256))}}},
		"Value 'MERGED' at 'pipeline.triggers.1.member.gitConfiguration.pullRequest.1.member.events'": {PullRequest: []types.GitPullRequestFilter{{Branches: branches("a"), Events: []types.GitPullRequestEventType{"MERGED"}}}},
		"The pattern '{a' is not a valid glob pattern":                                                {Push: []types.GitPushFilter{{Branches: branches("{a")}}},
		"'Other' is not a source action with the provider CodeStarSourceConnection":                   {SourceActionName: aws.String("Other")},
	} {
		if git.SourceActionName == nil {
			git.SourceActionName = aws.String("Source")
		}
		def := &types.PipelineDeclaration{
			Triggers: []types.PipelineTriggerDeclaration{{ProviderType: "CodeStarSourceConnection", GitConfiguration: &git}},
			Stages: []types.StageDeclaration{{Name: aws.String("Source"), Actions: []types.ActionDeclaration{
				{Name: aws.String("Source"), ActionTypeId: &types.ActionTypeId{Provider: aws.String("CodeStarSourceConnection")}},
				{Name: aws.String("Other"), ActionTypeId: &types.ActionTypeId{Provider: aws.String("S3")}},
			}}},
		}
		err := checkTriggers(def)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), strings.TrimRight(want, "1234"))) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	tag := &gitChange{ReferenceType: "tag", ReferenceName: "v1", CommitID: "c", AuthorName: "Ann", ConnectionArn: "arn", ProviderType: "GitHub", FullRepositoryID: "me/site"}
	want := map[string]string{"tag-name": "v1", "commit-id": "c", "author-display-name": "Ann", "connection-arn": "arn", "provider-type": "GitHub", "full-repository-name": "me/site"}
	if diff := cmp.Diff(want, tag.facts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if (*gitChange)(nil).facts() != nil {
		t.Error("an execution without a change tells of one")
	}
}
