package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// putWebhook makes the webhook of a project what Triggers says. One that is
// there keeps its payload URL and its secret.
func putWebhook(ctx context.Context, client *codebuild.Client, r *Request) error {
	now, was := object(r.Properties["Triggers"]), object(r.Former["Triggers"])
	wanted, had := text(now["Webhook"]) == "true", text(was["Webhook"]) == "true"
	// CodeBuild drops the webhook of a project whose source gets another type.
	if document(now) == document(was) && document(r.Properties["Source"]) == document(r.Former["Source"]) {
		return nil
	}
	switch {
	case had && wanted && document(now["ScopeConfiguration"]) == document(was["ScopeConfiguration"]):
		if err := updateWebhook(ctx, client, r.Name, now, was); !IsNotFound(err) {
			return err
		}
	case had:
		if _, err := client.DeleteWebhook(ctx, &codebuild.DeleteWebhookInput{ProjectName: &r.Name}); gone(err) != nil {
			return err
		}
	}
	if !wanted {
		return nil
	}
	in := &codebuild.CreateWebhookInput{}
	if err := Bind(now, in, "Webhook"); err != nil {
		return err
	}
	in.ProjectName = &r.Name
	_, err := client.CreateWebhook(ctx, in)
	if r.Retry && IsExists(err) {
		return nil
	}
	return err
}

// updateWebhook gives what the template no longer says CodeBuild's defaults.
func updateWebhook(ctx context.Context, client *codebuild.Client, project string, now, was map[string]any) error {
	in := &codebuild.UpdateWebhookInput{
		ProjectName: aws.String(project), BuildType: cbtypes.WebhookBuildTypeBuild, FilterGroups: [][]cbtypes.WebhookFilter{},
	}
	if was["PullRequestBuildPolicy"] != nil {
		in.PullRequestBuildPolicy = &cbtypes.PullRequestBuildPolicy{RequiresCommentApproval: cbtypes.PullRequestBuildCommentApprovalDisabled}
	}
	if err := Bind(now, in, "Webhook", "ScopeConfiguration"); err != nil {
		return err
	}
	_, err := client.UpdateWebhook(ctx, in)
	return err
}
