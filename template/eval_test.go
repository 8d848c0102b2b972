package template_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"ouro/template"
)

const evalHead = `
Parameters:
  Env: {Type: String, Default: dev}
  Count: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  Empty: {Type: CommaDelimitedList, Default: ""}
Mappings:
  Sizes:
    dev: {Type: t3.micro, Ports: [80, 443]}
    us-east-1: {Type: m5.large}
Conditions:
  IsDev: !Equals [!Ref Env, dev]
  IsProd: !Equals [!Ref Env, prod]
  Both: !And [!Condition IsDev, {Condition: IsProd}]
  Either: !Or [!Condition IsDev, !Condition IsProd]
  Numbers: !Equals [!Ref Count, 3]
  Mapped: !Equals [!FindInMap [Sizes, !Ref Env, Type], t3.micro]
  NotDev: !Not [!Condition IsDev]
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  R: {Type: AWS::S3::Bucket, Properties: {P: `

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "aws amazonaws.com", "cn-north-1": "aws-cn amazonaws.com.cn", "us-gov-west-1": "aws-us-gov amazonaws.com",
		"us-iso-east-1": "aws-iso c2s.ic.gov", "us-isob-east-1": "aws-iso-b sc2s.sgov.gov", "eusc-de-east-1": "aws-eusc amazonaws.eu",
	} {
		tpl, err := template.Parse("t.yaml", []byte("Resources:\n  R: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub \"${AWS::Partition} ${AWS::URLSuffix}\"}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		r, _ := tpl.Resource("R")
		got, err := tpl.Eval(r.Properties, &template.Env{Region: region})
		if err != nil || got.(map[string]any)["TopicName"] != want {
			t.Errorf("%s: got %v, %v; want %s", region, got, err, want)
		}
	}
}

func evalEnv() *template.Env {
	return &template.Env{
		Account: "123456789012", Region: "us-east-1",
		StackName: "site", StackID: "arn:stack", NotificationARNs: []string{"arn:topic"},
		Ref: func(id string) (any, error) {
			if id == "Bucket" {
				return "bucket-1", nil
			}
			return nil, fmt.Errorf("no resource %s", id)
		},
		GetAtt: func(id, attribute string) (any, error) { return id + "." + attribute, nil },
		Import: func(name string) (string, error) {
			if name == "net-vpc" {
				return "vpc-1", nil
			}
			return "", fmt.Errorf("No export named %s found", name)
		},
		StackOutput: func(stack, output, region, role string) (string, error) {
			if stack == "gone" {
				return "", errors.New("Stack with id gone does not exist")
			}
			return stack + "." + output + "@" + region + role, nil
		},
		AZs: func(region string) []string { return []string{region + "a", region + "b"} },
		Dynamic: func(service, reference string) (string, error) {
			if reference == "broken:1" {
				return "", errors.New("Parameter not found")
			}
			return "<" + service + "|" + reference + ">", nil
		},
	}
}

// evalProperty evaluates R's property P, written as YAML, to JSON or an error.
func evalProperty(t *testing.T, source string) string {
	t.Helper()
	tpl, err := template.Parse("t.yaml", []byte(evalHead+source+"}}\n"))
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	env := evalEnv()
	if env.Parameters, err = tpl.ResolveParameters(nil, nil); err != nil {
		t.Fatal(err)
	}
	if env.Conditions, err = tpl.EvalConditions(env); err != nil {
		return err.Error()
	}
	r, _ := tpl.Resource("R")
	v, err := tpl.Eval(r.Properties, env)
	if err != nil {
		return err.Error()
	}
	out, err := json.Marshal(v.(map[string]any)["P"])
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestEval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{`!Ref Env`, `"dev"`},
		{`!Ref Zones`, `["a","b","c"]`},
		{`!Ref Empty`, `[""]`},
		{`!Ref Bucket`, `"bucket-1"`},
		{`!GetAtt Bucket.Arn`, `"Bucket.Arn"`},
		{`!GetAtt [Bucket, !Ref Env]`, `"Bucket.dev"`},
		{`[!Ref "AWS::AccountId", !Ref "AWS::Region", !Ref "AWS::Partition", !Ref "AWS::URLSuffix", !Ref "AWS::StackName", !Ref "AWS::StackId"]`,
			`["123456789012","us-east-1","aws","amazonaws.com","site","arn:stack"]`},
		{`!Ref "AWS::NotificationARNs"`, `["arn:topic"]`},
		{`[1, 1.50, true, "x", 2012-10-17]`, `[1,1.50,true,"x","2012-10-17"]`},
		{`[a, !Ref "AWS::NoValue", b]`, `["a","b"]`},
		{`{x: !Ref "AWS::NoValue", y: 1}`, `{"y":1}`},
		{`!Sub "${Env}-${AWS::Region}-${Bucket}-${Bucket.Arn}-${!Literal}-${Count}-$x"`, `"dev-us-east-1-bucket-1-Bucket.Arn-${Literal}-3-$x"`},
		{`!Sub ["${a}-${Env}", {a: !Ref Count, Env: own}]`, `"3-own"`},
		{`!Sub "open ${ and $${Env}"`, `Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons`},
		{`!Sub "$${Env}"`, `"$dev"`},
		{`!Sub "${Zones}"`, `Template error: variable Zones in Fn::Sub expression does not resolve to a string`},
		{`!Sub [x]`, `"x"`},
		{`!Sub {a: b}`, `Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string`},
		{`!Join ["/", [a, !Ref Env, 1, true]]`, `"a/dev/1/true"`},
		{`!Join [",", !Ref Zones]`, `"a,b,c"`},
		{`!Join ["", [a, [b]]]`, `Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.`},
		{`!Select ["1", !Ref Zones]`, `"b"`},
		{`!Select [0, !Ref Empty]`, `""`},
		{`!Select [3, !Ref Zones]`, `Template error: Fn::Select cannot select nonexistent value at index 3`},
		{`!Select [x, [a]]`, `Template error: Fn::Select requires a list argument with a valid index value as its first element`},
		{`!Split ["-", "a-b--c"]`, `["a","b","","c"]`},
		{`!Select [1, !Split [".", !GetAtt Bucket.Arn]]`, `"Arn"`},
		{`!Base64 {"Fn::Sub": "${Env}"}`, `"ZGV2"`},
		{`!FindInMap [Sizes, !Ref Env, Type]`, `"t3.micro"`},
		{`!FindInMap [Sizes, dev, Ports]`, `[80,443]`},
		{`!FindInMap [Sizes, !Ref "AWS::Region", Type]`, `"m5.large"`},
		{`!FindInMap [Sizes, prod, Type]`, `Template error: Unable to get mapping for Sizes::prod::Type`},
		{`!FindInMap [Sizes, prod, Type, {DefaultValue: none}]`, `"none"`},
		{`!FindInMap [Nope, prod, Type]`, `Template error: Mapping named 'Nope' is not present in the 'Mappings' section of template.`},
		{`!ImportValue net-vpc`, `"vpc-1"`},
		{`!ImportValue {"Fn::Sub": "${Env}-vpc"}`, `No export named dev-vpc found`},
		{`{"Fn::GetStackOutput": {StackName: net, OutputName: Vpc}}`, `"net.Vpc@us-east-1"`},
		{`{"Fn::GetStackOutput": {StackName: !Ref Env, OutputName: Vpc, Region: eu-west-1, RoleArn: r}}`, `"dev.Vpc@eu-west-1r"`},
		{`{"Fn::GetStackOutput": {StackName: gone, OutputName: Vpc}}`, `Stack with id gone does not exist`},
		{`!GetStackOutput {StackName: net}`, `Template error: every Fn::GetStackOutput object requires a StackName and an OutputName, and may have a Region and a RoleArn`},
		{`!GetAZs ""`, `["us-east-1a","us-east-1b"]`},
		{`!Select [1, !GetAZs eu-west-1]`, `"eu-west-1b"`},
		{`!Cidr [10.0.7.9/16, 3, 8]`, `["10.0.0.0/24","10.0.1.0/24","10.0.2.0/24"]`},
		{`!Cidr ["192.168.0.0/24", "6", "5"]`, `["192.168.0.0/27","192.168.0.32/27","192.168.0.64/27","192.168.0.96/27","192.168.0.128/27","192.168.0.160/27"]`},
		{`!Cidr ["2600:1f18:abc:de00::/56", 2, 64]`, `["2600:1f18:abc:de00::/64","2600:1f18:abc:de01::/64"]`},
		{`!Cidr [10.0.0.0/24, 4]`, `["10.0.0.0/26","10.0.0.64/26","10.0.0.128/26","10.0.0.192/26"]`},
		{`!Cidr [10.0.0.0/24, 9, 5]`, `Template error: Fn::Cidr cannot cut 9 blocks of that size from 10.0.0.0/24`},
		{`!Cidr [10.0.0/16, 1, 8]`, `Template error: Fn::Cidr requires a valid IP address block, "10.0.0/16" is none`},
		{`!Cidr [10.0.0.0/16, 0, 8]`, `Template error: Fn::Cidr requires a count between 1 and 256, not 0`},
		{`!If [IsDev, !Ref Env, !Ref Nope]`, `"dev"`},
		{`[!If [IsProd, x, !Ref "AWS::NoValue"]]`, `[]`},
		{`!If [Nope, a, b]`, `Template error: unresolved condition dependency Nope in Fn::If`},
		{`[!If [Both, 1, 2], !If [Either, 1, 2], !If [Numbers, 1, 2], !If [Mapped, 1, 2], !If [NotDev, 1, 2]]`, `[2,1,1,1,2]`},
		{`{Version: 2012-10-17, Condition: {Bool: {x: true}}}`, `{"Condition":{"Bool":{"x":true}},"Version":"2012-10-17"}`},
		{`{"Fn::Length": [1, 2]}`, `2`},
		{`{"Fn::ToJsonString": {b: !Ref Env, a: 1}}`, `"{\"a\":1,\"b\":\"dev\"}"`},
		{`{"Fn::Nope": x}`, `Template error: Fn::Nope is not a function that can be evaluated`},
		{`"a{{resolve:ssm:/x/y:3}}b{{resolve:secretsmanager:s:SecretString:k}}"`, `"a\u003cssm|/x/y:3\u003eb\u003csecretsmanager|s:SecretString:k\u003e"`},
		{`!Join [":", ["{{resolve", "ssm", "name}}"]]`, `"\u003cssm|name\u003e"`},
		{`"{{resolve:ssm-secure:n:1}}"`, `"\u003cssm-secure|n:1\u003e"`},
		{`"{{resolve:ssm:n:label}}"`, `Incorrect format is used in the following SSM reference: [{{resolve:ssm:n:label}}]`},
		{`"{{resolve:ssm:broken:1}}"`, `Parameter not found`},
		{`"{{resolve:ssm:open"`, `"{{resolve:ssm:open"`},
	} {
		if got := evalProperty(t, c.source); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.source, got, c.want)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"A: !Not [!Condition B]\n  B: !Not [!Condition A]": "Template error: Found circular condition dependency: A -> B -> A",
		"A: !Not [!Condition Nope]":                        "Template format error: Unresolved condition dependency Nope in the Conditions block of the template",
		"A: !And [!Equals [a, a]]":                         "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
		"A: true":                                          "Template format error: Conditions can only be boolean operations on parameters and other conditions",
		"A: !Equals [!Ref R, x]":                           "Template format error: Unresolved dependencies [R]. Cannot reference resources in the Conditions block of the template",
	} {
		tpl, err := template.Parse("t.yaml", []byte("Conditions:\n  "+source+"\nResources: {R: {Type: X}}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.EvalConditions(evalEnv()); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", source, err, want)
		}
		if err := tpl.Validate(); err == nil || err.Error() != want {
			t.Errorf("validate %s\n got %v\nwant %s", source, err, want)
		}
	}
}
