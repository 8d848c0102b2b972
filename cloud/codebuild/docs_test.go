package codebuild_test

import (
	"flag"
	"reflect"
	"strings"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codebuild"

	"ouro/cloud/cloudtest"
	"ouro/cloud/codebuild"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"BatchGetFleets":               "finds none",
	"BatchGetSandboxes":            "finds none",
	"CreateProject":                "fleets are refused; a VPC, file systems and build statuses for the provider are kept, and the log of a build says that there are none",
	"CreateWebhook":                "global and organization webhooks and runners of GitHub Actions and Buildkite are refused; no provider is told, see above",
	"DeleteWebhook":                "no provider is told",
	"ListCuratedEnvironmentImages": "AWS's names of images; a project may name any other",
	"ListFleets":                   "an empty list",
	"ListSandboxes":                "an empty list",
	"ListSandboxesForProject":      "an empty list",
	"PutResourcePolicy":            "policies are kept and told, and let nobody in: an account reaches its own projects only",
	"RetryBuild":                   "builds of a batch are refused: RetryBuildBatch",
	"StartBuild":                   "as CreateProject; debug sessions are refused",
	"StartBuildBatch":              "as StartBuild",
	"UpdateProject":                "as CreateProject",
	"UpdateProjectVisibility":      "kept; there is no page of public builds, and hence no alias",
	"UpdateWebhook":                "as CreateWebhook",
}

const (
	noFleets    = "The local cloud has no compute fleets: builds run on this machine"
	noSandboxes = "The local cloud has no sandboxes: a build's commands run as soon as it has started, and nobody can come in"
)

// absent are the operations that do nothing but say why.
var absent = map[string]string{
	"BatchGetCommandExecutions":       noSandboxes,
	"CreateFleet":                     noFleets,
	"DeleteFleet":                     noFleets,
	"ListCommandExecutionsForSandbox": noSandboxes,
	"StartCommandExecution":           noSandboxes,
	"StartSandbox":                    noSandboxes,
	"StartSandboxConnection":          noSandboxes,
	"StopSandbox":                     noSandboxes,
	"UpdateFleet":                     noFleets,
}

// TestAbsent calls the operations that are absent.
func TestAbsent(t *testing.T) {
	t.Parallel()
	service := reflect.ValueOf(newCloud(t, t.TempDir()).service)
	for name, want := range absent {
		operation := service.MethodByName(name)
		out := operation.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.New(operation.Type().In(1).Elem())})
		if err, _ := out[1].Interface().(error); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// TestPage keeps docs/codebuild.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	rows := cloudtest.Operations(t, reflect.TypeFor[*codebuild.Service](), reflect.TypeFor[*api.Client](),
		map[string]map[string]string{"limited": limited, "refused": absent})
	cloudtest.Page(t, "../../docs/codebuild.md", docsIntroduction+rows, *update)
}

const docsIntroduction = `# CodeBuild on the local cloud

Projects, builds, batch builds, reports, webhooks and source credentials, by the same API as on AWS. How a build runs on this machine, with or without
containers, its caches and its reports are in [builds.md](builds.md).

` + "`go test ./cloud/codebuild -run TestPage -update`" + ` writes this page.

## Where sources come from

| source | is cloned from |
|---|---|
| CodeCommit, S3 | the local cloud |
| a provider's repository, in a project whose authorization names a connection | the repository of that name behind the connection |
| a provider's repository | the repository of that name behind a connection of the account and region, if there is one; else the provider itself |

The provider is GitHub, GitHub Enterprise, GitLab, GitLab self-managed or Bitbucket. Builds sign in to it with the credentials that
` + "`import-source-credentials`" + ` keeps, sealed, one for each kind of provider, or with those in the secret that the source's authorization names. The
source version ` + "`pr/N`" + ` is the provider's reference of a pull request (` + "`refs/pull/N/head`, `refs/merge-requests/N/head`" + `); a repository behind a connection
has it when it was told of the pull request (see below), or somebody pushed it.

## What starts builds

A webhook (` + "`create-webhook`" + `, or ` + "`Triggers`" + ` in a template) has the filter groups of AWS's, and starts builds or batch builds. Three things feed it:

1. *A push to a repository behind a connection.* The address to push to is
   ` + "`http://ADDRESS/git-http/ACCOUNT/REGION/CONNECTION-ID/OWNER/REPOSITORY.git`" + `. CodeConnections tells of each branch and tag by an event; a rule that
   CodeBuild keeps, ` + "`codebuild-PROJECT-…`" + `, hands it to the webhook.
2. *A pull request of such a repository.* There is no page to open one on: post the provider's own payload, as GitHub, GitLab or Bitbucket would, to
   ` + "`http://ADDRESS/_codeconnections/events/ACCOUNT/REGION/CONNECTION-ID`" + `. The build gets the commit of the source branch.
3. *A delivery of the provider itself,* to the payload URL that ` + "`create-webhook`" + ` answers. Nobody tells the provider: enter the URL and the secret there by
   hand, with the content type application/json, and let it reach this machine. Deliveries that are not signed with the secret are refused;
   Bitbucket's are not signed, its URL is the secret. The answer says which build was started, or why none was.

The same event, delivered twice within five minutes, starts one build. Builds know of the event by ` + "`CODEBUILD_WEBHOOK_…`" + ` variables, and their initiator is
the one that delivered it.

To see it without a provider, for a project ` + "`site`" + ` with the source ` + "`https://github.com/ada/site`" + `:

` + "```sh" + `
aws codeconnections create-connection --connection-name hub --provider-type GitHub
aws codebuild create-webhook --project-name site --filter-groups '[[{"type":"EVENT","pattern":"PUSH"},{"type":"FILE_PATH","pattern":"^src/"}]]'
git push http://127.0.0.1:4566/git-http/000000000000/us-east-1/CONNECTION-ID/ada/site.git main
aws codebuild list-builds-for-project --project-name site
` + "```" + `

What is worth knowing of filters:

- Patterns are Java's regular expressions, look-around and all. One that takes longer than a second starts nothing; the answer says so.
- A filter that asks what the delivery does not tell does not pass, whether it excludes or not. GitHub's payloads about pull requests list neither files nor
  messages, Bitbucket's list no files, GitLab's list the files of 20 commits. Events of CodeConnections tell both, up to 1,000 files.
- ` + "`ACTOR_ACCOUNT_ID`" + ` of a push to the local cloud is the name of the commit's author: git pushes have no account there.
- A pull request build policy holds back what AWS would hold back; comments that approve are not read.

Besides webhooks, builds are started by pipelines, by rules of EventBridge, and by ` + "`start-build`" + `.

## Operations

| operation | |
|---|---|
`
