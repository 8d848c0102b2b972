package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	smithy "github.com/aws/smithy-go"
)

// Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"` // one of the words below
	Detail  string `json:"detail"`
	Fix     string `json:"fix,omitempty"` // what to do about it
}

// The outcomes of a check.
const (
	OK      = "ok"
	Warning = "warning" // works, and will not for long, or not well
	Failed  = "failed"
	Skipped = "skipped" // could not be looked at, and need not be
)

// Sound tells whether nothing failed.
func Sound(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Outcome == Failed })
}

// Platform looks at the system that ouro runs on.
func Platform() Check {
	c := Check{Name: "platform", Outcome: OK, Detail: runtime.GOOS + "/" + runtime.GOARCH}
	if !slices.Contains([]string{"linux", "darwin"}, runtime.GOOS) {
		c.Outcome, c.Fix = Warning, "builds of the local cloud need Linux or macOS: work on AWS with --aws, or in WSL"
	}
	return c
}

// Git looks for the git program, which serves and pushes repositories.
func Git(ctx context.Context) Check {
	out, err := exec.CommandContext(ctx, "git", "version").Output()
	if err != nil {
		return Check{Name: "git", Outcome: Failed, Detail: "there is no git that runs: " + err.Error(), Fix: "install git, and have it on the PATH"}
	}
	return Check{Name: "git", Outcome: OK, Detail: strings.TrimPrefix(strings.TrimSpace(string(out)), "git version ")}
}

// Secret is a secret that has to be there, with the keys of its JSON.
type Secret struct {
	Name string
	Keys []string
}

// ParseSecret reads NAME or NAME:KEY,KEY. An ARN has colons too; the keys come
// after the last one that is not part of it.
func ParseSecret(text string) (Secret, error) {
	name, keys := text, ""
	colons := 0
	if strings.HasPrefix(text, "arn:") {
		colons = 6 // arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME
	}
	if parts := strings.SplitN(text, ":", colons+2); len(parts) == colons+2 {
		name, keys = strings.Join(parts[:colons+1], ":"), parts[colons+1]
	}
	s := Secret{Name: name}
	if keys != "" {
		s.Keys = strings.Split(keys, ",")
	}
	if name == "" || slices.Contains(s.Keys, "") {
		return s, fmt.Errorf("the secret %q is not NAME or NAME:KEY,KEY", text)
	}
	return s, nil
}

// SecretsAPI is the part of the Secrets Manager client that checks call.
type SecretsAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Check looks for the secret and its keys. What they hold is told to nobody.
func (s Secret) Check(ctx context.Context, api SecretsAPI) Check {
	c := Check{Name: "secret " + s.Name, Outcome: Failed}
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name})
	if none := (*smtypes.ResourceNotFoundException)(nil); errors.As(err, &none) {
		c.Detail, c.Fix = "it is not there", s.Create()
		return c
	}
	if err != nil {
		c.Detail, c.Fix = short(err), "let whoever runs this read it (secretsmanager:GetSecretValue), or undo its deletion"
		return c
	}
	if len(s.Keys) == 0 {
		c.Outcome, c.Detail = OK, "it is there"
		return c
	}
	var members map[string]any
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &members) != nil {
		c.Detail, c.Fix = "it is no JSON object", s.put()
		return c
	}
	var missing []string
	for _, key := range s.Keys {
		if text, ok := members[key].(string); !ok || text == "" {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		c.Detail, c.Fix = "no text at "+strings.Join(missing, ", "), s.put()
		return c
	}
	c.Outcome, c.Detail = OK, "with "+strings.Join(s.Keys, ", ")
	return c
}

// body is what the secret should look like.
func (s Secret) body() string {
	if len(s.Keys) == 0 {
		return "'…'"
	}
	var members []string
	for _, key := range s.Keys {
		members = append(members, fmt.Sprintf("%q: \"…\"", key))
	}
	return shellWord("{" + strings.Join(members, ", ") + "}")
}

// Create is a command that makes the secret.
func (s Secret) Create() string {
	return "aws secretsmanager create-secret --name " + s.Name + " --secret-string " + s.body()
}

func (s Secret) put() string {
	return "aws secretsmanager put-secret-value --secret-id " + s.Name + " --secret-string " + s.body()
}

// ARN is the secret's ARN, once it was checked that it is there.
func (s Secret) ARN(ctx context.Context, api SecretsAPI) (string, error) {
	if c := s.Check(ctx, api); c.Outcome != OK {
		return "", fmt.Errorf("the secret %q cannot be used: %s; %s", s.Name, c.Detail, c.Fix)
	}
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name})
	if err != nil {
		return "", fmt.Errorf("looking for the secret %q: %w", s.Name, err)
	}
	return aws.ToString(out.ARN), nil
}

// CredentialsAPI is the part of the CodeBuild client that checks call.
type CredentialsAPI interface {
	ListSourceCredentials(context.Context, *codebuild.ListSourceCredentialsInput, ...func(*codebuild.Options)) (*codebuild.ListSourceCredentialsOutput, error)
}

// SourceCredentials looks for CodeBuild's credentials of a server type.
func SourceCredentials(ctx context.Context, api CredentialsAPI, serverType string) Check {
	c := Check{Name: "source credentials", Outcome: Failed}
	out, err := api.ListSourceCredentials(ctx, &codebuild.ListSourceCredentialsInput{})
	if err != nil {
		c.Detail, c.Fix = short(err), "let whoever runs this list them (codebuild:ListSourceCredentials)"
		return c
	}
	for _, info := range out.SourceCredentialsInfos {
		if string(info.ServerType) == serverType {
			c.Outcome, c.Detail = OK, serverType+" by "+string(info.AuthType)
			return c
		}
	}
	c.Detail, c.Fix = "CodeBuild has none for "+serverType, "ouro credentials deploy --server-type "+serverType
	return c
}

// short is what AWS says of an error, or else the error.
func short(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

// RegistrySecret is the secret with which builds sign in to Docker Hub.
func RegistrySecret(name string) Secret {
	return Secret{Name: name, Keys: []string{"User", "AccessToken"}}
}
