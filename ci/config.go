package ci

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is the JSON schema of a [Config].
//
//go:embed schema.json
var Schema string

// ConfigFile is the configuration that is read when none is named.
const ConfigFile = "ci.json"

// maxConfig is the largest configuration, in bytes.
const maxConfig = 1 << 20

// Config is what a repository says of its builds.
type Config struct {
	File    string        `json:"-"` // where it was read; empty if there is none
	Build   BuildConfig   `json:"build"`
	Release ReleaseConfig `json:"release"`
}

// BuildConfig is what is built, and how.
type BuildConfig struct {
	Ignore struct {
		Paths []string `json:"paths"`
	} `json:"ignore"`
	BaseBranch     string   `json:"base_branch"`
	Roots          []string `json:"roots"`
	Kind           string   `json:"kind"`
	FastFail       bool     `json:"fast_fail"`
	ComputeType    string   `json:"compute_type"`
	Privileged     *bool    `json:"privileged"`
	RegistrySecret string   `json:"registry_secret"`
}

// ReleaseConfig is what holds for release builds alone.
type ReleaseConfig struct {
	Timeout int `json:"timeout_in_minutes"`
}

// ReadConfig reads a configuration of the repository in dir and checks it
// against the schema, and that the paths which it ignores are there. Without a
// name it reads ConfigFile, if that is there.
func ReadConfig(dir, name string) (*Config, error) {
	file := name
	if file == "" {
		file = ConfigFile
	}
	body, err := readBounded(filepath.Join(dir, filepath.FromSlash(file)), maxConfig)
	if errors.Is(err, fs.ErrNotExist) && name == "" {
		return &Config{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := checkSchema(file, body); err != nil {
		return nil, err
	}
	c := &Config{File: filepath.ToSlash(file)}
	if err := json.Unmarshal(body, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, ignored := range c.Build.Ignore.Paths {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(ignored))); err != nil {
			return nil, fmt.Errorf("%s: the path %q is to be ignored, and is not there", file, ignored)
		}
	}
	return c, nil
}

var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("schema.json")
})

// checkSchema names each place of a configuration that the schema refuses.
func checkSchema(file string, body []byte) error {
	s, err := schema()
	if err != nil {
		return fmt.Errorf("compiling the configuration's schema: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: no JSON: %w", file, err)
	}
	err = s.Validate(doc)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var wrong []string
	innermost(*invalid.DetailedOutput(), func(at, what string) { wrong = append(wrong, fmt.Sprintf("%s: %s: %s", file, cmp.Or(at, "/"), what)) })
	slices.Sort(wrong)
	return errors.New(strings.Join(slices.Compact(wrong), "\n"))
}

// innermost tells the errors that have no causes: they are what is wrong.
func innermost(u jsonschema.OutputUnit, tell func(at, what string)) {
	if len(u.Errors) == 0 && u.Error != nil {
		tell(u.InstanceLocation, u.Error.String())
	}
	for _, cause := range u.Errors {
		innermost(cause, tell)
	}
}

// readBounded reads a file that has at most that many bytes.
func readBounded(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is no file, or has more than %d bytes", file, most)
	}
	return os.ReadFile(file)
}
