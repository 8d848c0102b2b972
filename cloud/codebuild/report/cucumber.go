package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// feature is a feature in Cucumber's JSON.
type feature struct {
	Name     string     `json:"name"`
	URI      string     `json:"uri"`
	Elements []scenario `json:"elements"`
}

type scenario struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Before []step `json:"before"`
	Steps  []step `json:"steps"`
	After  []step `json:"after"`
}

type step struct {
	Keyword string `json:"keyword"`
	Name    string `json:"name"`
	Result  struct {
		Status   string      `json:"status"`
		Duration json.Number `json:"duration"` // nanoseconds
		Message  string      `json:"error_message"`
	} `json:"result"`
}

var cucumberStatus = map[string]Status{
	"passed": Succeeded, "failed": Failed, "ambiguous": Errored, "undefined": Errored, "pending": Skipped, "skipped": Skipped, "": Unknown,
}

// worst sorts statuses by what they mean for the scenario of a step.
var worst = map[Status]int{Succeeded: 0, Unknown: 1, Skipped: 2, Errored: 3, Failed: 4}

// cucumber reads Cucumber's JSON: each scenario is a test case.
func cucumber(r io.Reader) (Result, error) {
	var features []feature
	if err := decodeOne(r, &features); err != nil {
		return Result{}, err
	}
	var out Result
	for _, f := range features {
		for i := range f.Elements {
			if e := &f.Elements[i]; e.Type != "background" {
				out.Cases = append(out.Cases, e.result(f.Name, f.URI))
			}
		}
	}
	return out, nil
}

func (e *scenario) result(suite, prefix string) Case {
	c := Case{Suite: suite, Prefix: prefix, Name: e.Name, Status: Succeeded}
	for _, steps := range [][]step{e.Before, e.Steps, e.After} {
		for _, s := range steps {
			ns, _ := s.Result.Duration.Float64() // none counts as 0
			if ns >= 0 && ns < 1e17 {
				c.Duration += time.Duration(ns)
			}
			if status := known(cucumberStatus, strings.ToLower(s.Result.Status)); worst[status] > worst[c.Status] {
				c.Status, c.Message = status, message(strings.TrimSpace(s.Keyword)+" "+s.Name, s.Result.Message)
			}
		}
	}
	return c
}

// decodeOne reads the one JSON value of a file.
func decodeOne(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	return nil
}
