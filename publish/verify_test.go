package publish_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"ouro/publish"
)

// judge answers ValidateTemplate: what holds a text gets the error.
type judge struct {
	mu      sync.Mutex
	asked   []string // bodies and URLs
	refuses map[string]error
}

func (j *judge) ValidateTemplate(ctx context.Context, in *cloudformation.ValidateTemplateInput, _ ...func(*cloudformation.Options)) (*cloudformation.ValidateTemplateOutput, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	what := aws.ToString(in.TemplateBody) + aws.ToString(in.TemplateURL)
	j.asked = append(j.asked, what)
	for text, err := range j.refuses {
		if strings.Contains(what, text) {
			return nil, err
		}
	}
	return &cloudformation.ValidateTemplateOutput{}, ctx.Err()
}

// asks tells which templates were asked about, by the words that they hold.
func (j *judge) asks(words ...string) (out []string) {
	for _, word := range words {
		if slices.ContainsFunc(j.asked, func(what string) bool { return strings.Contains(what, word) }) {
			out = append(out, word)
		}
	}
	return out
}

func refusalOf(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

// partsTree is a project with one template of each kind.
func partsTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	site := "Resources:\n"
	for i, part := range []struct{ name, body string }{
		{"plain", "Resources: {plain: {Type: AWS::SNS::Topic}, custom: {Type: Custom::Thing, Properties: {ServiceToken: x}}}"},
		{"sam", "Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions]\nResources: {sam: {Type: AWS::SNS::Topic}}"},
		{"include", "Resources: {include: {Type: AWS::SNS::Topic, Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}}}}"},
		{"third", "Resources: {third: {Type: Example::Testing::WordPress}}"},
		{"module", "Resources: {module: {Type: Example::S3::Bucket::MODULE}}"},
		{"macro", "Transform: Mine\nResources: {macro: {Type: AWS::SNS::Topic}}"},
		{"snippet", "Resources: {snippet: {Type: AWS::SNS::Topic, Properties: {Tags: [{Fn::Transform: {Name: Mine}}]}}}"},
		{"deep", "Resources: {deep: {Type: Example::Testing::WordPress}}"},
		{"large", "Metadata: {big: " + strings.Repeat("x", 60_000) + "}\nResources: {large: {Type: Example::Testing::WordPress}}"},
	} {
		write(t, root, "parts/"+part.name+".yaml", part.body)
		if part.name == "deep" {
			continue // below the group
		}
		site += fmt.Sprintf("  P%d: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: parts/%s.yaml}}\n", i, part.name)
	}
	write(t, root, "parts/group.yaml", "Resources:\n  G: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: deep.yaml}}\n")
	write(t, root, "site.yaml", site+"  PG: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: parts/group.yaml}}\n")
	return root
}

func TestVerifyAsksOnlyAboutWhatItMust(t *testing.T) {
	t.Parallel()
	plan, name := planOf(t, partsTree(t)), filepath.Join(t.TempDir(), "checked")
	words := []string{"plain", "sam", "include", "third", "module", "macro", "snippet", "deep", "large"}
	for _, c := range []struct {
		sent bool
		want []string
	}{
		{false, []string{"third", "module", "macro", "snippet", "deep"}}, {true, []string{"large"}},
		{false, nil}, {true, nil}, // remembered
	} {
		j, known := &judge{}, publish.OpenKnown(name)
		problems, err := publish.Verify(t.Context(), j, plan, known, c.sent)
		if err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
		if got := j.asks(words...); !slices.Equal(got, c.want) {
			t.Errorf("sent %t: asked about %v, want %v", c.sent, got, c.want)
		}
		if c.sent && len(j.asked) == 1 && !strings.HasPrefix(j.asked[0], "https://bucket.s3.eu-west-1.amazonaws.com/parts/large.yaml/") {
			t.Errorf("the large one is asked about by %.80s", j.asked[0])
		}
		if err := known.Save(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyTellsOfRefusals(t *testing.T) {
	t.Parallel()
	plan := planOf(t, partsTree(t))
	unrecognised := refusalOf("ValidationError", "Template format error: Unrecognized resource types: [Example::Testing::WordPress]")
	for _, c := range []struct {
		name    string
		refuses map[string]error
		sent    bool
		want    string // the only problem, or
		failure string
	}{
		{"refused", map[string]error{"deep": unrecognised}, false,
			"parts/deep.yaml: error: CloudFormation refuses it: Template format error: Unrecognized resource types: [Example::Testing::WordPress] (cloudformation), referred to by site.yaml:10:68 -> parts/group.yaml:2:67", ""},
		{"unreadable", map[string]error{"large": refusalOf("ValidationError", "S3 error: Access Denied")}, true,
			"parts/large.yaml: warning: CloudFormation could not read it: S3 error: Access Denied (cloudformation), referred to by site.yaml:9:68", ""},
		{"not allowed", map[string]error{"Resources": refusalOf("AccessDenied", "not authorized to perform: cloudformation:ValidateTemplate")}, false,
			"site.yaml: warning: CloudFormation could not be asked about types and macros: not authorized to perform: cloudformation:ValidateTemplate (cloudformation)", ""},
		{"throttled", map[string]error{"third": refusalOf("Throttling", "Rate exceeded")}, false,
			"", `ask CloudFormation about "parts/third.yaml": api error Throttling: Rate exceeded`},
		{"unreachable", map[string]error{"macro": errors.New("no route to host")}, false,
			"", `ask CloudFormation about "parts/macro.yaml": no route to host`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			problems, err := publish.Verify(t.Context(), &judge{refuses: c.refuses}, plan, nil, c.sent)
			switch {
			case c.failure != "":
				if err == nil || err.Error() != c.failure {
					t.Errorf("%v, want %s", err, c.failure)
				}
			case err != nil || len(problems) != 1 || problems[0].Finding() != c.want:
				t.Errorf("%v, %v, want %s", problems, err, c.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := publish.Verify(ctx, &judge{}, plan, nil, false); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
