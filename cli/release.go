package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"ouro/ci"
)

func newRelease(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "release",
		Short: "Set up and run builds of releases, as batches",
		Long: `Sets up release builds of a repository, which somebody starts: a CodeBuild batch
with a part for every directory below some roots, which knows the release's id.`,
		Args: noVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newBuildStack(s, ci.Release, true), newBuildStack(s, ci.Release, false), newBuildspec(s, ci.Release), newStart(s, ci.Release))
	return c
}

// releaseFlags say which release a batch builds.
type releaseFlags struct {
	id     string
	upload string
	dry    bool
}

func (f *releaseFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.id, "release-id", "", "id of the release (default: made of the time)")
	flags.StringVar(&f.upload, "upload-url", "", "upload URL of a GitHub release, whose id it is then")
	flags.BoolVar(&f.dry, "dry-run", false, "tell the builds to publish nothing")
}

// release is the id of the release that begins at that time.
func (f *releaseFlags) release(at time.Time) (string, error) {
	switch {
	case f.id != "" && f.upload != "":
		return "", usageError{errors.New("--release-id and --upload-url both say which release it is: give one")}
	case f.upload != "":
		id, err := ci.ReleaseOf(f.upload)
		if err != nil {
			return "", usageError{err}
		}
		return id, nil
	case f.id == "":
		return ci.ReleaseID(at), nil
	}
	if err := ci.CheckReleaseID(f.id); err != nil {
		return "", usageError{err}
	}
	return f.id, nil
}
