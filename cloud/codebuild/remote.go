package codebuild

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	connections "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"ouro/cloud/door"
)

// remote is a git repository to clone.
type remote struct {
	url            string
	user, password string // of its host; empty: any will do
	insecure       bool   // certificates are not checked
}

// connectionKinds are the kinds of connections behind which a source of a type
// can lie.
var connectionKinds = map[types.SourceType]connections.ProviderType{
	types.SourceTypeGithub:            connections.ProviderTypeGithub,
	types.SourceTypeGithubEnterprise:  connections.ProviderTypeGithubEnterpriseServer,
	types.SourceTypeGitlab:            connections.ProviderTypeGitlab,
	types.SourceTypeGitlabSelfManaged: connections.ProviderTypeGitlabSelfManaged,
	types.SourceTypeBitbucket:         connections.ProviderTypeBitbucket,
}

// repositoryOf reads a provider's URL of a repository: its host, and
// OWNER/REPOSITORY.
func repositoryOf(s *types.ProjectSource) (host, repository string, ok bool) {
	u, err := url.Parse(aws.ToString(s.Location))
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", "", false
	}
	path := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	return u.Host, path, strings.Contains(path, "/") && !strings.Contains("/"+path+"/", "/../")
}

// connectionOf is the connection that a source is reached through, if its
// authorization names one.
func connectionOf(auth *types.SourceAuth) string {
	if auth == nil || auth.Type != types.SourceAuthTypeCodeconnections {
		return ""
	}
	return aws.ToString(auth.Resource)
}

// remote finds where a source is to be cloned from. What is called like a
// repository behind a connection of the account is that repository; any other
// is asked of the provider itself, with the account's credentials for it.
func (r *run) remote(ctx context.Context, s *types.ProjectSource) (remote, error) {
	if s.Type == types.SourceTypeCodecommit {
		location := strings.TrimSuffix(aws.ToString(s.Location), "/")
		url, err := r.codeCommit(ctx, location[strings.LastIndexByte(location, '/')+1:])
		return remote{url: url}, err
	}
	host, repository, ok := repositoryOf(s)
	if !ok {
		return remote{}, failf("CLIENT_ERROR", "source location %s: it is not the HTTPS URL of a repository", aws.ToString(s.Location))
	}
	c, err := r.signIn(ctx, s)
	if err != nil {
		return remote{}, err
	}
	if c.connection != "" {
		url, err := r.behind(c.connection, repository)
		return remote{url: url}, err
	}
	url, err := r.hosted(ctx, s.Type, repository)
	if err != nil {
		return remote{}, err
	}
	if url != "" {
		return remote{url: url}, nil
	}
	return remote{
		url: "https://" + host + "/" + repository + ".git", user: c.user, password: c.token, insecure: aws.ToBool(s.InsecureSsl),
	}, nil
}

func (r *run) codeCommit(ctx context.Context, name string) (string, error) {
	out, err := codecommit.NewFromConfig(r.role.config).GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &name})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.RepositoryMetadata.CloneUrlHttp), nil
}

// behind is the address of a repository behind a connection. Its path is that
// of AWS's own proxy for git.
func (r *run) behind(connection, repository string) (string, error) {
	parts := strings.SplitN(connection, ":", 6)
	if len(parts) != 6 || !strings.HasPrefix(parts[5], "connection/") {
		return "", failf("CLIENT_ERROR", "%s is not the ARN of a connection", connection)
	}
	if parts[4] != r.rec.Caller.Account {
		return "", failf("ACCESS_DENIED", "connection %s belongs to another account", connection)
	}
	return r.s.host.Endpoint() + "/git-http/" + parts[4] + "/" + parts[3] + "/" + strings.TrimPrefix(parts[5], "connection/") + "/" + repository + ".git", nil
}

// hosted is the address of a repository that the local cloud has behind a
// connection of the account and region, "" for none. Connections to the
// source's own kind of provider come first.
func (r *run) hosted(ctx context.Context, kind types.SourceType, repository string) (string, error) {
	caller := door.Caller{Account: r.rec.Caller.Account, Region: r.rec.Caller.Region, Service: "codebuild.amazonaws.com"}
	pages := codeconnections.NewListConnectionsPaginator(codeconnections.NewFromConfig(r.s.host.As(caller)), &codeconnections.ListConnectionsInput{})
	var all []connections.Connection
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("looking for a connection to %s: %w", repository, err)
		}
		all = append(all, page.Connections...)
	}
	slices.SortStableFunc(all, func(a, b connections.Connection) int {
		return rank(a.ProviderType == connectionKinds[kind]) - rank(b.ProviderType == connectionKinds[kind])
	})
	for _, c := range all {
		url, err := r.behind(aws.ToString(c.ConnectionArn), repository)
		if err != nil {
			return "", err
		}
		there, err := answers(ctx, url)
		if err != nil {
			return "", fmt.Errorf("looking for repository %s: %w", repository, err)
		}
		if there {
			return url, nil
		}
	}
	return "", nil
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// answers tells whether git finds a repository there.
func answers(ctx context.Context, url string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/info/refs?service=git-upload-pack", nil)
	if err != nil {
		return false, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK, nil
}
