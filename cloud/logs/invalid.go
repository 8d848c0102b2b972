package logs

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/cloud/store"
	"ouro/regex"
)

var (
	groupPattern  = regex.New(`^[\.\-_/#A-Za-z0-9]+$`)
	streamPattern = regex.New(`^[^:*]*$`)
)

func invalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// violated is the error for one member that breaks one constraint.
func violated(member string, value any, constraint string) error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint)
}

func null(member string) error {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func checkGroupName(name string) error {
	return checkName("logGroupName", name, groupPattern(), `[\.\-_/#A-Za-z0-9]+`)
}

func checkStreamName(name *string) error {
	if name == nil {
		return null("logStreamName")
	}
	return checkName("logStreamName", *name, streamPattern(), `[^:*]*`)
}

func checkName(member, name string, pattern *regexp.Regexp, shown string) error {
	switch {
	case name == "":
		return violated(member, name, "have length greater than or equal to 1")
	case len(name) > 512:
		return violated(member, name, "have length less than or equal to 512")
	case !pattern.MatchString(name):
		return violated(member, name, "satisfy regular expression pattern: "+shown)
	}
	return nil
}

// checkLimit gives how many items a page holds: the most there may be, unless
// fewer are asked for.
func checkLimit(limit *int32, most int32) (int, error) {
	switch {
	case limit == nil:
		return int(most), nil
	case *limit < 1:
		return 0, violated("limit", *limit, "have value greater than or equal to 1")
	case *limit > most:
		return 0, violated("limit", *limit, fmt.Sprintf("have value less than or equal to %d", most))
	}
	return int(*limit), nil
}

func groupMissing(err error) error {
	if err == store.ErrNotFound {
		return &types.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
	}
	return err
}

func streamMissing(err error) error {
	if err == store.ErrNotFound {
		return &types.ResourceNotFoundException{Message: aws.String("The specified log stream does not exist.")}
	}
	return err
}

func exists(err error, what string) error {
	if err == store.ErrExists {
		return &types.ResourceAlreadyExistsException{Message: aws.String("The specified " + what + " already exists")}
	}
	return err
}
