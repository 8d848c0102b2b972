// Package runner runs versions of Lambda functions as processes of this
// machine, which speak Lambda's Runtime API with it. A process serves one
// invocation at a time, is used again for the next one of the same revision,
// and ends with the pool, even if the pool's own process is killed.
//
// Functions of provided.al2023 and provided.al2 run as they are; those of
// Python and Node.js on the interpreter of this machine that is closest to
// their runtime, through small clients of ours (clients/). Where Linux permits
// it, a process sees its code under /var/task, its layers under /opt and a
// /tmp of its own; elsewhere search paths and TMPDIR stand for that.
//
// That is no fence: functions run as the user who runs the local cloud, and can
// do whatever that user can.
//
// What it does not do: images, extensions, SnapStart, other runtimes; and the
// memory of a function is watched, not reserved.
package runner

import (
	"context"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Function is one version of a function, as it runs.
type Function struct {
	ARN     string // of the version: ends in the name for $LATEST, else in ":" and the version
	Name    string
	Version string // "$LATEST" or a number
	Region  string
	Role    string // ARN, for [Options.Credentials]

	Runtime      string // "provided.al2023", "python3.13", "nodejs22.x" …
	Handler      string
	Architecture string // "x86_64" or "arm64"; told to the function, never checked

	// Revision changes whenever anything of the function changes. The first
	// invocation of another revision ends the idle processes of the ones before.
	Revision string

	Task        string   // folder with the unzipped code; never written to
	Layers      []string // folders with the unzipped layers; later ones win
	Environment map[string]string

	MemoryMB    int           // 128 if 0
	EphemeralMB int           // size of /tmp, 512 if 0; kept to where it is a mount of its own
	Timeout     time.Duration // 3 s if 0

	LogGroup  string // "/aws/lambda/NAME" if empty
	LogFormat string // "Text" (also if empty) or "JSON"
	LogLevel  string // the least level that the function logs, with JSON: "INFO" if empty
}

// Invocation is one call of a function.
type Invocation struct {
	RequestID     string
	ARN           string // as the caller named the function, with its qualifier
	Payload       []byte
	ClientContext string // JSON, not in base64; "" for none
	Identity      string // JSON of the Cognito identity; "" for none
	TraceID       string // for _X_AMZN_TRACE_ID; one is made if empty

	// Stream, if not nil, is called once, when the response begins, with its
	// content type, and is given the response as it comes. A response
	// that is not streamed by the function is written in one piece. It is not
	// called for a function that fails before its response begins. A failing
	// writer does not stop the function.
	Stream func(contentType string) io.Writer
}

// Result is what an invocation came to. A function that failed has a Result,
// too: its FunctionError is set.
type Result struct {
	// Payload is the answer, or the error's JSON (errorType, errorMessage,
	// stackTrace …). Of a streamed response it is empty, unless that failed.
	Payload []byte

	// FunctionError is "Unhandled" for a function that failed, else "". (Lambda
	// itself stopped saying "Handled".)
	FunctionError string

	// ErrorType is the kind of failure: "Runtime.ExitError", "Sandbox.Timedout",
	// or what the runtime said it was. It is the ErrorCode of a stream's end.
	ErrorType string

	// ErrorMessage is the failure's sentence, the ErrorDetails of a stream's end.
	ErrorMessage string

	LogTail   []byte // the last 4 KB of the invocation's log, as LogResult has it before base64
	LogGroup  string
	LogStream string

	Cold     bool // a process was started for it
	Init     time.Duration
	Duration time.Duration
	Billed   time.Duration
	MaxMB    int // the most memory that the process has used until now
}

// Line is an event of a log stream.
type Line struct {
	Time time.Time
	Text string // without its line break
}

// Options are what a pool needs from the cloud around it.
type Options struct {
	// Dir is a folder of the pool's own. What an earlier pool left there,
	// processes and files, is ended and removed by New.
	Dir string

	// Endpoint is AWS_ENDPOINT_URL of the functions; none if empty.
	Endpoint string

	// Credentials gives a session of the function's role. A process ends five
	// minutes before its credentials do.
	Credentials func(context.Context, Function) (aws.Credentials, error)

	// Log takes the lines of a stream, in order, one call at a time for each
	// stream; several lines a call, if they come in short order. What a function wrote before it answered, and the lines around it
	// (START, END, REPORT), has been given before Invoke returns.
	Log func(fn Function, stream string, lines []Line)

	// Idle is how long a process without work is kept; five minutes if 0.
	Idle time.Duration
}
