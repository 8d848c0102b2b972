package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"ouro/pipeline"
)

// upInputs are what up needs to know besides the project: each from a flag, or
// from the person at the terminal.
type upInputs struct {
	parameters []string
	entrypoint string
	tokenFile  string
	binary     string
}

func (in *upInputs) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&in.parameters, "parameter", nil, "NAME=VALUE of the pipeline's template, to write to the configuration; repeatable")
	flags.StringVar(&in.entrypoint, "entrypoint", "", "the template that builds publish, the same as --parameter Entrypoint=…")
	flags.StringVar(&in.tokenFile, "token-file", "", "file that holds the source token, - for standard input")
	flags.StringVar(&in.binary, "binary", "", "the ouro that builds run, if this one is for another system")
}

// open opens the project, with what the flags say in its configuration. What is
// missing is an error if nobody can be asked.
func (in *upInputs) open(ctx context.Context, dir, config string, asker *asker) (*pipeline.Project, error) {
	project, err := pipeline.Open(dir, config)
	var many *pipeline.ManyConfigsError
	if errors.As(err, &many) && asker != nil {
		if config, err = asker.ask(ctx, "Configuration of the pipeline ("+strings.Join(many.Names, ", ")+")", many.Names[0], nil); err != nil {
			return nil, err
		}
		project, err = pipeline.Open(dir, config)
	}
	if err != nil {
		return nil, err
	}
	given, err := in.given()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		declared, ok := project.Template.Parameter(name)
		if !ok {
			return nil, usageError{fmt.Errorf("%s has no parameter %s", project.TemplateFile, name)}
		}
		if declared.NoEcho {
			return nil, usageError{fmt.Errorf("the parameter %s is a secret, and has no place in %s, a file of the source", name, project.ConfigFile)}
		}
	}
	if len(given) > 0 {
		project.Configure(given)
	}
	if q := project.Question(); q != nil && asker == nil {
		return nil, usageError{missing(project, q)}
	}
	return project, nil
}

// missing says how to give the value that a question asks for.
func missing(project *pipeline.Project, q *pipeline.Question) error {
	file := project.ConfigFile
	if project.Unwritten {
		file += " is not there, and"
	} else {
		file += ":"
	}
	flag := "--parameter " + q.Parameter.Name + "=VALUE"
	if q.Wrong != "" {
		return fmt.Errorf("%s the parameter %s says %q, which is not there: give another with %s", file, q.Parameter.Name, q.Wrong, flag)
	}
	return fmt.Errorf("%s no value for the parameter %s: give one with %s", file, q.Parameter.Name, flag)
}

// given are the parameters that the flags give values to.
func (in *upInputs) given() (map[string]string, error) {
	given := map[string]string{}
	if in.entrypoint != "" {
		given[pipeline.EntrypointParameter] = in.entrypoint
	}
	for _, text := range in.parameters {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("--parameter %q is not NAME=VALUE", text)}
		}
		given[name] = value
	}
	return given, nil
}

// complete asks for what the configuration lacks, and writes it if anything
// was added to it.
func (in *upInputs) complete(ctx context.Context, w *session, asker *asker) error {
	given, err := in.given()
	if err != nil {
		return err
	}
	for q := w.project.Question(); q != nil; q = w.project.Question() {
		if asker == nil {
			return usageError{missing(w.project, q)}
		}
		if len(given) == 0 {
			fmt.Fprintln(asker.out, asker.dim(w.project.ConfigFile+" lacks some values; Enter takes what is in brackets."))
		}
		if about := q.Parameter.Description; about != "" {
			w.whole(asker.dim(ansi.Wordwrap(about, w.width, "")))
		}
		text, err := asker.ask(ctx, q.Text(), q.Default, q.Accept)
		if err != nil {
			return err
		}
		given[q.Parameter.Name] = text
		w.project.Configure(map[string]string{q.Parameter.Name: text})
	}
	written, err := pipeline.Open(w.project.Dir, w.project.ConfigFile)
	if err != nil || maps.Equal(written.Config.Parameters, w.project.Config.Parameters) {
		return err
	}
	if err := w.project.WriteConfig(); err != nil {
		return err
	}
	w.line(w.bold("Wrote") + " " + w.project.ConfigFile)
	return nil
}

// program is this program for the builds, where they do not find it by
// themselves and the pipeline's template has a use for it.
func (in *upInputs) program(ctx context.Context, w *session, platform string) (*pipeline.Binary, error) {
	switch {
	case !w.project.TakesBinary() && in.binary != "":
		return nil, fmt.Errorf("--binary: %s has no parameter that takes the program's key, as the library's pipelines have", w.project.TemplateFile)
	case !w.project.TakesBinary(), platform == "", w.target.own && in.binary == "":
		return nil, nil
	}
	return pipeline.FindBinary(ctx, in.binary, platform)
}

// maxToken is the largest token, in bytes: GitHub's are well below.
const maxToken = 1024

// token is the source token for a secret that is not there.
func (in *upInputs) token(ctx context.Context, s IO, asker *asker, secret string) (string, error) {
	if in.tokenFile == "" {
		if asker == nil {
			return "", usageError{fmt.Errorf("the secret %q is not in Secrets Manager: give the source token with --token-file", secret)}
		}
		return asker.secret(ctx, fmt.Sprintf("Source token for the secret %s (what you type is not shown)", secret))
	}
	text, err := readSmall(s.In, in.tokenFile)
	if err != nil {
		return "", fmt.Errorf("reading the source token: %w", err)
	}
	return text, nil
}
