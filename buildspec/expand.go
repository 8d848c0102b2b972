package buildspec

import (
	"fmt"
	"slices"
)

// MaxBuilds is how many builds a batch has at most
// (https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html).
const MaxBuilds = 100

// Builds are all builds of the batch, a matrix and a fanout taken apart, each
// with an identifier: builds that the buildspec does not name are build0,
// build1, and so on.
func (b *Batch) Builds() ([]BatchBuild, error) {
	switch {
	case b.Matrix != nil:
		return b.Matrix.builds()
	case b.Fanout != nil:
		builds := make([]BatchBuild, b.Fanout.Parallelism)
		for i := range builds {
			builds[i] = BatchBuild{IgnoreFailure: b.Fanout.IgnoreFailure, Shard: i, Shards: len(builds)}
		}
		return named(builds), nil
	case b.Graph != nil:
		return b.Graph, nil
	}
	return named(slices.Clone(b.List)), nil
}

// named gives an identifier to every build that has none.
func named(builds []BatchBuild) []BatchBuild {
	taken := map[string]bool{}
	for _, b := range builds {
		taken[b.Identifier] = true
	}
	next := 0
	for i := range builds {
		for builds[i].Identifier == "" {
			if name := fmt.Sprintf("build%d", next); !taken[name] {
				builds[i].Identifier = name
			}
			next++
		}
	}
	return builds
}

// axis is one dimension of a matrix: how many values, and how a build takes
// the value i.
type axis struct {
	values int
	take   func(b *BatchBuild, i int)
}

// axes are the dimensions for which the matrix has values.
func (m *Matrix) axes() []axis {
	all := []axis{
		{len(m.Buildspecs), func(b *BatchBuild, i int) { b.Buildspec = m.Buildspecs[i] }},
		{len(m.ComputeTypes), func(b *BatchBuild, i int) { b.Env.ComputeType = m.ComputeTypes[i] }},
		{len(m.Images), func(b *BatchBuild, i int) { b.Env.Image = m.Images[i] }},
	}
	for _, c := range m.Variables {
		all = append(all, axis{len(c.Values), func(b *BatchBuild, i int) { b.Env.set(c.Name, c.Values[i]) }})
	}
	return slices.DeleteFunc(all, func(a axis) bool { return a.values == 0 })
}

// set gives the variable the value in a list of the environment's own.
func (e *BatchEnv) set(name, value string) {
	e.Variables = slices.DeleteFunc(slices.Clone(e.Variables), func(v Variable) bool { return v.Name == name })
	e.Variables = append(e.Variables, Variable{Name: name, Value: value})
}

// builds are all combinations of the matrix; the last dimension changes
// fastest.
func (m *Matrix) builds() ([]BatchBuild, error) {
	builds := []BatchBuild{{IgnoreFailure: m.IgnoreFailure, Env: m.Static}}
	for _, a := range m.axes() {
		if len(builds)*a.values > MaxBuilds {
			return nil, fmt.Errorf("build-matrix has more than %d combinations", MaxBuilds)
		}
		var more []BatchBuild
		for _, b := range builds {
			for i := range a.values {
				one := b
				a.take(&one, i)
				more = append(more, one)
			}
		}
		builds = more
	}
	return named(builds), nil
}
