package cloudformation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"

	"ouro/cloud/cloudformation/resource"
)

// valueOf answers Fn::ValueOf and Fn::ValueOfAll in rules: an attribute of the
// VPC, subnet or security group that a parameter names, as it is recorded.
func valueOf(ctx context.Context, cfg aws.Config) func(parameterType, value, attribute string) (string, error) {
	client := cloudcontrol.NewFromConfig(cfg)
	return func(parameterType, value, attribute string) (string, error) {
		kind := strings.TrimSuffix(parameterType, "::Id")
		out, err := client.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &value})
		if resource.IsNotFound(err) {
			return "", resource.Sayf("The %s ID '%s' does not exist", strings.ToLower(strings.TrimPrefix(kind, "AWS::EC2::")), value)
		}
		if err != nil {
			return "", err
		}
		var model map[string]any
		if err := json.Unmarshal([]byte(aws.ToString(out.ResourceDescription.Properties)), &model); err != nil {
			return "", fmt.Errorf("reading the model of %s: %w", value, err)
		}
		if key, ok := strings.CutPrefix(attribute, "Tags."); ok {
			return tagOf(model, key), nil
		}
		text, _ := model[attribute].(string)
		return text, nil
	}
}

// tagOf is the value of a tag in a model; "" without it.
func tagOf(model map[string]any, key string) string {
	tags, _ := model["Tags"].([]any)
	for _, item := range tags {
		if tag, _ := item.(map[string]any); tag["Key"] == key {
			value, _ := tag["Value"].(string)
			return value
		}
	}
	return ""
}
