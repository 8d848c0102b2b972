package library_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/library"
	"ouro/template"
)

const connection = "arn:aws:codeconnections:us-east-1:000000000000:connection/11111111-2222-3333-4444-555555555555"

// TestPipelines creates both pipelines with every kind of source.
func TestPipelines(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	if _, err := secretsmanager.NewFromConfig(a.config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("github"), SecretString: aws.String(`{"token": "0123456789abcdef", "webhook": "fedcba9876543210"}`),
	}); err != nil {
		t.Fatal(err)
	}
	sources := map[string]values{
		"connection": {"SourceProvider": "Connection", "ConnectionArn": connection, "SourceOwner": "group/team", "SourceRepository": "site"},
		"codecommit": {"SourceProvider": "CodeCommit", "SourceRepository": "site"},
		"github":     {"SourceProvider": "GitHub", "SourceOwner": "octo", "SourceRepository": "site", "SourceTokenSecret": "github"},
		"s3":         {"SourceProvider": "S3", "SourceRepository": "sources", "SourceBranch": "octo/site/main/site.zip", "SelfDeployPipeline": "False"},
	}
	for source, given := range sources {
		given = given.with(values{"PipelineTemplateConfigurationPath": "pipeline.dev.json"})
		site := "site-" + source
		a.deploy(t, site+"-Pipeline", "pipeline/pipeline.yaml", given.with(values{"ProjectName": site, "SiteConfigurationPath": "site.dev.json"}))
		image := "image-" + source
		a.deploy(t, image+"-Pipeline", "pipeline/docker-image.yaml", given.with(values{
			"ProjectName": image, "RepositoryName": "dev/app", "AppConfigurationPath": "app.dev.json", "Approval": "True",
			"UpstreamRepositoryArn": "arn:aws:ecr:eu-west-1:111111111111:repository/dev/app",
		}))
	}
}

// TestPathFilters: the local cloud has no triggers with filters, so that what
// AWS would be told is looked at.
func TestPathFilters(t *testing.T) {
	t.Parallel()
	tpl, err := library.Open("pipeline/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := tpl.Parsed.ResolveParameters(values{
		"ProjectName": "site", "SourceProvider": "Connection", "ConnectionArn": connection, "SourceOwner": "octo", "SourceRepository": "site",
		"SourcePaths": "site/**,pipeline.yaml", "PipelineTemplateConfigurationPath": "p.json", "SiteConfigurationPath": "s.json",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env := &template.Env{Parameters: parameters}
	if env.Conditions, err = tpl.Parsed.EvalConditions(env); err != nil {
		t.Fatal(err)
	}
	pipeline, _ := tpl.Parsed.Resource("Pipeline")
	got, err := tpl.Parsed.Eval(pipeline.Properties.Get("Triggers"), env)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got) // maps, lists and texts
	want := `[{"GitConfiguration":{"Push":[{"Branches":{"Includes":["main"]},"FilePaths":{"Includes":["site/**","pipeline.yaml"]}}],"SourceActionName":"Source"},"ProviderType":"CodeStarSourceConnection"}]`
	if string(text) != want {
		t.Errorf("got %s", text)
	}
}
