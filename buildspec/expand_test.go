package buildspec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/buildspec"
)

func TestBuilds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ batch, want, wrong string }{
		"list":     {batch: "build-list: [{}, {identifier: build0}, {identifier: x, ignore-failure: true}]", want: "build1; build0; x ignored"},
		"fanout":   {batch: "build-fanout: {parallelism: 3}", want: "build0 0/3; build1 1/3; build2 2/3"},
		"graph":    {batch: "build-graph: [{identifier: a}, {identifier: b, depend-on: [a]}]", want: "a; b after a"},
		"too many": {batch: "build-matrix: {dynamic: {buildspec: [" + strings.Repeat("a,", 60) + "], env: {image: [x, y]}}}", wrong: "build-matrix has more than 100 combinations"},
		"matrix": {
			batch: "build-matrix: {static: {env: {variables: {V: s, W: w}}}, dynamic: {env: {image: [x, y], variables: {V: [1, 2]}}}}",
			want:  "build0 x W=w V=1; build1 x W=w V=2; build2 y W=w V=1; build3 y W=w V=2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, err := buildspec.Parse("b.yml", []byte("version: 0.2\nbatch: {"+c.batch+"}"))
			if err != nil {
				t.Fatal(err)
			}
			builds, err := spec.Batch.Builds()
			if got := wrongText(err); got != c.wrong {
				t.Fatalf("error %q, want %q", got, c.wrong)
			}
			if diff := cmp.Diff(c.want, described(builds)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func wrongText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// described is the builds in one line.
func described(builds []buildspec.BatchBuild) string {
	var out []string
	for _, b := range builds {
		text := strings.TrimSpace(b.Identifier + " " + b.Env.Image)
		for _, v := range b.Env.Variables {
			text += " " + v.Name + "=" + v.Value
		}
		if b.Shards > 0 {
			text += " " + string(rune('0'+b.Shard)) + "/" + string(rune('0'+b.Shards))
		}
		if b.IgnoreFailure {
			text += " ignored"
		}
		if len(b.DependOn) > 0 {
			text += " after " + strings.Join(b.DependOn, ",")
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}
