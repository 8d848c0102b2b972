package codedeploy_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	s3api "github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
	"ouro/cloud/codedeploy"
)

// TestMain serves a folder instead of running tests when a hook of a
// deployment says so: it is the web server that the tests deploy. And it is a
// cloud that a test kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(victimState); dir != "" {
		beVictim(dir)
	}
	if dir := os.Getenv("SERVE_FOLDER"); dir != "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			err = os.WriteFile(os.Getenv("SERVE_ADDRESS"), []byte(l.Addr().String()), 0o644)
		}
		if err == nil {
			err = http.Serve(l, http.FileServer(http.Dir(dir)))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const role = "arn:aws:iam::000000000000:role/deploy"

// fleet is a cloud with an application, a group and instances.
type fleet struct {
	*cloudtest.Cloud
	t      testing.TB
	deploy *api.Client
	s3     *s3api.Client
}

func newFleet(t testing.TB, dir string, instances ...string) *fleet {
	t.Helper()
	c := cloudtest.StartWith(t, cloud.Options{Dir: dir, CodeDeploy: codedeploy.Options{Second: 100 * time.Millisecond, Minute: 20 * time.Millisecond}})
	f := &fleet{Cloud: c, t: t}
	f.provide(instances...)
	return f
}

// provide makes what a fleet has, if it is not there.
func (f *fleet) provide(instances ...string) {
	t, ctx := f.t, f.t.Context()
	t.Helper()
	f.deploy, f.s3 = api.NewFromConfig(f.Config), s3api.NewFromConfig(f.Config, func(o *s3api.Options) { o.UsePathStyle = true })
	if _, err := f.deploy.GetApplication(ctx, &api.GetApplicationInput{ApplicationName: aws.String("site")}); err == nil {
		return
	}
	must(t)(f.s3.CreateBucket(ctx, &s3api.CreateBucketInput{Bucket: aws.String("revisions")}))
	must(t)(f.deploy.CreateApplication(ctx, &api.CreateApplicationInput{ApplicationName: aws.String("site")}))
	for _, name := range instances {
		must(t)(f.deploy.RegisterOnPremisesInstance(ctx, &api.RegisterOnPremisesInstanceInput{InstanceName: &name, IamUserArn: aws.String("arn:aws:iam::000000000000:user/" + name)}))
	}
	if len(instances) > 0 {
		must(t)(f.deploy.AddTagsToOnPremisesInstances(ctx, &api.AddTagsToOnPremisesInstancesInput{InstanceNames: instances, Tags: []types.Tag{{Key: aws.String("tier"), Value: aws.String("web")}}}))
	}
	must(t)(f.deploy.CreateDeploymentGroup(ctx, &api.CreateDeploymentGroupInput{
		ApplicationName: aws.String("site"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String(role),
		OnPremisesInstanceTagFilters: []types.TagFilter{{Key: aws.String("tier"), Value: aws.String("web"), Type: types.TagFilterTypeKeyAndValue}},
	}))
}

// must ends the test on an error, and has no use for the answer.
func must(t testing.TB) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fleet) root(name string) string {
	return filepath.Join(f.Dir, "instances", "000000000000", "us-east-1", name)
}

// zipped is a zip of files; what begins with #! is executable.
func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasPrefix(text, "#!") {
			h.SetMode(0o755)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (f *fleet) put(key string, files map[string]string) *types.RevisionLocation {
	f.t.Helper()
	must(f.t)(f.s3.PutObject(f.t.Context(), &s3api.PutObjectInput{Bucket: aws.String("revisions"), Key: &key, Body: bytes.NewReader(zipped(f.t, files))}))
	return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &types.S3Location{Bucket: aws.String("revisions"), Key: &key, BundleType: types.BundleTypeZip}}
}

func (f *fleet) create(in *api.CreateDeploymentInput) string {
	f.t.Helper()
	in.ApplicationName = aws.String("site")
	if in.DeploymentGroupName == nil {
		in.DeploymentGroupName = aws.String("web")
	}
	out, err := f.deploy.CreateDeployment(f.t.Context(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.DeploymentId
}

// until waits for a deployment's state.
func (f *fleet) until(id string, is func(*types.DeploymentInfo) bool) *types.DeploymentInfo {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		out, err := f.deploy.GetDeployment(context.Background(), &api.GetDeploymentInput{DeploymentId: &id})
		if err != nil {
			f.t.Fatal(err)
		}
		if is(out.DeploymentInfo) {
			return out.DeploymentInfo
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("deployment %s is %s after a minute", id, out.DeploymentInfo.Status)
		}
	}
}

func over(d *types.DeploymentInfo) bool { return d.CompleteTime != nil }

// events are a target's events as NAME:STATUS.
func (f *fleet) events(id, name string) (string, types.InstanceTarget) {
	f.t.Helper()
	out, err := f.deploy.GetDeploymentTarget(f.t.Context(), &api.GetDeploymentTargetInput{DeploymentId: &id, TargetId: &name})
	if err != nil {
		f.t.Fatal(err)
	}
	var words []string
	for _, e := range out.DeploymentTarget.InstanceTarget.LifecycleEvents {
		words = append(words, *e.LifecycleEventName+":"+string(e.Status))
	}
	return strings.Join(words, " "), *out.DeploymentTarget.InstanceTarget
}

const siteSpec = `version: 0.0
os: linux
files:
  - source: /page
    destination: /srv/site
permissions:
  - object: /srv/site
    pattern: "**"
    mode: 640
    type: [file]
hooks:
  ApplicationStop: [{location: scripts/stop.sh, timeout: 60}]
  ApplicationStart: [{location: scripts/start.sh, timeout: 60}]
  ValidateService: [{location: scripts/check.sh, timeout: 60}]
`

// site is a revision of the web server.
func site(t testing.TB, page, check string) map[string]string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"appspec.yml":     siteSpec,
		"page/index.html": page,
		"scripts/stop.sh": "#!/bin/sh\nkill $(cat run/pid)\nrm run/address\n",
		"scripts/start.sh": "#!/bin/sh\nmkdir -p run\nSERVE_FOLDER=srv/site SERVE_ADDRESS=run/address " + self + " >run/log 2>&1 </dev/null &\n" +
			"echo $! >run/pid\nwhile ! [ -s run/address ]; do sleep 0.01; done\n",
		"scripts/check.sh": check,
	}
}

