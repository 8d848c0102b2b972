package codebuild

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
)

// siteCustomize makes pip install for the user, who is the build, unless a
// virtual environment is active. PIP_USER in the environment would break
// these.
//
//go:embed sitecustomize.py
var siteCustomize []byte

// hashFiles is the program with which cache keys are made
// (https://docs.aws.amazon.com/codebuild/latest/userguide/caching-s3.html).
//
//go:embed codebuild-hash-files.sh
var hashFiles []byte

// makeToolbox makes the folder that all builds share: bin, which comes first
// on their PATH, and python, which is on Python's path.
func (s *Service) makeToolbox() (string, error) {
	root := s.host.Store().Dir("tools")
	bin, python := filepath.Join(root, "bin"), filepath.Join(root, "python")
	for _, dir := range []string{bin, python} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("making the tools of builds: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(python, "sitecustomize.py"), siteCustomize, 0o644); err != nil {
		return "", fmt.Errorf("making the tools of builds: %w", err)
	}
	if err := os.WriteFile(filepath.Join(bin, "codebuild-hash-files"), hashFiles, 0o755); err != nil {
		return "", fmt.Errorf("making the tools of builds: %w", err)
	}
	if err := writeTestTools(bin); err != nil {
		return "", err
	}
	link := filepath.Join(bin, "ouro")
	if at, err := os.Readlink(link); err == nil && at == s.options.Executable {
		return root, nil
	}
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("making the tools of builds: %w", err)
	}
	if s.options.Executable != "" {
		if err := os.Symlink(s.options.Executable, link); err != nil {
			return "", fmt.Errorf("making the tools of builds: %w", err)
		}
	}
	return root, nil
}
