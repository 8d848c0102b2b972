package resource

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func pipelineHookKinds() []*Kind {
	return []*Kind{
		{
			Type: "AWS::CodePipeline::Webhook", NameProperty: "Name", Naming: &Naming{Max: 100}, Replace: []string{"Name"},
			Create: putPipelineWebhook, Update: putPipelineWebhook, Delete: deletePipelineWebhook,
		},
		{
			Type: "AWS::CodePipeline::CustomActionType", Replace: []string{
				"Category", "ConfigurationProperties", "InputArtifactDetails", "OutputArtifactDetails", "Provider", "Settings", "Version"},
			Create: createActionType, Update: updateActionType, Delete: deleteActionType,
		},
	}
}

// webhookElsewhere are the properties of a webhook that are none of its
// definition. The version of the pipeline is asked for and used by nobody, on
// AWS either.
var webhookElsewhere = []string{"Name", "RegisterWithThirdParty", "TargetPipelineVersion", "Tags"}

// putPipelineWebhook makes a webhook or changes it, which is one call.
func putPipelineWebhook(ctx context.Context, r *Request) (Result, error) {
	def := &cptypes.WebhookDefinition{}
	if err := Bind(r.Properties, def, webhookElsewhere...); err != nil {
		return Result{}, err
	}
	def.Name = &r.Name
	client := Client(r.Clients, codepipeline.NewFromConfig)
	out, err := client.PutWebhook(ctx, &codepipeline.PutWebhookInput{Webhook: def, Tags: pipelineTags(r.allTags())})
	if err != nil {
		return Result{}, err
	}
	r.Physical = r.Name
	switch now, was := r.Text("RegisterWithThirdParty") == "true", text(r.Former["RegisterWithThirdParty"]) == "true"; {
	case now:
		_, err = client.RegisterWebhookWithThirdParty(ctx, &codepipeline.RegisterWebhookWithThirdPartyInput{WebhookName: &r.Name})
	case was:
		_, err = client.DeregisterWebhookWithThirdParty(ctx, &codepipeline.DeregisterWebhookWithThirdPartyInput{WebhookName: &r.Name})
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Id": r.Name, "Url": aws.ToString(out.Webhook.Url)}}, nil
}

func deletePipelineWebhook(ctx context.Context, r *Request) error {
	client := Client(r.Clients, codepipeline.NewFromConfig)
	if r.Text("RegisterWithThirdParty") == "true" {
		if _, err := client.DeregisterWebhookWithThirdParty(ctx, &codepipeline.DeregisterWebhookWithThirdPartyInput{WebhookName: &r.Physical}); gone(err) != nil {
			return err
		}
	}
	_, err := client.DeleteWebhook(ctx, &codepipeline.DeleteWebhookInput{Name: &r.Physical})
	return gone(err)
}

// readPipelineWebhook finds a webhook by name. Its secret is not told.
func readPipelineWebhook(ctx context.Context, client *codepipeline.Client, name string) (*cptypes.WebhookDefinition, error) {
	pages := codepipeline.NewListWebhooksPaginator(client, &codepipeline.ListWebhooksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, w := range page.Webhooks {
			if def := w.Definition; aws.ToString(def.Name) == name {
				return def, nil
			}
		}
	}
	return nil, ErrGone
}

// actionTypeARN names an action type that the account has made.
func actionTypeARN(r *Request) string {
	return r.ARN("codepipeline", "actiontype:Custom/"+strings.Join(actionTypeID(r), "/"))
}

func actionTypeID(r *Request) []string {
	return []string{r.Text("Category"), r.Text("Provider"), r.Text("Version")}
}

func createActionType(ctx context.Context, r *Request) (Result, error) {
	in := &codepipeline.CreateCustomActionTypeInput{}
	if err := Bind(r.Properties, in, "Tags"); err != nil {
		return Result{}, err
	}
	in.Tags = pipelineTags(r.allTags())
	client := Client(r.Clients, codepipeline.NewFromConfig)
	there := false
	if r.Retry {
		var err error
		if there, err = hasActionType(ctx, client, in); err != nil {
			return Result{}, err
		}
	}
	if !there {
		if _, err := client.CreateCustomActionType(ctx, in); err != nil {
			return Result{}, err
		}
	}
	r.Physical = strings.Join(actionTypeID(r), "|")
	return Result{Physical: r.Physical, Attributes: map[string]any{"Id": r.Physical}}, nil
}

func hasActionType(ctx context.Context, client *codepipeline.Client, in *codepipeline.CreateCustomActionTypeInput) (bool, error) {
	pages := codepipeline.NewListActionTypesPaginator(client, &codepipeline.ListActionTypesInput{ActionOwnerFilter: cptypes.ActionOwnerCustom})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, t := range page.ActionTypes {
			if t.Id.Category == in.Category && aws.ToString(t.Id.Provider) == aws.ToString(in.Provider) && aws.ToString(t.Id.Version) == aws.ToString(in.Version) {
				return true, nil
			}
		}
	}
	return false, nil
}

// updateActionType changes the tags: all else means another action type.
func updateActionType(ctx context.Context, r *Request) (Result, error) {
	client, arn := Client(r.Clients, codepipeline.NewFromConfig), actionTypeARN(r)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &codepipeline.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &codepipeline.TagResourceInput{ResourceArn: &arn, Tags: pipelineTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return Result{Physical: r.Physical, Attributes: map[string]any{"Id": r.Physical}}, nil
}

func deleteActionType(ctx context.Context, r *Request) error {
	id := strings.Split(r.Physical, "|")
	if len(id) != 3 {
		return nil // it was never made
	}
	_, err := Client(r.Clients, codepipeline.NewFromConfig).DeleteCustomActionType(ctx, &codepipeline.DeleteCustomActionTypeInput{
		Category: cptypes.ActionCategory(id[0]), Provider: &id[1], Version: &id[2]})
	return gone(err)
}
