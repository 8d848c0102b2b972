package codebuild

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// curated are the images that CodeBuild offers, by platform
// (https://docs.aws.amazon.com/codebuild/latest/userguide/ec2-compute-images.html).
var curated = []struct {
	platform types.PlatformType
	images   []struct{ name, description string }
}{
	{types.PlatformTypeAmazonLinux, []struct{ name, description string }{
		{"aws/codebuild/amazonlinux-aarch64-standard:2.0", "AWS CodeBuild - Docker image based on Amazon Linux 2 (aarch64) with multiple language support"},
		{"aws/codebuild/amazonlinux-aarch64-standard:3.0", "AWS CodeBuild - Docker image based on Amazon Linux 2023 (aarch64) with multiple language support"},
		{"aws/codebuild/amazonlinux-x86_64-standard:4.0", "AWS CodeBuild - Docker image based on Amazon Linux 2 (x86_64) with multiple language support"},
		{"aws/codebuild/amazonlinux-x86_64-standard:5.0", "AWS CodeBuild - Docker image based on Amazon Linux 2023 (x86_64) with multiple language support"},
		{"aws/codebuild/amazonlinux-x86_64-standard:corretto11", "AWS CodeBuild - Docker image based on Amazon Linux 2 (x86_64) with Amazon Corretto 11"},
		{"aws/codebuild/amazonlinux-x86_64-standard:corretto8", "AWS CodeBuild - Docker image based on Amazon Linux 2 (x86_64) with Amazon Corretto 8"},
	}},
	{types.PlatformTypeUbuntu, []struct{ name, description string }{
		{"aws/codebuild/standard:5.0", "AWS CodeBuild - Docker image based on Ubuntu 20.04 with multiple language support"},
		{"aws/codebuild/standard:6.0", "AWS CodeBuild - Docker image based on Ubuntu 22.04 with multiple language support"},
		{"aws/codebuild/standard:7.0", "AWS CodeBuild - Docker image based on Ubuntu 22.04 with multiple language support"},
	}},
	{types.PlatformTypeWindowsServer, []struct{ name, description string }{
		{"aws/codebuild/windows-base:2019-1.0", "AWS CodeBuild - Docker image based on Windows Server Core 2019"},
		{"aws/codebuild/windows-base:2019-2.0", "AWS CodeBuild - Docker image based on Windows Server Core 2019"},
		{"aws/codebuild/windows-base:2019-3.0", "AWS CodeBuild - Docker image based on Windows Server Core 2019"},
		{"aws/codebuild/windows-base:2022-1.0", "AWS CodeBuild - Docker image based on Windows Server Core 2022"},
	}},
}

// ListCuratedEnvironmentImages gives names that projects of AWS use. Whether a
// build runs in the image is another matter: see [Options].
func (s *Service) ListCuratedEnvironmentImages(context.Context, *api.ListCuratedEnvironmentImagesInput) (*api.ListCuratedEnvironmentImagesOutput, error) {
	out := &api.ListCuratedEnvironmentImagesOutput{}
	for _, p := range curated {
		language := types.EnvironmentLanguage{Language: types.LanguageTypeBase}
		for _, image := range p.images {
			language.Images = append(language.Images, types.EnvironmentImage{
				Name: aws.String(image.name), Description: aws.String(image.description), Versions: []string{image.name},
			})
		}
		out.Platforms = append(out.Platforms, types.EnvironmentPlatform{Platform: p.platform, Languages: []types.EnvironmentLanguage{language}})
	}
	return out, nil
}
