package runner

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// platform writes a line of Lambda's own, in the format of the function's log
// (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html).
func (s *stream) platform(kind string, record map[string]any, text string) {
	if s.fn.LogFormat == "JSON" {
		event, _ := json.Marshal(struct { // plain values
			Time   string         `json:"time"`
			Type   string         `json:"type"`
			Record map[string]any `json:"record"`
		}{stamp(time.Now()), "platform." + kind, record})
		text = string(event)
	}
	s.write(text)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *stream) initStart(version string) {
	s.platform("initStart", map[string]any{
		"initializationType": "on-demand", "phase": "init", "runtimeVersion": version, "functionName": s.fn.Name, "functionVersion": s.fn.Version,
	}, "INIT_START Runtime Version: "+version)
}

func (s *stream) initReport(phase string, took time.Duration, fault *failure) {
	record := map[string]any{
		"initializationType": "on-demand", "phase": phase, "status": fault.status(), "metrics": map[string]any{"durationMs": milliseconds(took)},
	}
	if !fault.timeout {
		record["errorType"] = fault.kind
	}
	s.platform("initReport", record, fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s%s", milliseconds(took), phase, fault.suffix()))
}

func (s *stream) start(id string) {
	s.platform("start", map[string]any{"requestId": id, "version": s.fn.Version}, fmt.Sprintf("START RequestId: %s Version: %s", id, s.fn.Version))
}

// finish writes the last lines of an invocation and says what it came to.
func (s *stream) finish(in Invocation, at phase, payload []byte, fault *failure, used int64) Result {
	took := time.Since(at.started)
	if fault != nil && fault.timeout {
		took = s.fn.Timeout
	}
	r := Result{
		Payload: payload, LogGroup: s.fn.LogGroup, LogStream: s.name, Cold: at.cold, Init: at.init, Duration: took,
		// Since August 2025 init is billed, whatever the runtime.
		Billed: time.Duration(math.Ceil(milliseconds(took+at.init))) * time.Millisecond,
		MaxMB:  int(min((used+1<<20-1)>>20, int64(s.fn.MemoryMB))),
	}
	if fault != nil {
		r.Payload, r.FunctionError, r.ErrorType, r.ErrorMessage = fault.payload, "Unhandled", fault.kind, fault.message
		s.tell(fault)
	}
	if s.fn.LogFormat != "JSON" {
		s.write("END RequestId: " + in.RequestID)
	}
	metrics := map[string]any{
		"durationMs": milliseconds(took), "billedDurationMs": r.Billed.Milliseconds(), "memorySizeMB": s.fn.MemoryMB, "maxMemoryUsedMB": r.MaxMB,
	}
	text := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		in.RequestID, milliseconds(took), r.Billed.Milliseconds(), s.fn.MemoryMB, r.MaxMB)
	if at.init > 0 {
		metrics["initDurationMs"] = milliseconds(at.init)
		text += fmt.Sprintf("Init Duration: %.2f ms\t", milliseconds(at.init))
	}
	record := map[string]any{"requestId": in.RequestID, "metrics": metrics, "status": fault.status()}
	if fault.ours() {
		text += strings.TrimPrefix(fault.suffix(), "\t")
		record["errorType"] = fault.kind
	}
	s.platform("report", record, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.LogTail = s.tail
	return r
}

// tell writes the failures that the function could not write of itself.
func (s *stream) tell(fault *failure) {
	switch {
	case fault.timeout:
		s.write(fault.message)
	case fault.ours():
		s.write(fault.message + "\n" + fault.kind)
	}
}

func (f *failure) status() string {
	switch {
	case f == nil:
		return "success"
	case f.timeout:
		return "timeout"
	}
	return "error"
}

func (f *failure) suffix() string {
	if f.timeout {
		return "\tStatus: timeout"
	}
	return "\tStatus: error\tError Type: " + f.kind
}

// ours tells whether a failure ended the environment, unlike those with which a
// handler fails.
func (f *failure) ours() bool { return f != nil && (f.timeout || f.fatal) }

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d.Microseconds())/10) / 100
}
