package codebuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// shell runs the commands of a build. As CodeBuild's agent does, it runs each
// command in a shell process of its own, which begins with the environment and
// in the directory that the one before left: variables last (all that a
// command sets are exported), and so does cd, but functions and "set -e" do
// not. A command may exit, or be killed, without taking anything from the
// next.
type shell struct {
	path       string // of the shell
	work       *workspace
	marker     string // NAME=value that all processes have in their environment
	out        *os.File
	grace      time.Duration
	lasting    bool      // false for version 0.1, whose commands know nothing of each other
	succeeding bool      // CODEBUILD_BUILD_SUCCEEDING
	others     []string  // of the environment: what no shell could pass on, and the marker
	user       string    // of run-as
	as         *identity // of the user, when it is another than ours; not in a container
}

func (s *shell) envFile() string { return filepath.Join(s.work.state, "env") }
func (s *shell) dirFile() string { return filepath.Join(s.work.state, "dir") }

// othersFile is for container engines.
func (s *shell) othersFile() string { return filepath.Join(s.work.state, "others") }

// quote makes a word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// isName tells whether a shell can have a variable of that name.
func isName(name string) bool {
	for i, c := range []byte(name) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// begin sets the environment of the first command.
func (s *shell) begin(environ []string) error {
	var file bytes.Buffer
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !isName(name) { // no shell could pass it on
			s.others = append(s.others, entry)
			continue
		}
		fmt.Fprintf(&file, "export %s=%s\n", name, quote(value))
	}
	s.others = append(s.others, s.marker)
	if err := os.WriteFile(s.envFile(), file.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the environment of a build: %w", err)
	}
	if s.work.container != nil {
		lines := slices.DeleteFunc(slices.Clone(s.others), func(entry string) bool { return strings.ContainsAny(entry, "\r\n") })
		if err := os.WriteFile(s.othersFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing the environment of a build: %w", err)
		}
	}
	return os.WriteFile(s.dirFile(), []byte(s.work.src+"\n"), 0o600)
}

// script is a command with what carries its state over to the next one.
func (s *shell) script(command string) string {
	succeeding := "1"
	if !s.succeeding {
		succeeding = "0"
	}
	var b strings.Builder
	fmt.Fprintf(&b, ". %s\nset -a\nCODEBUILD_BUILD_SUCCEEDING=%s\n%s\n", quote(s.envFile()), succeeding, command)
	if s.lasting {
		fmt.Fprintf(&b, "CODEBUILD_LAST_EXIT=$?\nexport -p > %s\npwd > %s\nexit $CODEBUILD_LAST_EXIT\n", quote(s.envFile()), quote(s.dirFile()))
	}
	return b.String()
}

// run runs a command to its end. failed says how it failed, such as "exit
// status 1"; err is set when it could not be run or ctx ended.
func (s *shell) run(ctx context.Context, command string) (failed string, err error) {
	return s.runTo(ctx, s.out, s.script(command))
}

func (s *shell) runTo(ctx context.Context, out *os.File, text string) (failed string, err error) {
	script := filepath.Join(s.work.state, "script.sh")
	cmd := exec.Command(s.path, script)
	if c := s.work.container; c != nil {
		cmd = c.command(s.user, s.othersFile(), s.work.src, s.path, script)
		text = "cd \"$(cat " + quote(s.dirFile()) + ")\" 2>/dev/null\n" + text // a folder that only the container may have
	} else {
		cmd.Env, cmd.Dir = s.others, s.directory()
		s.as.run(cmd)
	}
	if err := s.writeScript(script, text); err != nil {
		return "", fmt.Errorf("writing a command of a build: %w", err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	return s.work.run(ctx, cmd, s.marker, s.grace)
}

// writeScript leaves a command where the shell reads it.
func (s *shell) writeScript(script, text string) error {
	// A new file, because a container or another user may own the old one, and
	// it may be a link that leads anywhere; readable, where the user is not us.
	// The folder above is closed to all others.
	if err := os.Remove(script); err != nil && !os.IsNotExist(err) {
		return err
	}
	mode := os.FileMode(0o600)
	if s.user != "" {
		mode = 0o644
	}
	file, err := os.OpenFile(script, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// directory is where the next command starts.
func (s *shell) directory() string {
	body, err := os.ReadFile(s.dirFile())
	dir := strings.TrimSuffix(string(body), "\n")
	if info, statErr := os.Stat(dir); err != nil || statErr != nil || !info.IsDir() {
		return s.work.src
	}
	return dir
}

// run runs cmd in the workspace's group. When ctx ends, the group is asked to
// end and killed after the grace.
func (w *workspace) run(ctx context.Context, cmd *exec.Cmd, marker string, grace time.Duration) (failed string, err error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	g, err := w.group(marker)
	if err != nil {
		return "", err
	}
	g.adopt(cmd)
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
		if !interrupted(err) {
			break
		}
		// Whoever ends the local cloud may have sent the signal to its builds
		// too. Then it is about to close, and the command is not judged.
		select {
		case <-ctx.Done():
			g.kill()
			return "", context.Cause(ctx)
		case <-time.After(grace):
		}
	case <-ctx.Done():
		g.ask()
		select {
		case <-ended:
		case <-time.After(grace):
		}
		g.kill()
		return "", context.Cause(ctx)
	}
	failed, ok := reason(err)
	if !ok {
		return "", fmt.Errorf("running %s: %w", cmd.Path, err)
	}
	return failed, nil
}

// values reads those of the variables that the last command left set.
func (s *shell) values(ctx context.Context, names []string) (map[string]string, error) {
	text, err := s.evaluate(ctx, func(b *strings.Builder) {
		for _, name := range names {
			if isName(name) {
				fmt.Fprintf(b, "if [ -n \"${%[1]s+set}\" ]; then printf '%%s=%%s\\0' %[1]s \"$%[1]s\"; fi\n", name)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, entry := range strings.Split(text, "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			out[name] = value
		}
	}
	return out, nil
}

// expand is text as the shell reads it between double quotes, with $(commands)
// run.
func (s *shell) expand(ctx context.Context, text string) (string, error) {
	if !strings.ContainsAny(text, "$`") {
		return text, nil
	}
	out, err := s.evaluate(ctx, func(b *strings.Builder) {
		fmt.Fprintf(b, "printf '%%s' \"%s\"\n", strings.ReplaceAll(text, `"`, `\"`))
	})
	return strings.TrimSpace(out), err
}

// evaluate gives what a script says that starts where the last command ended.
func (s *shell) evaluate(ctx context.Context, write func(b *strings.Builder)) (string, error) {
	out, err := os.CreateTemp(s.work.state, "out-")
	if err != nil {
		return "", fmt.Errorf("reading variables of a build: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	var b strings.Builder
	fmt.Fprintf(&b, ". %s\n", quote(s.envFile()))
	write(&b)
	failed, err := s.runTo(ctx, out, b.String())
	if err == nil && failed != "" {
		err = errors.New(failed)
	}
	if err != nil {
		return "", fmt.Errorf("reading variables of a build: %w", err)
	}
	body, err := os.ReadFile(out.Name())
	return string(body), err
}
