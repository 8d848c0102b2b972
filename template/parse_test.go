package template_test

import (
	"fmt"
	"strings"
	"testing"

	"ouro/template"
)

// canonical reads body and writes it as canonical JSON, or gives the error.
func canonical(file, body string) string {
	t, err := template.Parse(file, []byte(body))
	if err != nil {
		return err.Error()
	}
	return string(template.Canonical(t.Root))
}

func TestYAMLScalars(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`2012-10-17`:              `"2012-10-17"`,
		`2010-09-09T10:00:00Z`:    `"2010-09-09T10:00:00Z"`,
		`yes`:                     `true`,
		`Off`:                     `false`,
		`TRUE`:                    `true`,
		`y`:                       `"y"`,
		`"yes"`:                   `"yes"`,
		`!!str yes`:               `"yes"`,
		`~`:                       `null`,
		``:                        `null`,
		`1`:                       `1`,
		`-1.50`:                   `-1.50`,
		`+7`:                      `7`,
		`1e3`:                     `1e3`,
		`.5`:                      `0.5`,
		`0x1F`:                    `31`,
		`012345678901`:            `"012345678901"`,
		`0123`:                    `"0123"`,
		`1_000`:                   `"1_000"`,
		`22:80`:                   `"22:80"`,
		`.inf`:                    `".inf"`,
		`1.2.3`:                   `"1.2.3"`,
		`12345678901234567890123`: `12345678901234567890123`,
		`<a> & b`:                 `"<a> & b"`,
		`"\u00e9\n\x01"`:          `"é\n\u0001"`,
		`'it''s'`:                 `"it's"`,
		"|\n  a\n  b\n":           `"a\nb\n"`,
		">-\n  a\n  b\n":          `"a b"`,
	} {
		if got, want := canonical("t.yaml", "K: "+source), `{"K":`+want+`}`; got != want {
			t.Errorf("%q is %s, want %s", source, got, want)
		}
	}
}

