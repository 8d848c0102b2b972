package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ouro/template"
)

// Question is a value that the project's configuration lacks.
type Question struct {
	Parameter template.Parameter
	Default   string // what is likely; may be empty
	Wrong     string // a file that the parameter names, and that is not there
}

// Text is the question, with what may be answered.
func (q *Question) Text() string {
	if allowed := q.Parameter.AllowedValues; len(allowed) > 0 {
		return q.Parameter.Name + " (" + strings.Join(allowed, ", ") + ")"
	}
	return q.Parameter.Name
}

// Accept tells why a text cannot be the answer.
func (q *Question) Accept(text string) error {
	if q.Wrong != "" && text == q.Wrong {
		return fmt.Errorf("%s is not there", text)
	}
	if err := q.Parameter.Validate(text); err != nil {
		return err
	}
	if text == "" {
		return fmt.Errorf("%s needs a value", q.Parameter.Name)
	}
	return nil
}

// Question is what must be answered next before the project can be brought up;
// nil if nothing is missing.
func (p *Project) Question() *Question {
	for _, declared := range p.Template.Parameters() {
		value, ok := p.value(declared)
		if (ok || declared.NoEcho) && !p.wants(declared.Name, value) {
			continue // a secret has no place in a file of the source
		}
		q := &Question{Parameter: declared}
		if declared.Name == EntrypointParameter {
			q.Wrong = value
		}
		if likely := likelyValues[declared.Name]; likely != nil {
			q.Default = likely(p)
		} else if len(declared.AllowedValues) > 0 {
			q.Default = declared.AllowedValues[0]
		}
		if q.Accept(q.Default) != nil {
			q.Default = ""
		}
		return q
	}
	return nil
}

func (p *Project) value(declared template.Parameter) (string, bool) {
	if v, ok := p.Config.Parameters[declared.Name]; ok {
		return v, true
	}
	if declared.Default != nil {
		return *declared.Default, true
	}
	return "", false
}

// sourceParameters are what the library's pipelines need to know of a source,
// by SourceProvider, although their parameters have defaults.
var sourceParameters = map[string][]string{
	"Connection": {"ConnectionArn", "SourceOwner"},
	"GitHub":     {"SourceOwner", "SourceTokenSecret"},
}

// EntrypointParameter names the template that the build publishes.
const EntrypointParameter = "Entrypoint"

// wants tells whether a parameter's value will not do, although there is one.
func (p *Project) wants(name, value string) bool {
	if name == EntrypointParameter {
		_, err := os.Stat(filepath.Join(p.Dir, filepath.FromSlash(value)))
		return err != nil
	}
	return value == "" && slices.Contains(sourceParameters[p.Config.Parameters["SourceProvider"]], name)
}

// likelyValues are what the parameters of pipelines are most often.
var likelyValues = map[string]func(*Project) string{
	nameParameter:                       (*Project).likelyName,
	"RepositoryName":                    (*Project).likelyName,
	"SourceRepository":                  (*Project).likelyName,
	"SourceProvider":                    func(*Project) string { return "CodeCommit" },
	"SourceTokenSecret":                 func(p *Project) string { return p.likelyName() + "-source" },
	"PipelineTemplateConfigurationPath": func(p *Project) string { return p.ConfigFile },
	"SiteConfigurationPath":             (*Project).likelySite,
	EntrypointParameter:                 (*Project).likelyEntrypoint,
}

func (p *Project) likelyName() string {
	if name := p.Config.Parameters[nameParameter]; name != "" {
		return name
	}
	words := strings.FieldsFunc(strings.ToLower(filepath.Base(p.Dir)), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.TrimLeft(strings.Join(words, "-"), "0123456789-")
}

// likelySite is the site's configuration for the same environment.
func (p *Project) likelySite() string {
	_, rest, _ := strings.Cut(filepath.Base(p.ConfigFile), ".")
	return "site." + rest
}

// likelyEntrypoint is site.*, or the only other template beside the pipeline's.
func (p *Project) likelyEntrypoint() string {
	var found []string
	for _, pattern := range []string{"*.yaml", "*.yml", "*.template"} {
		names, err := filepath.Glob(filepath.Join(p.Dir, pattern))
		if err != nil {
			continue // the patterns are well-formed
		}
		for _, name := range names {
			base := filepath.Base(name)
			if strings.HasPrefix(base, "site.") {
				return base
			}
			if base != p.TemplateFile && !strings.HasPrefix(base, "buildspec.") && !strings.HasPrefix(base, ".") {
				found = append(found, base)
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return ""
}

// Configure gives parameters their values.
func (p *Project) Configure(values map[string]string) {
	if p.Config.Parameters == nil {
		p.Config.Parameters = map[string]string{}
	}
	maps.Copy(p.Config.Parameters, values)
	if p.Name = p.Config.Parameters[nameParameter]; p.Config.Tags == nil && p.Name != "" {
		p.Config.Tags = map[string]string{"Project": p.Name}
	}
}

// WriteConfig writes the project's configuration to its file, where the
// pipeline reads it when it updates itself.
func (p *Project) WriteConfig() error {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Parameters  map[string]string
		Tags        map[string]string `json:",omitempty"`
		StackPolicy json.RawMessage   `json:",omitempty"`
	}{p.Config.Parameters, p.Config.Tags, p.Config.StackPolicy})
	if err == nil {
		err = os.WriteFile(filepath.Join(p.Dir, filepath.FromSlash(p.ConfigFile)), body.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the template configuration: %w", err)
	}
	return nil
}
