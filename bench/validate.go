package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// planted is a template with one mistake that every validator must find, as
// proof that it read the files.
const planted = `AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Nobody:
    Type: String
    Default: uses this
Resources:
  Topic:
    Type: AWS::SNS::Topic
`

// validator is a program that checks templates; args is its command line for
// a folder with those files, and found reads from its output how often it
// noticed the parameter that nobody uses.
type validator struct {
	name  string
	runs  int
	args  func(dir string, files []string) []string
	found func(output []byte) (int, error)
}

// validating measures checking a folder of templates: our examples, and
// generated ones.
func validating(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("validate", flag.ContinueOnError)
	n := flags.Int("templates", 300, "number of generated templates")
	runs := flags.Int("runs", 7, "runs of ouro; the median counts")
	lintRuns := flags.Int("lint-runs", 1, "runs of cfn-lint; 0 leaves it out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 || *n < 1 {
		return errors.New("-runs and -templates have to be at least 1")
	}
	return withOuro(ctx, func(dir, ouro string) error {
		return checkCorpus(ctx, w, filepath.Join(dir, "corpus"), *n, validators(w, ouro, *runs, *lintRuns))
	})
}

func checkCorpus(ctx context.Context, w io.Writer, corpus string, n int, all []validator) error {
	files, err := writeCorpus(ctx, corpus, n)
	if err != nil {
		return fmt.Errorf("writing the templates: %w", err)
	}
	t := &table{left: 2, head: []string{"templates", "validator", "time", "times"}}
	var ours time.Duration
	for i, v := range all {
		took, err := v.measure(ctx, w, corpus, files)
		if err != nil {
			return err
		}
		if i == 0 {
			ours = took
		}
		t.add(strconv.Itoa(len(files)), v.name, seconds(took), times(took, ours))
	}
	fmt.Fprintln(w)
	t.print(w)
	return nil
}

// writeCorpus fills dir and gives the templates in it. What is not one, such
// as configurations, cfn-lint must not be asked about.
func writeCorpus(ctx context.Context, dir string, n int) ([]string, error) {
	source, err := moduleDir(ctx)
	if err != nil {
		return nil, err
	}
	if err := copyTracked(filepath.Join(source, "examples"), filepath.Join(dir, "examples")); err != nil {
		return nil, err
	}
	generated := filepath.Join(dir, "generated")
	if err := os.MkdirAll(generated, 0o755); err != nil {
		return nil, err
	}
	if err := writeTemplates(generated, n); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "planted.yaml"), []byte(planted), 0o644); err != nil {
		return nil, err
	}
	var files []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err == nil && bytes.Contains(body, []byte("AWSTemplateFormatVersion")) {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// validators are ouro, and cfn-lint if it is installed.
func validators(w io.Writer, ouro string, runs, lintRuns int) []validator {
	all := []validator{{"ouro validate", runs, func(dir string, _ []string) []string {
		return []string{ouro, "validate", "--json", dir}
	}, foundByOuro}}
	if lintRuns == 0 {
		return all
	}
	program, err := exec.LookPath("cfn-lint")
	if err != nil {
		fmt.Fprintln(w, "cfn-lint is not installed: ouro is measured alone.")
		return all
	}
	return append(all, validator{"cfn-lint", lintRuns, func(_ string, files []string) []string {
		return append([]string{program, "--format", "json", "--non-zero-exit-code", "none", "--"}, files...)
	}, foundByLint})
}

func (v validator) measure(ctx context.Context, w io.Writer, dir string, files []string) (time.Duration, error) {
	var all []time.Duration
	for run := range v.runs {
		out, took, err := process{dir: dir, env: clientEnv(""), args: v.args(dir, files)}.output(ctx)
		if err != nil {
			return 0, err
		}
		n, err := v.found(out)
		if err != nil {
			return 0, fmt.Errorf("reading what %s found: %w", v.name, err)
		}
		if n != 1 {
			return 0, fmt.Errorf("%s found the planted mistake %d times, expected once", v.name, n)
		}
		all = append(all, took)
		fmt.Fprintf(w, "%s, %d templates, run %d of %d: %s\n", v.name, len(files), run+1, v.runs, seconds(took))
	}
	return median(all), nil
}

func foundByOuro(output []byte) (int, error) {
	var report struct{ Findings []struct{ File, ID string } }
	err := json.Unmarshal(output, &report)
	n := 0
	for _, f := range report.Findings {
		if f.ID == "unused-parameter" && filepath.Base(f.File) == "planted.yaml" {
			n++
		}
	}
	return n, err
}

func foundByLint(output []byte) (int, error) {
	var findings []struct {
		Filename string
		Rule     struct{ ID string }
	}
	err := json.Unmarshal(output, &findings)
	n := 0
	for _, f := range findings {
		if f.Rule.ID == "W2001" && filepath.Base(f.Filename) == "planted.yaml" {
			n++
		}
	}
	return n, err
}
