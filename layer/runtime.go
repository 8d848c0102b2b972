package layer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ouro/regex"
)

// language is how a layer for the runtimes of one language is laid out.
// https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
type language struct {
	prefix   string // of its runtimes' names
	manifest string // the file that names the dependencies
	folder   string // where own files lie below /opt
}

// languages are in the order in which a runtime is looked up. What is made for
// Go runs beside the function, whatever its runtime, so it comes last.
var languages = []language{
	{"python", "requirements.txt", "python"},
	{"nodejs", "package.json", "nodejs/node_modules"},
	{"provided", "go.mod", "bin"},
}

// Manifests are the files that a layer can be built from.
func Manifests() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.manifest)
	}
	return names
}

// Folders are the folders of a layer that some runtime or the system looks into.
var folders = []string{"bin", "extensions", "java", "lib", "nodejs", "python", "ruby"}

// languageOf is the language of runtimes, which must all be of one.
func languageOf(runtimes []string) (*language, error) {
	var found *language
	for _, r := range runtimes {
		i := slices.IndexFunc(languages, func(l language) bool { return strings.HasPrefix(r, l.prefix) })
		if i < 0 {
			continue
		}
		if found != nil && found != &languages[i] {
			return nil, fmt.Errorf("the runtimes %s are of different languages: a layer is for one", strings.Join(runtimes, " and "))
		}
		found = &languages[i]
	}
	return found, nil
}

// Folder is where files of its own lie in a layer for that runtime.
func Folder(runtime string) string {
	if l, err := languageOf([]string{runtime}); err == nil && l != nil {
		return l.folder
	}
	return "lib"
}

// runtimePattern is what runtimes are called. There are new ones every year, so
// which of them there are is left to Lambda.
var runtimePattern = regex.New(`^(python\d\.\d+|nodejs\d+\.x|java\d+(\.al\d+)?|dotnet\d+|ruby\d\.\d+|provided(\.al\d+)?)$`)

// CheckRuntime tells why a text is no runtime's name.
func CheckRuntime(name string) error {
	if runtimePattern().MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q is no runtime; there are such as python3.13, nodejs22.x and provided.al2023", name)
}

// maxRuntimes and maxArchitectures are Lambda's.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
const (
	maxRuntimes      = 15
	maxArchitectures = 2
)

// goArchitectures are Lambda's architectures, as Go calls them.
var goArchitectures = map[string]string{"x86_64": "amd64", "arm64": "arm64"}

// Architecture is what Lambda calls an architecture of Go's.
func Architecture(goarch string) string {
	if goarch == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

func checkCompatible(runtimes, architectures []string) error {
	if len(runtimes) > maxRuntimes {
		return fmt.Errorf("a layer can say of %d runtimes that it is for them, not of %d", maxRuntimes, len(runtimes))
	}
	for _, r := range runtimes {
		if err := CheckRuntime(r); err != nil {
			return err
		}
	}
	if len(architectures) > maxArchitectures {
		return fmt.Errorf("there are %d architectures, not %d", maxArchitectures, len(architectures))
	}
	for _, a := range architectures {
		if goArchitectures[a] == "" {
			return fmt.Errorf("lambda has no architecture %q: there are x86_64 and arm64", a)
		}
	}
	return nil
}

// newest are the runtimes that are taken where nothing is said.
var newest = map[string]string{"python": "python3.13", "nodejs": "nodejs22.x", "provided": "provided.al2023"}

// Guess are the runtimes that a source is for, as the files in it tell; nil if
// they do not. file names the one that counts; empty for any.
func Guess(dir, file string) []string {
	s, err := sourceOf(filepath.Join(dir, file))
	if err != nil {
		return nil
	}
	if s.language != nil {
		return []string{newest[s.language.prefix]}
	}
	for _, l := range languages {
		top, _, _ := strings.Cut(l.folder, "/")
		if info, err := os.Stat(filepath.Join(dir, top)); err == nil && info.IsDir() {
			return []string{newest[l.prefix]}
		}
	}
	return nil
}