func TestTrailingCommas(t *testing.T) {
	t.Parallel()
	if got, want := canonical("t.json", "{\"A\": [1, 2,], \"B\": {},}"), `{"A":[1,2],"B":{}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestYAMLForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{`K: !Ref A`, `{"K":{"Ref":"A"}}`},
		{`K: !Ref 1`, `{"K":{"Ref":"1"}}`},
		{`K: !GetAtt a.b.c`, `{"K":{"Fn::GetAtt":["a","b.c"]}}`},
		{`K: !GetAtt [a, b]`, `{"K":{"Fn::GetAtt":["a","b"]}}`},
		{`K: {"Fn::GetAtt": a.b}`, `{"K":{"Fn::GetAtt":["a","b"]}}`},
		{`K: !Join ["-", [!Ref A, !Sub "${B}"]]`, `{"K":{"Fn::Join":["-",[{"Ref":"A"},{"Fn::Sub":"${B}"}]]}}`},
		{"K: !Base64\n  Fn::Sub: x", `{"K":{"Fn::Base64":{"Fn::Sub":"x"}}}`},
		{`K: !Not [!Condition C]`, `{"K":{"Fn::Not":[{"Condition":"C"}]}}`},
		{`K: !GetAZs ""`, `{"K":{"Fn::GetAZs":""}}`},
		{"A: &a {x: 1, y: 2}\nB: *a", `{"A":{"x":1,"y":2},"B":{"x":1,"y":2}}`},
		{"A: &a {x: 1, y: 2}\nB: {<<: *a, y: 3}", `{"A":{"x":1,"y":2},"B":{"x":1,"y":3}}`},
		{"A: &a {x: 1}\nB: &b {x: 2, z: 3}\nC: {<<: [*a, *b]}", `{"A":{"x":1},"B":{"x":2,"z":3},"C":{"x":1,"z":3}}`},
		{"b: 1\na: 2\n\"1\": x", `{"1":"x","a":2,"b":1}`},
		{"{a: [b, c]}", `{"a":["b","c"]}`},
		{"\ufeffK: v", `{"K":"v"}`},
	} {
		if got := canonical("t.yaml", c.source); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.source, got, c.want)
		}
	}
}

func TestJSONForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{" {\"b\" : [ 1 , 1.0, -0, 1E+2, true, false, null ],\n\t\"a\":{} , \"c\":[]} \n", `{"a":{},"b":[1,1.0,-0,1E+2,true,false,null],"c":[]}`},
		{`{"k":"\"\\\/\b\f\n\r\tAé😀\ud800"}`, `{"k":"\"\\/\b\f\n\r\tAé😀�"}`},
		{`{"k":"<&>\u2028"}`, "{\"k\":\"<&>\u2028\"}"},
		{`{"é":"ü"}`, `{"é":"ü"}`},
	} {
		if got := canonical("t.json", c.source); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.source, got, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	for _, c := range []struct{ file, source, want string }{
		{"t.json", "{\n  \"a\": 1,\n  \"a\": 2\n}", `t.json:3:3: duplicate key "a", first given at line 2`},
		{"t.json", "{\n  \"a\": 1,\n,}", `t.json:3:1: JSON not well-formed: a key in double quotes is expected here`},
		{"t.json", "{\"é\": 1 \"b\"}", `t.json:1:9: JSON not well-formed: a comma or } is expected here`},
		{"t.json", "{\"a\": 01}", `t.json:1:7: JSON not well-formed: not a number`},
		{"t.json", "{\"a\": \"x\ny\"}", `t.json:1:9: JSON not well-formed: a string holds a line break or control character; write it as an escape such as \n`},
		{"t.json", "{\"a\": \"x", `t.json:1:7: JSON not well-formed: a string that begins here does not end`},
		{"t.json", "{} x", `t.json:1:4: JSON not well-formed: text after the end of the template`},
		{"t.json", "[1]", `t.json:1:1: a template is a map of sections, this is a list`},
		{"t.json", strings.Repeat(`{"a":`, 200), `t.json:1:641: JSON not well-formed: nested too deep`},
		{"t.yaml", "", `t.yaml:1:1: the file is empty`},
		{"t.yaml", "a: 1\nb:\n  c: 1\n  c: 2\n", `t.yaml:4:3: duplicate key "c", first given at line 3`},
		{"t.yaml", "a: !Nope x", `t.yaml:1:4: unknown function !Nope`},
		{"t.yaml", "a: !!binary eA==", `t.yaml:1:4: YAML type !!binary is not allowed in templates`},
		{"t.yaml", "a: &a [*a]", `t.yaml:1:8: alias *a stands inside its own anchor`},
		{"t.yaml", "a: 1\n---\nb: 2\n", `t.yaml:2:1: a second YAML document begins here; a template is one document`},
		{"t.yaml", "a: b: c\n", `t.yaml:1:5: YAML not well-formed: mapping values are not allowed in this context`},
		{"t.yaml", "a:\n  b: 1\n c: 2\n", `t.yaml:3:2: YAML not well-formed: did not find expected key`},
		{"t.yaml", "a:\n\tb: 1\n", `t.yaml:2:1: YAML not well-formed: found character that cannot start any token`},
		{"t.yaml", "? [a]\n: 1\n", `t.yaml:1:3: a key is a text, this is a list or a map`},
		{"t.yaml", "a: \xff", `t.yaml:1:4: the text is not valid UTF-8`},
		{"t.yaml", bomb, `t.yaml:6:22: more values than are read from one file, aliases counted where they stand`},
		{"t.yaml", strings.Repeat("[", 200) + strings.Repeat("]", 200), `t.yaml:1:129: nested too deep`},
	} {
		if got := canonical(c.file, c.source); got != c.want {
			t.Errorf("%.60q\n got %s\nwant %s", c.source, got, c.want)
		}
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	for file, source := range map[string]string{
		"t.yaml": "A: é\nResources:\n  R:\n    Properties: {p: [x, 'y']}\n",
		"t.json": "{\"A\": \"é\",\n\"Resources\": {\n  \"R\":\n   {\"Properties\": {\"p\": [\"x\", \"y\"]}}}}",
	} {
		tpl, err := template.Parse(file, []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		p := tpl.Root.Get("Resources").Get("R").Get("Properties").Get("p")
		got := tpl.Root.Keys[1].Pos.String() + " " + p.Pos.String() + " " + p.Items[1].Pos.String()
		want := map[string]string{
			"t.yaml": "t.yaml:2:1 t.yaml:4:21 t.yaml:4:25",
			"t.json": "t.json:2:1 t.json:4:25 t.json:4:31",
		}[file]
		if got != want {
			t.Errorf("%s: positions %s, want %s", file, got, want)
		}
	}
}
