package codedeploy

import (
	"errors"
	"fmt"

	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// refuse is an error as CodeDeploy's API tells it; code is without the
// "Exception" in which all of its codes end.
func refuse(code, format string, args ...any) error {
	return &wire.Error{Code: code + "Exception", Message: fmt.Sprintf(format, args...)}
}

// missing puts other in the place of the store's ErrNotFound.
func missing(err, other error) error {
	if errors.Is(err, store.ErrNotFound) {
		return other
	}
	return err
}

// exists puts other in the place of the store's ErrExists.
func exists(err, other error) error {
	if errors.Is(err, store.ErrExists) {
		return other
	}
	return err
}

func noApplication(name string) error {
	return refuse("ApplicationDoesNotExist", "No application found for name: %s", name)
}

func noGroup(name string) error {
	return refuse("DeploymentGroupDoesNotExist", "No Deployment Group found for name: %s", name)
}

func noDeployment(id string) error {
	return refuse("DeploymentDoesNotExist", "The deployment %s could not be found", id)
}

// isCode tells an error by its code, without "Exception".
func isCode(err error, code string) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Code == code+"Exception"
}
