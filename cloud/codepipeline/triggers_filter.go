package codepipeline

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// The bounds of the filters of a trigger.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitConfiguration.html
const (
	maxFilters       = 3
	maxPatterns      = 8
	maxPatternLength = 255
)

// maxFilteredFiles is how many changed files filters look at: CodeConnections
// retrieves the first 100, and without a match among them nothing starts.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
const maxFilteredFiles = 100

// criterion are the includes and excludes of branches, tags or file paths.
type criterion struct{ includes, excludes []string }

func (c criterion) empty() bool { return len(c.includes) == 0 && len(c.excludes) == 0 }

// lets tells whether a name is included, or nothing is, and not excluded.
func (c criterion) lets(name string) bool {
	matches := func(pattern string) bool { return globMatches(pattern, name) }
	return (len(c.includes) == 0 || slices.ContainsFunc(c.includes, matches)) && !slices.ContainsFunc(c.excludes, matches)
}

// letsAny tells whether one of the files passes; without a filter no file is
// needed.
func (c criterion) letsAny(files []string) bool {
	return c.empty() || slices.ContainsFunc(files[:min(len(files), maxFilteredFiles)], c.lets)
}

func tagsOf(c *types.GitTagFilterCriteria) criterion {
	if c == nil {
		return criterion{}
	}
	return criterion{c.Includes, c.Excludes}
}

func branchesOf(c *types.GitBranchFilterCriteria) criterion {
	if c == nil {
		return criterion{}
	}
	return criterion{c.Includes, c.Excludes}
}

func filesOf(c *types.GitFilePathFilterCriteria) criterion {
	if c == nil {
		return criterion{}
	}
	return criterion{c.Includes, c.Excludes}
}

// isPushTo tells whether the change is a push to that branch.
func isPushTo(branch string, change gitChange) bool {
	return change.PullRequestEvent == "" && change.ReferenceType == "branch" && change.ReferenceName == branch
}

// passes tells whether one of the trigger's filters lets the change pass. A
// trigger without filters takes pushes to the branch of the action.
func passes(git *types.GitConfiguration, branch string, change gitChange, files []string) bool {
	if len(git.Push) == 0 && len(git.PullRequest) == 0 {
		return isPushTo(branch, change)
	}
	if change.PullRequestEvent != "" {
		return slices.ContainsFunc(git.PullRequest, func(f types.GitPullRequestFilter) bool {
			wanted := len(f.Events) == 0 || slices.Contains(f.Events, types.GitPullRequestEventType(change.PullRequestEvent))
			return wanted && branchesOf(f.Branches).lets(change.DestinationBranch) && filesOf(f.FilePaths).letsAny(files)
		})
	}
	return slices.ContainsFunc(git.Push, func(f types.GitPushFilter) bool {
		tags := tagsOf(f.Tags)
		if change.ReferenceType == "tag" {
			return !tags.empty() && tags.lets(change.ReferenceName)
		}
		return tags.empty() && branchesOf(f.Branches).lets(change.ReferenceName) && filesOf(f.FilePaths).letsAny(files)
	})
}

// checkFilters checks the filters of a trigger: their numbers, and that they
// combine as AWS has it: tags, branches, or branches with file paths.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
func checkFilters(git *types.GitConfiguration, at string) error {
	switch push, pullRequest := len(git.Push), len(git.PullRequest); {
	case push > maxFilters:
		return constraint(fmt.Sprint(push), at+".push", "Member must have length less than or equal to 3")
	case pullRequest > maxFilters:
		return constraint(fmt.Sprint(pullRequest), at+".pullRequest", "Member must have length less than or equal to 3")
	}
	for i, f := range git.Push {
		tags, branches, files := tagsOf(f.Tags), branchesOf(f.Branches), filesOf(f.FilePaths)
		if err := checkPatterns(fmt.Sprintf("%s.push.%d.member", at, i+1), tags, branches, files); err != nil {
			return err
		}
		if tags.empty() == branches.empty() || !files.empty() && branches.empty() {
			return invalidFilters()
		}
	}
	for i, f := range git.PullRequest {
		here := fmt.Sprintf("%s.pullRequest.%d.member", at, i+1)
		branches, files := branchesOf(f.Branches), filesOf(f.FilePaths)
		if err := checkPatterns(here, criterion{}, branches, files); err != nil {
			return err
		}
		if !files.empty() && branches.empty() {
			return invalidFilters()
		}
		if n := len(f.Events); n > maxFilters {
			return constraint(fmt.Sprint(n), here+".events", "Member must have length less than or equal to 3")
		}
		for _, e := range f.Events {
			if !slices.Contains(e.Values(), e) {
				return constraint(string(e), here+".events", "Member must satisfy enum value set: [OPEN, UPDATED, CLOSED]")
			}
		}
	}
	return nil
}

func invalidFilters() error {
	return invalidStructure("The trigger configuration for the source action is not valid. Make sure to choose valid filter combinations.")
}

func checkPatterns(at string, tags, branches, files criterion) error {
	for _, list := range []struct {
		member   string
		patterns []string
	}{
		{"tags.includes", tags.includes}, {"tags.excludes", tags.excludes},
		{"branches.includes", branches.includes}, {"branches.excludes", branches.excludes},
		{"filePaths.includes", files.includes}, {"filePaths.excludes", files.excludes},
	} {
		if n := len(list.patterns); n > maxPatterns {
			return constraint(fmt.Sprint(n), at+"."+list.member, "Member must have length less than or equal to 8")
		}
		for _, pattern := range list.patterns {
			if len(pattern) < 1 || len(pattern) > maxPatternLength {
				return constraint(pattern, at+"."+list.member, "Member must have length between 1 and 255")
			}
			if _, err := globExpression(pattern); err != nil {
				return invalidStructure("The trigger configuration for the source action is not valid. The pattern '%s' is not a valid glob pattern.", pattern)
			}
		}
	}
	return nil
}
