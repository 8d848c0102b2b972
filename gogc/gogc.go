// Package gogc has garbage collected less often than Go does by itself, in all
// but Lambda's functions, whose memory is counted. It is imported for that
// alone. It needs no other package of the module, so it is set up before the
// clients of AWS build their tables, and no collection falls into the start of
// a command.
package gogc

import (
	"os"
	"runtime/debug"
)

func init() {
	if os.Getenv("GOGC") == "" && os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		// Commands live for a second or two, and the local cloud's live heap is
		// small: collecting less often costs some megabytes and saves a fifth
		// of the time that publishing takes, and of a command's start.
		debug.SetGCPercent(400)
	}
}
