package engine

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/cloud/cloudformation/resource"
)

const dynamicOpen = "{{resolve:"

// reveal resolves the dynamic references in evaluated properties, for a call
// that is about to be made with them.
func reveal(ctx context.Context, cfg aws.Config, v any) (any, error) {
	switch v := v.(type) {
	case string:
		return revealText(ctx, cfg, v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = reveal(ctx, cfg, item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			var err error
			if out[k], err = reveal(ctx, cfg, item); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func revealText(ctx context.Context, cfg aws.Config, s string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, dynamicOpen)
		inside, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			out.WriteString(s)
			return out.String(), nil
		}
		service, reference, _ := strings.Cut(inside, ":")
		value, err := dynamicValue(ctx, cfg, service, reference)
		if err != nil {
			return "", err
		}
		out.WriteString(before)
		out.WriteString(value)
		s = after
	}
}

func dynamicValue(ctx context.Context, cfg aws.Config, service, reference string) (string, error) {
	switch service {
	case "ssm", "ssm-secure":
		out, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &reference, WithDecryption: aws.Bool(service == "ssm-secure")})
		if err != nil {
			return "", resource.Sayf("Could not resolve {{resolve:%s:%s}}: %w", service, reference, err)
		}
		return aws.ToString(out.Parameter.Value), nil
	case "secretsmanager":
		return secretValue(ctx, cfg, reference)
	}
	return "", resource.Sayf("Unable to resolve dynamic reference {{resolve:%s:%s}}: the service is not one of ssm, ssm-secure, secretsmanager", service, reference)
}

// secretValue resolves secret-id:SecretString:json-key:version-stage:version-id,
// of which everything behind the id may be missing.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
func secretValue(ctx context.Context, cfg aws.Config, reference string) (string, error) {
	id, rest := reference, ""
	if at := strings.Index(reference, ":SecretString"); at >= 0 {
		id, rest = reference[:at], strings.TrimPrefix(reference[at+len(":SecretString"):], ":")
	}
	parts := append(strings.Split(rest, ":"), "", "", "")
	in := &secretsmanager.GetSecretValueInput{SecretId: &id}
	if parts[1] != "" {
		in.VersionStage = &parts[1]
	}
	if parts[2] != "" {
		in.VersionId = &parts[2]
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, in)
	if err != nil {
		return "", resource.Sayf("Could not resolve {{resolve:secretsmanager:%s}}: %w", reference, err)
	}
	if parts[0] == "" {
		return aws.ToString(out.SecretString), nil
	}
	var fields map[string]any
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &fields) != nil {
		return "", resource.Sayf("Could not parse SecretString JSON of {{resolve:secretsmanager:%s}}", reference)
	}
	switch value := fields[parts[0]].(type) {
	case nil:
		return "", resource.Sayf("Could not find a value associated with JSONKey in SecretString of {{resolve:secretsmanager:%s}}", reference)
	case string:
		return value, nil
	default:
		return string(canonical(value)), nil
	}
}
