// Gen boils AWS's API models down to what package wire must know beyond the
// SDK's Go types: the names on the wire, and for REST services where each
// member travels. It reads botocore's models, which come with every AWS CLI:
//
//	go run ./cloud/wire/gen -models DIR/botocore/data -out cloud/wire/models
package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode"

	"ouro/cloud/wire"
)

// services are the botocore folders that the local cloud speaks for.
var services = []string{
	"apigateway", "apigatewayv2", "cloudcontrol", "cloudformation", "cloudwatch", "codebuild", "codecommit", "codeconnections", "codedeploy", "codepipeline", "ecr",
	"events", "iam", "kms", "lambda", "logs", "s3", "secretsmanager", "serverlessrepo", "sns", "ssm", "sts",
}

func main() {
	log.SetFlags(0)
	models := flag.String("models", "", "botocore's data directory")
	out := flag.String("out", "cloud/wire/models", "where the tables go")
	flag.Parse()
	for _, name := range services {
		if err := generate(*models, name, *out); err != nil {
			log.Fatalf("generating the table of %q: %v", name, err)
		}
	}
}

func generate(dir, name, out string) error {
	src, err := load(dir, name)
	if err != nil {
		return err
	}
	m, err := boil(src)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, name+".json"), append(b, '\n'), 0o644)
}

// model is the part of botocore's service-2.json that matters here.
type model struct {
	Metadata struct {
		APIVersion   string `json:"apiVersion"`
		JSONVersion  string `json:"jsonVersion"`
		Protocol     string `json:"protocol"`
		TargetPrefix string `json:"targetPrefix"`
		XMLNamespace string `json:"xmlNamespace"`
		// QueryCompatible is there in services whose codes of errors are still
		// those of the query protocol.
		QueryCompatible *struct{} `json:"awsQueryCompatible"`
	} `json:"metadata"`
	Operations map[string]struct {
		Deprecated bool `json:"deprecated"`
		HTTP       struct {
			Method       string `json:"method"`
			RequestURI   string `json:"requestUri"`
			ResponseCode int    `json:"responseCode"`
		} `json:"http"`
		Input, Output *ref
	} `json:"operations"`
	Shapes map[string]shape `json:"shapes"`
}

type ref struct {
	Shape           string    `json:"shape"`
	Location        string    `json:"location"`
	LocationName    string    `json:"locationName"`
	Flattened       bool      `json:"flattened"`
	XMLAttribute    bool      `json:"xmlAttribute"`
	TimestampFormat string    `json:"timestampFormat"`
	XMLNamespace    namespace `json:"xmlNamespace"`
}

type namespace struct {
	URI    string `json:"uri"`
	Prefix string `json:"prefix"`
}

type shape struct {
	Type            string         `json:"type"`
	Members         map[string]ref `json:"members"`
	Member          *ref           `json:"member"`
	Key, Value      *ref
	Required        []string  `json:"required"`
	Payload         string    `json:"payload"`
	Flattened       bool      `json:"flattened"`
	TimestampFormat string    `json:"timestampFormat"`
	XMLNamespace    namespace `json:"xmlNamespace"`
	Exception       bool      `json:"exception"`
	Error           struct {
		Code           string `json:"code"`
		HTTPStatusCode int    `json:"httpStatusCode"`
	} `json:"error"`
}

func load(dir, name string) (*model, error) {
	files, err := filepath.Glob(filepath.Join(dir, name, "*", "service-2.json.gz"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no service-2.json.gz there")
	}
	sort.Strings(files) // the folders are API versions: the last is the newest
	f, err := os.Open(files[len(files)-1])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var m model
	return &m, json.NewDecoder(z).Decode(&m)
}

func boil(src *model) (*wire.Model, error) {
	m := &wire.Model{
		Protocol: src.Metadata.Protocol, JSONVersion: src.Metadata.JSONVersion,
		Target: src.Metadata.TargetPrefix, Version: src.Metadata.APIVersion,
		Namespace: src.Metadata.XMLNamespace,
		Lower:     mostlyLower(src), Statuses: map[string]int{}, Shapes: map[string]wire.Shape{},
	}
	rest := strings.HasPrefix(m.Protocol, "rest-")
	goName, inside := operationShapes(src), memberShapes(src)
	operationShape := map[string]bool{}
	for _, names := range goName {
		for _, n := range names {
			operationShape[n] = true
		}
	}
	for name, s := range src.Shapes {
		if s.Exception && src.Metadata.QueryCompatible != nil && s.Error.Code != "" && s.Error.Code != name {
			if m.Codes == nil {
				m.Codes = map[string]string{}
			}
			m.Codes[name] = s.Error.Code
		}
		if s.Exception && s.Error.HTTPStatusCode != 0 && s.Error.HTTPStatusCode != 400 {
			code := s.Error.Code
			if code == "" {
				code = name
			}
			m.Statuses[code] = s.Error.HTTPStatusCode
		}
		if s.Type != "structure" {
			continue
		}
		out := wire.Shape{Payload: s.Payload, Members: map[string]wire.Member{}}
		for member, r := range s.Members {
			b, err := binding(src, m, s, member, r)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", name, member, err)
			}
			if b != (wire.Member{}) {
				out.Members[upperFirst(member)] = b
			}
		}
		if len(out.Members) == 0 && out.Payload == "" {
			continue
		}
		for _, n := range goName[name] {
			m.Shapes[n] = out
		}
		// A few shapes that nothing refers to are called as an operation's input
		// is in the SDK.
		if len(goName[name]) == 0 && !operationShape[upperFirst(name)] || inside[name] {
			m.Shapes[upperFirst(name)] = out
		}
	}
	if rest {
		m.Operations = operations(src)
	}
	return m, nil
}

