package ci

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/regex"
)

// ReleaseID is the id of a release that is begun at that time, where the
// repository's host gives none.
func ReleaseID(at time.Time) string { return at.UTC().Format("release-20060102-150405") }

// releaseID is what may stand for a release wherever builds put it: in names
// of files, tags of images, words of a shell.
var releaseID = regex.New(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// CheckReleaseID refuses ids that builds could stumble over.
func CheckReleaseID(id string) error {
	if !releaseID().MatchString(id) {
		return fmt.Errorf("the release id %q has to be at most 128 letters, digits, dots, hyphens and underscores, a letter or digit first", id)
	}
	return nil
}

// uploadURL is where GitHub takes the files of a release; servers of a
// company's own have /api/uploads before it.
// https://docs.github.com/en/rest/releases/assets#upload-a-release-asset
var uploadURL = regex.New(`^https://[A-Za-z0-9.:-]+(?:/api/uploads)?/repos/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/releases/([0-9]+)/assets(?:\{.*\}|\?.*)?$`)

// ReleaseOf is the id of the GitHub release whose files go to that URL.
func ReleaseOf(upload string) (string, error) {
	m := uploadURL().FindStringSubmatch(upload)
	if m == nil {
		return "", fmt.Errorf("%q is no upload URL of a GitHub release, such as https://uploads.github.com/repos/OWNER/REPOSITORY/releases/1/assets", upload)
	}
	return m[1], nil
}

// ReleaseVariables tell the builds of a release which it is, and whether it is
// one in earnest.
func ReleaseVariables(id string, dry bool) []types.EnvironmentVariable {
	flag := "--no-dry-run"
	if dry {
		flag = "--dry-run"
	}
	return []types.EnvironmentVariable{
		{Name: aws.String("RELEASE_ID"), Value: &id, Type: types.EnvironmentVariableTypePlaintext},
		{Name: aws.String("DRY_RUN"), Value: &flag, Type: types.EnvironmentVariableTypePlaintext},
	}
}
