package codebuild

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// The programs that CodeBuild gives builds for splitting tests
// (https://docs.aws.amazon.com/codebuild/latest/userguide/parallel-test.html).
// Which file the strategy "stability" gives to which shard is ours: AWS does
// not say how it hashes names.
var (
	//go:embed tests_run.sh
	testsRun []byte
	//go:embed glob_search.sh
	globSearch []byte
)

// writeTestTools puts the programs into the folder bin.
func writeTestTools(bin string) error {
	for name, body := range map[string][]byte{"codebuild-tests-run": testsRun, "codebuild-glob-search": globSearch} {
		if err := os.WriteFile(filepath.Join(bin, name), body, 0o755); err != nil {
			return fmt.Errorf("making the tools of builds: %w", err)
		}
	}
	return nil
}

// shard tells codebuild-tests-run which share of the tests is the build's.
func (p *member) shard() []string {
	if p.Shards == 0 {
		return nil
	}
	return []string{"CODEBUILD_FANOUT_SHARD=" + strconv.Itoa(p.Shard), "CODEBUILD_FANOUT_SHARDS=" + strconv.Itoa(p.Shards)}
}
