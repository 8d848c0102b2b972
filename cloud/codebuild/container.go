package codebuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Engines are the programs that run containers, the first that is there is
// taken.
var Engines = []string{"docker", "podman"}

// FindEngine gives the path of a container engine's program whose engine
// answers.
func FindEngine(ctx context.Context) (string, error) {
	for _, name := range Engines {
		engine, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if said, err := exec.CommandContext(ctx, engine, "version").CombinedOutput(); err != nil {
			last := said[bytes.LastIndexByte(bytes.TrimSpace(said), '\n')+1:]
			return "", fmt.Errorf("the container engine %s does not answer: %w: %s", engine, err, bytes.TrimSpace(last))
		}
		return engine, nil
	}
	return "", fmt.Errorf("there is no container engine on the PATH, neither of %s", strings.Join(Engines, ", "))
}

// container is where the commands of a build run when builds run in
// containers: one for the build, in which they are executed one by one. The
// build's folder has the same path inside as outside, so that nothing else of
// a build knows where its commands run.
type container struct {
	engine  string
	environ []string // of the engine's program
	name    string
	path    string // PATH of the image
}

func containerName(uuid string) string { return "ouro-build-" + uuid }

// curatedPrefix begins the names of CodeBuild's own images, which AWS
// publishes for everybody under another.
const curatedPrefix, publishedPrefix = "aws/codebuild/", "public.ecr.aws/codebuild/"

// startContainer starts the container of the build from the project's image.
func (r *run) startContainer(ctx context.Context) error {
	e := r.rec.Build.Environment
	image := aws.ToString(e.Image)
	curated := strings.HasPrefix(image, curatedPrefix)
	if curated {
		image = publishedPrefix + strings.TrimPrefix(image, curatedPrefix)
	}
	c := &container{engine: r.s.options.Containers, environ: r.s.options.Environ, name: containerName(r.uuid())}
	// --network host: the local cloud listens on this machine's loopback.
	args := []string{"run", "--detach", "--init", "--name", c.name, "--network", "host", "--volume", r.work.root + ":" + r.work.root, "--workdir", r.work.src}
	if tools, err := r.s.toolbox(); err == nil {
		args = append(args, "--volume", tools+":"+tools+":ro")
		if exe := r.s.options.Executable; exe != "" {
			args = append(args, "--volume", exe+":"+exe+":ro") // what the link in the tools points to
		}
	}
	if aws.ToBool(e.PrivilegedMode) {
		args = append(args, "--privileged")
	}
	const wait = "while :; do sleep 3600; done"
	if curated { // their entrypoint starts Docker in privileged mode, and then what it is given
		args = append(args, "--", image, "/bin/sh", "-c", wait)
	} else {
		args = append(args, "--entrypoint", "/bin/sh", "--", image, "-c", wait)
	}
	r.log.say("Starting a container of the image %s", image)
	r.work.container = c // to be removed even if its start is broken off
	if said, failed, err := r.engine(ctx, args...); err != nil {
		return err
	} else if failed != "" {
		return failf("BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE", "Unable to pull customer's container image. CannotPullContainerError: %s: %s", failed, lastLine(said))
	}
	path, failed, err := r.engine(ctx, "exec", c.name, "/bin/sh", "-c", `printf %s "$PATH"`)
	if err == nil && failed != "" {
		err = failf("CLIENT_ERROR", "the image %s has no shell: %s: %s", image, failed, lastLine(path))
	}
	c.path = path
	return err
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// engine runs the engine's program among the build's processes, and gives
// what it says.
func (r *run) engine(ctx context.Context, args ...string) (said, failed string, err error) {
	out, err := os.CreateTemp(r.work.state, "engine-")
	if err != nil {
		return "", "", fmt.Errorf("running the container engine: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.Command(r.s.options.Containers, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = r.s.options.Environ, r.work.state, out, out
	failed, err = r.work.run(ctx, cmd, r.marker(), r.s.options.Grace)
	if err != nil {
		return "", "", err
	}
	body, err := os.ReadFile(out.Name())
	return strings.TrimSuffix(string(body), "\n"), failed, err
}

// command executes a script in the container, as user, empty: the image's own.
// The environment comes from files: other users of the machine see the command
// lines.
func (c *container) command(user, environFile, dir, shell, script string) *exec.Cmd {
	args := []string{"exec", "--env-file", environFile, "--workdir", dir}
	if user != "" {
		args = append(args, "--user", user)
	}
	cmd := exec.Command(c.engine, append(args, c.name, shell, script)...)
	cmd.Env, cmd.Dir = c.environ, filepath.Dir(environFile)
	return cmd
}

// removal is how long the engine may take to kill a container.
const removal = time.Minute

// remove kills the container, if there is one.
func (c *container) remove() error {
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), removal)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.engine, "rm", "--force", "--volumes", c.name)
	cmd.Env = c.environ
	detach(cmd)
	said, err := cmd.CombinedOutput()
	if err != nil && !bytes.Contains(said, []byte("o such container")) {
		return fmt.Errorf("removing the container %s: %w: %s", c.name, err, bytes.TrimSpace(said))
	}
	return nil
}

// regain makes the build's files ours again that commands wrote as root of the
// container.
func (r *run) regain(ctx context.Context) error {
	c, me := r.work.container, os.Getuid()
	if c == nil || me <= 0 || ownedBy(filepath.Join(r.work.state, "env"), me) {
		return nil // root of the container is us, or we are root
	}
	said, failed, err := r.engine(ctx, "exec", "--user", "0", c.name, "chown", "-R", fmt.Sprintf("%d:%d", me, os.Getgid()), r.work.root)
	if err == nil && failed != "" {
		err = errors.New("taking over the files of a container: " + lastLine(said))
	}
	return err
}

// clearContainers removes those that builds of a killed process have left.
func (s *Service) clearContainers(uuids []string) error {
	if s.options.Containers == "" {
		return nil
	}
	var wrong error
	for _, uuid := range uuids {
		c := &container{engine: s.options.Containers, environ: s.options.Environ, name: containerName(uuid)}
		wrong = errors.Join(wrong, c.remove())
	}
	return wrong
}
