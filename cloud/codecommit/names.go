package codecommit

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/git"
	"ouro/regex"
)

// repositoryName is what a repository may be called
// (https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html).
var repositoryName = regex.New(`^[\w.-]{1,100}$`)

func checkRepositoryName(name *string) error {
	switch {
	case aws.ToString(name) == "":
		return &types.RepositoryNameRequiredException{Message: aws.String("A repository name is required.")}
	case !repositoryName().MatchString(*name) || strings.HasSuffix(*name, ".git") || *name == "." || *name == "..":
		return &types.InvalidRepositoryNameException{Message: aws.String("The repository name is not valid. " +
			"Repository names can be any valid combination of letters, numbers, periods, underscores, and dashes " +
			"between 1 and 100 characters in length. Names are case sensitive.")}
	}
	return nil
}

func checkBranchName(name *string) error {
	switch {
	case aws.ToString(name) == "":
		return &types.BranchNameRequiredException{Message: aws.String("A branch name is required.")}
	case len(*name) > 256 || !git.ValidBranch(*name):
		return &types.InvalidBranchNameException{Message: aws.String("The branch name " + *name + " is not valid.")}
	}
	return nil
}

func checkCommitID(id *string) error {
	switch {
	case aws.ToString(id) == "":
		return &types.CommitIdRequiredException{Message: aws.String("A commit ID is required.")}
	case !git.ValidID(*id):
		return &types.InvalidCommitIdException{Message: aws.String("The commit ID " + *id + " is not valid: it must be a full SHA-1.")}
	}
	return nil
}

// cleanPath gives a path as git has it: AWS takes one slash in front.
func cleanPath(path *string) (string, error) {
	p := strings.TrimPrefix(aws.ToString(path), "/")
	switch {
	case p == "":
		return "", &types.PathRequiredException{Message: aws.String("A file path is required.")}
	case !git.ValidPath(p):
		return "", &types.InvalidPathException{Message: aws.String("The path " + *path + " is not valid.")}
	}
	return p, nil
}

func noBranch(name string) error {
	return &types.BranchDoesNotExistException{Message: aws.String("Branch " + name + " does not exist")}
}

// modes are git's modes of files, as CodeCommit calls them.
var modes = map[string]types.FileModeTypeEnum{
	git.ModeFile:       types.FileModeTypeEnumNormal,
	git.ModeExecutable: types.FileModeTypeEnumExecutable,
	git.ModeSymlink:    types.FileModeTypeEnumSymlink,
}

// gitMode is a mode as git has it; none given means a normal file.
func gitMode(mode types.FileModeTypeEnum) (string, error) {
	if mode == "" {
		return git.ModeFile, nil
	}
	for own, theirs := range modes {
		if theirs == mode {
			return own, nil
		}
	}
	return "", &types.InvalidFileModeException{Message: aws.String("The file mode " + string(mode) + " is not valid: it must be EXECUTABLE, NORMAL or SYMLINK.")}
}
