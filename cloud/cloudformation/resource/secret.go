package resource

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func secretKind() *Kind {
	return &Kind{
		Type: "AWS::SecretsManager::Secret", NameProperty: "Name", Naming: &Naming{Max: 512},
		Replace: []string{"Name"},
		Create:  createSecret, Update: updateSecret,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, secretsmanager.NewFromConfig).DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
				SecretId: &r.Physical, ForceDeleteWithoutRecovery: aws.Bool(true)})
			return gone(err)
		},
	}
}

func createSecret(ctx context.Context, r *Request) (Result, error) {
	in := &secretsmanager.CreateSecretInput{}
	if err := Bind(r.Properties, in, "GenerateSecretString", "ReplicaRegions", "Tags"); err != nil {
		return Result{}, err
	}
	if v := r.Properties["ReplicaRegions"]; v != nil {
		if err := Bind(map[string]any{"AddReplicaRegions": v}, in); err != nil {
			return Result{}, err
		}
	}
	client := Client(r.Clients, secretsmanager.NewFromConfig)
	in.Name = &r.Name
	in.Tags = secretTags(r.allTags())
	if err := generateSecret(ctx, client, r, &in.SecretString); err != nil {
		return Result{}, err
	}
	out, err := client.CreateSecret(ctx, in)
	if r.Retry && IsExists(err) {
		was, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &r.Name})
		if err != nil {
			return Result{}, err
		}
		return secretResult(aws.ToString(was.ARN)), nil
	}
	if err != nil {
		return Result{}, err
	}
	return secretResult(aws.ToString(out.ARN)), nil
}

func updateSecret(ctx context.Context, r *Request) (Result, error) {
	in := &secretsmanager.UpdateSecretInput{}
	if err := Bind(r.Properties, in, "Name", "GenerateSecretString", "ReplicaRegions", "Tags"); err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, secretsmanager.NewFromConfig)
	Clear(in, r.Former, r.Properties, "SecretString", "SecretBinary", "Tags")
	in.SecretId = &r.Physical
	// A secret is generated anew only when the rules for it changed.
	if document(r.Properties["GenerateSecretString"]) != document(r.Former["GenerateSecretString"]) {
		if err := generateSecret(ctx, client, r, &in.SecretString); err != nil {
			return Result{}, err
		}
	}
	if _, err := client.UpdateSecret(ctx, in); err != nil {
		return Result{}, err
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: &r.Physical, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &r.Physical, Tags: secretTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return secretResult(r.Physical), nil
}

// generateSecret makes the value that GenerateSecretString asks for: a
// password, or a JSON object with the password under a key.
func generateSecret(ctx context.Context, client *secretsmanager.Client, r *Request, into **string) error {
	if r.Properties["GenerateSecretString"] == nil {
		return nil
	}
	if *into != nil {
		return Sayf("You can't specify both SecretString and GenerateSecretString")
	}
	rules := object(r.Properties["GenerateSecretString"])
	in := &secretsmanager.GetRandomPasswordInput{}
	if err := Bind(rules, in, "SecretStringTemplate", "GenerateStringKey"); err != nil {
		return err
	}
	out, err := client.GetRandomPassword(ctx, in)
	if err != nil {
		return err
	}
	key := text(rules["GenerateStringKey"])
	if key == "" {
		*into = out.RandomPassword
		return nil
	}
	value := map[string]any{}
	if t := text(rules["SecretStringTemplate"]); t != "" {
		if err := json.Unmarshal([]byte(t), &value); err != nil {
			return fmt.Errorf("SecretStringTemplate is no JSON object")
		}
	}
	value[key] = aws.ToString(out.RandomPassword)
	*into = aws.String(document(value))
	return nil
}

func secretTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

func secretResult(arn string) Result {
	return Result{Physical: arn, Attributes: map[string]any{"Id": arn}}
}
