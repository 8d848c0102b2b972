package executeapi

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/wire"
)

// The errors of both kinds of APIs, which the SDK has a Go type of for each.

func notFound(format string, args ...any) error {
	return &wire.Error{Code: "NotFoundException", Status: http.StatusNotFound, Message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return &wire.Error{Code: "BadRequestException", Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// Part gives a member of an API, such as a route.
func Part[T any](all map[string]T, kind string, id *string) (T, error) {
	v, ok := all[aws.ToString(id)]
	if !ok {
		return v, notFound("Invalid %s identifier specified", kind)
	}
	return v, nil
}
