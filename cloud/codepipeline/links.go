package codepipeline

import (
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// The URLs in a pipeline's state lead to AWS's web console, in the form that
// AWS gives them. Clients read them; the local cloud's own page does not follow
// their form.

func consoleURL(region, path string) string {
	return "https://" + region + ".console.aws.amazon.com/" + path
}

// entityURL is the page of what an action works on.
func entityURL(region string, decl types.ActionDeclaration) string {
	c := decl.Configuration
	switch aws.ToString(decl.ActionTypeId.Provider) {
	case "CodeCommit":
		return consoleURL(region, "codecommit/home?region="+region+"#/repository/"+c["RepositoryName"]+"/browse/"+c["BranchName"]+"/--/")
	case "S3":
		return consoleURL(region, "s3/home?region="+region+"#")
	case "CodeBuild":
		return consoleURL(region, "codebuild/home?region="+region+"#/projects/"+c["ProjectName"]+"/view")
	case "CloudFormation":
		return consoleURL(region, "cloudformation/home?region="+region+"#/")
	}
	return ""
}

func commitURL(region, repository, commit string) string {
	return consoleURL(region, "codecommit/home?region="+region+"#/repository/"+repository+"/commit/"+commit)
}

func buildURL(region, build string) string {
	return consoleURL(region, "codebuild/home?region="+region+"#/builds/"+strings.ReplaceAll(url.PathEscape(build), ":", "%3A")+"/view/new")
}

func batchURL(region, batch string) string {
	return consoleURL(region, "codebuild/home?region="+region+"#/batches/"+strings.ReplaceAll(url.PathEscape(batch), ":", "%3A")+"/view/new")
}

func stackURL(region, stack string) string {
	return consoleURL(region, "cloudformation/home?region="+region+"#/stack/detail?stackId="+url.QueryEscape(stack))
}
