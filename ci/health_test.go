package ci_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"ouro/ci"
	"ouro/cloud/cloudtest"
)

func TestHealthOnTheLocalCloud(t *testing.T) {
	t.Parallel()
	cfg := cloudtest.New(t).Config
	secrets, builds := secretsmanager.NewFromConfig(cfg), codebuild.NewFromConfig(cfg)
	for name, text := range map[string]string{"whole": `{"User": "u", "AccessToken": "hidden"}`, "half": `{"User": "u", "AccessToken": ""}`, "plain": "hidden"} {
		if _, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &text}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"whole": "ok with User, AccessToken", "half": "failed no text at AccessToken", "plain": "failed it is no JSON object", "none": "failed it is not there",
	} {
		c := ci.RegistrySecret(name).Check(t.Context(), secrets)
		if got := c.Outcome + " " + c.Detail; got != want || (c.Outcome == ci.Failed) != (c.Fix != "") || strings.Contains(fmt.Sprint(c), "hidden") {
			t.Errorf("%s: %+v, want %s", name, c, want)
		}
	}
	if c := ci.SourceCredentials(t.Context(), builds, "GITHUB"); c.Outcome != ci.Failed || c.Fix != "ouro credentials deploy --server-type GITHUB" {
		t.Errorf("%+v", c)
	}
	_, err := builds.ImportSourceCredentials(t.Context(), &codebuild.ImportSourceCredentialsInput{
		ServerType: cbtypes.ServerTypeGithub, AuthType: cbtypes.AuthTypePersonalAccessToken, Token: aws.String("hidden"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := ci.SourceCredentials(t.Context(), builds, "GITHUB"); c.Outcome != ci.OK || c.Detail != "GITHUB by PERSONAL_ACCESS_TOKEN" {
		t.Errorf("%+v", c)
	}
	quotas := ci.Quotas{API: servicequotas.NewFromConfig(cfg), Stacks: cloudformation.NewFromConfig(cfg), Foreign: true, Compute: ci.StandardCompute}
	for _, c := range quotas.Check(t.Context()) {
		if c.Outcome != ci.Skipped || c.Detail != "the endpoint has no Service Quotas" {
			t.Errorf("%+v", c)
		}
	}
}

// quotas are those of an account that has them, by their names.
type quotas map[string]float64

func (q quotas) ListServiceQuotas(context.Context, *servicequotas.ListServiceQuotasInput, ...func(*servicequotas.Options)) (*servicequotas.ListServiceQuotasOutput, error) {
	out := &servicequotas.ListServiceQuotasOutput{}
	for name, value := range q {
		out.Quotas = append(out.Quotas, types.ServiceQuota{QuotaName: &name, Value: &value})
	}
	return out, nil
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	stacks := cloudformation.NewFromConfig(cloudtest.New(t).Config)
	const builds = "Concurrently running builds for Linux/Medium environment"
	for name, test := range map[string]struct {
		quotas quotas
		want   string
	}{
		"enough": {quotas{"Stack count": 2000, builds: 20}, "ok 0 of 2000, ok 20 on Linux/Medium"},
		"one":    {quotas{"Stack count": 2000, builds: 1}, "ok 0 of 2000, warning 1 on Linux/Medium"},
		"none":   {quotas{"Stack count": 0, builds: 0}, "failed 0 of 0, failed 0 on Linux/Medium"},
		"other":  {quotas{}, "skipped Service Quotas has none called Stack count, skipped Service Quotas has none called " + builds},
	} {
		var got []string
		for _, c := range (ci.Quotas{API: test.quotas, Stacks: stacks, Compute: "BUILD_GENERAL1_MEDIUM", Region: "us-east-1"}).Check(t.Context()) {
			got = append(got, c.Outcome+" "+c.Detail)
			if bad := c.Outcome == ci.Failed || c.Outcome == ci.Warning; bad != strings.Contains(c.Fix, "https://us-east-1.console.aws.amazon.com/servicequotas/") {
				t.Errorf("%s: fix %q", name, c.Fix)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
