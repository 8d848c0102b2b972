package layer_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ouro/layer"
)

func version() layer.Version {
	return layer.Version{
		Manifest: layer.Manifest{Layer: "common", Content: strings.Repeat("ab", 32), Runtimes: []string{"python3.13"}},
		Bucket:   "b", Key: "k",
	}
}

type resources map[string]struct {
	Type, DeletionPolicy, UpdateReplacePolicy string
}

func templateOf(t *testing.T, v layer.Version) (string, resources) {
	t.Helper()
	body, err := v.Template()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Resources resources }
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	return string(body), doc.Resources
}

func id(r resources, kind string) string {
	for name, one := range r {
		if one.Type == kind {
			return name
		}
	}
	return ""
}

// TestNewVersionsAreNewResources: whatever makes AWS replace a version makes a
// resource of its own, beside which the one before stays; all else changes none.
func TestNewVersionsAreNewResources(t *testing.T) {
	t.Parallel()
	const kind = "AWS::Lambda::LayerVersion"
	body, first := templateOf(t, version())
	if again, _ := templateOf(t, version()); again != body {
		t.Error("the same version made two templates")
	}
	for name, change := range map[string]func(*layer.Version){
		"content":      func(v *layer.Version) { v.Content = strings.Repeat("cd", 32) },
		"licence":      func(v *layer.Version) { v.License = "MIT" },
		"description":  func(v *layer.Version) { v.Description = "x" },
		"runtimes":     func(v *layer.Version) { v.Runtimes = []string{"python3.12"} },
		"architecture": func(v *layer.Version) { v.Architectures = []string{"arm64"} },
	} {
		v := version()
		change(&v)
		if _, r := templateOf(t, v); id(r, kind) == id(first, kind) {
			t.Errorf("another %s makes the same resource", name)
		}
	}
	v := version()
	v.Accounts, v.Organization, v.Key = []string{"111122223333", "444455556666"}, "o-a1b2c3d4e5", "elsewhere"
	_, r := templateOf(t, v)
	if id(r, kind) != id(first, kind) || len(r) != len(first)+3 {
		t.Errorf("sharing a version makes of it %v", r)
	}
	for name, one := range r {
		if retained := one.DeletionPolicy == "Retain" && one.UpdateReplacePolicy == "Retain"; retained != (name != "Latest") {
			t.Errorf("%s is retained: %t", name, retained)
		}
	}
}

func TestWhatIsNoVersion(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*layer.Version){
		"cannot be called": func(v *layer.Version) { v.Layer = "../x" },
		"no SHA-256":       func(v *layer.Version) { v.Content = "x" },
		"12 digits":        func(v *layer.Version) { v.Accounts = []string{"*"} },
		"no organization":  func(v *layer.Version) { v.Organization = "*" },
		"architecture":     func(v *layer.Version) { v.Architectures = []string{"vax"} },
		"300 characters":   func(v *layer.Version) { v.Description = strings.Repeat("x", 300) },
	} {
		v := version()
		change(&v)
		if _, err := v.Template(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestReadList(t *testing.T) {
	t.Parallel()
	list, err := layer.ReadList([]byte("layers:\n  - common\n  - name: reports\n    runtime: nodejs22.x\n    accounts: [011122223333]\n    keep: 3\n"))
	if err != nil || len(list) != 2 || list[0].Name != "common" || list[0].Keep != 10 || list[1].Keep != 3 ||
		!slices.Equal(list[1].Runtimes, []string{"nodejs22.x"}) || !slices.Equal(list[1].Accounts, []string{"011122223333"}) {
		t.Errorf("%+v: %v", list, err)
	}
	for text, want := range map[string]string{
		"layers: [a, a]":                                          `"a" is there twice`,
		"layers: [{name: a, colour: red}]":                        `no "colour"`,
		"layers:\n  - a\n  - [b]":                                 "line 3",
		"layers: [{name: a, runtimes: [python3.13, nodejs22.x]}]": "different languages",
		"layers: [\"no/name\"]":                                   "cannot be called",
		"layers: [{name: a, keep: -1}]":                           "between 1 and 1,000",
		"layers: {":                                               "reading the list",
	} {
		if _, err := layer.ReadList([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
