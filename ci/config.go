package ci

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
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

// checkSchema names each place of a configuration that the schema refuses.
func checkSchema(file string, body []byte) error {
	var schema jsonschema.Schema
	if err := json.Unmarshal([]byte(Schema), &schema); err != nil {
		return fmt.Errorf("reading the configuration's schema: %w", err)
	}
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		return fmt.Errorf("%s: no JSON: %w", file, err)
	}
	c := checker{file: file, defs: schema.Defs}
	if err := c.check(&schema, "", doc); err != nil {
		return fmt.Errorf("checking the configuration against its schema: %w", err)
	}
	return errors.Join(c.faults...)
}

// checker gathers what a schema refuses. The library ends at the first fault,
// so each value is given to it without its parts, and each part by itself.
type checker struct {
	file   string
	defs   map[string]*jsonschema.Schema
	faults []error
}

// check fails if the schema is at fault, not the value.
func (c *checker) check(s *jsonschema.Schema, at string, value any) error {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		s = c.defs[name]
	}
	alone := *s
	alone.Defs, alone.Items, alone.Properties = nil, nil, make(map[string]*jsonschema.Schema, len(s.Properties))
	for name := range s.Properties {
		alone.Properties[name] = new(jsonschema.Schema)
	}
	rules, err := alone.Resolve(nil)
	if err != nil {
		return err
	}
	if n, ok := value.(float64); ok && s.Minimum != nil && s.Maximum != nil && (n < *s.Minimum || n > *s.Maximum) {
		// The library would write 2161 as 2161/1.
		c.faults = append(c.faults, fmt.Errorf("%s: %s: %v is not from %v to %v", c.file, at, n, *s.Minimum, *s.Maximum))
	} else if err := rules.Validate(value); err != nil {
		c.faults = append(c.faults, fmt.Errorf("%s: %s: %w", c.file, cmp.Or(at, "/"), errors.Unwrap(err)))
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if part := s.Properties[name]; part != nil {
				if err := c.check(part, at+"/"+name, value[name]); err != nil {
					return err
				}
			}
		}
	case []any:
		for i, item := range value {
			if s.Items != nil {
				if err := c.check(s.Items, fmt.Sprintf("%s/%d", at, i), item); err != nil {
					return err
				}
			}
		}
	}
	return nil
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
