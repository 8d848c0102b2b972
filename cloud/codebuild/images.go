package codebuild

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// curated are images that CodeBuild offers
// (https://docs.aws.amazon.com/codebuild/latest/userguide/available-images.html),
// by platform.
var curated = []struct {
	platform types.PlatformType
	images   map[string]string // name: description
}{
	{types.PlatformTypeAmazonLinux, map[string]string{
		"aws/codebuild/amazonlinux-x86_64-standard:5.0":  "AWS CodeBuild - Amazon Linux 2023, x86_64",
		"aws/codebuild/amazonlinux-aarch64-standard:3.0": "AWS CodeBuild - Amazon Linux 2023, aarch64",
	}},
	{types.PlatformTypeUbuntu, map[string]string{
		"aws/codebuild/standard:7.0": "AWS CodeBuild - Ubuntu 22.04",
	}},
}

// ListCuratedEnvironmentImages gives names that projects of AWS use. Builds
// here run with the programs of this machine, whatever the image's name.
func (s *Service) ListCuratedEnvironmentImages(context.Context, *api.ListCuratedEnvironmentImagesInput) (*api.ListCuratedEnvironmentImagesOutput, error) {
	out := &api.ListCuratedEnvironmentImagesOutput{}
	for _, p := range curated {
		language := types.EnvironmentLanguage{Language: types.LanguageTypeBase}
		for _, name := range sortedKeys(p.images) {
			language.Images = append(language.Images, types.EnvironmentImage{Name: aws.String(name), Description: aws.String(p.images[name]), Versions: []string{name}})
		}
		out.Platforms = append(out.Platforms, types.EnvironmentPlatform{Platform: p.platform, Languages: []types.EnvironmentLanguage{language}})
	}
	return out, nil
}
