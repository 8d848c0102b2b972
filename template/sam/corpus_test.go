package sam_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ouro/template"
	"ouro/template/sam"
)

// TestCorpus compares with the expected outputs of the transform's own public
// test inputs. SAM_CORPUS is the folder with input and output; SAM_FILES is a
// pattern of the input's names, SAM_REGION the region (and so the partition),
// SAM_SHOW prints what differs.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("SAM_CORPUS")
	if folder == "" {
		t.Skip("SAM_CORPUS names no folder")
	}
	pattern := cmp.Or(os.Getenv("SAM_FILES"), "*") + ".yaml"
	inputs, _ := filepath.Glob(filepath.Join(folder, "input", pattern))
	passed := 0
	for _, input := range inputs {
		name := strings.TrimSuffix(filepath.Base(input), ".yaml")
		ok := t.Run(name, func(t *testing.T) { compareCorpus(t, folder, name) })
		if ok {
			passed++
		}
	}
	t.Logf("%d of %d", passed, len(inputs))
}

func compareCorpus(t *testing.T, folder, name string) {
	region := cmp.Or(os.Getenv("SAM_REGION"), "ap-southeast-1")
	output := filepath.Join(folder, "output")
	switch {
	case strings.HasPrefix(name, "error_"):
	case strings.HasPrefix(region, "cn-"):
		output = filepath.Join(output, "aws-cn")
	case strings.HasPrefix(region, "us-gov-"):
		output = filepath.Join(output, "aws-us-gov")
	}
	want := parseFile(t, filepath.Join(output, name+".json"))
	input := parseFile(t, filepath.Join(folder, "input", name+".yaml"))
	defer func() { // a crash shall not hide the other files
		if v := recover(); v != nil {
			t.Fatalf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	got, err := sam.Transform(input, sam.Options{Region: region, Parameters: map[string]any{"param1": "value1", "param2": "value2"}, Application: corpusApplication})
	if message := want.Root.Get("errorMessage"); message != nil {
		compareError(t, err, message.Text)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := differences("", normal(want.Root), normal(got.Root)); len(diff) > 0 {
		if os.Getenv("SAM_SHOW") != "" {
			t.Log(strings.Join(diff, "\n"))
		}
		t.Fatalf("%d differences", len(diff))
	}
}

// corpusApplication is the Serverless Application Repository as the corpus
// expects it.
func corpusApplication(id, _ string) (string, error) {
	switch id {
	case "no-access", "non-existent", "invalid-semver":
		return "", fmt.Errorf("Cannot access application: %s.", id)
	}
	return "https://awsserverlessrepo-changesets-xxx.s3.amazonaws.com/signed-url", nil
}

// compareError compares without regard to the order of the problems.
func compareError(t *testing.T, err error, want string) {
	t.Helper()
	var e *sam.Error
	if !errors.As(err, &e) {
		t.Fatalf("no error, want %s", want)
	}
	slices.SortStableFunc(e.Problems, func(a, b sam.Problem) int { return cmp.Compare(a.ID, b.ID) })
	if got := e.Error(); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func parseFile(t *testing.T, name string) *template.Template {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Skip(err)
	}
	parsed, err := template.Parse(name, body)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// normal is n with its lists sorted, as the corpus compares them, and with
// what can be written in two ways in one of them.
func normal(n *template.Node) *template.Node {
	if name, arg := n.Function(); name == "Fn::GetAtt" && arg.Kind == template.String {
		id, attribute, _ := strings.Cut(arg.Text, ".")
		list := &template.Node{Kind: template.List}
		for _, s := range []string{id, attribute} {
			list.Items = append(list.Items, &template.Node{Kind: template.String, Text: s})
		}
		n = &template.Node{Kind: template.Map, Keys: n.Keys, Items: []*template.Node{list}}
	}
	out := *n
	if n.Kind == template.Number {
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			out.Text = strconv.FormatFloat(f, 'g', -1, 64)
		}
	}
	out.Items = nil
	for _, item := range n.Items {
		out.Items = append(out.Items, normal(item))
	}
	if n.Kind == template.List {
		slices.SortFunc(out.Items, func(a, b *template.Node) int {
			return strings.Compare(string(template.Canonical(a)), string(template.Canonical(b)))
		})
	}
	return &out
}

// differences are the places where two trees differ.
func differences(path string, want, got *template.Node) []string {
	short := func(n *template.Node) string {
		if n == nil {
			return "nothing"
		}
		s := string(template.Canonical(n))
		return s[:min(len(s), 300)]
	}
	if want == nil || got == nil || want.Kind != got.Kind || want.Kind == template.List && len(want.Items) != len(got.Items) {
		return []string{path + ": want " + short(want) + " got " + short(got)}
	}
	var out []string
	switch want.Kind {
	case template.List:
		for i := range want.Items {
			out = append(out, differences(path+"[]", want.Items[i], got.Items[i])...)
		}
	case template.Map:
		for i, k := range want.Keys {
			out = append(out, differences(path+"."+k.Text, want.Items[i], got.Get(k.Text))...)
		}
		for i, k := range got.Keys {
			if want.Get(k.Text) == nil {
				out = append(out, path+"."+k.Text+": got "+short(got.Items[i]))
			}
		}
	default:
		if want.Text != got.Text {
			out = append(out, path+": want "+short(want)+" got "+short(got))
		}
	}
	return out
}
