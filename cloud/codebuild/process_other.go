//go:build !unix

package codebuild

import (
	"errors"
	"os/exec"
)

// group is a process group of a build, which this system does not have.
type group struct{}

func startGroup([]string) (*group, error) {
	return nil, errors.New("builds run on systems with process groups only, such as Linux and macOS")
}

func (*group) adopt(*exec.Cmd) {}

func (*group) alive() bool { return false }

func (*group) ask() {}

func (*group) kill() {}

func detach(*exec.Cmd) {}

func ownedBy(string, int) bool { return true }

func interrupted(error) bool { return false }

func reason(err error) (string, bool) { return "", err == nil }
