package function

import (
	"errors"

	smithy "github.com/aws/smithy-go"
)

// isCode tells whether err is AWS's error with that code.
func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