func (f *fleet) page(name string) string {
	f.t.Helper()
	address, err := os.ReadFile(filepath.Join(f.root(name), "run", "address"))
	if err != nil {
		f.t.Fatal(err)
	}
	res, err := http.Get("http://" + string(address) + "/")
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// halt ends the web server of an instance, which outlives the cloud.
func (f *fleet) halt(name string) {
	text, err := os.ReadFile(filepath.Join(f.root(name), "run", "pid"))
	if err != nil {
		return
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// TestSite deploys a web server, upgrades it, and has a failing hook roll it
// back.
func TestSite(t *testing.T) {
	t.Parallel()
	f := newFleet(t, t.TempDir(), "one")
	defer f.close()
	defer f.halt("one")
	const fine = "#!/bin/sh\nexit 0\n"
	first := f.create(&api.CreateDeploymentInput{Revision: f.put("1.zip", site(t, "first", fine))})
	if d := f.until(first, over); d.Status != types.DeploymentStatusSucceeded || d.DeploymentOverview.Succeeded != 1 {
		_, target := f.events(first, "one")
		t.Fatalf("the first deployment: %s, %+v, %+v", d.Status, d.ErrorInformation, diagnostics(target))
	}
	if got := f.page("one"); got != "first" {
		t.Errorf("the page is %q", got)
	}
	if info, err := os.Stat(filepath.Join(f.root("one"), "srv", "site", "index.html")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the page's file: %v, %v", info, err)
	}
	second := f.create(&api.CreateDeploymentInput{Revision: f.put("2.zip", site(t, "second", fine))})
	if d := f.until(second, over); d.Status != types.DeploymentStatusSucceeded || *d.PreviousRevision.S3Location.Key != "1.zip" {
		_, target := f.events(second, "one")
		t.Fatalf("the second deployment: %+v, %+v", d, diagnostics(target))
	}
	if got := f.page("one"); got != "second" {
		t.Errorf("the page is %q", got)
	}
	third := f.create(&api.CreateDeploymentInput{
		Revision:                  f.put("3.zip", site(t, "third", "#!/bin/sh\necho \"$APPLICATION_NAME $DEPLOYMENT_GROUP_NAME $LIFECYCLE_EVENT\"\necho no >&2\nexit 3\n")),
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}},
	})
	d := f.until(third, func(d *types.DeploymentInfo) bool { return over(d) && d.RollbackInfo != nil })
	if d.Status != types.DeploymentStatusFailed || d.ErrorInformation.Code != types.ErrorCodeHealthConstraints || d.DeploymentOverview.Failed != 1 {
		t.Errorf("the third deployment: %s, %+v", d.Status, d.ErrorInformation)
	}
	words, target := f.events(third, "one")
	if want := "ApplicationStop:Succeeded DownloadBundle:Succeeded BeforeInstall:Succeeded Install:Succeeded AfterInstall:Succeeded ApplicationStart:Succeeded ValidateService:Failed"; words != want {
		t.Errorf("events are %s, want %s", words, want)
	}
	why := target.LifecycleEvents[6].Diagnostics
	tail := "LifecycleEvent - ValidateService\nScript - scripts/check.sh\n"
	if why.ErrorCode != types.LifecycleErrorCodeScriptFailed || *why.ScriptName != "scripts/check.sh" || !strings.HasPrefix(*why.LogTail, tail) ||
		*why.Message != "Script at specified location: scripts/check.sh failed with exit code 3" ||
		!strings.Contains(*why.LogTail, "[stdout]site web ValidateService\n") || !strings.Contains(*why.LogTail, "[stderr]no\n") {
		t.Errorf("diagnostics: %s, %s, %s", why.ErrorCode, *why.Message, *why.LogTail)
	}
	back := f.until(*d.RollbackInfo.RollbackDeploymentId, over)
	if back.Status != types.DeploymentStatusSucceeded || back.Creator != types.DeploymentCreatorCodeDeployRollback || *back.Revision.S3Location.Key != "2.zip" || *back.RollbackInfo.RollbackTriggeringDeploymentId != third {
		t.Errorf("the rollback: %+v", back)
	}
	if got := f.page("one"); got != "second" {
		t.Errorf("the page is %q after the rollback", got)
	}
	log, err := os.ReadFile(filepath.Join(f.root("one"), "opt/codedeploy-agent/deployment-root", must2(t)(f.groupID()), third, "logs/scripts.log"))
	if err != nil || !strings.Contains(string(log), "[stderr]no") {
		t.Errorf("the log: %v: %s", err, log)
	}
}

func must2(t testing.TB) func(string, error) string {
	return func(text string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

func (f *fleet) groupID() (string, error) {
	out, err := f.deploy.GetDeploymentGroup(f.t.Context(), &api.GetDeploymentGroupInput{ApplicationName: aws.String("site"), DeploymentGroupName: aws.String("web")})
	if err != nil {
		return "", err
	}
	return *out.DeploymentGroupInfo.DeploymentGroupId, nil
}

func diagnostics(t types.InstanceTarget) []string {
	var out []string
	for _, e := range t.LifecycleEvents {
		if e.Diagnostics != nil {
			out = append(out, *e.LifecycleEventName+": "+aws.ToString(e.Diagnostics.Message)+" "+aws.ToString(e.Diagnostics.LogTail))
		}
	}
	return out
}

func (f *fleet) close() {
	if err := f.Close(); err != nil {
		f.t.Error(err)
	}
}

// eventually waits until something holds.
func (f *fleet) eventually(what string, holds func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited for a minute: %s", what)
		}
	}
}