// mostlyLower tells which case the members of the service begin with.
func mostlyLower(src *model) bool {
	n := 0
	for _, s := range src.Shapes {
		for member := range s.Members {
			if unicode.IsLower(rune(member[0])) {
				n++
			} else {
				n--
			}
		}
	}
	return n > 0
}

// operationShapes gives the SDK's names of the shapes that are an operation's
// input or output: StartBuildInput, whatever the model calls it.
func operationShapes(src *model) map[string][]string {
	names := map[string][]string{}
	for op, o := range src.Operations {
		if o.Input != nil {
			names[o.Input.Shape] = append(names[o.Input.Shape], op+"Input")
		}
		if o.Output != nil {
			names[o.Output.Shape] = append(names[o.Output.Shape], op+"Output")
		}
	}
	return names
}

// memberShapes are the shapes that others have as members. A few are an
// operation's output as well.
func memberShapes(src *model) map[string]bool {
	inside := map[string]bool{}
	for _, s := range src.Shapes {
		for _, r := range s.Members {
			inside[r.Shape] = true
		}
		if s.Member != nil {
			inside[s.Member.Shape] = true
		}
	}
	return inside
}

// binding tells how a member travels, as far as it differs from the default.
func binding(src *model, m *wire.Model, in shape, member string, r ref) (wire.Member, error) {
	var b wire.Member
	name := member
	target := src.Shapes[r.Shape]
	isList := target.Type == "list"
	b.Flat = isList && (target.Flattened || r.Flattened)
	if r.LocationName != "" {
		name = r.LocationName
	} else if b.Flat && target.Member.LocationName != "" {
		name = target.Member.LocationName // a flattened list is named by its items
	}
	if def := wire.DefaultName(upperFirst(member), m.Lower); name != def || r.Location != "" {
		b.Name = name
	}
	if isList && !b.Flat && target.Member.LocationName != "" && target.Member.LocationName != "member" {
		b.Item = target.Member.LocationName
	}
	if target.Type == "map" && r.Location == "" && strings.HasSuffix(m.Protocol, "xml") {
		return b, errors.New("maps in XML bodies are not handled")
	}
	if m.Protocol == "query" && (b.Flat || b.Item != "") {
		return b, errors.New("renamed lists in queries are not handled")
	}
	b.In, b.Attribute = r.Location, r.XMLAttribute
	b.Time = r.TimestampFormat
	if b.Time == "" {
		b.Time = target.TimestampFormat
	}
	if b.In != "" && b.In != "uri" && b.In != "headers" {
		for _, q := range in.Required {
			b.Required = b.Required || q == member
		}
	}
	if r.XMLNamespace.Prefix != "" || target.Type == "structure" && r.XMLNamespace.URI != "" && r.XMLNamespace.URI != m.Namespace {
		b.Namespace = r.XMLNamespace.URI
	}
	if target.XMLNamespace.Prefix != "" { // that its attributes' names begin with
		b.Namespace = target.XMLNamespace.URI
	}
	return b, nil
}

func operations(src *model) map[string]wire.Operation {
	ops := map[string]wire.Operation{}
	for name, o := range src.Operations {
		if o.Deprecated {
			continue // an older operation at the same place as its successor
		}
		ops[name] = wire.Operation{Method: o.HTTP.Method, URI: o.HTTP.RequestURI, Status: o.HTTP.ResponseCode}
	}
	return ops
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
