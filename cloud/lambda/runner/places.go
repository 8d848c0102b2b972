package runner

import (
	"debug/elf"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

//go:embed clients
var clients embed.FS

// places are the folders that processes see: clients of runtimes, layers merged
// into one folder, and, where the system lets us, all at the paths that Lambda
// has for them.
type places struct {
	dir    string
	spaces func() bool // whether processes can have mounts of their own
	mount  string      // the program that makes them, known when they can

	mu     sync.Mutex
	merged map[string]*merge // by the layers
	merges int               // that were made
}

func newPlaces(dir string) (*places, error) {
	p := &places{dir: dir, merged: map[string]*merge{}}
	for _, folder := range []string{"empty", "sandboxes", "layers", "var/task", "var/runtime"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(folder)), 0o755); err != nil {
			return nil, fmt.Errorf("making the folder of functions: %w", err)
		}
	}
	files, err := fs.Sub(clients, "clients")
	if err == nil {
		err = os.CopyFS(p.runtime(), files)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the clients of runtimes: %w", err)
	}
	p.spaces = sync.OnceValue(p.tryMounts)
	return p, nil
}

func (p *places) runtime() string { return filepath.Join(p.dir, "runtime") }

// view is where a process finds things.
type view struct {
	task, opt, runtime, tmp string
	mounts                  string // a table of them, "" if the process has none of its own
	mount                   string // the program
}

// find makes the command line of a function and the view of its process, which
// has the folder dir and the layers in opt. The failure is that of a function
// that cannot start.
func (p *places) find(fn Function, dir, opt string) ([]string, view, *failure, error) {
	kind, err := kindOf(fn.Runtime)
	if err != nil {
		return nil, view{}, nil, err
	}
	v := view{task: fn.Task, opt: opt, runtime: p.runtime(), tmp: filepath.Join(dir, "tmp")}
	spaces := p.spaces()
	if kind.client == "" {
		bootstrap, fault := findBootstrap(fn.Task, opt)
		if fault != nil {
			return nil, view{}, fault, nil
		}
		if spaces {
			v = v.mounted(p, fn, dir)
		}
		return []string{filepath.Join(v.folder(bootstrap), "bootstrap")}, v, nil, nil
	}
	if spaces && stays(kind.path) {
		v = v.mounted(p, fn, dir)
	}
	command := append([]string{kind.path}, kind.options(fn)...)
	command = append(command, filepath.Join(v.runtime, kind.client))
	if wrapper := fn.Environment["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" {
		command = append([]string{v.path(wrapper)}, command...)
	}
	return command, v, nil, nil
}

// findBootstrap says whether the code, "task", or the layers, "opt", have the
// program of a function.
func findBootstrap(task, opt string) (string, *failure) {
	for i, folder := range []string{task, opt} {
		name := []string{"task", "opt"}[i]
		file := filepath.Join(folder, "bootstrap")
		info, err := os.Stat(file)
		if err != nil || info.IsDir() {
			continue
		}
		shown := map[string]string{"task": "/var/task", "opt": "/opt"}[name] + "/bootstrap"
		switch {
		case runtime.GOOS != "windows" && info.Mode()&0o111 == 0:
			return "", newFailure("Runtime.InvalidEntrypoint", "fork/exec "+shown+": permission denied")
		case !runnable(file):
			return "", newFailure("Runtime.InvalidEntrypoint", "fork/exec "+shown+": exec format error")
		}
		return name, nil
	}
	return "", newFailure("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
}

// runnable tells whether a file is a script or a program of this machine.
func runnable(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return true // starting it will say why
	}
	defer f.Close()
	head := make([]byte, 4)
	_, _ = f.ReadAt(head, 0)
	if string(head[:2]) == "#!" {
		return true
	}
	if string(head) != elf.ELFMAG {
		return runtime.GOOS != "linux"
	}
	program, err := elf.NewFile(f)
	if err != nil {
		return false
	}
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]
	return runtime.GOOS == "linux" && (machine == 0 || program.Machine == machine)
}

// stays tells whether a program keeps its path when /opt, /tmp and parts of
// /var are replaced.
func stays(file string) bool {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false
	}
	for _, at := range []string{file, real} {
		for _, replaced := range []string{"/opt/", "/tmp/", "/var/task/", "/var/runtime/"} {
			if strings.HasPrefix(at, replaced) {
				return false
			}
		}
	}
	return true
}

// mounted is the view of a process with mounts of its own.
func (v view) mounted(p *places, fn Function, dir string) view {
	v.mounts, v.mount = p.table(dir, v.task, v.opt, fn.EphemeralMB), p.mount
	v.task, v.opt, v.runtime, v.tmp = "/var/task", "/opt", "/var/runtime", "/tmp"
	return v
}

func (v view) folder(name string) string {
	return map[string]string{"task": v.task, "opt": v.opt}[name]
}

// path is a path of Lambda's as the process sees it.
func (v view) path(file string) string {
	for _, at := range [][2]string{{"/opt/", v.opt}, {"/var/task/", v.task}, {"/var/runtime/", v.runtime}, {"/tmp/", v.tmp}} {
		if rest, ok := strings.CutPrefix(file, at[0]); ok {
			return filepath.Join(at[1], rest)
		}
	}
	return file
}

// table is the fstab of a process. /var/task and /var/runtime need not be
// there: an overlay adds them. It comes first and /tmp last, since what is
// mounted may lie below either.
//
// The device of a file system without one is any word. This one is like no
// other, because mount -a leaves out what seems to be there already.
func (p *places) table(dir, task, opt string, tmpMB int) string {
	device := "function-" + filepath.Base(dir)
	return device + " /var overlay ro,lowerdir=" + escaped(filepath.Join(p.dir, "var")) + ":/var 0 0\n" +
		escaped(task) + " /var/task none bind,ro 0 0\n" +
		escaped(p.runtime()) + " /var/runtime none bind,ro 0 0\n" +
		escaped(opt) + " /opt none bind,ro 0 0\n" +
		device + " /tmp tmpfs nosuid,nodev,mode=1777,size=" + strconv.Itoa(tmpMB) + "m 0 0\n"
}

var escapes = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)

func escaped(file string) string { return escapes.Replace(file) }

const mountScript = `mount=$1; shift; "$mount" -a -T "$0" && cd /var/task && exec "$@"`

func (v view) prepare(dir string) error {
	if v.mounts == "" {
		return os.MkdirAll(v.tmp, 0o700)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "fstab"), []byte(v.mounts), 0o600)
}

func (v view) command(dir string, command []string) *exec.Cmd {
	if v.mounts == "" {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = v.task
		return cmd
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", mountScript, filepath.Join(dir, "fstab"), v.mount}, command...)...)
	cmd.Dir = "/"
	ownMounts(cmd)
	return cmd
}

// tryMounts tells whether a process can have its own mounts here: it depends on
// the system, on the user, and on the container that we may be in.
func (p *places) tryMounts() bool {
	dir := filepath.Join(p.dir, "try")
	program, err := exec.LookPath("mount")
	if err != nil || runtime.GOOS != "linux" || strings.ContainsAny(p.dir, ":,\\") || os.MkdirAll(dir, 0o700) != nil {
		return false
	}
	defer os.RemoveAll(dir)
	empty := filepath.Join(p.dir, "empty")
	p.mount = program
	v := view{mounts: p.table(dir, empty, empty, 1), mount: program}
	if v.prepare(dir) != nil {
		return false
	}
	cmd := v.command(dir, []string{"test", "-e", "/var/runtime/bootstrap.py"})
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
	return cmd.Run() == nil
}
