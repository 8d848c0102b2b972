package resource_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ouro/cloud/cloudformation/resource"
)

// value reads JSON as the evaluation of a template gives it.
func value(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestBind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		properties string
		into, want any
	}{
		"names without regard to case, numbers and booleans from text": {
			`{"Name": "p", "TimeoutInMinutes": "10", "QueuedTimeoutInMinutes": 5, "Source": {"BuildSpec": "b.yml", "InsecureSsl": "true"}}`,
			&codebuild.CreateProjectInput{},
			&codebuild.CreateProjectInput{Name: aws.String("p"), TimeoutInMinutes: aws.Int32(10), QueuedTimeoutInMinutes: aws.Int32(5),
				Source: &cb.ProjectSource{Buildspec: aws.String("b.yml"), InsecureSsl: aws.Bool(true)}},
		},
		"lists of objects, text from numbers, one value as a list": {
			`{"Environment": {"EnvironmentVariables": [{"Name": "A", "Value": 1}]}, "Cache": {"Type": "LOCAL", "Modes": "LOCAL_SOURCE_CACHE"}, "Name": null}`,
			&codebuild.CreateProjectInput{},
			&codebuild.CreateProjectInput{Environment: &cb.ProjectEnvironment{EnvironmentVariables: []cb.EnvironmentVariable{{Name: aws.String("A"), Value: aws.String("1")}}},
				Cache: &cb.ProjectCache{Type: "LOCAL", Modes: []cb.CacheMode{"LOCAL_SOURCE_CACHE"}}},
		},
		"objects as documents": {
			`{"AssumeRolePolicyDocument": {"b": [1, "<"], "a": true}}`,
			&iam.CreateRoleInput{}, &iam.CreateRoleInput{AssumeRolePolicyDocument: aws.String(`{"a":true,"b":[1,"<"]}`)},
		},
		"lists of lists": {
			`{"FilterGroups": [[{"Type": "EVENT", "Pattern": "PUSH"}]]}`,
			&codebuild.CreateWebhookInput{}, &codebuild.CreateWebhookInput{FilterGroups: [][]cb.WebhookFilter{{{Type: "EVENT", Pattern: aws.String("PUSH")}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := resource.Bind(value(t, c.properties), c.into); err != nil {
				t.Fatal(err)
			}
			unexported := cmpopts.IgnoreUnexported(codebuild.CreateProjectInput{}, codebuild.CreateWebhookInput{}, iam.CreateRoleInput{}, cb.ProjectSource{},
				cb.ProjectEnvironment{}, cb.EnvironmentVariable{}, cb.ProjectCache{}, cb.WebhookFilter{})
			if diff := cmp.Diff(c.want, c.into, unexported); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBindRefuses(t *testing.T) {
	t.Parallel()
	for properties, want := range map[string]string{
		`{"Colour": "red"}`:                  "Encountered unsupported property Colour",
		`{"Source": {"Colour": 1}}`:          "Encountered unsupported property Colour",
		`{"ResultMetadata": {}}`:             "Encountered unsupported property ResultMetadata",
		`{"TimeoutInMinutes": "long"}`:       "Properties validation failed: #/TimeoutInMinutes: expected an Integer, found: String",
		`{"BadgeEnabled": 3}`:                "Properties validation failed: #/BadgeEnabled: expected a Boolean, found: Number",
		`{"Source": "x"}`:                    "Properties validation failed: #/Source: expected a JSON object, found: String",
		`{"TimeoutInMinutes": 999999999999}`: "Properties validation failed: #/TimeoutInMinutes: expected an Integer, found: Number",
	} {
		err := resource.Bind(value(t, properties), &codebuild.CreateProjectInput{})
		if err == nil || err.Error() != want {
			t.Errorf("binding %s: %v\nwant %s", properties, err, want)
		}
	}
}

func TestClear(t *testing.T) {
	t.Parallel()
	in := &codebuild.UpdateProjectInput{}
	resource.Clear(in, value(t, `{"Description": "d", "VpcConfig": {}, "SecondarySources": [1], "Name": "n", "Odd": 1}`), value(t, `{"Name": "n"}`))
	if in.Description == nil || *in.Description != "" || in.VpcConfig == nil || in.SecondarySources == nil || in.Name != nil {
		t.Errorf("cleared to %+v", in)
	}
}
