package starter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ouro/library"
	"ouro/regex"
)

// Answers are what a new project is like.
type Answers struct {
	Name          string
	Provider      string // of the source, as the pipeline's template calls it
	ConnectionArn string
	Owner         string
	Repository    string
	Branch        string
	TokenSecret   string
	Environments  string // with commas between
	Site          string // Empty or App
}

// What a site begins with: a few small resources, or a network with an
// application behind a load balancer.
const (
	Empty = "empty"
	App   = "app"
)

// stages are the environments in the order in which they are deployed.
func (a Answers) stages() []string { return stages(a.Environments) }

func stages(text string) []string {
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// Question is one thing to know of a project.
type Question struct {
	Flag      string
	Help      string                 // what the flag is for
	Text      func(Answers) string   // the question, given the answers before it
	Standard  func(Answers) string   // the answer when none is given; empty if there is none
	At        func(*Answers) *string // where the answer goes
	parameter string                 // of the pipeline's template that takes it; empty for none
	providers []string               // of the source that it is asked for; none means all
	choices   []string               // that there are; none means any text
	check     func(string) error     // of what is neither a parameter nor a choice
}

// Asked tells whether the answers so far leave the question open.
func (q Question) Asked(a Answers) bool {
	return len(q.providers) == 0 || slices.Contains(q.providers, a.Provider)
}

// Normal is an answer as it is kept: a choice is found in any case.
func (q Question) Normal(text string) string {
	for _, c := range q.choices {
		if strings.EqualFold(c, text) {
			return c
		}
	}
	return text
}

// Check tells what is wrong with an answer.
func (q Question) Check(text string) error {
	switch text = q.Normal(text); {
	case text == "":
		return errors.New("an answer is needed")
	case q.check != nil:
		return q.check(text)
	case q.choices == nil:
		return checkParameter(q.parameter, text)
	case !slices.Contains(q.choices, text):
		return fmt.Errorf("there is no %q; there are %s", text, strings.Join(q.choices, ", "))
	}
	return nil
}

// Questions are what a project is asked for, in order.
func Questions() []Question {
	return []Question{
		{
			Flag: "name", Help: "of the project (default that of DIR)", Text: always("Name of the project"),
			Standard: func(a Answers) string { return a.Name }, At: func(a *Answers) *string { return &a.Name }, parameter: "ProjectName",
		},
		{
			Flag: "provider", Help: "CodeCommit (default), Connection, GitHub or S3",
			Text:     always("Where the source is: CodeCommit, Connection, GitHub, S3"),
			Standard: always("CodeCommit"), At: func(a *Answers) *string { return &a.Provider }, parameter: "SourceProvider",
			choices: []string{"CodeCommit", "Connection", "GitHub", "S3"},
		},
		{
			Flag: "connection-arn", Help: "for the provider Connection", Text: always("ARN of the connection"),
			Standard: always(""), At: func(a *Answers) *string { return &a.ConnectionArn }, parameter: "ConnectionArn", providers: []string{"Connection"},
		},
		{
			Flag: "owner", Help: "of the repository, for Connection and GitHub", Text: always("Owner of the repository"),
			Standard: always(""), At: func(a *Answers) *string { return &a.Owner }, parameter: "SourceOwner", providers: []string{"Connection", "GitHub"},
		},
		{
			Flag: "repository", Help: "or bucket, for S3 (default the project's name)", Text: forS3("Bucket", "Repository"),
			Standard: func(a Answers) string { return a.Name }, At: func(a *Answers) *string { return &a.Repository }, parameter: "SourceRepository",
		},
		{
			Flag: "branch", Help: "that is deployed, or the zip's key for S3", Text: forS3("Key of the zip", "Branch"),
			Standard: forS3("source.zip", "main"), At: func(a *Answers) *string { return &a.Branch }, parameter: "SourceBranch",
		},
		{
			Flag: "token-secret", Help: "for the provider GitHub (default NAME/github)", Text: always("Secret that holds the token"),
			Standard: func(a Answers) string { return a.Name + "/github" }, At: func(a *Answers) *string { return &a.TokenSecret },
			parameter: "SourceTokenSecret", providers: []string{"GitHub"},
		},
		{
			Flag: "environments", Help: "in the order of deployment (default dev,prod)", Text: always("Environments, in order"),
			Standard: always("dev,prod"), At: func(a *Answers) *string { return &a.Environments }, check: checkEnvironments,
		},
		{
			Flag: "site", Help: "to begin with: empty or app (default empty)",
			Text: always("What to begin with: empty, app"), Standard: always(Empty), At: func(a *Answers) *string { return &a.Site },
			choices: []string{Empty, App},
		},
	}
}

func always(text string) func(Answers) string { return func(Answers) string { return text } }

func forS3(s3, other string) func(Answers) string {
	return func(a Answers) string {
		if a.Provider == "S3" {
			return s3
		}
		return other
	}
}

// checkParameter checks a value against the pipeline's template.
func checkParameter(name, value string) error {
	t, err := library.Open(pipelineTemplate)
	if err != nil {
		return err
	}
	p, ok := t.Parsed.Parameter(name)
	if !ok {
		return fmt.Errorf("%s has no parameter %q", pipelineTemplate, name)
	}
	return p.Validate(value)
}

func checkEnvironments(text string) error {
	names := stages(text)
	if len(names) > 1+len(further) {
		return fmt.Errorf("%d environments are too many; a pipeline has at most %d", len(names), 1+len(further))
	}
	for i, e := range names {
		if e == "" {
			return errors.New("an environment has no name")
		}
		if checkParameter("SecondEnvironment", e) != nil {
			return fmt.Errorf("the environment %q: lower-case letters, digits and hyphens, 2 to 16 of them", e)
		}
		if slices.Contains(names[:i], e) {
			return fmt.Errorf("the environment %q comes twice", e)
		}
	}
	return nil
}

var notInNames = regex.New(`[^a-z0-9]+`)

// NameFor is the name of a project in a folder of that name.
func NameFor(folder string) string {
	name := strings.Trim(notInNames().ReplaceAllString(strings.ToLower(folder), "-"), "-")
	name = strings.TrimRight(name[:min(len(name), 31)], "-")
	if checkParameter("ProjectName", name) != nil {
		return "site"
	}
	return name
}
