package resource

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Sayf is an error in the words that CloudFormation's clients know, which
// begin and end as sentences do. It becomes a status reason or a
// ValidationError as it is.
func Sayf(format string, a ...any) error { return fmt.Errorf(format, a...) }

// code is the service's error code, or empty.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// IsExists tells whether a service refused to make what is there already.
func IsExists(err error) bool {
	c := code(err)
	return strings.Contains(c, "AlreadyExists") || strings.Contains(c, "AlreadyOwned") || strings.HasSuffix(c, "NameInUseException") ||
		c == "ResourceExistsException" || c == "RepositoryNameExistsException"
}

// IsNotFound tells whether a service does not have what it was asked about.
func IsNotFound(err error) bool {
	c := code(err)
	return strings.Contains(c, "NotFound") || strings.HasPrefix(c, "NoSuch") || strings.Contains(c, "DoesNotExist")
}

func gone(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}

// handlerCodes is how CloudFormation sorts the errors of services; the first
// part of a code that fits wins.
var handlerCodes = []struct{ part, code string }{
	{"AlreadyExists", "AlreadyExists"}, {"AlreadyOwned", "AlreadyExists"}, {"NameInUse", "AlreadyExists"},
	{"ExistsException", "AlreadyExists"}, {"NotFound", "NotFound"}, {"NoSuch", "NotFound"}, {"DoesNotExist", "NotFound"},
	{"AccessDenied", "AccessDenied"}, {"Unauthorized", "AccessDenied"}, {"Throttl", "Throttling"},
	{"LimitExceeded", "ServiceLimitExceeded"}, {"Internal", "ServiceInternalError"}, {"Conflict", "ResourceConflict"},
}

// Reason says in CloudFormation's manner why a handler gave up; it becomes the
// status reason of the resource.
func Reason(err error, token string) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return missing(err)
	}
	handlerCode := "InvalidRequest"
	for _, h := range handlerCodes {
		if strings.Contains(api.ErrorCode(), h.part) {
			handlerCode = h.code
			break
		}
	}
	service, status, request := "", 0, ""
	var op *smithy.OperationError
	if errors.As(err, &op) {
		service = strings.ReplaceAll(op.ServiceID, " ", "")
	}
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) {
		status = resp.HTTPStatusCode()
	}
	var withID interface{ ServiceRequestID() string }
	if errors.As(err, &withID) {
		request = withID.ServiceRequestID()
	}
	message := api.ErrorMessage()
	if message == "" {
		message = api.ErrorCode()
	}
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)",
		fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s)", message, service, status, request), token, handlerCode)
}

// missing puts the SDK's own complaint about required members into
// CloudFormation's words; other errors speak for themselves.
func missing(err error) string {
	var params smithy.InvalidParamsError
	if !errors.As(err, &params) {
		return err.Error()
	}
	var parts []string
	for _, e := range params.Errs() {
		var field interface{ Field() string }
		if !errors.As(e, &field) {
			continue
		}
		_, path, _ := strings.Cut(field.Field(), ".") // behind the name of the input
		at := strings.LastIndex(path, ".")
		where := strings.ReplaceAll("."+path[:max(at, 0)], ".", "/")
		parts = append(parts, fmt.Sprintf("#%s: required key [%s] not found", strings.TrimSuffix(where, "/"), path[at+1:]))
	}
	return "Properties validation failed with message: " + strings.Join(parts, "; ")
}
