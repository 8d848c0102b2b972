package ssm

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/wire"
	"ouro/regex"
)

const (
	maxNameLength = 1011 // with the ARN before it, 2048
	maxLevels     = 15
)

var parameterName = regex.New(`^[a-zA-Z0-9_.\-/]+$`)

func validation(format string, args ...any) error {
	return &wire.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Status: 400}
}

// checkName holds a new parameter's name against AWS's rules.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
func checkName(name string) error {
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case strings.HasPrefix(first, "aws"):
		return &wire.Error{Code: "AccessDeniedException", Message: "No access to reserved parameter name: " + name + ".", Status: 400}
	case len(name) > maxNameLength:
		return validation("Parameter name: the name may have %d characters at most.", maxNameLength)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return validation("Parameter name must be a fully qualified name.")
	case strings.HasPrefix(first, "ssm"), !parameterName().MatchString(name), strings.Contains(name, "//"), strings.HasSuffix(name, "/"):
		return validation(`Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	case strings.Count(name, "/") > maxLevels:
		return &types.HierarchyLevelLimitExceededException{Message: aws.String(fmt.Sprintf("Parameter name can't have more than %d levels.", maxLevels))}
	}
	return nil
}

// checkPath holds the path of a hierarchy against the same rules.
func checkPath(path string) error {
	if path == "/" || (strings.HasPrefix(path, "/") && parameterName().MatchString(path)) {
		return nil
	}
	return validation(`The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
}

// under says whether a name lies below a path: directly, or, if recursive, at
// any depth. Names without a slash lie directly below "/".
func under(path, name string, recursive bool) bool {
	rest, ok := strings.CutPrefix("/"+strings.TrimPrefix(name, "/"), strings.TrimSuffix(path, "/")+"/")
	return ok && (recursive || !strings.Contains(rest, "/"))
}
