// Package layer makes versions of Lambda layers: it builds their content from
// what a directory holds, writes the template that publishes a version, brings
// the pipelines up that do both at every push, and takes away what nobody uses
// any more. It works on any endpoint, by its clients alone.
//
// A version is known by its content: [Build] gives the same hash for the same
// files on every machine, and [Version.Template] the same template for the same
// hash, so that a push that changes nothing publishes nothing.
package layer

import (
	"fmt"

	"ouro/regex"
)

// namePattern is what a layer may be called. AWS takes underscores and longer
// names, too; a layer here names stacks and a repository as well.
var namePattern = regex.New(`^[A-Za-z][A-Za-z0-9-]{0,39}$`)

// CheckName tells why a layer cannot be called so.
func CheckName(name string) error {
	if !namePattern().MatchString(name) {
		return fmt.Errorf("a layer cannot be called %q: letters, digits and hyphens, 1 to 40 of them, a letter first", name)
	}
	return nil
}

// Path is where the parameters in Systems Manager begin that tell of layers.
// What all layers share is below _, where no layer is called so.
const Path = "/ouro/layers/"

// LatestParameter is the parameter that holds the ARN of a layer's newest
// version.
func LatestParameter(name string) string { return Path + name + "/latest" }

// VersionParameter is the parameter that holds the ARN of one version.
func VersionParameter(name string, version int64) string {
	return fmt.Sprintf("%s%d", versionsPath(name), version)
}

func versionsPath(name string) string { return Path + name + "/versions/" }
