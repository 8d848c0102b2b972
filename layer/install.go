package layer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// installation is the installing of dependencies for a layer.
type installation struct {
	Work
	dir  string // that holds the file with the dependencies
	root string // of the layer
}

// installers are by the prefix of the runtimes that they are for.
var installers = map[string]func(context.Context, installation) error{
	"python": installPython, "nodejs": installNode, "provided": installGo,
}

// lingering is how long what a program started may hold its output after the
// program's end.
const lingering = 5 * time.Second

// run runs a program in a directory. What it says goes to Said; the end of it
// is in the error.
func (i installation) run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(os.Environ(), env...), lingering
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if i.Said != nil {
		if _, err := i.Said.Write(said.Bytes()); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, tail(said.String()))
	}
	return nil
}

// maxSaid is how much of what a program said is in an error.
const maxSaid = 1500

// tail is the end of a text, about as long as an error may be.
func tail(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxSaid {
		return "…" + text[len(text)-maxSaid:]
	}
	return text
}

// installPython installs requirements.txt for the interpreter that the runtime
// names. Where this machine has another one, packages are taken as wheels for
// that one, since what is built here would not run there.
func installPython(ctx context.Context, i installation) error {
	target := filepath.Join(i.root, "python")
	python := "python3"
	// Some systems' pip installs for the user unless it is told otherwise, which
	// contradicts a target.
	args := []string{"-m", "pip", "install", "--no-user", "--target", target, "--requirement", "requirements.txt",
		"--no-compile", "--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--quiet"}
	if wanted := pythonVersion(i.Runtimes); wanted != "" {
		// It may be there in name alone, as pyenv's stand-ins are.
		if exec.CommandContext(ctx, "python"+wanted, "-c", "").Run() == nil {
			python = "python" + wanted
		} else {
			args = append(args, "--python-version", wanted, "--only-binary", ":all:")
		}
	}
	if slices.ContainsFunc(i.Architectures, func(a string) bool { return a != hostArchitecture() }) {
		args = append(args, "--only-binary", ":all:")
		for _, platform := range platforms(i.Runtimes, i.Architectures) {
			args = append(args, "--platform", platform)
		}
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := i.run(ctx, i.dir, nil, python, args...); err != nil {
		return err
	}
	return settlePython(target)
}

// platforms are what wheels may be for, as pip calls it: all versions of glibc up
// to that of the runtimes' system, which is Amazon Linux 2023 from Python 3.12 on
// and Amazon Linux 2 before. For two architectures, only what is no machine's code.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
func platforms(runtimes, architectures []string) []string {
	if len(architectures) > 1 {
		return []string{"any"}
	}
	newest := 34
	for _, r := range runtimes {
		if minor, err := strconv.Atoi(strings.TrimPrefix(r, "python3.")); err == nil && minor < 12 {
			newest = 26
		}
	}
	machine := map[string]string{"x86_64": "x86_64", "arm64": "aarch64"}[architectures[0]]
	var list []string
	for glibc := newest; glibc >= 17; glibc-- {
		list = append(list, fmt.Sprintf("manylinux_2_%d_%s", glibc, machine))
	}
	return append(list, "manylinux2014_"+machine)
}

// pythonVersion is the version of the interpreter, such as 3.13, if all
// runtimes are of one.
func pythonVersion(runtimes []string) string {
	if len(runtimes) != 1 {
		return ""
	}
	version, _ := strings.CutPrefix(runtimes[0], "python")
	return version
}

// dated are files that pip writes, and that differ from machine to machine:
// from where a package came, and scripts that name this machine's interpreter.
var dated = []string{"direct_url.json", "REQUESTED", "INSTALLER"}

// settlePython takes out of what pip installed all that tells of this machine.
func settlePython(target string) error {
	if err := os.RemoveAll(filepath.Join(target, "bin")); err != nil {
		return err
	}
	return filepath.WalkDir(target, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inInfo := strings.HasSuffix(filepath.Dir(at), ".dist-info")
		switch {
		case d.IsDir() && d.Name() == "__pycache__":
			return errors.Join(os.RemoveAll(at), fs.SkipDir)
		case inInfo && slices.Contains(dated, d.Name()):
			return os.Remove(at)
		case inInfo && d.Name() == "RECORD":
			return settleRecord(at)
		}
		return nil
	})
}

// settleRecord drops from a package's list of files those that settlePython
// takes away, and sorts the others.
func settleRecord(file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(body)), "\n"), func(line string) bool {
		name, _, _ := strings.Cut(line, ",")
		return slices.Contains(dated, filepath.Base(name)) || strings.Contains(name, "__pycache__") || strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "../")
	})
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	slices.Sort(lines)
	return os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// installNode installs what package.json asks for, as its lock file says if
// there is one. Packages' own scripts do not run: they would build for this
// machine. Packages in the source are copied, not linked.
func installNode(ctx context.Context, i installation) error {
	target := filepath.Join(i.root, "nodejs")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	// npm works where package.json is, so it gets a copy of all.
	work, err := os.MkdirTemp("", "ouro-npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // in the directory for what is temporary
	if err := copyNode(i.dir, work, i.unwanted()); err != nil {
		return err
	}
	verb := "install"
	for _, lock := range []string{"package-lock.json", "npm-shrinkwrap.json"} {
		if _, err := os.Stat(filepath.Join(work, lock)); err == nil {
			verb = "ci"
		}
	}
	args := []string{verb, "--omit=dev", "--ignore-scripts", "--install-links", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"}
	if len(i.Architectures) == 1 {
		args = append(args, "--os=linux", "--cpu="+map[string]string{"x86_64": "x64", "arm64": "arm64"}[i.Architectures[0]])
	}
	if err := i.run(ctx, work, nil, "npm", args...); err != nil {
		return err
	}
	modules := filepath.Join(work, "node_modules")
	if _, err := os.Stat(modules); errors.Is(err, fs.ErrNotExist) {
		return nil // no dependencies
	}
	return copyDir(modules, filepath.Join(target, "node_modules"), func(at string) bool { return slices.Contains(npmOwn, filepath.Base(at)) })
}

// npmOwn is what npm keeps among the packages for itself.
var npmOwn = []string{".bin", ".cache", ".package-lock.json"}

// copyNode copies a source that npm is to work on: all but what is hidden, what
// was installed before, and the folders of the layer. npm's settings go along.
func copyNode(from, to string, unwanted func(at string) bool) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case e.Name() == ".npmrc":
			err = copyFile(at, target)
		case strings.HasPrefix(e.Name(), "."), e.Name() == "node_modules", e.Name() == "nodejs":
			continue
		case e.IsDir():
			err = copyDir(at, target, unwanted)
		case e.Type().IsRegular():
			err = copyFile(at, target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// installGo builds the programs of a module into bin, for Linux and the
// layer's architecture.
func installGo(ctx context.Context, i installation) error {
	architecture := hostArchitecture()
	switch len(i.Architectures) {
	case 0:
	case 1:
		architecture = i.Architectures[0]
	default:
		return errors.New("a program is for one architecture, and the layer would be for several: make a layer for each")
	}
	target := filepath.Join(i.root, "bin")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	env := []string{"GOOS=linux", "GOARCH=" + goArchitectures[architecture], "CGO_ENABLED=0"}
	return i.run(ctx, i.dir, env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", target+string(filepath.Separator), "./...")
}
