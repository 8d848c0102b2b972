//go:build !unix

package codedeploy

import (
	"context"
	"errors"
	"os/exec"
)

func runGroup(context.Context, *exec.Cmd) error {
	return errors.New("scripts of hooks run on systems with process groups only, such as Linux and macOS")
}

func becomeUser(_ *exec.Cmd, name string) error {
	if name == "" {
		return nil
	}
	return errors.New("scripts run as another user on Linux and macOS only")
}
