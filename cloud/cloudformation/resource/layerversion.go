package resource

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// layerVersionKind is a version of a layer. Every change makes another one.
func layerVersionKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::LayerVersion", NameProperty: "LayerName", Naming: &Naming{Max: 140}, Untagged: true,
		Replace: []string{"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.PublishLayerVersionInput{}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			in.LayerName = &r.Name
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
