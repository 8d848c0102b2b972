package codedeploy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"go.yaml.in/yaml/v3"
)

// appspec is the application specification file of a revision for instances.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html
type appspec struct {
	Version     yaml.Node           `yaml:"version"`
	OS          string              `yaml:"os"`
	Files       []specFile          `yaml:"files"`
	Behavior    string              `yaml:"file_exists_behavior"`
	Permissions []specPermission    `yaml:"permissions"`
	Hooks       map[string][]script `yaml:"hooks"`
}

type specFile struct {
	Source      string `yaml:"source"`
	Destination string `yaml:"destination"`
}

type specPermission struct {
	Object  string    `yaml:"object"`
	Pattern string    `yaml:"pattern"`
	Except  []string  `yaml:"except"`
	Owner   string    `yaml:"owner"`
	Group   string    `yaml:"group"`
	Mode    yaml.Node `yaml:"mode"`
	ACLs    []string  `yaml:"acls"`
	Context any       `yaml:"context"`
	Type    []string  `yaml:"type"`
}

type script struct {
	Location string `yaml:"location"`
	Timeout  int    `yaml:"timeout"`
	RunAs    string `yaml:"runas"`
}

const (
	maxAppspec = 1 << 20
	// longestHook is how many seconds the scripts of one event may take
	// together, and how many one may that says nothing.
	longestHook = 3600
)

// readAppspec reads the specification of the revision that is unpacked in dir.
func readAppspec(dir string) (*appspec, error) {
	var text []byte
	for _, name := range []string{"appspec.yml", "appspec.yaml"} {
		file := filepath.Join(dir, name)
		info, err := os.Stat(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && info.Size() > maxAppspec {
			return nil, fmt.Errorf("the AppSpec file has more than %d bytes", maxAppspec)
		}
		if err == nil {
			text, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the AppSpec file: %w", err)
		}
		return parseAppspec(text)
	}
	return nil, errors.New(`the CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path "appspec.yml"`)
}

func parseAppspec(text []byte) (*appspec, error) {
	var spec appspec
	if err := yaml.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("the AppSpec file is not valid: %w", err)
	}
	if spec.Version.Value != "0.0" {
		return nil, fmt.Errorf("the AppSpec file has the version %q: the only one is 0.0", spec.Version.Value)
	}
	if spec.OS != "linux" {
		return nil, fmt.Errorf("the AppSpec file is for the operating system %q: the local cloud deploys those for linux", spec.OS)
	}
	if b := types.FileExistsBehavior(spec.Behavior); b != "" && b != types.FileExistsBehaviorDisallow && b != types.FileExistsBehaviorOverwrite && b != types.FileExistsBehaviorRetain {
		return nil, fmt.Errorf("the AppSpec file has the file_exists_behavior %q: it is DISALLOW, OVERWRITE or RETAIN", b)
	}
	for i, f := range spec.Files {
		if f.Source == "" || f.Destination == "" {
			return nil, fmt.Errorf("entry %d of the AppSpec file's files needs a source and a destination", i+1)
		}
	}
	for event, scripts := range spec.Hooks {
		total := 0
		for i := range scripts {
			s := &scripts[i]
			if strings.TrimSpace(s.Location) == "" {
				return nil, fmt.Errorf("a script of the hook %s has no location", event)
			}
			if s.Timeout < 0 {
				return nil, fmt.Errorf("a script of the hook %s has the timeout %d", event, s.Timeout)
			}
			if s.Timeout == 0 {
				s.Timeout = longestHook // which one script has for itself
				continue
			}
			total += s.Timeout
		}
		if total > longestHook {
			return nil, fmt.Errorf("the scripts of the hook %s have timeouts of %d seconds together, more than %d", event, total, longestHook)
		}
	}
	return &spec, nil
}
