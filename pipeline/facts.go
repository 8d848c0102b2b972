package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"

	"ouro/template"
)

// Facts are what the pipeline's template says of the pipeline, evaluated with
// the project's parameters. Values that only exist once the stack does are
// empty.
type Facts struct {
	Source     Source   // of the pipeline's first source action
	Entrypoint string   // what the build publishes: ENTRYPOINT in a build project's environment
	Bucket     string   // where it publishes to: BUCKET there
	Platform   string   // that it runs on, such as linux-amd64
	Deploys    []Deploy // the CloudFormation actions that take a template
}

// Deploy is a CloudFormation action: which stack it deploys, from which
// template, with which configuration (empty for none); both are paths in
// artifacts.
type Deploy struct {
	Stack, Template, Config string
	Overrides               map[string]any // of parameters
}

// unknown begins the values that stand for what only exists with the stack.
const unknown = "\x00"

// Facts evaluates the pipeline's template.
func (p *Project) Facts(account, region string) (Facts, error) {
	values, err := p.Template.ResolveParameters(p.Config.Parameters, func(string) (string, error) { return unknown, nil })
	if err != nil {
		return Facts{}, fmt.Errorf("%s with %s: %w", p.TemplateFile, p.ConfigFile, err)
	}
	env := &template.Env{
		Account: account, Region: region, StackName: p.StackName(),
		Parameters: values,
		Ref:        func(id string) (any, error) { return unknown + id, nil },
		GetAtt:     func(id, attribute string) (any, error) { return unknown + id + "." + attribute, nil },
		Import:     func(string) (string, error) { return unknown, nil },
		AZs:        func(string) []string { return []string{unknown, unknown, unknown, unknown, unknown, unknown} },
	}
	if env.Conditions, err = p.Template.EvalConditions(env); err != nil {
		return Facts{}, fmt.Errorf("%s: %w", p.TemplateFile, err)
	}
	var f Facts
	for _, r := range p.Template.Resources() {
		if r.Condition != "" && !env.Conditions[r.Condition] {
			continue
		}
		read, ok := factReaders[r.Type]
		if !ok {
			continue
		}
		v, err := p.Template.Eval(r.Properties, env)
		if err != nil {
			return Facts{}, fmt.Errorf("%s: %w", r.Pos, err)
		}
		if err := read(&f, v); err != nil {
			return Facts{}, fmt.Errorf("%s: %w", r.Pos, err)
		}
	}
	if id, ok := strings.CutPrefix(f.Source.Repository, unknown); ok {
		id, _, _ = strings.Cut(id, ".") // the attribute
		f.Source.Owned, f.Source.Repository = true, ""
		if r, ok := p.Template.Resource(id); ok {
			if name, err := p.Template.Eval(r.Properties.Get("RepositoryName"), env); err == nil {
				f.Source.Repository, _ = name.(string)
			}
		}
	}
	return f, nil
}

// factReaders read the properties of the resource types that tell something.
var factReaders = map[string]func(*Facts, any) error{
	pipelineType:              readPipelineFacts,
	"AWS::CodeBuild::Project": readBuildFacts,
}

func readPipelineFacts(f *Facts, properties any) error {
	var p struct {
		Stages []struct {
			Actions []struct {
				Name          string
				ActionTypeID  struct{ Category, Provider string } `json:"ActionTypeId"`
				Configuration map[string]any
			}
		}
	}
	if err := convert(properties, &p); err != nil {
		return err
	}
	for _, s := range p.Stages {
		for _, a := range s.Actions {
			text := func(key string) string { v, _ := a.Configuration[key].(string); return v }
			switch {
			case a.ActionTypeID.Category == "Source" && f.Source.Provider == "":
				f.Source = readSource(a.ActionTypeID.Provider, text)
			case a.ActionTypeID.Provider == "CloudFormation":
				_, config, _ := strings.Cut(text("TemplateConfiguration"), "::")
				_, body, _ := strings.Cut(text("TemplatePath"), "::")
				if body == "" {
					continue
				}
				d := Deploy{Stack: text("StackName"), Template: body, Config: config}
				if overrides := text("ParameterOverrides"); overrides != "" && !strings.HasPrefix(overrides, unknown) {
					overrides = strings.ReplaceAll(overrides, unknown, `\u0000`)
					if err := json.Unmarshal([]byte(overrides), &d.Overrides); err != nil {
						return fmt.Errorf("the ParameterOverrides of action %q: %w", a.Name, err)
					}
				}
				f.Deploys = append(f.Deploys, d)
			}
		}
	}
	return nil
}

func readBuildFacts(f *Facts, properties any) error {
	var p struct {
		Environment struct {
			Type                 string
			EnvironmentVariables []struct{ Name, Value string }
		}
	}
	if err := convert(properties, &p); err != nil {
		return err
	}
	var entrypoint, bucket string
	for _, v := range p.Environment.EnvironmentVariables {
		switch v.Name {
		case "ENTRYPOINT":
			entrypoint = v.Value
		case "BUCKET":
			bucket = v.Value
		}
	}
	if f.Entrypoint == "" {
		f.Entrypoint, f.Bucket, f.Platform = entrypoint, bucket, platforms[p.Environment.Type]
	}
	return nil
}

// platforms are the systems of CodeBuild's environments that run Linux.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html
var platforms = map[string]string{
	"LINUX_CONTAINER": "linux-amd64", "LINUX_GPU_CONTAINER": "linux-amd64", "LINUX_LAMBDA_CONTAINER": "linux-amd64", "LINUX_EC2": "linux-amd64",
	"ARM_CONTAINER": "linux-arm64", "ARM_LAMBDA_CONTAINER": "linux-arm64", "ARM_EC2": "linux-arm64",
}

func convert(v, into any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
