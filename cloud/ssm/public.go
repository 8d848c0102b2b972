package ssm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/door"
)

const (
	publicPath = "/aws/service/"
	secretPath = "/aws/reference/secretsmanager/"
)

// imageAliases are the public parameters whose value is an image id.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
var imageAliases = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`^ami-amazon-linux-latest/[^/]+$`),
		regexp.MustCompile(`^ami-windows-latest/[^/]+$`),
		regexp.MustCompile(`^ami-macos-latest/.+/image_id$`),
		regexp.MustCompile(`^(?:ecs|eks)/optimized-ami/.+/image_id$`),
		regexp.MustCompile(`^bottlerocket/.+/image_id$`),
		regexp.MustCompile(`^canonical/ubuntu/.+/ami-id$`),
		regexp.MustCompile(`^(?:debian/release|suse|redhat)/.+`),
		regexp.MustCompile(`^deeplearning/ami/.+/ami-id$`),
	}
})

// published is when all public parameters appear to have been made.
var published = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// public answers for a parameter below /aws/service; those that do not name
// an image are not there. Images differ between regions, as on AWS.
func (s *Service) public(ctx context.Context, name, selector string) (types.Parameter, error) {
	caller, alias := door.CallerFrom(ctx), strings.TrimPrefix(name, publicPath)
	known := false
	for _, pattern := range imageAliases() {
		known = known || pattern.MatchString(alias)
	}
	if !known {
		return types.Parameter{}, notFound(name)
	}
	if selector != "" && selector != "1" {
		return types.Parameter{}, noVersion("version %s of %s. Verify the version and try again.", selector, name)
	}
	sum := sha256.Sum256([]byte(caller.Region + name))
	owner := door.Caller{Region: caller.Region} // AWS's own parameters belong to no account
	return types.Parameter{
		Name: &name, ARN: aws.String(parameterARN(owner, name)), Type: types.ParameterTypeString,
		Value:   aws.String("ami-0" + hex.EncodeToString(sum[:])[:16]),
		Version: 1, DataType: aws.String("aws:ec2:image"), LastModifiedDate: aws.Time(published),
	}, nil
}

// secret gives the value of a secret of Secrets Manager as a parameter, with
// what the caller may read there.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
func (s *Service) secret(ctx context.Context, name, selector string, decrypt *bool) (types.Parameter, error) {
	if !aws.ToBool(decrypt) {
		return types.Parameter{}, validation("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	if selector != "" {
		return types.Parameter{}, validation("a version of a secret cannot be named through a parameter here")
	}
	caller := door.CallerFrom(ctx)
	client := secretsmanager.NewFromConfig(s.host.As(caller))
	id := strings.TrimPrefix(name, secretPath)
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if missing := (*smtypes.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return types.Parameter{}, &types.ParameterNotFound{Message: aws.String("An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret " + name + " not found.")}
	}
	if err != nil {
		return types.Parameter{}, fmt.Errorf("read the secret of parameter %q: %w", name, err)
	}
	return types.Parameter{
		Name: &name, ARN: aws.String(parameterARN(caller, name)), Type: types.ParameterTypeSecureString,
		Value: out.SecretString, DataType: aws.String("text"), LastModifiedDate: out.CreatedDate,
	}, nil
}
