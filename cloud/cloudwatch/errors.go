package cloudwatch

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/wire"
)

// invalid refuses a request as CloudWatch does before it looks at it.
func invalid(format string, args ...any) error {
	return &wire.Error{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

func badValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func badCombination(format string, args ...any) error {
	return &types.InvalidParameterCombinationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func missingParameter(name string) error {
	return &types.MissingRequiredParameterException{Message: aws.String("The parameter " + name + " is required.")}
}

// constraint is a member's value that AWS's model of the request does not allow.
func constraint(value any, member, must string) error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, must)
}

// lengths tells of a text that is not within its bounds.
func lengths(member string, text *string, least, most int) error {
	switch {
	case text == nil:
	case len(*text) < least:
		return constraint(*text, member, fmt.Sprintf("have length greater than or equal to %d", least))
	case len(*text) > most:
		return constraint(*text, member, fmt.Sprintf("have length less than or equal to %d", most))
	}
	return nil
}
