package codebuild

import (
	"context"
	"fmt"
	"strings"

	"ouro/buildspec"
	"ouro/regex"
)

// runtimes are the commands that tell the version of a language's runtime, by
// the names of runtime-versions
// (https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html).
var runtimes = map[string]string{
	"android": "sdkmanager --version", "dotnet": "dotnet --version", "golang": "go version", "java": "java -version", "nodejs": "node --version",
	"php": "php --version", "python": "python3 --version", "ruby": "ruby --version",
}

var (
	versionForm = regex.New(`\d+(\.\d+)*`)
	wantedForm  = regex.New(`^(?:corretto|openjdk)?(\d+(?:\.\d+)*)(?:\.x)?$`)
)

// tellRuntimes says how what the buildspec asks for agrees with what is there:
// nothing is installed.
func (r *run) tellRuntimes(ctx context.Context, wanted []buildspec.Variable) {
	for _, v := range wanted {
		command, ok := runtimes[v.Name]
		if !ok {
			r.log.say("Runtime %s %s: it is not known how to tell its version", v.Name, v.Value)
			continue
		}
		said, err := r.shell.evaluate(ctx, func(b *strings.Builder) { fmt.Fprintf(b, "%s 2>&1\n", command) })
		there := versionForm().FindString(said)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil || there == "":
			r.log.say("Runtime %s %s: none is there, and none is installed", v.Name, v.Value)
		case sameRuntime(v.Value, there):
			r.log.say("Runtime %s %s: %s is there", v.Name, v.Value, there)
		default:
			r.log.say("Runtime %s %s: %s is there, and no other is installed", v.Name, v.Value, there)
		}
	}
}

// sameRuntime tells whether a version does for what a buildspec asks: 3.11,
// 20.x, latest, corretto17.
func sameRuntime(wanted, there string) bool {
	m := wantedForm().FindStringSubmatch(wanted)
	if m == nil {
		return wanted == "latest"
	}
	if strings.HasPrefix(there, "1.8.") { // how Java 8 calls itself
		there = there[len("1."):]
	}
	return there == m[1] || strings.HasPrefix(there, m[1]+".")
}
