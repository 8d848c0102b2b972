package pipeline

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Clients are the services that a pipeline is brought up with.
type Clients struct {
	Region     string
	Stacks     *cloudformation.Client
	Pipelines  *codepipeline.Client
	Builds     *codebuild.Client
	Logs       *cloudwatchlogs.Client
	Repos      *codecommit.Client
	Buckets    *s3.Client
	Secrets    *secretsmanager.Client
	Identities *sts.Client
	Roles      *iam.Client
}

// NewClients makes the clients of one endpoint, account and region.
func NewClients(cfg aws.Config) *Clients {
	return &Clients{
		Region:     cfg.Region,
		Stacks:     cloudformation.NewFromConfig(cfg),
		Pipelines:  codepipeline.NewFromConfig(cfg),
		Builds:     codebuild.NewFromConfig(cfg),
		Logs:       cloudwatchlogs.NewFromConfig(cfg),
		Repos:      codecommit.NewFromConfig(cfg),
		Buckets:    NewBuckets(cfg),
		Secrets:    secretsmanager.NewFromConfig(cfg),
		Identities: sts.NewFromConfig(cfg),
		Roles:      iam.NewFromConfig(cfg),
	}
}

// NewBuckets makes the client of S3. An endpoint of its own is asked in path
// style, as the AWS CLI does: names such as BUCKET.localhost resolve in few
// places.
func NewBuckets(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

// in is the clients of another region, for actions that act there.
func (c *Clients) in(region string) *Clients {
	if region == "" || region == c.Region {
		return c
	}
	other := *c
	other.Region = region
	other.Stacks = cloudformation.New(c.Stacks.Options(), func(o *cloudformation.Options) { o.Region = region })
	other.Builds = codebuild.New(c.Builds.Options(), func(o *codebuild.Options) { o.Region = region })
	other.Logs = cloudwatchlogs.New(c.Logs.Options(), func(o *cloudwatchlogs.Options) { o.Region = region })
	return &other
}
