package sns

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// invalid is SNS's answer to a parameter that it does not take.
func invalid(parameter string) error {
	return &types.InvalidParameterException{Message: aws.String("Invalid parameter: " + parameter)}
}

func invalidf(format string, a ...any) error { return invalid(fmt.Sprintf(format, a...)) }

// invalidValue is the answer to a value that is wrong for its type.
func invalidValue(format string, a ...any) error {
	return &types.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, a...))}
}

func notFound(message string) error {
	return &types.NotFoundException{Message: &message}
}
