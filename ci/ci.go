// Package ci sets up builds of a repository: one CodeBuild batch with a part
// for every directory below some roots, at each push and for releases. It finds
// the directories and writes the buildspecs, starts batches and follows them,
// and looks whether all that the builds need is there. It works on any endpoint,
// through SDK clients.
package ci

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"ouro/library"
	"ouro/regex"
	"ouro/template"
)

// Purpose is what a build project is for.
type Purpose struct {
	Name     string // ends the names of the stack and of the build project
	Template string // in the library
	Output   string // directory of its buildspecs, in the repository
	Command  string // that works on it
	entry    string // what each build of the batch does, unless the user says otherwise
}

// CI builds each push, Release what somebody releases.
var (
	CI      = Purpose{Name: "CI", Template: "ci/build.yaml", Output: "codebuild/ci", Command: "ouro ci", entry: ciEntry}
	Release = Purpose{Name: "Release", Template: "ci/release.yaml", Output: "codebuild/release", Command: "ouro release", entry: releaseEntry}
)

// CredentialsTemplate is the library's template of source credentials.
const CredentialsTemplate = "ci/credentials.yaml"

// Stack is the name of a project's stack, and of its build project.
func (p Purpose) Stack(project string) string { return project + "-" + p.Name }

// CredentialsStack is the name of the stack with the credentials for a server
// type: CodeBuild has one of each in an account and region.
func CredentialsStack(serverType string) string {
	return "SourceCredentials-" + strings.ReplaceAll(serverType, "_", "-")
}

// projectName is what the templates take; stacks, roles and build projects
// are called after it.
var projectName = regex.New(`^[A-Za-z][A-Za-z0-9-]{1,30}$`)

// CheckProject tells at once what AWS would tell late, if at all.
func CheckProject(name string) error {
	switch {
	case name == "":
		return errors.New("no project: name one with --project")
	case !projectName().MatchString(name):
		return fmt.Errorf("the project name %q has to be 2 to 31 letters, digits and hyphens, a letter first", name)
	}
	return nil
}

// hosts are the providers whose repositories are known by their host.
var hosts = map[string]string{"github.com": "GITHUB", "bitbucket.org": "BITBUCKET", "gitlab.com": "GITLAB"}

// SourceType is CodeBuild's word for who has the repository at a URL.
func SourceType(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return "", fmt.Errorf("the project's URL %q is no HTTPS clone URL, such as https://github.com/OWNER/REPOSITORY", address)
	}
	if u.User != nil {
		return "", errors.New("the project's URL has a user in it: leave it out, credentials are not part of a template")
	}
	if kind, ok := hosts[u.Hostname()]; ok {
		return kind, nil
	}
	if strings.HasPrefix(u.Hostname(), "git-codecommit.") {
		return "CODECOMMIT", nil
	}
	return "", fmt.Errorf("who has the repository on %s is not known: name it with --source-type, one of GITHUB_ENTERPRISE, GITLAB_SELF_MANAGED", u.Host)
}

// CheckParameters checks values against the library's template of that name,
// by CloudFormation's rules and without asking it. Empty values are taken out:
// there the template's own stand.
func CheckParameters(name string, values map[string]string) error {
	t, err := library.Open(name)
	if err != nil {
		return err
	}
	maps.DeleteFunc(values, func(_, v string) bool { return v == "" })
	for _, p := range t.Parsed.Parameters() {
		// CloudFormation's sentence leaves out which they are.
		if v, given := values[p.Name]; given && len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, v) {
			return fmt.Errorf("%s: %s %q is none of %s", t.Name, p.Name, v, strings.Join(p.AllowedValues, ", "))
		}
	}
	if _, err := t.Parsed.ResolveParameters(values, nil); err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	return nil
}

// Takes tells whether the library's template has that parameter.
func Takes(name, parameter string) bool {
	t, err := library.Open(name)
	return err == nil && slices.ContainsFunc(t.Parsed.Parameters(), func(p template.Parameter) bool { return p.Name == parameter })
}
