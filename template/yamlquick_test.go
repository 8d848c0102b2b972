package template_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/template"
)

// compare reads body both ways; quick tells whether the quick reader took it.
func compare(t *testing.T, body []byte) (quick bool) {
	t.Helper()
	got := template.QuickYAML("t.yaml", body)
	if got == nil {
		return false
	}
	want, err := template.LibraryYAML("t.yaml", body)
	if err != nil {
		t.Fatalf("the quick reader took what is no YAML (%v):\n%s", err, body)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the readers differ on\n%s\nquick   %s %s\nlibrary %s %s", body, template.Canonical(got), positions(got), template.Canonical(want), positions(want))
	}
	return true
}

func positions(n *template.Node) string {
	out := n.Pos.String()[len("t.yaml"):]
	for i, item := range n.Items {
		if n.Kind == template.Map {
			out += positions(n.Keys[i])
		}
		out += positions(item)
	}
	return out
}

func TestQuickYAML(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		benchYAML,
		"---\n# comment\na: 1 # one\nb:\n- x\n-   y: 1\n    z: 2\n- - p\n  - q\n\n# end\nc: d#e\n",
		"a: |\n  one\n   two\n\n  three\n\n\nb: |-\n    x\n  # comment\nc: |+\n  k\n\n",
		"a: >-\n  one\n  two\n\n  three\n\n\n  four\nb: >\n\n  x\n",
		"a: |\n  last",
		"\"k e\": 'it''s'\n'x': \"a\\tb\\\\\\\"\"\n\"y\" : z\n",
		"é: ü # ö\nb: [ä, {ö: !Ref ü}]\n",
		"A: !Sub\n  - x\n  - {y: z}\nB: !If\n- a\n- !GetAtt b.c\n- !Ref 1\nC: !Base64\n  Fn::Sub: x\nD: !Sub |\n  text\nE: {Fn::GetAtt: x.y.z}\nF:\n  Fn::GetAtt: x.y\n",
		"a: -1\nb: -x\nc: a:b\nd: http://x/y?z#q\ne: [-1, a/b, 'x, y', \"z]\"]\nf: {}\ng: []\nh: [[], {}]\n",
		"a: yes\nb: 2012-10-17\nc: 0x1F\nd: [1.5, on, ~x]\n",
		"a:   \n   b:\n     c: 1\n   d: 2\ne: 3",
	} {
		if !compare(t, []byte(source)) {
			t.Errorf("the quick reader gave up on\n%s", source)
		}
	}
	for _, source := range []string{
		"a: &x 1\nb: *x\n", "a: b\n  c\n", "a:\nb: 1\n", "a: [b,\n c]\n", "a: b: c\n", "a:\tb\n", "a: 'x\n", "- a\n", "a: 1\na: 2\n",
		"a: 1\n b: 2\n", "a:\n  b: 1\n c: 2\n", "a: 1\n---\nb: 2\n", "a: >\n  x\n   y\n", "{a: b}\n", "a: !Nope x\n", "a: {b: c,}\n", "<<: {a: 1}\n", "? a\n: b\n", "a: @x\n", "a: |2\n   x\n",
	} {
		if compare(t, []byte(source)) {
			t.Errorf("the quick reader took\n%s", source)
		}
	}
	cases, err := filepath.Glob("testdata/check/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cases {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, archive.Files[0].Data)
	}
}

// FuzzQuickYAML holds the quick reader to the library: values and positions.
func FuzzQuickYAML(f *testing.F) {
	f.Add([]byte(benchYAML))
	for _, seed := range []string{
		"a: |\n  b\n\n c\nd:\n- e: [f, {g: !Ref h}]\n  i: \"j\"\n", "a: >-\n  b\n\n  c\n", "a:\n  - !Sub\n    - b\n  -\n    c: d # e\n", "'a b': é\n\"c\": {d: 'e'}\n---\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { compare(t, body) })
}
