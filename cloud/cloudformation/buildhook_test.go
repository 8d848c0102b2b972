package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// buildTree is a stack of a project of GitHub, with the triggers if there are
// any, a report group and the credential for the provider.
func buildTree(triggers map[string]any, packaging, token string) map[string]any {
	project := map[string]any{
		"Name": "site", "Artifacts": map[string]any{"Type": "NO_ARTIFACTS"}, "ServiceRole": map[string]any{"Fn::GetAtt": "Role.Arn"},
		"Source":      map[string]any{"Type": "GITHUB", "Location": "https://github.com/me/site.git"},
		"Environment": map[string]any{"Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "aws/codebuild/standard:7.0"},
	}
	if triggers != nil {
		project["Triggers"] = triggers
	}
	return map[string]any{
		"Role": map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{"Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}}}}},
		"Project": map[string]any{"Type": "AWS::CodeBuild::Project", "Properties": project},
		"Tests": map[string]any{"Type": "AWS::CodeBuild::ReportGroup", "Properties": map[string]any{
			"Type": "TEST", "DeleteReports": true, "Tags": []any{map[string]any{"Key": "kind", "Value": packaging}},
			"ExportConfig": map[string]any{"ExportConfigType": "S3", "S3Destination": map[string]any{"Bucket": "reports", "Packaging": packaging}},
		}},
		"Credential": map[string]any{"Type": "AWS::CodeBuild::SourceCredential", "Properties": map[string]any{
			"ServerType": "GITHUB", "AuthType": "PERSONAL_ACCESS_TOKEN", "Token": token}},
	}
}

// A webhook that a template changes is the same webhook: providers need not be
// told again.
func TestBuildTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := codebuild.NewFromConfig(w.Config)
	on := func(event, build string) map[string]any {
		out := map[string]any{"Webhook": true, "FilterGroups": []any{[]any{map[string]any{"Type": "EVENT", "Pattern": event}}}}
		if build != "" {
			out["BuildType"] = build
		}
		return out
	}
	hook := func() *cbtypes.Webhook {
		t.Helper()
		out, err := client.BatchGetProjects(t.Context(), &codebuild.BatchGetProjectsInput{Names: []string{"site"}})
		if err != nil || len(out.Projects) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		return out.Projects[0].Webhook
	}
	told := map[string]any{"Group": map[string]any{"Value": ref("Tests")}, "Credential": map[string]any{"Value": ref("Credential")}, "Id": map[string]any{"Value": map[string]any{"Fn::GetAtt": "Project.Id"}}}
	st := w.create("builds", template(t, buildTree(on("PUSH", "BUILD_BATCH"), "NONE", "one"), "Outputs", told))
	if st.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", st.StackStatus, w.story("builds"))
	}
	got := outputs(st)
	const account = "arn:aws:codebuild:us-east-1:000000000000:"
	if got["Credential"] != account+"token/github" || !strings.HasPrefix(got["Group"], account+"report-group/builds-Tests-") || got["Id"] != "site" {
		t.Errorf("outputs: %v", got)
	}
	made := hook()
	if made == nil || made.BuildType != cbtypes.WebhookBuildTypeBuildBatch {
		t.Fatalf("webhook: %+v", made)
	}

	st = w.update("builds", template(t, buildTree(on("PULL_REQUEST_CREATED", ""), "ZIP", "two"), "Outputs", told))
	if st.StackStatus != types.StackStatusUpdateComplete || outputs(st)["Group"] != got["Group"] {
		t.Fatalf("%s\n%s", st.StackStatus, w.story("builds"))
	}
	now := hook()
	if *now.PayloadUrl != *made.PayloadUrl || now.BuildType != cbtypes.WebhookBuildTypeBuild || *now.FilterGroups[0][0].Pattern != "PULL_REQUEST_CREATED" {
		t.Errorf("webhook: %+v, before %+v", now, made)
	}
	groups, err := client.BatchGetReportGroups(t.Context(), &codebuild.BatchGetReportGroupsInput{ReportGroupArns: []string{got["Group"]}})
	if err != nil || groups.ReportGroups[0].ExportConfig.S3Destination.Packaging != cbtypes.ReportPackagingTypeZip {
		t.Errorf("group: %+v, %v", groups, err)
	}

	// Another stack does not take the credential away from this one.
	other := map[string]any{"Credential": buildTree(nil, "NONE", "three")["Credential"]}
	if st := w.create("other", template(t, other)); st.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.story("other"), "already exists") {
		t.Errorf("%s\n%s", st.StackStatus, w.story("other"))
	}

	if st := w.update("builds", template(t, buildTree(nil, "ZIP", "two"), "Outputs", told)); st.StackStatus != types.StackStatusUpdateComplete || hook() != nil {
		t.Errorf("%s: %+v\n%s", st.StackStatus, hook(), w.story("builds"))
	}
	if st := w.delete("builds"); st.StackStatus != types.StackStatusDeleteComplete {
		t.Fatalf("%s\n%s", st.StackStatus, w.story(*st.StackId))
	}
	credentials, err := client.ListSourceCredentials(t.Context(), &codebuild.ListSourceCredentialsInput{})
	list, err2 := client.ListReportGroups(t.Context(), &codebuild.ListReportGroupsInput{MaxResults: aws.Int32(5)})
	if err != nil || err2 != nil || len(credentials.SourceCredentialsInfos)+len(list.ReportGroups) != 0 {
		t.Errorf("left: %+v %+v, %v %v", credentials, list, err, err2)
	}
}
