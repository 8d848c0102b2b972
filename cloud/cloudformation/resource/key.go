package resource

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// keyElsewhere are the properties of a key that CreateKey does not take.
var keyElsewhere = []string{"Enabled", "EnableKeyRotation", "RotationPeriodInDays", "PendingWindowInDays", "RotationOnDemandTrigger", "Tags", "KeyPolicy"}

func keyKind() *Kind {
	return &Kind{
		Type:    "AWS::KMS::Key",
		Replace: []string{"KeySpec", "KeyUsage", "Origin", "MultiRegion"},
		Create:  createKey, Update: updateKey,
		Delete: func(ctx context.Context, r *Request) error {
			in := &kms.ScheduleKeyDeletionInput{KeyId: &r.Physical}
			if err := Bind(only(r.Properties, "PendingWindowInDays"), in); err != nil {
				return err
			}
			_, err := Client(r.Clients, kms.NewFromConfig).ScheduleKeyDeletion(ctx, in)
			if code(err) == "KMSInvalidStateException" { // it is on its way already
				return nil
			}
			return gone(err)
		},
	}
}

// only are the properties of these names.
func only(properties map[string]any, names ...string) map[string]any {
	out := map[string]any{}
	for _, name := range names {
		if v, ok := properties[name]; ok {
			out[name] = v
		}
	}
	return out
}

func createKey(ctx context.Context, r *Request) (Result, error) {
	in := &kms.CreateKeyInput{}
	if err := Bind(r.Properties, in, keyElsewhere...); err != nil {
		return Result{}, err
	}
	if p := r.Properties["KeyPolicy"]; p != nil {
		in.Policy = aws.String(document(p))
	}
	in.Tags = keyTags(r.allTags())
	client := Client(r.Clients, kms.NewFromConfig)
	if r.Retry {
		if err := findKey(ctx, client, r); err != nil {
			return Result{}, err
		}
		if r.Physical != "" {
			if _, err := client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &r.Physical}); err != nil {
				return Result{}, err
			}
			return updateKey(ctx, r)
		}
	}
	out, err := client.CreateKey(ctx, in)
	if err != nil {
		return Result{}, err
	}
	r.Physical = aws.ToString(out.KeyMetadata.KeyId)
	if r.Started != nil {
		if err := r.Started(ctx, r.Physical); err != nil {
			return Result{}, err
		}
	}
	if err := settleKey(ctx, client, r); err != nil {
		return Result{}, err
	}
	return keyResult(r), nil
}

func updateKey(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, kms.NewFromConfig)
	if r.Text("Description") != text(r.Former["Description"]) {
		if _, err := client.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: &r.Physical, Description: aws.String(r.Text("Description"))}); err != nil {
			return Result{}, err
		}
	}
	if p := r.Properties["KeyPolicy"]; p != nil && document(p) != document(r.Former["KeyPolicy"]) {
		if _, err := client.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &r.Physical, Policy: aws.String(document(p))}); err != nil {
			return Result{}, err
		}
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &kms.UntagResourceInput{KeyId: &r.Physical, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &kms.TagResourceInput{KeyId: &r.Physical, Tags: keyTags(set)}); err != nil {
			return Result{}, err
		}
	}
	if err := settleKey(ctx, client, r); err != nil {
		return Result{}, err
	}
	return keyResult(r), nil
}

// settleKey brings rotation and the switch to what the properties say. A
// disabled key cannot be told about its rotation.
func settleKey(ctx context.Context, client *kms.Client, r *Request) error {
	const disabled = "false"
	if r.Text("Enabled") != disabled && text(r.Former["Enabled"]) == disabled {
		if _, err := client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &r.Physical}); err != nil {
			return err
		}
	}
	if err := settleRotation(ctx, client, r); err != nil {
		return err
	}
	if r.Text("Enabled") == disabled && text(r.Former["Enabled"]) != disabled {
		_, err := client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &r.Physical})
		return err
	}
	return nil
}

func settleRotation(ctx context.Context, client *kms.Client, r *Request) error {
	rotation := []string{"EnableKeyRotation", "RotationPeriodInDays"}
	if document(only(r.Properties, rotation...)) == document(only(r.Former, rotation...)) {
		return nil
	}
	if r.Text("EnableKeyRotation") == "true" {
		in := &kms.EnableKeyRotationInput{KeyId: &r.Physical}
		if err := Bind(only(r.Properties, "RotationPeriodInDays"), in); err != nil {
			return err
		}
		_, err := client.EnableKeyRotation(ctx, in)
		return err
	}
	if text(r.Former["EnableKeyRotation"]) != "true" {
		return nil
	}
	_, err := client.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: &r.Physical})
	return err
}

func keyTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{TagKey: k, TagValue: v} })
}

func keyResult(r *Request) Result {
	return Result{Physical: r.Physical, Attributes: map[string]any{"KeyId": r.Physical, "Arn": r.ARN("kms", "key/"+r.Physical)}}
}

func aliasKind() *Kind {
	return &Kind{
		Type: "AWS::KMS::Alias", NameProperty: "AliasName", Replace: []string{"AliasName"}, Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &kms.CreateAliasInput{}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			_, err := Client(r.Clients, kms.NewFromConfig).CreateAlias(ctx, in)
			if err != nil && !(r.Retry && IsExists(err)) {
				return Result{}, err
			}
			return Result{Physical: r.Name}, nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			in := &kms.UpdateAliasInput{}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			_, err := Client(r.Clients, kms.NewFromConfig).UpdateAlias(ctx, in)
			return Result{Physical: r.Physical}, err
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, kms.NewFromConfig).DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &r.Physical})
			return gone(err)
		},
	}
}

// keyAsNamed is a key in the form in which the template names one.
func keyAsNamed(like string, k *types.KeyMetadata) *string {
	if strings.HasPrefix(like, "arn:") {
		return k.Arn
	}
	return k.KeyId
}
