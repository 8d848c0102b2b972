package template

import (
	"maps"
	"slices"
)

// QuickYAML and LibraryYAML are the two readers of YAML, for the test that
// holds one to the other.
func QuickYAML(file string, body []byte) *Node {
	return quickYAML(file, body, newArena(len(body)))
}

func LibraryYAML(file string, body []byte) (*Node, *Error) {
	return libraryYAML(file, body, newArena(len(body)))
}

// What follows are the package's tables, for the page that shows them.

// FunctionFacts is a row of the table of functions.
type FunctionFacts struct {
	Name                       string
	Condition, Rule, Extension bool
	InConditions               bool // inside a condition function
	Outside                    bool // in resources and outputs
	Places, Extended           [][]string
}

// Functions are all intrinsic functions, sorted.
func Functions() []FunctionFacts {
	names := map[string]bool{loopPrefix + "Name": true, "Fn::Transform": true}
	for _, table := range []map[string]function{functions, ruleFunctions} {
		for name := range table {
			names[name] = true
		}
	}
	nesting := maps.Clone(nesting)
	nesting["Fn::Sub"] = places{args: []place{written, subValue}}
	var out []FunctionFacts
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f, outside := functions[name]
		_, rule := ruleFunctions[name]
		out = append(out, FunctionFacts{
			Name: name, Condition: f.condition, Rule: rule, Outside: outside && !f.condition,
			Extension:    name == "Fn::Length" || name == "Fn::ToJsonString" || name == loopPrefix+"Name",
			InConditions: slices.Contains(inEquals, name),
			Places:       values(nesting[name].args), Extended: values(nesting[name].extended),
		})
	}
	return out
}

func values(list []place) [][]string {
	var out [][]string
	for _, p := range list {
		out = append(out, p.value)
	}
	return out
}

var (
	Sections            = sections
	MostMembers         = mostMembers
	ResourceAttributes  = resourceAttributes
	OutputAttributes    = outputAttributes
	ParameterAttributes = parameterAttributes
	PolicyValues        = policyValues
	PolicyFunctions     = policyFunctions
	Snapshots           = snapshots
	PlainTypes          = plainTypes
	StoredTypes         = storedTypes
	AWSTypes            = awsTypes
	SecureProperties    = secureProperties
	EarlyPseudo         = earlyPseudo
	ValueAttributes     = valueAttributes
	ShortForms          = shortForms
	Limits              = []struct {
		What  string
		Value int
	}{
		{"attributes of a mapping", maxAttributes},
		{"characters of a name", maxName},
		{"bytes of a parameter's value", maxParameter},
		{"bytes of a description", maxDescription},
		{"dynamic references in a template", maxDynamic},
		{"loops nested in each other", maxLoops},
		{"bytes of a template after its transforms", maxProcessed},
		{"bytes of a file that is read", MaxSize},
		{"levels of nesting", MaxDepth},
		{"values in a file", MaxNodes},
	}
)

// PseudoParameters are their names, sorted.
func PseudoParameters() []string { return slices.Sorted(maps.Keys(pseudoParameters)) }

// CreationTypes and UpdateTypes are the types with such a policy, sorted.
func CreationTypes() []string { return slices.Sorted(maps.Keys(creationPolicies)) }
func UpdateTypes() []string   { return slices.Sorted(maps.Keys(updatePolicies)) }
