package cloudformation_test

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	contypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudtest"
)

// hookTree is a stack with a pipeline of a GitHub source, and its webhook.
func hookTree(branch string, more map[string]any) map[string]any {
	action := func(name, category, owner, provider string, config map[string]any) map[string]any {
		return map[string]any{"Name": name, "ActionTypeId": map[string]any{"Category": category, "Owner": owner, "Provider": provider, "Version": "1"}, "Configuration": config}
	}
	source := action("Source", "Source", "ThirdParty", "GitHub", map[string]any{"Owner": "me", "Repo": "site", "Branch": "main", "OAuthToken": "token", "PollForSourceChanges": false})
	source["OutputArtifacts"] = []any{map[string]any{"Name": "App"}}
	ask := action("Ask", "Approval", "AWS", "Manual", nil)
	delete(ask, "Configuration")
	hook := map[string]any{
		"Name": "hook", "TargetPipeline": map[string]any{"Ref": "Pipeline"}, "TargetAction": "Source", "TargetPipelineVersion": map[string]any{"Fn::GetAtt": "Pipeline.Version"},
		"Authentication": "UNAUTHENTICATED", "AuthenticationConfiguration": map[string]any{},
		"Filters": []any{map[string]any{"JsonPath": "$.ref", "MatchEquals": "refs/heads/" + branch}}, "Tags": []any{map[string]any{"Key": "branch", "Value": branch}},
	}
	for k, v := range more {
		hook[k] = v
	}
	return map[string]any{
		"Bucket": map[string]any{"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": map[string]any{"BucketName": "hook-artifacts"}},
		"Role": map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{"Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}}}}},
		"Pipeline": map[string]any{"Type": "AWS::CodePipeline::Pipeline", "Properties": map[string]any{
			"Name": "hooked", "RoleArn": map[string]any{"Fn::GetAtt": "Role.Arn"}, "ArtifactStore": map[string]any{"Type": "S3", "Location": map[string]any{"Ref": "Bucket"}},
			"Stages": []any{map[string]any{"Name": "Source", "Actions": []any{source}}, map[string]any{"Name": "Ask", "Actions": []any{ask}}},
		}},
		"Hook": map[string]any{"Type": "AWS::CodePipeline::Webhook", "Properties": hook},
	}
}

// host makes a repository with one commit behind a connection, which is where a
// GitHub action of its name takes its source from.
func (w *world) host(repository string) {
	w.t.Helper()
	made, err := codeconnections.NewFromConfig(w.Config).CreateConnection(w.t.Context(), &codeconnections.CreateConnectionInput{
		ConnectionName: aws.String("hub"), ProviderType: contypes.ProviderTypeGithub})
	if err != nil {
		w.t.Fatal(err)
	}
	_, id, _ := strings.Cut(*made.ConnectionArn, "/")
	dir := w.t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"-c", "user.name=n", "-c", "user.email=n@example.com", "commit", "-q", "--allow-empty", "-m", "first"},
		{"push", "-q", w.URL + "/git-http/000000000000/us-east-1/" + id + "/" + repository + ".git", "main"},
	} {
		cmd := exec.CommandContext(w.t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
}

func TestPipelineWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.host("me/site")
	pipelines := codepipeline.NewFromConfig(w.Config)
	outputs := map[string]any{"Name": map[string]any{"Value": map[string]any{"Ref": "Hook"}}, "Url": map[string]any{"Value": map[string]any{"Fn::GetAtt": "Hook.Url"}}}
	posted := func(url, branch string) string {
		t.Helper()
		res, err := http.Post(url, "application/json", strings.NewReader(`{"ref": "refs/heads/`+branch+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b := make([]byte, 64)
		n, _ := res.Body.Read(b)
		return res.Status + " " + string(b[:n])
	}
	st := w.create("hooks", template(t, hookTree("main", nil), "Outputs", outputs))
	if st.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", st.StackStatus, w.story("hooks"))
	}
	told := map[string]string{}
	for _, o := range st.Outputs {
		told[*o.OutputKey] = *o.OutputValue
	}
	if told["Name"] != "hook" {
		t.Errorf("outputs: %v", told)
	}
	if got := posted(told["Url"], "main"); got != "200 OK The pipeline was started.\n" {
		t.Errorf("delivery: %s", got)
	}
	st = w.update("hooks", template(t, hookTree("side", map[string]any{"RegisterWithThirdParty": true, "Authentication": "IP", "AuthenticationConfiguration": map[string]any{"AllowedIPRange": "127.0.0.0/8"}}), "Outputs", outputs))
	if st.StackStatus != types.StackStatusUpdateComplete {
		t.Fatalf("%s\n%s", st.StackStatus, w.story("hooks"))
	}
	if got := posted(told["Url"], "side"); got != "200 OK The pipeline was started.\n" {
		t.Errorf("delivery after the update: %s", got)
	}
	list, err := pipelines.ListWebhooks(t.Context(), &codepipeline.ListWebhooksInput{})
	if err != nil || len(list.Webhooks) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	tags, err := pipelines.ListTagsForResource(t.Context(), &codepipeline.ListTagsForResourceInput{ResourceArn: list.Webhooks[0].Arn})
	if err != nil || aws.ToString(tags.Tags[len(tags.Tags)-1].Value) != "side" {
		t.Errorf("tags: %+v, %v", tags, err)
	}
	if st := w.delete("hooks"); st.StackStatus != types.StackStatusDeleteComplete {
		t.Fatalf("%s\n%s", st.StackStatus, w.story(*st.StackId))
	}
	if list, err := pipelines.ListWebhooks(t.Context(), &codepipeline.ListWebhooksInput{}); err != nil || len(list.Webhooks) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// actionTypes stands in for CodePipeline: it takes down what it is called with.
type actionTypes struct {
	mu     sync.Mutex
	called []string
}

func (a *actionTypes) note(call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.called = append(a.called, call)
}

func (a *actionTypes) CreateCustomActionType(_ context.Context, in *codepipeline.CreateCustomActionTypeInput) (*codepipeline.CreateCustomActionTypeOutput, error) {
	p := in.ConfigurationProperties[0]
	a.note("create " + string(in.Category) + " " + *in.Provider + " " + *in.Version + " " + *p.Name + " " + string(p.Type) + " " + *in.Settings.EntityUrlTemplate)
	id := &cptypes.ActionTypeId{Category: in.Category, Owner: cptypes.ActionOwnerCustom, Provider: in.Provider, Version: in.Version}
	return &codepipeline.CreateCustomActionTypeOutput{ActionType: &cptypes.ActionType{Id: id, InputArtifactDetails: in.InputArtifactDetails, OutputArtifactDetails: in.OutputArtifactDetails}}, nil
}

func (a *actionTypes) DeleteCustomActionType(_ context.Context, in *codepipeline.DeleteCustomActionTypeInput) (*codepipeline.DeleteCustomActionTypeOutput, error) {
	a.note("delete " + string(in.Category) + " " + *in.Provider + " " + *in.Version)
	return &codepipeline.DeleteCustomActionTypeOutput{}, nil
}

func (a *actionTypes) TagResource(_ context.Context, in *codepipeline.TagResourceInput) (*codepipeline.TagResourceOutput, error) {
	a.note("tag " + *in.ResourceArn)
	return &codepipeline.TagResourceOutput{}, nil
}

func (a *actionTypes) UntagResource(_ context.Context, in *codepipeline.UntagResourceInput) (*codepipeline.UntagResourceOutput, error) {
	a.note("untag " + *in.ResourceArn)
	return &codepipeline.UntagResourceOutput{}, nil
}

// Another version of an action type is another action type; tags change in
// place.
func TestCustomActionType(t *testing.T) {
	t.Parallel()
	a := &actionTypes{}
	c := cloudtest.NewWith(t, map[string]any{"codepipeline": a})
	w := &world{c, t, cloudformation.NewFromConfig(c.Config)}
	tree := func(version, tag string) string {
		return template(t, map[string]any{"Type": map[string]any{"Type": "AWS::CodePipeline::CustomActionType", "Properties": map[string]any{
			"Category": "Build", "Provider": "Mine", "Version": version, "Settings": map[string]any{"EntityUrlTemplate": "https://example.com/{Config:Job}"},
			"ConfigurationProperties": []any{map[string]any{"Name": "Job", "Key": true, "Required": true, "Secret": false, "Queryable": true, "Type": "String"}},
			"InputArtifactDetails":    map[string]any{"MinimumCount": 0, "MaximumCount": 1}, "OutputArtifactDetails": map[string]any{"MinimumCount": 0, "MaximumCount": 1},
			"Tags": []any{map[string]any{"Key": tag, "Value": "x"}},
		}}}, "Outputs", map[string]any{"Id": map[string]any{"Value": map[string]any{"Ref": "Type"}}})
	}
	if st := w.create("types", tree("1", "a")); st.StackStatus != types.StackStatusCreateComplete || *st.Outputs[0].OutputValue != "Build|Mine|1" {
		t.Fatalf("%s\n%s", st.StackStatus, w.story("types"))
	}
	w.update("types", tree("1", "b"))
	w.update("types", tree("2", "b"))
	w.delete("types")
	const arn = "arn:aws:codepipeline:us-east-1:000000000000:actiontype:Custom/Build/Mine/1"
	const rest = " Job String https://example.com/{Config:Job}"
	want := []string{"create Build Mine 1" + rest, "untag " + arn, "tag " + arn, "create Build Mine 2" + rest, "delete Build Mine 1", "delete Build Mine 2"}
	if diff := cmp.Diff(want, a.called); diff != "" {
		t.Error(diff)
	}
}
