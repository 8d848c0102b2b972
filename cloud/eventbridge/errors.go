package eventbridge

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/wire"
)

func validation(format string, args ...any) error {
	return &wire.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Status: 400}
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func ruleNotFound(name, bus string) error {
	return notFound("Rule %s does not exist on EventBus %s.", name, bus)
}

func badPattern(err error) error {
	return &types.InvalidEventPatternException{
		Message: aws.String(fmt.Sprintf("Event pattern is not valid. Reason: %v", err)),
	}
}
