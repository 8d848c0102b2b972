package runner

import (
	"encoding/json"
	"fmt"
	"time"
)

// failure is how an init or an invocation went wrong.
type failure struct {
	kind    string // "Runtime.ExitError"
	message string
	payload []byte
	timeout bool
	fatal   bool // it ended the process, and the runtime did not tell of it
}

func newFailure(kind, message string) *failure {
	payload, _ := json.Marshal(struct { // two strings always can
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	return &failure{kind: kind, message: message, payload: payload}
}

// reported is a failure that the runtime itself told of.
func reported(kind string, body []byte) *failure {
	var said struct{ ErrorType, ErrorMessage string }
	_ = json.Unmarshal(body, &said) // a runtime may say what it likes
	if kind == "" {
		kind = said.ErrorType
	}
	if kind == "" {
		kind = "Runtime.Unknown"
	}
	return &failure{kind: kind, message: said.ErrorMessage, payload: body}
}

// exitFailure is that of a runtime that ended by itself.
func exitFailure(id, reason string) *failure {
	if reason == "exit status 0" {
		return fatalFailure("Runtime.ExitError", id, "Runtime exited without providing a reason")
	}
	return fatalFailure("Runtime.ExitError", id, "Runtime exited with error: "+reason)
}

// outOfMemory is that of a process that took more than the function's memory.
func outOfMemory(id string) *failure {
	return fatalFailure("Runtime.OutOfMemory", id, "Runtime exited with error: signal: killed")
}

func fatalFailure(kind, id, sentence string) *failure {
	f := newFailure(kind, fmt.Sprintf("RequestId: %s Error: %s", id, sentence))
	f.fatal = true
	return f
}

// timedOut has no errorType: its message is a line of the log.
func timedOut(id string, at time.Time, limit time.Duration) *failure {
	message := fmt.Sprintf("%s %s Task timed out after %.2f seconds", stamp(at), id, limit.Seconds())
	payload, _ := json.Marshal(map[string]string{"errorMessage": message})
	return &failure{kind: "Sandbox.Timedout", message: message, payload: payload, timeout: true}
}
