package codepipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/wire"
)

// gitHubSource is the source action of version 1, with a token of GitHub's. It
// takes the tip of a branch, or the commit that the execution was started with.
// What the local cloud hosts as OWNER/REPO behind a connection of the account
// and region is taken from there, everything else from GitHub.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-GitHub.html
type gitHubSource struct{}

// gitHubCommit is a commit, wherever it lies.
type gitHubCommit struct {
	ID, Message, AuthorDate, CommitterDate string
}

// gitHubRepository is OWNER/REPO of an action's configuration.
func gitHubRepository(config map[string]string) string { return config["Owner"] + "/" + config["Repo"] }

func (gitHubSource) run(ctx context.Context, j *job) (*outcome, error) {
	arn, repository, err := hosted(ctx, j.service.host.As(j.caller), gitHubRepository(j.config))
	if err != nil {
		return nil, err
	}
	specifier := j.override(types.SourceRevisionTypeCommitId)
	var commit gitHubCommit
	if arn != "" {
		commit, err = hostedGitHub(ctx, j, arn, repository, specifier)
	} else {
		commit, err = realGitHub(ctx, j, cmp.Or(specifier, j.config["Branch"]))
	}
	if err != nil {
		return nil, err
	}
	url := "https://github.com/" + gitHubRepository(j.config) + "/commit/" + commit.ID
	return &outcome{
		summary:  commit.ID,
		revision: &revision{ID: commit.ID, Summary: commit.Message, URL: url},
		variables: map[string]string{
			"CommitId": commit.ID, "CommitMessage": commit.Message, "CommitUrl": url, "RepositoryName": j.config["Repo"], "BranchName": j.config["Branch"],
			"AuthorDate": commit.AuthorDate, "CommitterDate": commit.CommitterDate,
		},
	}, nil
}

// hosted finds the connection behind which the local cloud hosts OWNER/REPO, in
// the account and region of the calls, and the repository's name as it was
// pushed: GitHub does not tell case apart. Connections to GitHub come first.
func hosted(ctx context.Context, cfg aws.Config, repository string) (arn, name string, err error) {
	var all []cctypes.Connection
	pages := codeconnections.NewListConnectionsPaginator(codeconnections.NewFromConfig(cfg), &codeconnections.ListConnectionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", "", fmt.Errorf("looking for a connection to %s: %w", repository, err)
		}
		all = append(all, page.Connections...)
	}
	slices.SortStableFunc(all, func(a, b cctypes.Connection) int { return notGitHub(a) - notGitHub(b) })
	for _, c := range all {
		var list struct{ FullRepositoryIDs []string }
		in := map[string]string{"connectionArn": aws.ToString(c.ConnectionArn)}
		if err := wire.CallJSON(ctx, cfg, "codeconnections", connectionTarget+"ListRepositories", in, &list); err != nil {
			return "", "", fmt.Errorf("looking for repository %s: %w", repository, err)
		}
		for _, id := range list.FullRepositoryIDs {
			if strings.EqualFold(id, repository) {
				return aws.ToString(c.ConnectionArn), id, nil
			}
		}
	}
	return "", "", nil
}

func notGitHub(c cctypes.Connection) int {
	if c.ProviderType == cctypes.ProviderTypeGithub {
		return 0
	}
	return 1
}

// hostedGitHub brings the commit, or the branch's tip, of a hosted repository.
func hostedGitHub(ctx context.Context, j *job, arn, repository, commit string) (gitHubCommit, error) {
	tip, err := hostedTip(ctx, j.as, arn, repository, j.config["Branch"], commit)
	if err != nil {
		return gitHubCommit{}, err
	}
	if err := j.bring(ctx, j.as, arn, repository, tip, j.config["Branch"]); err != nil {
		return gitHubCommit{}, &foundError{tip.CommitID, err}
	}
	return gitHubCommit{tip.CommitID, strings.TrimSpace(tip.CommitMessage), tip.AuthorDate, tip.CommitterDate}, nil
}

func hostedTip(ctx context.Context, cfg aws.Config, arn, repository, branch, commit string) (tip connectionTip, err error) {
	operation, which := "GetBranch", connectionCommit{ConnectionArn: arn, FullRepositoryID: repository, BranchName: branch}
	if commit != "" {
		operation, which.BranchName, which.CommitID = "GetCommit", "", commit
	}
	err = wire.CallJSON(ctx, cfg, "codeconnections", connectionTarget+operation, which, &tip)
	return tip, err
}

// gitHubPollEvery is how often GitHub itself is asked for the tip of a branch:
// it counts the requests of a token.
const gitHubPollEvery = time.Minute

// gitHubTips asks for the tip of a GitHub action's branch.
type gitHubTips struct {
	service       *Service
	key           lineKey
	stage, action string
	asked         time.Time
	last          string
}

func (g *gitHubTips) tip(ctx context.Context, cfg aws.Config, config map[string]string) (string, error) {
	arn, repository, err := hosted(ctx, g.service.host.As(self(g.key.scope, cfg.Region)), gitHubRepository(config))
	if err != nil {
		return "", err
	}
	if arn != "" {
		tip, err := hostedTip(ctx, cfg, arn, repository, config["Branch"], "")
		if noBranch := new(wire.Error); errors.As(err, &noBranch) && noBranch.Code == "ResourceNotFoundException" {
			return "", nil
		}
		return tip.CommitID, err
	}
	now := g.service.host.Now()
	if !g.asked.IsZero() && now.Sub(g.asked) < gitHubPollEvery {
		return g.last, nil
	}
	g.asked = now
	token, err := g.service.openSecret(config["OAuthToken"], g.stage, g.action, "OAuthToken")
	if err != nil {
		return "", err
	}
	commit, err := gitHub{g.service.github, token}.commit(ctx, gitHubRepository(config), config["Branch"])
	if err == nil {
		g.last = commit.ID
	}
	return g.last, err
}
