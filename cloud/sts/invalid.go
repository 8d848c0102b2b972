package sts

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"ouro/cloud/door"
	"ouro/cloud/wire"
	"ouro/regex"
)

var (
	word        = regex.New(`^[\w]*$`)
	sessionName = regex.New(`^[\w+=,.@-]*$`)
	externalID  = regex.New(`^[\w+=,.@:/\\-]*$`)
)

func invalid(message string) error {
	return &wire.Error{Code: "ValidationError", Message: message, Status: http.StatusBadRequest}
}

// denied is AWS's answer to a caller who may not do the action.
func denied(caller door.Caller, action, resource string) error {
	who := caller.ARN
	if caller.Service != "" {
		who = caller.Service
	}
	return refused(fmt.Sprintf("User: %s is not authorized to perform: sts:%s on resource: %s", who, action, resource))
}

func refused(message string) error {
	return &wire.Error{Code: "AccessDenied", Message: message, Status: http.StatusForbidden}
}

// check gathers what is wrong with a request's members, as AWS does.
func check(complaints ...string) error {
	var found []string
	for _, complaint := range complaints {
		if complaint != "" {
			found = append(found, complaint)
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return invalid("1 validation error detected: " + found[0])
	}
	return invalid(fmt.Sprintf("%d validation errors detected: %s", len(found), strings.Join(found, "; ")))
}

func complain(member, value, constraint string) string {
	return fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint)
}

func required(member string, value *string) string {
	if value != nil {
		return ""
	}
	return "Value null at '" + member + "' failed to satisfy constraint: Member must not be null"
}

func minLength(member, value string, n int) string {
	if len(value) >= n {
		return ""
	}
	return complain(member, value, fmt.Sprintf("have length greater than or equal to %d", n))
}

func maxLength(member, value string, n int) string {
	if len(value) <= n {
		return ""
	}
	return complain(member, value, fmt.Sprintf("have length less than or equal to %d", n))
}

func pattern(member, value string, p *regexp.Regexp) string {
	if p.MatchString(value) {
		return ""
	}
	return complain(member, value, "satisfy regular expression pattern: "+strings.Trim(p.String(), "^$"))
}

// within checks a number of seconds that may be left out.
func within(member string, value *int32, low, high int32) string {
	switch {
	case value == nil:
		return ""
	case *value < low:
		return complain(member, fmt.Sprint(*value), fmt.Sprintf("have value greater than or equal to %d", low))
	case *value > high:
		return complain(member, fmt.Sprint(*value), fmt.Sprintf("have value less than or equal to %d", high))
	}
	return ""
}
