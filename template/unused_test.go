package template_test

import (
	"strings"
	"testing"

	"ouro/template"
)

func TestUnused(t *testing.T) {
	t.Parallel()
	const head = `Parameters:
  P: {Type: String}
  V: {Type: "AWS::EC2::VPC::Id"}
Mappings: {M: {a: {b: c}}}
Conditions: {C: !Equals [a, b]}
`
	for body, want := range map[string]string{
		`Resources: {R: {Type: T::T::T}}`: "P V C M",
		`Resources: {R: {Type: T::T::T, Properties: {A: [!Ref P, !Sub "${V}", !If [C, !FindInMap [M, a, b]]]}}}`: "",
		`Resources: {R: {Type: T::T::T, Condition: C, Properties: {A: !Sub ["${P}", {P: x}]}}}`:                  "P V M",
		`Resources: {R: {Type: T::T::T, Properties: {A: !FindInMap [!Ref P, a, b]}}}`:                            "V C",
		`Resources: {R: {Type: T::T::T, Properties: {Condition: {Bool: {C: P}}}}}`:                               "P V C M",
		`Rules: {R: {RuleCondition: !Contains [!RefAll "AWS::EC2::VPC::Id", !Ref P]}}`:                           "C M",
		`Rules: {R: {RuleCondition: !Contains [!ValueOf [V, Tags.x], a]}}`:                                       "P C M",
		`Outputs: {O: {Value: x, Condition: C, Export: {Name: !Sub "${P}"}}}`:                                    "V M",
		`Metadata: {AWS::CloudFormation::Interface: {ParameterGroups: [{Parameters: [P, V]}]}}`:                  "P V C M",
		"Transform: Own\nResources: {}": "",
		"Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: !Ref P}}": "V C M",
		`Resources: {Fn::Transform: {Name: Own}}`:                                       "",
		`Fn::Transform: {Name: Own}`:                                                    "",
		"Transform: AWS::LanguageExtensions\nResources: {Fn::ForEach::L: [X, [a], {\"R${X}\": {Type: T::T::T, Properties: {A: !Ref \"${X}\", B: !FindInMap [\"M${X}\", a, b]}}}]}": "",
	} {
		tpl, err := template.Parse("t.yaml", []byte(head+body))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range tpl.Unused() {
			if p.Severity != template.SeverityWarning {
				t.Errorf("%s: %s is no warning", body, p)
			}
			words := strings.Fields(p.Message)
			got = append(got, strings.Trim(words[2], `"`))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s\n got %q\nwant %q", body, got, want)
		}
	}
}
