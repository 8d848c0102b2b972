package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func TestKeyTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(description, rotate, enabled string) string {
		return template(t, map[string]any{
			"Key": map[string]any{"Type": "AWS::KMS::Key", "Properties": map[string]any{
				"Description": description, "EnableKeyRotation": rotate, "Enabled": enabled, "PendingWindowInDays": 7,
				"Tags": []any{map[string]any{"Key": "k", "Value": description}},
				"KeyPolicy": map[string]any{"Version": "2012-10-17", "Id": description, "Statement": []any{map[string]any{
					"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*", "Resource": "*"}}}}},
			"Alias": map[string]any{"Type": "AWS::KMS::Alias", "Properties": map[string]any{"AliasName": "alias/site", "TargetKeyId": ref("Key")}},
		}, "Outputs", map[string]any{"Id": value(ref("Key")), "Arn": value(getAtt("Key", "Arn")), "Alias": value(ref("Alias"))})
	}
	s := w.create("s", body("one", "true", "true"))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	out, client := outputs(s), kms.NewFromConfig(w.Config)
	look := func() *kmstypes.KeyMetadata {
		got, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("alias/site")})
		if err != nil {
			t.Fatal(err)
		}
		return got.KeyMetadata
	}
	if k := look(); *k.KeyId != out["Id"] || *k.Arn != out["Arn"] || out["Alias"] != "alias/site" || *k.Description != "one" {
		t.Errorf("outputs %v, key %+v", out, k)
	}
	w.update("s", body("two", "false", "false"))
	k := look()
	policy, err := client.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: k.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	rotation, err := client.GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: k.KeyId})
	if err != nil || rotation.KeyRotationEnabled || k.Enabled || *k.KeyId != out["Id"] || *k.Description != "two" || !strings.Contains(*policy.Policy, "two") {
		t.Errorf("key %+v, rotation %+v, policy %s", k, rotation, *policy.Policy)
	}
	w.delete("s")
	gone, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: k.KeyId})
	if err != nil || gone.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
		t.Errorf("after the deletion: %+v, %v", gone, err)
	}
}
