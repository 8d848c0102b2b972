package function_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/library"
	"ouro/stack"
)

// serve serves a folder, and writes its address into a file: it is the web
// server that is deployed.
func serve(dir, address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = os.WriteFile(address, []byte(l.Addr().String()), 0o600)
	}
	if err == nil {
		err = http.Serve(l, http.FileServer(http.Dir(dir)))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// deployed is a world with an application of CodeDeploy on one machine of its
// own, and a bucket that other people's notifications are on.
type deployed struct {
	*world
	stacks *cloudformation.Client
	deploy *codedeploy.Client
}

func newDeployed(t *testing.T) *deployed {
	w := newWorld(t)
	d := &deployed{w, cloudformation.NewFromConfig(w.cloud.Config), codedeploy.NewFromConfig(w.cloud.Config)}
	for _, name := range []string{"code", "zips"} {
		w.bucket(name)
	}
	w.program("code", "function.zip")
	w.function("foreign", "s3.amazonaws.com")
	_, err := w.buckets.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("zips"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})
	if err == nil {
		_, err = w.buckets.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: aws.String("zips"), NotificationConfiguration: &s3types.NotificationConfiguration{
			EventBridgeConfiguration: &s3types.EventBridgeConfiguration{},
			LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{{Id: aws.String("theirs"), LambdaFunctionArn: aws.String("arn:aws:lambda:us-east-1:000000000000:function:foreign"),
				Events: []s3types.Event{"s3:ObjectRemoved:*"}}},
		}})
	}
	if err == nil {
		_, err = d.deploy.RegisterOnPremisesInstance(t.Context(), &codedeploy.RegisterOnPremisesInstanceInput{InstanceName: aws.String("one"), IamUserArn: aws.String("arn:aws:iam::000000000000:user/one")})
	}
	if err == nil {
		_, err = d.deploy.AddTagsToOnPremisesInstances(t.Context(), &codedeploy.AddTagsToOnPremisesInstancesInput{InstanceNames: []string{"one"}, Tags: []types.Tag{{Key: aws.String("tier"), Value: aws.String("web")}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	d.apply("app", "codedeploy/application.yaml", map[string]string{"EnvironmentName": "test", "Name": "site", "TagKey": "tier", "TagValue": "web"})
	return d
}

// apply creates or updates a stack of a template of the library.
func (d *deployed) apply(name, file string, parameters map[string]string) {
	d.Helper()
	tpl, err := library.Open(file)
	if err != nil {
		d.Fatal(err)
	}
	var list []cftypes.Parameter
	for k, v := range parameters {
		list = append(list, cftypes.Parameter{ParameterKey: &k, ParameterValue: &v})
	}
	capabilities := []cftypes.Capability{cftypes.CapabilityCapabilityIam}
	_, err = d.stacks.CreateStack(d.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(string(tpl.Body)), Parameters: list, Capabilities: capabilities})
	if errors.As(err, new(*cftypes.AlreadyExistsException)) {
		_, err = d.stacks.UpdateStack(d.Context(), &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: aws.String(string(tpl.Body)), Parameters: list, Capabilities: capabilities})
	}
	if err != nil {
		d.Fatal(err)
	}
	d.until("the stack "+name, func() bool {
		s, err := stack.Describe(d.Context(), d.stacks, name)
		if err != nil || s == nil {
			d.Fatal(name, err)
		}
		if strings.Contains(string(s.StackStatus), "ROLLBACK") {
			d.Fatalf("%s: %s: %s", name, s.StackStatus, aws.ToString(s.StackStatusReason))
		}
		return strings.HasSuffix(string(s.StackStatus), "_COMPLETE")
	})
}

func (d *deployed) until(what string, holds func() bool) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), time.Minute)
	defer cancel()
	for poll := stack.NewPoll(); !holds(); {
		if err := poll.Wait(ctx, true); err != nil {
			d.Fatalf("waiting for %s: %v", what, err)
		}
	}
}

func (d *deployed) root() string {
	return filepath.Join(d.cloud.Dir, "instances", "000000000000", "us-east-1", "one")
}

