package buildspec

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Batch says which builds a batch consists of
// (https://docs.aws.amazon.com/codebuild/latest/userguide/batch-build-buildspec.html).
type Batch struct {
	FastFail bool
	List     []BatchBuild // build-list
	Graph    []BatchBuild // build-graph
	Matrix   *Matrix      // build-matrix
	Fanout   *Fanout      // build-fanout
}

// BatchBuild is one build of a list or graph.
type BatchBuild struct {
	Identifier    string
	Buildspec     string // path or text; empty: the project's
	DebugSession  bool
	IgnoreFailure bool
	DependOn      []string // identifiers, of a graph only
	Env           BatchEnv
	Shard, Shards int // of a fanout: which of how many, counted from 0
	Pos           Pos
}

// BatchEnv is what a build of a batch changes in the project's environment.
type BatchEnv struct {
	ComputeType    string
	Fleet          string
	Image          string
	Type           string
	PrivilegedMode *bool
	Variables      []Variable
}

// Matrix is a build for every combination of the dynamic values.
type Matrix struct {
	IgnoreFailure bool
	Static        BatchEnv
	Buildspecs    []string
	ComputeTypes  []string
	Images        []string
	Variables     []Choice
}

// Choice is a variable of a matrix with its values.
type Choice struct {
	Name   string
	Values []string
}

// Fanout is the same build several times.
type Fanout struct {
	Parallelism   int
	IgnoreFailure bool
}

func (r *reader) batch(b *Batch, n *yaml.Node) error {
	err := r.fields(n, "batch", fields{
		"fast-fail":    r.truth(&b.FastFail),
		"build-list":   func(k, n *yaml.Node) error { return r.batchBuilds(&b.List, k.Value, n, false) },
		"build-graph":  func(k, n *yaml.Node) error { return r.batchBuilds(&b.Graph, k.Value, n, true) },
		"build-matrix": func(k, n *yaml.Node) error { b.Matrix = &Matrix{}; return r.matrix(b.Matrix, n) },
		"build-fanout": func(k, n *yaml.Node) error { b.Fanout = &Fanout{}; return r.fanout(b.Fanout, n) },
	})
	if err != nil {
		return err
	}
	kinds := 0
	for _, there := range []bool{b.List != nil, b.Graph != nil, b.Matrix != nil, b.Fanout != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 {
		return r.errorf(n, "batch at line %d must have exactly one of: build-fanout, build-graph, build-list, build-matrix", n.Line)
	}
	if b.Fanout != nil && b.Fanout.Parallelism == 0 {
		return r.errorf(n, "build-fanout at line %d has no parallelism", n.Line)
	}
	return r.dependencies(b.Graph, n)
}

func (r *reader) batchBuilds(to *[]BatchBuild, key string, n *yaml.Node, graph bool) error {
	*to = []BatchBuild{}
	return r.each(n, key, func(name string, item *yaml.Node) error {
		b := BatchBuild{Pos: r.pos(item)}
		table := fields{
			"identifier":     r.text(&b.Identifier),
			"buildspec":      r.text(&b.Buildspec),
			"debug-session":  r.truth(&b.DebugSession),
			"ignore-failure": r.truth(&b.IgnoreFailure),
			"env":            func(k, n *yaml.Node) error { return r.batchEnv(&b.Env, n) },
		}
		if graph {
			table["depend-on"] = r.texts(&b.DependOn)
		}
		if err := r.fields(item, name, table); err != nil {
			return err
		}
		if len(*to) == MaxBuilds {
			return r.errorf(item, "%s has more than %d builds", key, MaxBuilds)
		}
		if graph && b.Identifier == "" {
			return r.errorf(item, "%s at line %d has no identifier", name, item.Line)
		}
		if b.Identifier != "" && slices.ContainsFunc(*to, func(o BatchBuild) bool { return o.Identifier == b.Identifier }) {
			return r.errorf(item, "the identifier %s of %s at line %d is there twice", b.Identifier, name, item.Line)
		}
		*to = append(*to, b)
		return nil
	})
}

func (r *reader) batchEnv(e *BatchEnv, n *yaml.Node) error {
	return r.fields(n, "env", fields{
		"compute-type": r.text(&e.ComputeType),
		"fleet":        r.text(&e.Fleet),
		"image":        r.text(&e.Image),
		"type":         r.text(&e.Type),
		"variables":    r.variables(&e.Variables),
		"privileged-mode": func(k, n *yaml.Node) error {
			e.PrivilegedMode = new(bool)
			return r.truth(e.PrivilegedMode)(k, n)
		},
	})
}

func (r *reader) matrix(m *Matrix, n *yaml.Node) error {
	return r.fields(n, "build-matrix", fields{
		"static": func(k, n *yaml.Node) error {
			return r.fields(n, "static", fields{
				"ignore-failure": r.truth(&m.IgnoreFailure),
				"env":            func(k, n *yaml.Node) error { return r.batchEnv(&m.Static, n) },
			})
		},
		"dynamic": func(k, n *yaml.Node) error {
			return r.fields(n, "dynamic", fields{
				"buildspec": r.texts(&m.Buildspecs),
				"env": func(k, n *yaml.Node) error {
					return r.fields(n, "env", fields{
						"compute-type": r.texts(&m.ComputeTypes),
						"image":        r.texts(&m.Images),
						"variables":    func(k, n *yaml.Node) error { return r.choices(&m.Variables, n) },
					})
				},
			})
		},
	})
}

func (r *reader) choices(to *[]Choice, n *yaml.Node) error {
	return r.entries(n, "variables", func(k, v *yaml.Node) error {
		c := Choice{Name: k.Value}
		err := r.texts(&c.Values)(k, v)
		*to = append(*to, c)
		return err
	})
}

func (r *reader) fanout(f *Fanout, n *yaml.Node) error {
	return r.fields(n, "build-fanout", fields{
		"ignore-failure": r.truth(&f.IgnoreFailure),
		"parallelism": func(k, n *yaml.Node) error {
			value, err := r.scalar(n, k.Value)
			if err != nil {
				return err
			}
			if f.Parallelism, err = strconv.Atoi(value); err != nil || f.Parallelism < 1 || f.Parallelism > MaxBuilds {
				return r.errorf(n, "Invalid parallelism: found %s at line %d, expecting a number of builds from 1 to %d", value, n.Line, MaxBuilds)
			}
			return nil
		},
	})
}

// dependencies checks that a graph refers to builds that exist and has no
// cycle.
func (r *reader) dependencies(graph []BatchBuild, n *yaml.Node) error {
	byName := map[string]*BatchBuild{}
	for i := range graph {
		byName[graph[i].Identifier] = &graph[i]
	}
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(b *BatchBuild) error
	visit = func(b *BatchBuild) error {
		state[b.Identifier] = visiting
		for _, name := range b.DependOn {
			next := byName[name]
			switch {
			case next == nil:
				return &Error{Pos: b.Pos, Message: "build " + b.Identifier + " depends on " + name + ", which build-graph does not have"}
			case state[name] == visiting:
				return &Error{Pos: b.Pos, Message: "build " + b.Identifier + " depends on " + name + ", which depends on it"}
			case state[name] == done:
				continue
			}
			if err := visit(next); err != nil {
				return err
			}
		}
		state[b.Identifier] = done
		return nil
	}
	for i := range graph {
		if state[graph[i].Identifier] != done {
			if err := visit(&graph[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
