package lambda

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// user is the Type of errors that are the caller's.
const user = "User"

func invalid(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, args...)), Type: aws.String(user)}
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...)), Type: aws.String(user)}
}

func conflict(format string, args ...any) error {
	return &types.ResourceConflictException{Message: aws.String(fmt.Sprintf(format, args...)), Type: aws.String(user)}
}

func noFunction(arn string) error { return notFound("Function not found: %s", arn) }

// nothing is what Lambda says of most things that are not there.
func nothing() error { return notFound("The resource you requested does not exist.") }

// stale is the answer to a revision id that is not the newest; call is the
// operation that tells the newest.
func stale(call string) error {
	return &types.PreconditionFailedException{Type: aws.String(user), Message: aws.String(
		"The Revision Id provided does not match the latest Revision Id. Call the " + call + " API to retrieve the latest Revision Id")}
}

// missing puts other in the place of the store's ErrNotFound.
func missing(err, other error) error {
	if errors.Is(err, store.ErrNotFound) {
		return other
	}
	return err
}

// denied is the answer to a caller whom no policy of the resource lets in.
func denied(c door.Caller, action, arn string) error {
	name := c.ARN
	if c.Service != "" {
		name = c.Service
	}
	return &wire.Error{Code: "AccessDeniedException", Status: 403, Message: "User: " + name + " is not authorized to perform: " + action +
		" on resource: " + arn + " because no resource-based policy allows the " + action + " action"}
}

// oversized is the answer to what is too large; AWS gives it a code that its
// model does not have.
func oversized(format string, args ...any) error {
	return &wire.Error{Code: "RequestEntityTooLargeException", Status: 413, Message: fmt.Sprintf(format, args...)}
}
