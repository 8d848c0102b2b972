package validate_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/template"
	"ouro/validate"
)

// TestSARIF: the members that code hosts look at, with URIs as they must be.
func TestSARIF(t *testing.T) {
	t.Parallel()
	report := &validate.Report{Findings: []validate.Finding{
		{Pos: template.Pos{File: "a b/c#.yaml", Line: 2, Column: 3}, ID: "enum", Message: "no"},
		{Pos: template.Pos{File: "/tmp/é.yaml"}, ID: "unused-parameter", Severity: template.SeverityWarning, Message: "why"},
	}}
	var out bytes.Buffer
	if err := report.Write(&out, "sarif", false); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	var got []any
	for _, r := range run.Results {
		at := r.Locations[0].PhysicalLocation
		got = append(got, r.Level, r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID, r.Message.Text, at.ArtifactLocation.URI)
		if at.Region != nil {
			got = append(got, at.Region.StartLine, at.Region.StartColumn)
		}
	}
	want := []any{
		"error", "enum", "enum", "no", "a%20b/c%23.yaml", 2, 3,
		"warning", "unused-parameter", "unused-parameter", "why", "file:///tmp/%C3%A9.yaml",
	}
	if diff := cmp.Diff(want, got); diff != "" || log.Version != "2.1.0" {
		t.Errorf("version %s (-want +got)\n%s", log.Version, diff)
	}
}
