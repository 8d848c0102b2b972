package ecr

import (
	"errors"
	"fmt"

	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// refuse is an error as ECR's API tells it; code is without the "Exception" in
// which nearly all of its codes end.
func refuse(code, format string, args ...any) error {
	return &wire.Error{Code: code + "Exception", Message: fmt.Sprintf(format, args...)}
}

// badParameter is the answer to a member that is not as it has to be.
func badParameter(name, format string, args ...any) error {
	return refuse("InvalidParameter", "Invalid parameter at '%s' failed to satisfy constraint: '%s'", name, fmt.Sprintf(format, args...))
}

// unsupported refuses what the local cloud does not have.
func unsupported(format string, args ...any) error { return refuse("Validation", format, args...) }

// missing puts other in the place of the store's ErrNotFound.
func missing(err, other error) error {
	if errors.Is(err, store.ErrNotFound) {
		return other
	}
	return err
}

// isCode tells an error by its code, without "Exception".
func isCode(err error, code string) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Code == code+"Exception"
}
