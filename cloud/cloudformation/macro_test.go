package cloudformation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func macroTemplate(t testing.TB, name, function string) string {
	return template(t, map[string]any{"M": map[string]any{"Type": "AWS::CloudFormation::Macro", "Properties": map[string]any{"Name": name, "FunctionName": function}}},
		"Outputs", map[string]any{"Name": value(ref("M"))})
}

// macroEvent is what a macro's function gets.
type macroEvent struct {
	Region                  string         `json:"region"`
	AccountID               string         `json:"accountId"`
	Fragment                any            `json:"fragment"`
	TransformID             string         `json:"transformId"`
	Params                  map[string]any `json:"params"`
	RequestID               string         `json:"requestId"`
	TemplateParameterValues map[string]any `json:"templateParameterValues"`
}

func TestMacro(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	var last macroEvent
	function := f.define("count", func(event []byte) []byte {
		last = macroEvent{}
		if err := json.Unmarshal(event, &last); err != nil {
			t.Error(err)
		}
		fragment := last.Fragment
		if m := fragment.(map[string]any); m["Resources"] != nil { // the whole template
			m["Resources"].(map[string]any)["Two"] = parameter("2", "Name", "two")
		} else {
			m["Value"] = "from " + last.Params["Word"].(string)
		}
		out, err := json.Marshal(map[string]any{"requestId": last.RequestID, "status": "success", "fragment": fragment})
		if err != nil {
			t.Error(err)
		}
		return out
	})
	if s := w.create("macros", macroTemplate(t, "Count", function)); outputs(s)["Name"] != "Count" {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("macros"))
	}
	if s := w.create("again", macroTemplate(t, "Count", function)); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.story("again"), "000000000000::Count already exists") {
		t.Errorf("the same macro again: %s\n%s", s.StackStatus, w.story("again"))
	}
	s := w.create("whole", template(t, map[string]any{"One": parameter("1", "Name", "one")}, "Transform", "Count",
		"Parameters", map[string]any{"P": map[string]any{"Type": "String", "Default": "v"}}), expanding)
	if s.StackStatus != types.StackStatusCreateComplete || w.parameters()["two"] != "2" {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("whole"))
	}
	if last.AccountID != "000000000000" || last.Region != "us-east-1" || last.TransformID != "000000000000::Count" || last.TemplateParameterValues["P"] != "v" || last.Params == nil {
		t.Errorf("the macro got %+v", last)
	}
	part := parameter("", "Name", "part", "Fn::Transform", map[string]any{"Name": "Count", "Parameters": map[string]any{"Word": "here"}})
	if s := w.create("part", template(t, map[string]any{"One": part}), expanding); w.parameters()["part"] != "from here" {
		t.Errorf("%s %v\n%s", s.StackStatus, w.parameters(), w.story("part"))
	}
	w.delete("macros")
	w.create("gone", template(t, map[string]any{"One": parameter("1")}, "Transform", "Count"), expanding)
	if story := w.story("gone"); !strings.Contains(story, "No transform named 000000000000::Count found.") {
		t.Errorf("a macro that is gone:\n%s", story)
	}
}

// TestMacroFails is what a macro's function may give back in vain.
func TestMacroFails(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	for name, c := range map[string]struct {
		answer map[string]any // requestId is added
		want   string
	}{
		"Refuses":   {map[string]any{"status": "failed", "errorMessage": "too small"}, "Transform 000000000000::Refuses failed with: too small"},
		"Silent":    {map[string]any{"status": "failed"}, "Transform 000000000000::Silent failed without an error message."},
		"Malformed": {map[string]any{"status": "success"}, "Received malformed response from transform 000000000000::Malformed"},
	} {
		function := f.define(name, func(event []byte) []byte {
			var q macroEvent
			if err := json.Unmarshal(event, &q); err != nil {
				t.Error(err)
			}
			c.answer["requestId"] = q.RequestID
			out, err := json.Marshal(c.answer)
			if err != nil {
				t.Error(err)
			}
			return out
		})
		w.create("macro"+name, macroTemplate(t, name, function))
		body := template(t, map[string]any{"One": parameter("1")}, "Transform", name)
		if s := w.create(name, body, expanding); !strings.Contains(w.story(name), c.want) {
			t.Errorf("%s: %s, want %q\n%s", name, s.StackStatus, c.want, w.story(name))
		}
	}
}
