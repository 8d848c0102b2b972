package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ouro/regex"
)

// kind is how functions of a runtime are run.
type kind struct {
	path    string // of the interpreter, "" for a bootstrap
	version string // of the interpreter
	client  string // the file in clients/
	options func(Function) []string
}

// interpreter is one of this machine.
type interpreter struct {
	path    string
	number  int // what tells runtimes apart: the minor version of Python 3, the major one of Node.js
	version string
}

var runtimeForm = regex.New(`^(python3\.|nodejs)(\d{1,3})(\.x)?$`)

// Check says in a sentence why functions of a runtime cannot be run on this
// machine, nil if they can. It looks for interpreters, the first time.
func Check(runtime string) error {
	_, err := kindOf(runtime)
	return err
}

func kindOf(runtime string) (kind, error) {
	if runtime == "provided.al2023" || runtime == "provided.al2" {
		return kind{}, nil
	}
	m := runtimeForm().FindStringSubmatch(runtime)
	if m == nil || (m[1] == "nodejs") != (m[3] != "") {
		return kind{}, fmt.Errorf("the local cloud runs functions of provided.al2023, provided.al2, python3 and nodejs, not of the runtime %q", runtime)
	}
	wanted, _ := strconv.Atoi(m[2])
	there, language := pythons(), "Python 3"
	k := kind{client: "bootstrap.py", options: func(Function) []string { return nil }}
	if m[1] == "nodejs" {
		there, language = nodes(), "Node.js"
		k.client, k.options = "bootstrap.mjs", func(fn Function) []string {
			return []string{"--max-old-space-size=" + strconv.Itoa(max(fn.MemoryMB*9/10, 64))}
		}
	}
	found, ok := closest(there, wanted)
	if !ok {
		return kind{}, fmt.Errorf("functions of the runtime %s need %s on this machine, and there is none", runtime, language)
	}
	k.path, k.version = found.path, found.version
	return k, nil
}

// version is what is told of a runtime: if another stands for it, which.
func (p *places) version(runtime string) string {
	k, err := kindOf(runtime)
	if err != nil || k.path == "" {
		return shortVersion(runtime)
	}
	return fmt.Sprintf("%s (%s, %s)", shortVersion(runtime), k.version, k.path)
}

// closest is the interpreter whose number is nearest, the newer of two, the
// first of several.
func closest(there []interpreter, wanted int) (interpreter, bool) {
	if len(there) == 0 {
		return interpreter{}, false
	}
	distance := func(i interpreter) int {
		if i.number < wanted {
			return 2*(wanted-i.number) + 1
		}
		return 2 * (i.number - wanted)
	}
	return slices.MinFunc(there, func(a, b interpreter) int { return distance(a) - distance(b) }), true
}

var (
	pythonForm = regex.New(`^python3\.(\d{1,3})$`)
	nodeForm   = regex.New(`^v(\d{1,3})\.`)
)

// oldestPython is the first that our client runs on.
const oldestPython = 8

var pythons = sync.OnceValue(func() []interpreter {
	var found []interpreter
	for _, folder := range programFolders(".pyenv/versions/*/bin") {
		files, _ := filepath.Glob(filepath.Join(folder, "python3.*"))
		for _, file := range files {
			m := pythonForm().FindStringSubmatch(filepath.Base(file))
			if m == nil || isScript(file) {
				continue
			}
			if n, _ := strconv.Atoi(m[1]); n >= oldestPython {
				found = append(found, interpreter{path: file, number: n, version: "Python 3." + m[1]})
			}
		}
	}
	// Lambda's Python has AWS's SDK, so one that has it is first.
	slices.SortStableFunc(found, func(a, b interpreter) int { return len(sdkOf(b)) - len(sdkOf(a)) })
	if len(found) > 0 {
		return found
	}
	said := ask("python3", "-c", `import sys; print("%d\n%s" % (sys.version_info[1], sys.executable))`)
	minor, file, _ := strings.Cut(said, "\n")
	if n, err := strconv.Atoi(minor); err == nil && n >= oldestPython {
		return []interpreter{{path: file, number: n, version: "Python 3." + minor}}
	}
	return nil
})

// sdkOf is the folder of AWS's SDK that an interpreter has, or none.
func sdkOf(python interpreter) []string {
	library := filepath.Join(filepath.Dir(filepath.Dir(python.path)), "lib")
	found, _ := filepath.Glob(filepath.Join(library, fmt.Sprintf("python3.%d", python.number), "site-packages", "boto3"))
	return found
}

var nodes = sync.OnceValue(func() []interpreter {
	var found []interpreter
	for _, folder := range programFolders(".nvm/versions/node/*/bin") {
		file := filepath.Join(folder, "node")
		version := filepath.Base(filepath.Dir(folder)) // nvm's folders are named so
		if _, err := os.Stat(file); err != nil {
			continue
		}
		m := nodeForm().FindStringSubmatch(version)
		if m == nil {
			version = ask(file, "--version")
			m = nodeForm().FindStringSubmatch(version)
		}
		if m != nil {
			n, _ := strconv.Atoi(m[1])
			found = append(found, interpreter{path: file, number: n, version: "Node.js " + version})
		}
	}
	return found
})

// programFolders are the search path, the usual places, and those of a manager
// of versions.
func programFolders(managed string) []string {
	folders := filepath.SplitList(os.Getenv("PATH"))
	folders = append(folders, "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")
	if home, err := os.UserHomeDir(); err == nil {
		more, _ := filepath.Glob(filepath.Join(home, filepath.FromSlash(managed)))
		folders = append(folders, more...)
	}
	var once []string
	for _, f := range folders {
		if filepath.IsAbs(f) && !slices.Contains(once, f) {
			once = append(once, f)
		}
	}
	return once
}

// isScript tells whether a program is one that picks another by what is
// configured where it starts.
func isScript(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return true
	}
	defer f.Close()
	head := make([]byte, 2)
	_, _ = f.Read(head)
	return string(head) == "#!"
}

func ask(program string, arguments ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, arguments...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
