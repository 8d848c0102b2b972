package template_test

import (
	"testing"

	"ouro/template"
)

func TestCheckRules(t *testing.T) {
	t.Parallel()
	const head = `
Parameters:
  Env: {Type: String, Default: dev}
  Zones: {Type: CommaDelimitedList, Default: "a,b"}
  Users: {Type: CommaDelimitedList, Default: ""}
  Net: {Type: "AWS::EC2::VPC::Id", Default: vpc-1}
Resources: {R: {Type: T::T::T}}
Rules:
  One:
`
	for rule, want := range map[string]string{
		`Assertions: [{Assert: !Equals [!Ref Env, dev]}]`:                                                             "",
		`Assertions: [{Assert: !Equals [!Ref Env, prod], AssertDescription: only prod}]`:                              "only prod",
		`Assertions: [{Assert: !Equals [!Ref Env, prod]}]`:                                                            "An assertion of rule One is false",
		`{RuleCondition: !Equals [!Ref Env, prod], Assertions: [{Assert: !Equals [1, 2], AssertDescription: wrong}]}`: "",
		`{RuleCondition: !Equals [!Ref Env, dev], Assertions: [{Assert: !Equals [1, 2], AssertDescription: wrong}]}`:  "wrong",
		`Assertions: [{Assert: !Contains [[dev, prod], !Ref Env]}]`:                                                   "",
		`Assertions: [{Assert: !Not [!Contains [!Ref Users, ""]], AssertDescription: give users}]`:                    "give users",
		`Assertions: [{Assert: !EachMemberIn [!Ref Zones, [a, b, c]]}]`:                                               "",
		`Assertions: [{Assert: !EachMemberIn [!Ref Zones, [a, c]], AssertDescription: wrong}]`:                        "wrong",
		`Assertions: [{Assert: !EachMemberEquals [!Ref Zones, a], AssertDescription: wrong}]`:                         "wrong",
		`Assertions: [{Assert: !EachMemberEquals [!RefAll "AWS::EC2::VPC::Id", vpc-1]}]`:                              "",
		`Assertions: [{Assert: !EachMemberIn [!ValueOfAll ["AWS::EC2::VPC::Id", DefaultSecurityGroup], [a]]}]`:        "Template error: Fn::ValueOf and Fn::ValueOfAll cannot be evaluated: attributes of parameter values are not known",
		`Assertions: [{Assert: !Equals [!ValueOf [Net, Tags.x], y]}]`:                                                 "Template error: Fn::ValueOf and Fn::ValueOfAll cannot be evaluated: attributes of parameter values are not known",
		`Assertions: [{Assert: !And [!Equals [1, 1], !Or [!Equals [1, 2], !Contains [!Ref Zones, b]]]}]`:              "",
	} {
		tpl, err := template.Parse("t.yaml", []byte(head+"    "+rule))
		if err != nil {
			t.Fatal(err)
		}
		if problems := tpl.Check(); len(problems) != 0 {
			t.Errorf("%s: %v", rule, problems)
		}
		env := evalEnv()
		if env.Parameters, err = tpl.ResolveParameters(nil, nil); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := tpl.CheckRules(env); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %q\nwant %q", rule, got, want)
		}
	}
}

// TestValueOf: what rules ask of the things that parameters name.
func TestValueOf(t *testing.T) {
	t.Parallel()
	const head = `
Parameters:
  Net: {Type: "AWS::EC2::VPC::Id", Default: vpc-1}
  Nets: {Type: "List<AWS::EC2::Subnet::Id>", Default: "a,b"}
Rules:
  R: {Assertions: [{AssertDescription: no, Assert: `
	for assertion, holds := range map[string]bool{
		`!Equals [!ValueOf [Net, Tags.Env], "AWS::EC2::VPC::Id vpc-1 Tags.Env"]`:                                                      true,
		`!Equals [!ValueOf [Net, Tags.Env], x]`:                                                                                       false,
		`!EachMemberIn [!ValueOf [Nets, VpcId], ["AWS::EC2::Subnet::Id a VpcId", "AWS::EC2::Subnet::Id b VpcId"]]`:                    true,
		`!EachMemberEquals [!ValueOfAll ["AWS::EC2::VPC::Id", DefaultSecurityGroup], "AWS::EC2::VPC::Id vpc-1 DefaultSecurityGroup"]`: true,
		`!Contains [!ValueOfAll ["List<AWS::EC2::Subnet::Id>", AvailabilityZone], "AWS::EC2::Subnet::Id b AvailabilityZone"]`:         true,
		`!Contains [!ValueOfAll ["List<AWS::EC2::Subnet::Id>", AvailabilityZone], "AWS::EC2::Subnet::Id c AvailabilityZone"]`:         false,
	} {
		tpl, err := template.Parse("t.yaml", []byte(head+assertion+"}]}\nResources: {R: {Type: T::T::T}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if problems := tpl.Check(); len(problems) != 0 {
			t.Errorf("%s: %v", assertion, problems)
		}
		env := evalEnv()
		env.ValueOf = func(kind, value, attribute string) (string, error) { return kind + " " + value + " " + attribute, nil }
		if env.Parameters, err = tpl.ResolveParameters(nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := tpl.CheckRules(env); (err == nil) != holds {
			t.Errorf("%s: got %v", assertion, err)
		}
	}
}

// TestReader: reading other templates into the same memory changes nothing.
func TestReader(t *testing.T) {
	t.Parallel()
	sources := []string{benchYAML, `{"Resources": {"A": {"Type": "T::T::T", "Properties": {"x": [1, {"y": null}]}}}}`, "a: &a [1, 2]\nb: *a\n"}
	var r template.Reader
	for range 3 {
		for _, source := range sources {
			tpl, err := r.Parse("t.yaml", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(template.Canonical(tpl.Root)), canonical("t.yaml", source); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
