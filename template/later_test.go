package template_test

import (
	"encoding/json"
	"testing"

	"ouro/template"
)

// TestKnownAfterApply: what is not known yet meets every constraint, and makes
// what is computed from it unknown too.
func TestKnownAfterApply(t *testing.T) {
	t.Parallel()
	const later = template.KnownAfterApply
	tpl, err := template.Parse("t.yaml", []byte(`
Parameters:
  Id: {Type: String, AllowedPattern: "vpc-[0-9a-f]+"}
  Zone: {Type: String, AllowedValues: [a, b], Default: a}
  Subnets: {Type: CommaDelimitedList, AllowedPattern: "subnet-.*"}
Conditions:
  Chosen: !Not [!Equals [!Ref Id, ""]]
Resources:
  R:
    Type: T
    Properties:
      Joined: !Join [",", !GetAtt Other.List]
      Rejoined: !Join [",", !Ref Subnets]
      First: !Select [0, !Ref Subnets]
      Third: !Select [2, !Ref Subnets]
      Picked: !Select [1, !GetAtt Other.List]
      Block: !Select [1, !Cidr [!GetAtt Other.Cidr, 2, 8]]
      Part: !Select [1, !Split ["-", !Ref Id]]
      Prefix: !Select [0, !Split [":", !GetAtt Other.Arn]]
      Account: !Select [4, !Split [":", !GetAtt Other.Arn]]
      Split: !Split ["_", !Sub "x_${Other.Arn}"]
`))
	if err != nil {
		t.Fatal(err)
	}
	env := &template.Env{GetAtt: func(string, string) (any, error) { return later, nil }}
	if env.Parameters, err = tpl.ResolveParameters(map[string]string{"Id": later, "Zone": later, "Subnets": later}, nil); err != nil {
		t.Fatal(err)
	}
	if env.Conditions, err = tpl.EvalConditions(env); err != nil || !env.Conditions["Chosen"] {
		t.Errorf("conditions: %v, %v", env.Conditions, err)
	}
	r, _ := tpl.Resource("R")
	got, err := tpl.Eval(r.Properties, env)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range got.(map[string]any) {
		if value != later {
			text, _ := json.Marshal(value)
			t.Errorf("%s is %s", key, text)
		}
	}
	if err := (template.Parameter{Name: "Id", AllowedPattern: "vpc-.*"}).Validate("igw-1"); err == nil {
		t.Error("a known value is held against nothing")
	}
}
