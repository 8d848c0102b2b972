// Package starter makes new projects: a pipeline that updates itself, a site to
// begin with, and their configurations. What a project is asked for is a list
// of questions, and its files follow from the answers alone, so that the same
// answers give the same bytes. A file that is there with another content is
// never overwritten.
package starter

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template"

	"ouro/library"
)

// files/all is what every project has, files/SITE what one that begins with
// that site has besides.
//
//go:embed files
var embedded embed.FS

// File is a file of a project; its name is a slash path.
type File struct {
	Name string
	Body []byte
}

// pipelineTemplate is the library's template that a project makes its own.
const pipelineTemplate = "pipeline/pipeline.yaml"

// Project are the files of the project that the answers describe, sorted by
// name. The answers have been checked.
func Project(a Answers) ([]File, error) {
	pipeline, err := library.Open(pipelineTemplate)
	if err != nil {
		return nil, err
	}
	files := []File{{"pipeline.yaml", pipeline.Body}, configuration(a.configuration(), a.pipeline(), tags{"Project": a.Name})}
	for i, environment := range a.stages() {
		files = append(files, configuration(siteConfiguration(environment), a.site(i), tags{"Project": a.Name, "Environment": environment}))
	}
	for _, from := range []string{"all", a.Site} {
		more, err := a.embedded("files/" + from)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	slices.SortFunc(files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	return files, nil
}

// embedded are the files below a folder. A README is filled in.
func (a Answers) embedded(folder string) (files []File, err error) {
	err = fs.WalkDir(embedded, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, folder+"/")
		switch name {
		case "gitignore": // with its dot it would rule over the folder here
			name = ".gitignore"
		case "README.md":
			if body, err = a.fill(string(body)); err != nil {
				return err
			}
		}
		files = append(files, File{name, body})
		return nil
	})
	return files, err
}

func (a Answers) fill(readme string) ([]byte, error) {
	t, err := template.New("README.md").Parse(readme)
	if err != nil {
		return nil, err
	}
	stages := a.stages()
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Name": a.Name, "PipelineConfiguration": a.configuration(), "Stages": stages,
		"First": stages[0], "Further": strings.Join(stages[1:], ", then "),
	})
	return b.Bytes(), err
}

// values are the parameters of a template, tags those of its stack.
type (
	values map[string]string
	tags   map[string]string
)

func configuration(name string, parameters values, t tags) File {
	// Marshalling texts cannot fail.
	body, _ := json.MarshalIndent(struct {
		Parameters values
		Tags       tags
	}{parameters, t}, "", "  ")
	return File{name, append(body, '\n')}
}

func siteConfiguration(environment string) string { return "site." + environment + ".json" }

// configuration is the name of the pipeline's configuration, which is the one
// that ouro looks for when there is an environment dev, and else the only one.
func (a Answers) configuration() string { return "pipeline." + a.stages()[0] + ".json" }

// further begins the names of the parameters of the pipeline's environments
// after the first.
var further = []string{"Second", "Third", "Fourth", "Fifth"}

// pipeline are the parameters of the pipeline's template.
func (a Answers) pipeline() values {
	stages := a.stages()
	v := values{
		"PipelineTemplateConfigurationPath": a.configuration(), "PermissionsTemplatePath": "permissions.yaml",
		"SiteConfigurationPath": siteConfiguration(stages[0]),
	}
	for _, q := range Questions() {
		if q.parameter != "" && q.Asked(a) {
			v[q.parameter] = *q.At(&a)
		}
	}
	for i, environment := range stages[1:] {
		v[further[i]+"Environment"], v[further[i]+"ConfigurationPath"], v[further[i]+"Approval"] = environment, siteConfiguration(environment), "True"
	}
	return v
}

// site are the parameters of the site in its i-th environment.
func (a Answers) site(i int) values {
	environment := a.stages()[i]
	v := values{"ProjectName": a.Name, "EnvironmentName": environment}
	if a.Site == Empty {
		v["Greeting"] = fmt.Sprintf("hello from %s", environment)
		return v
	}
	v["VpcCidr"] = fmt.Sprintf("10.%d.0.0/16", 20+i)
	v["ZoneC"] = "c"
	v["NatGateways"] = "One"
	v["DomainName"] = environment + "." + a.Name + ".internal"
	v["InstanceType"] = "t3.micro"
	return v
}
