package template_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/template"
)

// limited says how what is not complete is limited. Everything else on the page
// is complete.
var limited = map[string]string{
	"Fn::GetAZs":         "on the local cloud every region has the zones a, b and c",
	"Fn::GetStackOutput": "checked; the local cloud refuses to evaluate it",
	"Fn::Transform":      "the local cloud runs AWS::Include, SAM and the macros of the account; unknown ones are refused",
	"Fn::ValueOf":        "of VPCs, subnets and security groups that the local cloud has recorded",
	"Fn::ValueOfAll":     "of VPCs, subnets and security groups that the local cloud has recorded",
	"Hooks":              "checked, and kept as it is; AWS::CodeDeploy::BlueGreen deployments are not made",
	"AllowedPattern":     "Java's possessive quantifiers and sets of character classes (`[a-z&&[^b]]`) are a warning when the template is checked, and refused when a value is; an expression that takes longer than a quarter of a second does not match",
}

// TestPage keeps docs/templates.md true to the tables.
func TestPage(t *testing.T) {
	t.Parallel()
	const file = "../docs/templates.md"
	p := &page{noted: map[string]bool{}}
	p.write()
	for name := range limited {
		if !p.noted[name] {
			t.Errorf("%s is limited, and not on the page", name)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(p.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.String(), string(got)); diff != "" {
		t.Errorf("%s is not what -update would write (-want +got):\n%s", file, diff)
	}
}

type page struct {
	strings.Builder
	noted map[string]bool
}

// state is complete, or how the thing is limited.
func (p *page) state(name string) string {
	p.noted[name] = true
	if note, ok := limited[name]; ok {
		return note
	}
	return "complete"
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func code(list []string) string {
	if len(list) == 0 {
		return "—"
	}
	return "`" + strings.Join(list, "`, `") + "`"
}

func (p *page) write() {
	p.line("# Templates\n")
	p.line("What of CloudFormation's template language ouro reads, checks and evaluates. Problems are told in CloudFormation's own sentences where it has one.\n")
	p.line("`go test ./template -update` writes this page from the tables that the code itself works by.\n")
	p.functions()
	p.sections()
	p.parameters()
	p.attributes()
	p.references()
	p.transforms()
	p.limits()
}

func (p *page) functions() {
	p.line("## Intrinsic functions\n")
	p.line("Short forms (`!Sub`) are read in YAML, except in what `AWS::Include` inserts. A problem is noted when a function stands in another than the given places, or when another function than the given ones stands inside.\n")
	p.line("| function | where | functions inside | |\n|---|---|---|---|")
	for _, f := range template.Functions() {
		p.line("| `%s` | %s | %s | %s |", strings.ReplaceAll(f.Name, "Name", "…"), where(f), inside(f), p.state(f.Name))
	}
	p.line("")
}

func where(f template.FunctionFacts) string {
	var out []string
	switch {
	case f.Name == "Fn::Transform":
		out = append(out, "everywhere")
	case f.Name == "Fn::ForEach::Name":
		out = append(out, "Conditions, Resources, Properties, Outputs")
	case f.Condition:
		out = append(out, "Conditions")
	case f.Outside:
		out = append(out, "Resources, Outputs")
	}
	if f.InConditions {
		out = append(out, "inside `Fn::Equals`")
	}
	if f.Rule {
		out = append(out, "Rules")
	}
	if f.Extension {
		out = append(out, "with `AWS::LanguageExtensions`")
	}
	return strings.Join(out, ", ")
}

func inside(f template.FunctionFacts) string {
	switch {
	case f.Name == "Fn::RefAll" || strings.HasPrefix(f.Name, "Fn::ValueOf"):
		return "none"
	case f.Name == "Fn::Transform":
		return "the macro's own"
	case f.Places == nil && f.Condition:
		return "condition functions"
	case f.Places == nil && f.Rule:
		return "`Ref`, rule functions"
	case f.Places == nil:
		return "any"
	}
	text := places(f.Places)
	if f.Extended != nil {
		text += "; with `AWS::LanguageExtensions` " + places(f.Extended)
	}
	return text
}

// places tells what stands in each argument, equal neighbours once.
func places(list [][]string) string {
	var out []string
	for i, names := range list {
		text := "any"
		switch {
		case names != nil && len(names) == 0:
			text = "none"
		case names != nil:
			text = code(slices.Sorted(slices.Values(names)))
		}
		if i == 0 || out[len(out)-1] != text {
			out = append(out, text)
		}
	}
	return strings.Join(out, ", then ")
}

func (p *page) sections() {
	p.line("## Sections\n")
	p.line("| section | at most | |\n|---|---|---|")
	for _, name := range template.Sections {
		most := "—"
		if n, ok := template.MostMembers[name]; ok {
			most = fmt.Sprint(n)
		}
		p.line("| `%s` | %s | %s |", name, most, p.state(name))
	}
	p.line("\nConditions and resources that wait for each other in a circle are found. Parameters, conditions and mappings that nothing uses are a warning.\n")
}

func (p *page) parameters() {
	p.line("## Parameters\n")
	p.line("| attribute | |\n|---|---|")
	for _, name := range template.ParameterAttributes {
		p.line("| `%s` | %s |", name, p.state(name))
	}
	p.line("\n| type | |\n|---|---|")
	types := slices.Clone(template.PlainTypes)
	for _, name := range template.AWSTypes {
		types = append(types, name, "List<"+name+">")
	}
	for _, name := range template.StoredTypes {
		types = append(types, "AWS::SSM::Parameter::Value<"+name+">")
	}
	for _, name := range types {
		p.line("| `%s` | complete |", name)
	}
	p.line("| `AWS::SSM::Parameter::Value<…>` of an `AWS::…` or `List<AWS::…>` type above | complete |\n")
	p.line("Pseudo parameters: %s.\n", code(template.PseudoParameters()))
}

func (p *page) attributes() {
	p.line("## Attributes of resources and outputs\n")
	p.line("| attribute of a resource | |\n|---|---|")
	for _, name := range template.ResourceAttributes {
		note := p.state(name)
		switch name {
		case "CreationPolicy":
			note += ", for " + code(template.CreationTypes())
		case "UpdatePolicy":
			note += ", for " + code(template.UpdateTypes())
		case "DeletionPolicy", "UpdateReplacePolicy":
			note += ": " + code(template.PolicyValues[name]) + "; with `AWS::LanguageExtensions` also " + code(template.PolicyFunctions)
		}
		p.line("| `%s` | %s |", name, note)
	}
	p.line("\n`Snapshot` has an effect on %s; elsewhere it is a warning.\n", code(template.Snapshots))
	p.line("| attribute of an output | |\n|---|---|")
	for _, name := range template.OutputAttributes {
		p.line("| `%s` | %s |", name, p.state(name))
	}
	p.line("")
}

func (p *page) references() {
	p.line("## Dynamic references\n")
	p.line("| reference | where |\n|---|---|")
	p.line("| `{{resolve:ssm:name:version}}` | Resources, Outputs |")
	p.line("| `{{resolve:secretsmanager:id:SecretString:key:stage:version}}` | properties of resources |")
	p.line("| `{{resolve:ssm-secure:name:version}}` | %s |\n", code(template.SecureProperties))
	p.line("Everything behind the name may be left out; labels are no versions.\n")
}

func (p *page) transforms() {
	p.line("## Transforms\n")
	p.line("`Fn::Transform` runs deepest first, then the `Transform` section in its order. `AWS::LanguageExtensions` resolves parameters that are no secrets, mappings, conditions and %s; what names the stack or a resource stays for the stack's operation.\n", code(template.EarlyPseudo))
	p.line("Attributes for `Fn::ValueOf`:\n\n| type | attributes |\n|---|---|")
	for _, name := range slices.Sorted(maps.Keys(template.ValueAttributes)) {
		p.line("| `%s` | %s |", name, strings.ReplaceAll(code(template.ValueAttributes[name]), "Tags.", "Tags.…"))
	}
	p.line("")
}

func (p *page) limits() {
	p.line("## Limits\n")
	p.line("| | at most |\n|---|---|")
	for _, l := range template.Limits {
		p.line("| %s | %d |", l.What, l.Value)
	}
}

// TestTypesAreTaken: every type on the page is one that parameters may have.
func TestTypesAreTaken(t *testing.T) {
	t.Parallel()
	var types []string
	for _, name := range template.AWSTypes {
		types = append(types, name, "List<"+name+">")
	}
	for _, name := range slices.Concat(template.StoredTypes, types) {
		types = append(types, "AWS::SSM::Parameter::Value<"+name+">")
	}
	for _, name := range slices.Concat(template.PlainTypes, types) {
		source := `{"Parameters": {"P": {"Type": "` + name + `"}}, "Resources": {"R": {"Type": "T::T::T", "Properties": {"P": {"Ref": "P"}}}}}`
		tpl, err := template.Parse("t.json", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if problems := tpl.Check(); len(problems) != 0 {
			t.Error(problems)
		}
	}
}
