package library_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ouro/buildspec"
	"ouro/library"
	"ouro/spec"
	"ouro/template"
	"ouro/validate"
)

func names() []string {
	var out []string
	for _, t := range library.Templates() {
		out = append(out, t.Name)
	}
	return out
}

// exported is the whole library as files.
func exported(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := library.Export(dir, names()...); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNoFindings(t *testing.T) {
	t.Parallel()
	report, err := validate.Files(context.Background(), []string{exported(t)})
	if err != nil {
		t.Fatal(err)
	}
	if report.Templates != len(names()) {
		t.Errorf("%d templates were checked, of %d", report.Templates, len(names()))
	}
	for _, f := range report.Findings {
		t.Errorf("%s: %s (%s)", f.Pos, f.Message, f.ID)
	}
}

func TestCfnLint(t *testing.T) {
	t.Parallel()
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed")
	}
	c := exec.Command(lint, names()...)
	c.Dir = exported(t)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}

func TestExportWritesWhatIsNested(t *testing.T) {
	t.Parallel()
	whole, err := library.Export(t.TempDir(), "autoscaling/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tpl := range whole {
		got = append(got, tpl.Name)
	}
	want := []string{"autoscaling/app.yaml", "autoscaling/group.yaml", "load-balancer/target-group.yaml", "logs/group.yaml"}
	if !slices.Equal(got, want) {
		t.Errorf("wrote %v, want %v", got, want)
	}
}

// TestParametersAreBounded: somebody who fills a form in is told what each
// field means, and at once when a value makes no sense. AWS itself checks
// parameters of its own types.
func TestParametersAreBounded(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		for _, p := range tpl.Parsed.Parameters() {
			bounded := len(p.AllowedValues) > 0 || p.AllowedPattern != "" || (p.MinValue != "" && p.MaxValue != "") || strings.Contains(p.Type, "AWS::")
			if p.Description == "" || !bounded {
				t.Errorf("%s: parameter %s needs a description, and values or a pattern that are allowed", p.Pos, p.Name)
			}
		}
	}
}

func TestOutputsAreExported(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		if len(tpl.Parsed.Outputs()) == 0 || tpl.Description == "" {
			t.Errorf("%s needs a description and outputs", tpl.Name)
		}
		for _, o := range tpl.Parsed.Outputs() {
			_, name := o.Export.Function()
			if o.Description == "" || name.Scalar() != "${AWS::StackName}-"+o.Name {
				t.Errorf("%s: output %s needs a description, and an export called after the stack and itself", o.Pos, o.Name)
			}
		}
	}
}

// TestEverythingIsTagged that can be.
func TestEverythingIsTagged(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		for _, r := range tpl.Parsed.Resources() {
			kind, ok := spec.Lookup(r.Type)
			if strings.HasPrefix(r.Type, "Custom::") {
				continue
			}
			if !ok {
				t.Errorf("%s: there is no type %s", r.Pos, r.Type)
				continue
			}
			for _, key := range []string{"Tags", "HostedZoneTags"} {
				if spec.Find(kind.Properties, key) != nil && r.Properties.Get(key) == nil && !untagged[r.Type] {
					t.Errorf("%s: %s needs %s", r.Pos, r.LogicalID, key)
				}
			}
		}
	}
}

// untagged are types whose tags are too new for cfn-lint, and one whose tags, a
// map, moto takes for a list. The stack's own tags reach them all the same.
var untagged = map[string]bool{
	"AWS::SSM::Parameter":                         true,
	"AWS::ApplicationAutoScaling::ScalableTarget": true, "AWS::ElasticLoadBalancingV2::Listener": true,
	"AWS::CodePipeline::Webhook": true, "AWS::ElasticLoadBalancingV2::ListenerRule": true,
}

