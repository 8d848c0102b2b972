package buildspec

import "go.yaml.in/yaml/v3"

// Artifacts says which files of a build are kept.
type Artifacts struct {
	Files          []string // globs below BaseDirectory
	Name           string   // with commands of the shell in it, $(date +%Y)
	BaseDirectory  string   // below the source directory; may be a glob
	DiscardPaths   bool     // keep the files' names only
	ExcludePaths   []string // globs below BaseDirectory
	EnableSymlinks bool     // keep symbolic links as links
	S3Prefix       string
	Secondary      []SecondaryArtifacts
	Pos            Pos
}

// SecondaryArtifacts are artifacts with an identifier that the project knows.
type SecondaryArtifacts struct {
	Identifier string
	Artifacts
}

func (r *reader) artifacts(a *Artifacts, n *yaml.Node, primary bool) error {
	a.Pos = r.pos(n)
	table := fields{
		"files":           r.texts(&a.Files),
		"name":            r.text(&a.Name),
		"base-directory":  r.text(&a.BaseDirectory),
		"discard-paths":   r.truth(&a.DiscardPaths),
		"exclude-paths":   r.texts(&a.ExcludePaths),
		"enable-symlinks": r.truth(&a.EnableSymlinks),
		"s3-prefix":       r.text(&a.S3Prefix),
	}
	where := "secondary artifacts"
	if primary {
		where = "artifacts"
		table["secondary-artifacts"] = func(k, n *yaml.Node) error { return r.secondary(&a.Secondary, n) }
	}
	if err := r.fields(n, where, table); err != nil {
		return err
	}
	if len(a.Files) == 0 && len(a.Secondary) == 0 {
		return r.errorf(n, "%s at line %d has no files", where, n.Line)
	}
	return nil
}

func (r *reader) secondary(to *[]SecondaryArtifacts, n *yaml.Node) error {
	return r.entries(n, "secondary-artifacts", func(k, v *yaml.Node) error {
		s := SecondaryArtifacts{Identifier: k.Value}
		err := r.artifacts(&s.Artifacts, v, false)
		*to = append(*to, s)
		return err
	})
}

// Report names the result files of a report group.
type Report struct {
	Group         string // name or ARN
	Files         []string
	BaseDirectory string
	DiscardPaths  bool
	FileFormat    string // JUNITXML when empty
	Pos           Pos
}

func (r *reader) reports(to *[]Report, n *yaml.Node) error {
	return r.entries(n, "reports", func(k, v *yaml.Node) error {
		p := Report{Group: k.Value, Pos: r.pos(k)}
		err := r.fields(v, "report "+k.Value, fields{
			"files":          r.texts(&p.Files),
			"base-directory": r.text(&p.BaseDirectory),
			"discard-paths":  r.truth(&p.DiscardPaths),
			"file-format": r.oneOf(&p.FileFormat, "CUCUMBERJSON", "JUNITXML", "NUNITXML", "NUNIT3XML", "TESTNGXML", "VISUALSTUDIOTRX",
				"CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV"),
		})
		if err == nil && len(p.Files) == 0 {
			err = r.errorf(k, "report %s at line %d has no files", k.Value, k.Line)
		}
		*to = append(*to, p)
		return err
	})
}

// Cache says which paths a build takes over from the one before.
type Cache struct {
	Key          string
	FallbackKeys []string
	Action       string // save-restore when empty, save, restore
	Paths        []string
}

const maxFallbackKeys = 5 // AWS's

func (r *reader) cache(c *Cache, n *yaml.Node) error {
	err := r.fields(n, "cache", fields{
		"key":           r.text(&c.Key),
		"fallback-keys": r.texts(&c.FallbackKeys),
		"action":        r.oneOf(&c.Action, "save-restore", "save", "restore"),
		"paths":         r.texts(&c.Paths),
	})
	if err == nil && len(c.FallbackKeys) > maxFallbackKeys {
		err = r.errorf(n, "cache at line %d has more than %d fallback keys", n.Line, maxFallbackKeys)
	}
	return err
}
