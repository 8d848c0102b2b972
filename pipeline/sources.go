package pipeline

import (
	"fmt"
	"strings"
)

// Source is where a pipeline takes its source from.
type Source struct {
	Provider   string // CodePipeline's name for it; empty if there is no source
	Repository string // its name, after its owner's where it has one; the bucket of an S3 source
	Branch     string // that is followed; the key of an S3 source
	Owned      bool   // the template makes the CodeCommit repository itself
	Connection string // ARN of the connection it is behind
	Secret     string // in Secrets Manager, which the token is read from
}

// The providers whose sources differ in how the source gets there.
const (
	codeCommit  = "CodeCommit"
	connections = "CodeStarSourceConnection"
	gitHub      = "GitHub"
	zipInS3     = "S3"
)

// readSource reads the configuration of a source action. Each provider has its
// own words for the same things:
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
func readSource(provider string, text func(key string) string) Source {
	s := Source{Provider: provider, Repository: text("RepositoryName"), Branch: text("BranchName")}
	switch provider {
	case connections:
		s.Repository, s.Connection = text("FullRepositoryId"), text("ConnectionArn")
	case gitHub:
		s.Repository, s.Branch = text("Owner")+"/"+text("Repo"), text("Branch")
		s.Secret = secretName(text("OAuthToken"))
	case zipInS3:
		s.Repository, s.Branch = text("S3Bucket"), text("S3ObjectKey")
	}
	return s
}

// secretName is the secret in a dynamic reference to the member of one that Up
// would make; empty if the text is something else.
func secretName(text string) string {
	text, ok := strings.CutPrefix(strings.TrimSuffix(text, "}}"), "{{resolve:secretsmanager:")
	parts := strings.Split(text, ":")
	if !ok || len(parts) < 3 || parts[1] != "SecretString" || parts[2] != tokenMember || strings.Contains(parts[0], unknown) {
		return ""
	}
	return parts[0]
}

// Pushes tells whether Up pushes the source itself: to no repository but one
// in the account.
func (s Source) Pushes() bool { return s.Provider == codeCommit }

// How tells what starts the pipeline, where Up does not push.
func (s Source) How() string {
	switch s.Provider {
	case zipInS3:
		return fmt.Sprintf("put the project as a zip to s3://%s/%s", s.Repository, s.Branch)
	case gitHub:
		return fmt.Sprintf("push to branch %s of https://github.com/%s", s.Branch, s.Repository)
	}
	return fmt.Sprintf("push to branch %s of %s", s.Branch, s.Repository)
}