// site is a revision of the web server, whose last hook is check.
func (d *deployed) site(page, check string) []byte {
	d.Helper()
	self, err := os.Executable()
	if err != nil {
		d.Fatal(err)
	}
	return zipped(d.T, map[string]string{
		"appspec.yml":     "version: 0.0\nos: linux\nfiles: [{source: page, destination: /srv}]\nhooks:\n  ApplicationStop: [{location: stop}]\n  ApplicationStart: [{location: start}]\n  ValidateService: [{location: check}]\n",
		"page/index.html": page,
		"stop":            "#!/bin/sh\nkill $(cat pid)\nrm address\n",
		"start":           "#!/bin/sh\nSERVE_FOLDER=srv SERVE_ADDRESS=address " + self + " >log 2>&1 </dev/null &\necho $! >pid\nwhile ! [ -s address ]; do sleep 0.01; done\n",
		"check":           "#!/bin/sh\n" + check + "\n",
	})
}

// page is what the web server answers, "" for nothing.
func (d *deployed) page() string {
	address, err := os.ReadFile(filepath.Join(d.root(), "address"))
	if err != nil {
		return ""
	}
	res, err := http.Get("http://" + string(address) + "/")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// halt ends the web server.
func (d *deployed) halt() {
	text, err := os.ReadFile(filepath.Join(d.root(), "pid"))
	if err != nil {
		return
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// deployments are all deployments, the newest first.
func (d *deployed) deployments() []*types.DeploymentInfo {
	d.Helper()
	list, err := d.deploy.ListDeployments(context.Background(), &codedeploy.ListDeploymentsInput{})
	if err != nil {
		d.Fatal(err)
	}
	var all []*types.DeploymentInfo
	for _, id := range list.Deployments {
		got, err := d.deploy.GetDeployment(context.Background(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
		if err != nil {
			d.Fatal(err)
		}
		all = append(all, got.DeploymentInfo)
	}
	return all
}

// ends waits until there are n deployments and all of them are over.
func (d *deployed) ends(n int) []*types.DeploymentInfo {
	d.Helper()
	var all []*types.DeploymentInfo
	d.until(fmt.Sprintf("the end of deployment %d", n), func() bool {
		all = d.deployments()
		return len(all) >= n && !slices.ContainsFunc(all, func(i *types.DeploymentInfo) bool { return i.CompleteTime == nil })
	})
	if len(all) != n {
		d.Fatalf("there are %d deployments", len(all))
	}
	return all
}

// theirs tells whether the bucket still has the notification of others, and
// how many there are.
func (d *deployed) theirs() (there bool, n int) {
	d.Helper()
	out, err := d.buckets.GetBucketNotificationConfiguration(d.Context(), &s3.GetBucketNotificationConfigurationInput{Bucket: aws.String("zips")})
	if err != nil {
		d.Fatal(err)
	}
	all := out.LambdaFunctionConfigurations
	return out.EventBridgeConfiguration != nil && slices.ContainsFunc(all, func(c s3types.LambdaFunctionConfiguration) bool { return *c.Id == "theirs" }), len(all)
}

// TestBucketToMachine: a zip that comes into the bucket is deployed, by the
// stack of the library; the next one upgrades it, and one whose hook fails is
// taken back. Then the bucket itself tells of zips.
func TestBucketToMachine(t *testing.T) {
	t.Parallel()
	d := newDeployed(t)
	t.Cleanup(d.halt)
	trigger := map[string]string{
		"CodeBucket": "code", "CodeKey": "function.zip", "Architecture": string(architecture()),
		"ApplicationName": "test-site", "GroupName": "test", "BucketName": "zips", "Prefix": "acme/site/",
	}
	d.apply("trigger", "codedeploy/trigger.yaml", trigger)

	d.put("zips", "acme/site/notes.txt", []byte("no zip"))
	d.put("zips", "acme/other.zip", []byte("another prefix"))
	d.put("zips", "acme/site/main/site.zip", d.site("first", "exit 0"))
	if all := d.ends(1); all[0].Status != types.DeploymentStatusSucceeded || d.page() != "first" {
		t.Fatalf("%s, %+v: %q", all[0].Status, all[0].ErrorInformation, d.page())
	}
	d.put("zips", "acme/site/main/site.zip", d.site("second", "exit 0"))
	if all := d.ends(2); all[0].Status != types.DeploymentStatusSucceeded || d.page() != "second" {
		t.Fatalf("%s, %+v: %q", all[0].Status, all[0].ErrorInformation, d.page())
	}
	d.put("zips", "acme/site/main/site.zip", d.site("third", "exit 1"))
	d.until("the rollback", func() bool { return len(d.deployments()) == 4 })
	if all := d.ends(4); all[1].Status != types.DeploymentStatusFailed || all[0].Creator != types.DeploymentCreatorCodeDeployRollback || all[0].Status != types.DeploymentStatusSucceeded || d.page() != "second" {
		t.Fatalf("%s, then %s by %s: %q", all[1].Status, all[0].Status, all[0].Creator, d.page())
	}

	trigger["Notification"] = "S3"
	d.apply("trigger", "codedeploy/trigger.yaml", trigger)
	if there, n := d.theirs(); !there || n != 2 {
		t.Errorf("the bucket's own is there: %t, of %d", there, n)
	}
	d.put("zips", "acme/site/main/a site+.zip", d.site("fourth", "exit 0"))
	if all := d.ends(5); all[0].Status != types.DeploymentStatusSucceeded || d.page() != "fourth" {
		t.Fatalf("%s, %+v: %q", all[0].Status, all[0].ErrorInformation, d.page())
	}
	d.events(t)
	if _, err := d.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("trigger")}); err != nil {
		t.Fatal(err)
	}
	d.until("the stack is gone", func() bool {
		s, err := stack.Describe(t.Context(), d.stacks, "trigger")
		return err == nil && s == nil
	})
	if there, n := d.theirs(); !there || n != 1 {
		t.Errorf("after the deletion the bucket's own is there: %t, of %d", there, n)
	}
}

// events are what the function is told by itself.
func (d *deployed) events(t *testing.T) {
	head, err := d.buckets.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("zips"), Key: aws.String("acme/site/main/site.zip")})
	if err != nil {
		t.Fatal(err)
	}
	versions, err := d.buckets.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("zips"), Prefix: aws.String("acme/site/main/site.zip")})
	if err != nil {
		t.Fatal(err)
	}
	old := *versions.Versions[len(versions.Versions)-1].VersionId
	created := func(key, version string) string {
		return `{"detail-type": "Object Created", "source": "aws.s3", "detail": {"bucket": {"name": "zips"}, "object": {"key": "` + key + `", "version-id": "` + version + `"}}}`
	}
	before := len(d.deployments())
	for name, test := range map[string]struct{ event, want string }{
		"twice":       {created("acme/site/main/site.zip", *head.VersionId), `"Skipped":"deployment d-`},
		"older":       {created("acme/site/main/site.zip", old), `"Skipped":"there is a newer one"`},
		"gone":        {created("acme/none.zip", "v"), `"Skipped":"it is not there any more"`},
		"no bundle":   {created("acme/site/notes.txt", ""), `"Skipped":"it is no zip, tar or tgz"`},
		"S3's test":   {`{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "zips"}`, `[]`},
		"removed":     {`{"Records": [{"eventName": "ObjectRemoved:Delete", "s3": {"bucket": {"name": "zips"}, "object": {"key": "a.zip"}}}]}`, `[]`},
		"no event":    {`{"a": 1}`, "the event is none of a bucket"},
		"no object":   {`[]`, "reading the event"},
		"a wrong key": {`{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "%zz"}}}]}`, `the event's key \"%zz\"`},
	} {
		out, err := lambda.NewFromConfig(d.cloud.Config).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("trigger-starter"), Payload: []byte(test.event)})
		if err != nil || !strings.Contains(string(out.Payload), test.want) {
			t.Errorf("%s: %v, %s, want %s", name, err, out.Payload, test.want)
		}
	}
	if after := len(d.deployments()); after != before {
		t.Errorf("%d deployments more", after-before)
	}
}
