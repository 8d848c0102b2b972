package library_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest/tool"
)

// TestAlarmTakesDeploymentBack has an alarm of one template ring, by the AWS
// CLI, while the application of another is deployed to an instance.
func TestAlarmTakesDeploymentBack(t *testing.T) {
	t.Parallel()
	a, ctx := newAccount(t), t.Context()
	env := values{"EnvironmentName": "test"}
	alarms := a.deploy(t, "alarms", "ecs/alarms.yaml", env.with(values{"ClusterName": "shop", "ServiceName": "web"}))
	app := a.deploy(t, "app", "codedeploy/application.yaml", env.with(values{"Name": "shop", "TagKey": "tier", "TagValue": "web", "AlarmName": alarms["Cpu"]}))
	client := codedeploy.NewFromConfig(a.config)
	if _, err := client.RegisterOnPremisesInstance(ctx, &codedeploy.RegisterOnPremisesInstanceInput{InstanceName: aws.String("one"), IamUserArn: aws.String("arn:aws:iam::000000000000:user/one")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddTagsToOnPremisesInstances(ctx, &codedeploy.AddTagsToOnPremisesInstancesInput{InstanceNames: []string{"one"}, Tags: []types.Tag{{Key: aws.String("tier"), Value: aws.String("web")}}}); err != nil {
		t.Fatal(err)
	}
	create := func(key string, files map[string]string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range files {
			h := &zip.FileHeader{Name: name}
			h.SetMode(0o755)
			f, err := z.CreateHeader(h)
			if err == nil {
				_, err = f.Write([]byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := a.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &a.bucket, Key: &key, Body: bytes.NewReader(b.Bytes())}); err != nil {
			t.Fatal(err)
		}
		out, err := client.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String(app["ApplicationName"]), DeploymentGroupName: aws.String(app["GroupName"]),
			Revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &types.S3Location{Bucket: &a.bucket, Key: &key, BundleType: types.BundleTypeZip}}})
		if err != nil {
			t.Fatal(err)
		}
		return *out.DeploymentId
	}
	until := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within a minute", what)
			}
		}
	}
	ended := func(id string) (d *types.DeploymentInfo) {
		t.Helper()
		until("deployment "+id, func() bool {
			out, err := client.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
			if err != nil {
				t.Fatal(err)
			}
			d = out.DeploymentInfo
			return d.CompleteTime != nil
		})
		return d
	}
	const files = "version: 0.0\nos: linux\nfiles: [{source: /page, destination: /srv}]\n"
	if d := ended(create("one.zip", map[string]string{"appspec.yml": files, "page/index": "one"})); d.Status != types.DeploymentStatusSucceeded {
		t.Fatalf("the first: %s, %+v", d.Status, d.ErrorInformation)
	}
	root := filepath.Join(a.state, "instances", "000000000000", "us-east-1", "one")
	id := create("two.zip", map[string]string{"appspec.yml": files + "hooks: {AfterInstall: [{location: wait.sh, timeout: 20}]}\n", "page/index": "two", "wait.sh": "#!/bin/sh\ntouch waits\nsleep 600\n"})
	until("the hook", func() bool { _, err := os.Stat(filepath.Join(root, "waits")); return err == nil })
	tool.NewAWS(t, *a.config.BaseEndpoint).Run("cloudwatch", "set-alarm-state", "--alarm-name", alarms["Cpu"], "--state-value", "ALARM", "--state-reason", "rehearsal")
	d := ended(id)
	if d.Status != types.DeploymentStatusStopped || d.ErrorInformation.Code != types.ErrorCodeAlarmActive {
		t.Fatalf("the second: %s, %+v", d.Status, d.ErrorInformation)
	}
	if back := ended(*d.RollbackInfo.RollbackDeploymentId); back.Status != types.DeploymentStatusSucceeded {
		t.Errorf("the rollback: %s, %+v", back.Status, back.ErrorInformation)
	}
	if got, err := os.ReadFile(filepath.Join(root, "srv", "index")); err != nil || string(got) != "one" {
		t.Errorf("the instance has %q, %v", got, err)
	}
}
