// Package report reads the files in which test runners and coverage tools
// leave their results, in the formats that CodeBuild knows
// (https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html).
//
// The files come from builds and may be hostile: size, depth and number of
// elements are bounded, and entities of a document's own are not expanded.
package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Bounds on one file.
const (
	MaxSize       = 32 << 20  // bytes
	maxElements   = 2_000_000 // with attributes
	maxAttributes = 100       // of one element
	maxDepth      = 100
	maxFiles      = 100_000 // source files
	maxPath       = 4096    // bytes of the path of one
	// MaxMessage and MaxName are where the message of a test case is cut, and
	// its names, in bytes.
	MaxMessage = 16 << 10
	MaxName    = 1 << 10
)

// Status is how a test case ended, in CodeBuild's words.
type Status string

// The statuses of test cases.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	Errored   Status = "ERROR"
	Skipped   Status = "SKIPPED"
	Unknown   Status = "UNKNOWN"
)

// Case is one test case.
type Case struct {
	Suite    string
	Prefix   string // the class or feature that it belongs to
	Name     string
	Status   Status
	Duration time.Duration
	Message  string // why it did not succeed
}

// File is how much of a source file the tests reached.
type File struct {
	Path                            string
	LinesCovered, LinesMissed       int
	BranchesCovered, BranchesMissed int
}

// Result is what a file says: test cases or coverage.
type Result struct {
	Cases []Case
	Files []File
}

// format is a kind of file.
type format struct {
	coverage bool
	root     []string // names of root elements, nil for JSON
	xml      func(*element) (Result, error)
	json     func(io.Reader) (Result, error)
}

var formats = map[string]format{
	"JUNITXML":        {root: []string{"testsuite", "testsuites"}, xml: junit},
	"NUNITXML":        {root: []string{"test-results"}, xml: nunit2},
	"NUNIT3XML":       {root: []string{"test-run"}, xml: nunit3},
	"TESTNGXML":       {root: []string{"testng-results"}, xml: testNG},
	"VISUALSTUDIOTRX": {root: []string{"TestRun"}, xml: trx},
	"CUCUMBERJSON":    {json: cucumber},
	"CLOVERXML":       {coverage: true, root: []string{"coverage"}, xml: clover},
	"COBERTURAXML":    {coverage: true, root: []string{"coverage"}, xml: cobertura},
	"JACOCOXML":       {coverage: true, root: []string{"report"}, xml: jacoco},
	"SIMPLECOV":       {coverage: true, json: simpleCov},
}

// IsCoverage tells whether files of the format, one of those that a buildspec
// may name, say how much the tests reached.
func IsCoverage(name string) bool { return formats[name].coverage }

// Parse reads a file of the format, one of those that a buildspec may name.
func Parse(name string, file io.Reader) (Result, error) {
	f, ok := formats[name]
	if !ok {
		return Result{}, fmt.Errorf("unknown report format %s", name)
	}
	out, err := f.parse(&limitedReader{r: file, left: MaxSize})
	for i := range out.Cases {
		c := &out.Cases[i]
		c.Suite, c.Prefix, c.Name = cut(c.Suite, MaxName), cut(c.Prefix, MaxName), cut(c.Name, MaxName)
	}
	return out, err
}

func (f *format) parse(file io.Reader) (Result, error) {
	if f.json != nil {
		return f.json(&elementReader{r: file})
	}
	root, err := readXML(file, f.root)
	if err != nil {
		return Result{}, err
	}
	return f.xml(root)
}

// limitedReader fails behind the largest size, where io.LimitReader would end
// quietly.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("the file has more than %d bytes", MaxSize)
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

// elementReader fails behind the largest number of elements of JSON: a few
// bytes of it may become a hundred in memory.
type elementReader struct {
	r               io.Reader
	elements        int
	quoted, escaped bool
}

func (e *elementReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	for _, c := range p[:n] {
		switch {
		case e.escaped:
			e.escaped = false
		case c == '"':
			e.quoted = !e.quoted
		case e.quoted:
			e.escaped = c == '\\'
		case c == ',' || c == '{' || c == '[':
			e.elements++
		}
	}
	if e.elements > maxElements {
		return 0, errElements
	}
	return n, err
}

var errElements = fmt.Errorf("there are more than %d elements and attributes", maxElements)

// seconds reads a duration such as 1.5 or 1,234.5; what is none counts as 0.
func seconds(text string) time.Duration {
	s, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), 64)
	if err != nil || !(s >= 0 && s < 1e8) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// count reads a number of lines or branches; what is none counts as 0.
func count(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > 1e9 {
		return 0
	}
	return n
}

// message joins the parts of a message that there are, and cuts what is too
// long.
func message(parts ...string) string {
	var there []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" && (len(there) == 0 || !strings.HasPrefix(p, there[0])) {
			there = append(there, p)
		} else if p != "" {
			there = []string{p} // the detail repeats the message
		}
	}
	return cut(strings.Join(there, "\n"), MaxMessage)
}

// cut leaves the beginning of a long text.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
