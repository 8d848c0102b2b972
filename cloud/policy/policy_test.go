package policy_test

import (
	"testing"

	"ouro/cloud/policy"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		kind     policy.Kind
		document string
		want     string
	}{
		{"identity", policy.Inline, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, ""},
		{"one statement", policy.Managed, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["s3:*","iam:Get*"],"Resource":["arn:aws:s3:::b/*"]}}`, ""},
		{"all kinds of condition values", policy.Inline, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:b":true},"NumericLessThan":{"c:d":[3,"4"]}}}]}`, ""},
		{"no JSON", policy.Inline, `nothing`, "Syntax errors in policy."},
		{"a list", policy.Inline, `[]`, "Syntax errors in policy."},
		{"more behind", policy.Inline, `{"Statement":[]} {}`, "Syntax errors in policy."},
		{"no statement", policy.Inline, `{"Version":"2012-10-17"}`, "Syntax errors in policy."},
		{"unknown member", policy.Inline, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Actions":"s3:*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"unknown version", policy.Inline, `{"Version":"2013-10-17","Statement":[]}`, "Syntax errors in policy."},
		{"old version", policy.Managed, `{"Version":"2008-10-17","Statement":[]}`, "Policy document must be version 2012-10-17 or greater."},
		{"effect", policy.Inline, `{"Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"no action", policy.Inline, `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`, "Policy statement must contain actions."},
		{"no resource", policy.Inline, `{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}`, "Policy statement must contain resources."},
		{"resource", policy.Inline, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}`, `Resource bucket must be in ARN format or "*".`},
		{"vendor", policy.Inline, `{"Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"principal", policy.Inline, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}]}`, "Policy document should not specify a principal."},
		{"sids", policy.Inline, `{"Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "Statement IDs (SID) in a single policy must be unique."},
		{"trust", policy.Trust, `{"Statement":[{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com","AWS":["000000000000","*"]},"Action":["sts:AssumeRole","sts:TagSession"]}]}`, ""},
		{"trust with resource", policy.Trust, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}`, "Has prohibited field Resource"},
		{"trust of another action", policy.Trust, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}]}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{"trust of nobody", policy.Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`, "Missing required field Principal"},
		{"trust of what is no principal", policy.Trust, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"me"},"Action":"sts:AssumeRole"}]}`, `Invalid principal in policy: "AWS":"me"`},
	} {
		got := ""
		if err := policy.Check(test.document, test.kind); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*b*b*", "abab", true}, {"a", "", false}, {"sts:*", "sts:AssumeRole", true},
	} {
		if got := policy.Like(test.pattern, test.text); got != test.want {
			t.Errorf("Like(%q, %q) = %v", test.pattern, test.text, got)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	session := policy.Principal{Account: "000000000000", ARN: "arn:aws:sts::000000000000:assumed-role/build/one"}
	service := policy.Principal{Account: "000000000000", Service: "codebuild.amazonaws.com"}
	for _, test := range []struct {
		principal string
		who       policy.Principal
		want      bool
	}{
		{`"*"`, session, true},
		{`{"AWS":"*"}`, session, true},
		{`{"AWS":"*"}`, service, false},
		{`{"AWS":["111111111111","000000000000"]}`, session, true},
		{`{"AWS":"arn:aws:iam::000000000000:root"}`, session, true},
		{`{"AWS":"arn:aws:iam::111111111111:root"}`, session, false},
		{`{"AWS":"arn:aws:iam::000000000000:role/deep/path/build"}`, session, true},
		{`{"AWS":"arn:aws:iam::000000000000:role/other"}`, session, false},
		{`{"AWS":"arn:aws:sts::000000000000:assumed-role/build/one"}`, session, true},
		{`{"AWS":"arn:aws:sts::000000000000:assumed-role/build/two"}`, session, false},
		{`{"Service":"codebuild.amazonaws.com"}`, service, true},
		{`{"Service":"codebuild.eu-west-1.amazonaws.com"}`, service, true},
		{`{"Service":["lambda.amazonaws.com","codebuild.amazonaws.com.cn"]}`, service, true},
		{`{"Service":"codepipeline.amazonaws.com"}`, service, false},
		{`{"Service":"codebuild.amazonaws.com"}`, session, false},
	} {
		doc, err := policy.Parse(`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + test.principal + `}}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Statements[0].Principals.Match(test.who); got != test.want {
			t.Errorf("%s matches %v: %v", test.principal, test.who, got)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	request := map[string][]string{"sts:externalid": {"x1"}, "aws:tagkeys": {"a", "b"}, "sts:none": nil}
	values := func(key string) ([]string, bool) { v, ok := request[key]; return v, ok }
	for _, test := range []struct {
		operator, key string
		wanted        []string
		holds, known  bool
	}{
		{"StringEquals", "sts:ExternalId", []string{"x0", "x1"}, true, true},
		{"StringEquals", "sts:ExternalId", []string{"x0"}, false, true},
		{"StringNotEquals", "sts:ExternalId", []string{"x0"}, true, true},
		{"StringNotEquals", "sts:ExternalId", []string{"x0", "x1"}, false, true},
		{"StringLike", "sts:ExternalId", []string{"x*"}, true, true},
		{"StringEquals", "sts:None", []string{"x"}, false, true},
		{"StringEqualsIfExists", "sts:None", []string{"x"}, true, true},
		{"Null", "sts:None", []string{"true"}, true, true},
		{"Null", "sts:ExternalId", []string{"true"}, false, true},
		{"ForAllValues:StringEquals", "aws:TagKeys", []string{"a", "b", "c"}, true, true},
		{"ForAllValues:StringEquals", "aws:TagKeys", []string{"a"}, false, true},
		{"ForAnyValue:StringEquals", "aws:TagKeys", []string{"a"}, true, true},
		{"NumericEquals", "sts:ExternalId", []string{"1"}, false, false},
		{"StringEquals", "aws:SourceIp", []string{"1"}, false, false},
	} {
		holds, known := policy.Condition{Operator: test.operator, Key: test.key, Values: test.wanted}.Holds(values)
		if holds != test.holds || known != test.known {
			t.Errorf("%s %s %v: %v, %v", test.operator, test.key, test.wanted, holds, known)
		}
	}
}
