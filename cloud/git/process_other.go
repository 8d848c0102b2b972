//go:build !unix

package git

import "os/exec"

// ownGroup does nothing where there are no process groups: exec kills the
// process itself, and its children end with their pipes.
func ownGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
