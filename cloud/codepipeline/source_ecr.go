package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// ecrSource takes the image that a tag stands for, or the one of the digest
// that the execution was started with, and tells of it in imageDetail.json.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html
type ecrSource struct{}

// imageDetail is the file of the output artifact.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html
type imageDetail struct {
	ImageSizeInBytes int64
	ImageDigest      string
	Version          string
	ImagePushedAt    string `json:",omitempty"`
	RegistryID       string `json:"RegistryId"`
	RepositoryName   string
	ImageURI         string
	ImageTags        []string
}

const imageDetailFile = "imageDetail.json"

func (ecrSource) run(ctx context.Context, j *job) (*outcome, error) {
	repository, tag := j.config["RepositoryName"], j.option("ImageTag", "latest")
	id := ecrtypes.ImageIdentifier{ImageTag: &tag}
	if digest := j.override(types.SourceRevisionTypeImageDigest); digest != "" {
		id = ecrtypes.ImageIdentifier{ImageDigest: &digest}
	}
	client := ecr.NewFromConfig(j.as)
	out, err := client.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &repository, ImageIds: []ecrtypes.ImageIdentifier{id}})
	var noImage *ecrtypes.ImageNotFoundException
	if errors.As(err, &noImage) || err == nil && len(out.ImageDetails) == 0 {
		return nil, failed(types.FailureTypeRevisionUnavailable, "The image with tag '%s' does not exist in the Amazon ECR repository %s.", tag, repository)
	}
	if err != nil {
		return nil, absent(err, "ECR")
	}
	d, err := imageDetailOf(ctx, client, &out.ImageDetails[0], repository)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", imageDetailFile, err)
	}
	if err := j.writeArtifact(ctx, j.record.Outputs[0], imageDetailFile, text); err != nil {
		return nil, &foundError{d.ImageDigest, err}
	}
	return &outcome{
		summary: d.ImageDigest,
		revision: &revision{
			ID: d.ImageDigest, URL: consoleURL(j.caller.Region, "ecr/home?region="+j.caller.Region+"#/repositories/"+repository),
		},
		variables: map[string]string{
			"RegistryId": d.RegistryID, "RepositoryName": repository, "ImageTag": tag, "ImageDigest": d.ImageDigest, "ImageURI": d.ImageURI,
		},
	}, nil
}

// imageDetailOf tells of an image. Where its repository is pulled from, the
// repository knows.
func imageDetailOf(ctx context.Context, client *ecr.Client, i *ecrtypes.ImageDetail, repository string) (*imageDetail, error) {
	out, err := client.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RegistryId: i.RegistryId, RepositoryNames: []string{repository}})
	if err != nil {
		return nil, err
	}
	d := &imageDetail{
		ImageSizeInBytes: aws.ToInt64(i.ImageSizeInBytes), ImageDigest: aws.ToString(i.ImageDigest), Version: "1.0",
		RegistryID: aws.ToString(i.RegistryId), RepositoryName: repository, ImageTags: i.ImageTags,
	}
	if i.ImagePushedAt != nil {
		d.ImagePushedAt = i.ImagePushedAt.UTC().Format("Mon Jan 2 15:04:05 MST 2006")
	}
	d.ImageURI = aws.ToString(out.Repositories[0].RepositoryUri) + "@" + d.ImageDigest
	return d, nil
}
