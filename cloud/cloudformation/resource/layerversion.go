package resource

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// layerVersionKind is a version of a layer. Every change makes another one.
func layerVersionKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::LayerVersion", NameProperty: "LayerName", Shared: true, Naming: &Naming{Max: 140}, Untagged: true,
		Replace: []string{"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.PublishLayerVersionInput{}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			in.LayerName = &r.Name
			if r.Retry {
				if arn, err := madeBefore(ctx, r, in); err != nil || arn != "" {
					return Result{Physical: arn, Attributes: map[string]any{"LayerVersionArn": arn}}, err
				}
			}
			out, err := Client(r.Clients, lambda.NewFromConfig).PublishLayerVersion(ctx, in)
			if err != nil {
				return Result{}, err
			}
			return Result{Physical: *out.LayerVersionArn, Attributes: map[string]any{"LayerVersionArn": *out.LayerVersionArn}}, nil
		},
		Update: unchanged,
		Delete: func(ctx context.Context, r *Request) error {
			layer, version, err := layerOf(r.Physical)
			if err == nil {
				_, err = Client(r.Clients, lambda.NewFromConfig).DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &layer, VersionNumber: &version})
			}
			return gone(err)
		},
	}
}

// madeBefore looks for the version that an earlier attempt at the same step
// published: the newest one, if it is just what the step asks for.
func madeBefore(ctx context.Context, r *Request, in *lambda.PublishLayerVersionInput) (arn string, err error) {
	client := Client(r.Clients, lambda.NewFromConfig)
	list, err := client.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: in.LayerName, MaxItems: aws.Int32(1)})
	if err != nil || len(list.LayerVersions) == 0 {
		return "", gone(err)
	}
	newest, err := client.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: list.LayerVersions[0].LayerVersionArn})
	if err != nil {
		return "", gone(err)
	}
	if aws.ToString(newest.Description) != aws.ToString(in.Description) || aws.ToString(newest.LicenseInfo) != aws.ToString(in.LicenseInfo) ||
		!sameSet(newest.CompatibleRuntimes, in.CompatibleRuntimes) || !sameSet(newest.CompatibleArchitectures, in.CompatibleArchitectures) {
		return "", nil
	}
	digest, err := contentDigest(ctx, r, in.Content)
	if err != nil || digest != aws.ToString(newest.Content.CodeSha256) {
		return "", err
	}
	return *newest.LayerVersionArn, nil
}

func sameSet[T ~string](a, b []T) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// contentDigest is the hash of a layer's archive, as Lambda tells it.
func contentDigest(ctx context.Context, r *Request, c *types.LayerVersionContentInput) (string, error) {
	if c == nil {
		return "", nil
	}
	out, err := Client(r.Clients, s3.NewFromConfig).GetObject(ctx, &s3.GetObjectInput{Bucket: c.S3Bucket, Key: c.S3Key, VersionId: c.S3ObjectVersion})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, out.Body); err != nil {
		return "", fmt.Errorf("reading the layer's archive %s: %w", aws.ToString(c.S3Key), err)
	}
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)), nil
}

// layerOf takes the ARN of a version apart.
func layerOf(arn string) (layer string, version int64, err error) {
	i := strings.LastIndexByte(arn, ':')
	if i < 0 {
		return "", 0, Sayf("%s is no version of a layer", arn)
	}
	version, err = strconv.ParseInt(arn[i+1:], 10, 64)
	if err != nil {
		return "", 0, Sayf("%s is no version of a layer", arn)
	}
	return arn[:i], version, nil
}

// layerPermissionKind is a statement of the policy of a layer's version.
func layerPermissionKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::LayerVersionPermission", Naming: &Naming{Max: 100}, Untagged: true,
		Replace: []string{"Action", "LayerVersionArn", "OrganizationId", "Principal"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			layer, version, err := layerOf(r.Text("LayerVersionArn"))
			if err != nil {
				return Result{}, err
			}
			in := &lambda.AddLayerVersionPermissionInput{}
			if err := Bind(r.Properties, in, "LayerVersionArn"); err != nil {
				return Result{}, err
			}
			in.LayerName, in.VersionNumber, in.StatementId = &layer, &version, &r.Name
			if _, err := Client(r.Clients, lambda.NewFromConfig).AddLayerVersionPermission(ctx, in); err != nil && !(r.Retry && isConflict(err)) {
				return Result{}, err
			}
			id := r.Text("LayerVersionArn") + "#" + r.Name
			return Result{Physical: id, Attributes: map[string]any{"Id": id}}, nil
		},
		Update: unchanged,
		Delete: func(ctx context.Context, r *Request) error {
			arn, sid, _ := strings.Cut(r.Physical, "#")
			layer, version, err := layerOf(arn)
			if err == nil {
				_, err = Client(r.Clients, lambda.NewFromConfig).RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{
					LayerName: &layer, VersionNumber: aws.Int64(version), StatementId: &sid})
			}
			return gone(err)
		},
	}
}
