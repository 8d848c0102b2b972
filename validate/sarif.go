package validate

import (
	"net/url"
	"path/filepath"
	"strings"
)

// SARIF 2.1.0 is what code hosts show in reviews
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html). Only the
// members that we fill are here.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifDriver struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	Default          struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	} `json:"physicalLocation"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
}

func (r *Report) sarif() sarifLog {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: make([]sarifResult, len(r.Findings))}
	run.Tool.Driver = sarifDriver{Name: "ouro", Rules: make([]sarifRule, len(rules))}
	index := make(map[string]int, len(rules))
	for i, rule := range rules {
		index[rule.ID] = i
		described := sarifRule{ID: rule.ID, ShortDescription: sarifText{rule.Meaning + "."}}
		described.Default.Level = rule.Severity.String()
		run.Tool.Driver.Rules[i] = described
	}
	for i, f := range r.Findings {
		var at sarifLocation
		at.Physical.Artifact.URI = uri(f.Pos.File)
		if f.Pos.Line > 0 {
			at.Physical.Region = &sarifRegion{StartLine: f.Pos.Line, StartColumn: f.Pos.Column}
		}
		run.Results[i] = sarifResult{
			RuleID: f.ID, RuleIndex: index[f.ID], Level: f.Severity.String(), Message: sarifText{f.Message}, Locations: []sarifLocation{at},
		}
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// uri is a path as a URI: relative, as most are, or a file's.
func uri(path string) string {
	path = filepath.ToSlash(path)
	if filepath.IsAbs(path) {
		return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(path, "/")}).String()
	}
	return (&url.URL{Path: path}).String()
}