// forbidden are words that a template of the library has no use for: rights
// without end, and types, runtimes and images that AWS has given up.
var forbidden = regexp.MustCompile(`(?i)AdministratorAccess|PowerUserAccess|Action: ["']?\*|- ["']?\*["']?$|Principal: ["']\*|NotAction` +
	`|LaunchConfiguration|AWS::ElasticLoadBalancing::|AWS::CodeStar|AWS::OpsWorks|AWS::EC2::SpotFleet|PollForSourceChanges: "?true|SSEAlgorithm: none` +
	`|amzn2?-ami|Runtime: (python2|python3\.\d\b|nodejs\d\b|nodejs1|go1|ruby2|java8\b|dotnetcore)|aws/codebuild/(standard|amazonlinux2)|VolumeType: (gp2|standard)|HttpTokens: optional`)

func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		for _, r := range tpl.Parsed.Resources() {
			for _, s := range statements(r.Node) {
				allows := s.Get("Effect").Scalar() == "Allow"
				for _, action := range list(s.Get("Action")) {
					if action.Text == "*" || allows && strings.HasSuffix(action.Text, ":*") && tpl.Name != "iam/boundary.yaml" {
						t.Errorf("%s: %s allows %s", s.Pos, r.LogicalID, action.Text)
					}
				}
				if s.Get("Sid").Scalar() == "" || s.Get("NotAction") != nil || allows && s.Get("Principal").Scalar() == "*" {
					t.Errorf("%s: a statement of %s has no name, or is open", s.Pos, r.LogicalID)
				}
			}
		}
		for i, line := range strings.Split(string(tpl.Body), "\n") {
			if old := forbidden.FindString(line); old != "" && !strings.Contains(line, `Principal: "*"`) {
				t.Errorf("%s:%d: %s has no place here", tpl.Name, i+1, old)
			}
		}
	}
}

// statements are all policy statements below n.
func statements(n *template.Node) []*template.Node {
	if n == nil {
		return nil
	}
	var out []*template.Node
	if n.Get("Effect") != nil {
		out = append(out, n)
	}
	for _, item := range n.Items {
		out = append(out, statements(item)...)
	}
	return out
}

func list(n *template.Node) []*template.Node {
	if n != nil && n.Kind == template.List {
		return n.Items
	}
	return []*template.Node{n}
}

// TestBucketsAreClosed: encrypted, private, over TLS, and forgetting.
func TestBucketsAreClosed(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		for _, r := range tpl.Parsed.Resources() {
			wanted := map[string][]string{
				"AWS::S3::Bucket":     {"BucketEncryption", "PublicAccessBlockConfiguration", "OwnershipControls", "LifecycleConfiguration", "VersioningConfiguration"},
				"AWS::Logs::LogGroup": {"RetentionInDays"},
			}[r.Type]
			for _, property := range wanted {
				if r.Properties.Get(property) == nil {
					t.Errorf("%s: %s needs %s", r.Pos, r.LogicalID, property)
				}
			}
			if r.Type == "AWS::S3::Bucket" && !strings.Contains(string(tpl.Body), "aws:SecureTransport") {
				t.Errorf("%s: %s needs a policy that wants TLS", r.Pos, r.LogicalID)
			}
		}
	}
}

// TestInOneRequest: a pipeline's template can be sent as a body.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
func TestInOneRequest(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		if len(tpl.Body) > 51_200 {
			t.Errorf("%s has %d bytes; a request takes 51,200", tpl.Name, len(tpl.Body))
		}
		if strings.Contains(filepath.ToSlash(tpl.Name), "pipeline/") && len(tpl.Nests) > 0 {
			t.Errorf("%s nests others, which its own source has no way to publish", tpl.Name)
		}
	}
}

// TestBuildspecs: those that templates carry can be read.
func TestBuildspecs(t *testing.T) {
	t.Parallel()
	found := 0
	for _, tpl := range library.Templates() {
		for _, r := range tpl.Parsed.Resources() {
			text := r.Properties.Get("Source").Get("BuildSpec").Scalar()
			if r.Type != "AWS::CodeBuild::Project" || text == "" {
				continue
			}
			found++
			if _, err := buildspec.Parse(tpl.Name+" "+r.LogicalID, []byte(text)); err != nil {
				t.Error(err)
			}
		}
	}
	if found < 3 {
		t.Errorf("%d buildspecs were found", found)
	}
}
