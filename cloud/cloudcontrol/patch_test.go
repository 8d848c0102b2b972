package cloudcontrol

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzPatch looks for patches that panic, or that change what they were
// applied to.
func FuzzPatch(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `[{"op":"add","path":"/a/1/b/c","value":1},{"op":"move","from":"/a","path":"/b"}]`)
	f.Add(`[[]]`, `[{"op":"copy","from":"/0","path":"/-"},{"op":"remove","path":"/00"},{"op":"replace","path":"","value":2}]`)
	f.Add(`{"":{"~":1}}`, `[{"op":"test","path":"//~0","value":1},{"op":"remove","path":"/"},{"op":"add","path":"/~1~","value":{}}]`)
	f.Fuzz(func(t *testing.T, document, patched string) {
		var doc, copied any
		var ops []operation
		if json.Unmarshal([]byte(document), &doc) != nil || json.Unmarshal([]byte(patched), &ops) != nil {
			return
		}
		if err := json.Unmarshal([]byte(document), &copied); err != nil {
			t.Fatal(err)
		}
		patch(doc, ops) //nolint:errcheck // whether it fits is not the question
		if !reflect.DeepEqual(doc, copied) {
			t.Errorf("%s made %v of %s", patched, doc, document)
		}
	})
}
