package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

func logGroupKind() *Kind {
	return &Kind{
		Type: "AWS::Logs::LogGroup", NameProperty: "LogGroupName", Naming: &Naming{Max: 512},
		Replace: []string{"LogGroupName"},
		Create:  createLogGroup, Update: updateLogGroup,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, cloudwatchlogs.NewFromConfig).DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &r.Physical})
			return gone(err)
		},
	}
}

func createLogGroup(ctx context.Context, r *Request) (Result, error) {
	in := &cloudwatchlogs.CreateLogGroupInput{}
	if err := Bind(r.Properties, in, "RetentionInDays", "Tags"); err != nil {
		return Result{}, err
	}
	in.LogGroupName, in.Tags = &r.Name, r.allTags()
	client := Client(r.Clients, cloudwatchlogs.NewFromConfig)
	if _, err := client.CreateLogGroup(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	if err := putRetention(ctx, client, r); err != nil {
		return Result{}, err
	}
	return logGroupResult(r), nil
}

func updateLogGroup(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, cloudwatchlogs.NewFromConfig)
	if err := putRetention(ctx, client, r); err != nil {
		return Result{}, err
	}
	if key, old := r.Text("KmsKeyId"), text(r.Former["KmsKeyId"]); key != "" && key != old {
		if _, err := client.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: &r.Physical, KmsKeyId: &key}); err != nil {
			return Result{}, err
		}
	} else if key == "" && old != "" {
		if _, err := client.DisassociateKmsKey(ctx, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: &r.Physical}); err != nil {
			return Result{}, err
		}
	}
	arn := r.ARN("logs", "log-group:"+r.Physical)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: &arn, Tags: set}); err != nil {
			return Result{}, err
		}
	}
	return logGroupResult(r), nil
}

func putRetention(ctx context.Context, client *cloudwatchlogs.Client, r *Request) error {
	if _, wanted := r.Properties["RetentionInDays"]; wanted {
		in := &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &r.Name}
		if err := Bind(map[string]any{"RetentionInDays": r.Properties["RetentionInDays"]}, in); err != nil {
			return err
		}
		_, err := client.PutRetentionPolicy(ctx, in)
		return err
	}
	if _, had := r.Former["RetentionInDays"]; had {
		_, err := client.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: &r.Name})
		return err
	}
	return nil
}

func logGroupResult(r *Request) Result {
	return Result{Physical: r.Name, Attributes: map[string]any{"Arn": r.ARN("logs", "log-group:"+r.Name+":*")}}
}
