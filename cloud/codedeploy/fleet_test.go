package codedeploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func spec(hooks string) string {
	return "version: 0.0\nos: linux\nfiles: [{source: /data, destination: /data}]\nhooks: {" + hooks + "}\n"
}

// TestFleet deploys to several instances, in one cloud.
func TestFleet(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	f := newFleet(t, t.TempDir(), names...)
	defer f.close()
	within := func(config string) *string { return aws.String("CodeDeployDefault." + config) }
	// Whether a hook fails is a file on the instance.
	hook := map[string]string{"appspec.yml": spec("AfterInstall: [{location: hook.sh}]"), "data/file": "1", "hook.sh": "#!/bin/sh\n! [ -e bad ]\n"}
	bad := func(names ...string) {
		for _, name := range []string{"a", "b", "c"} {
			file := filepath.Join(f.root(name), "bad")
			_ = os.Remove(file)
			if slices.Contains(names, name) {
				if err := os.WriteFile(file, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, test := range []struct {
		config string
		bad    []string
		status types.DeploymentStatus
		counts types.DeploymentOverview
	}{
		{"OneAtATime", nil, types.DeploymentStatusSucceeded, types.DeploymentOverview{Succeeded: 3}},
		{"OneAtATime", []string{"a"}, types.DeploymentStatusFailed, types.DeploymentOverview{Failed: 1, Skipped: 2}},
		{"OneAtATime", []string{"c"}, types.DeploymentStatusSucceeded, types.DeploymentOverview{Succeeded: 2, Failed: 1}},
		{"HalfAtATime", []string{"c"}, types.DeploymentStatusSucceeded, types.DeploymentOverview{Succeeded: 2, Failed: 1}},
		{"HalfAtATime", []string{"a", "b"}, types.DeploymentStatusFailed, types.DeploymentOverview{Failed: 1, Skipped: 2}},
		{"AllAtOnce", []string{"a", "b"}, types.DeploymentStatusSucceeded, types.DeploymentOverview{Succeeded: 1, Failed: 2}},
		{"AllAtOnce", names, types.DeploymentStatusFailed, types.DeploymentOverview{Failed: 3}},
	} {
		bad(test.bad...)
		id := f.create(&api.CreateDeploymentInput{Revision: f.put("hook.zip", hook), DeploymentConfigName: within(test.config)})
		if d := f.until(id, over); d.Status != test.status || *d.DeploymentOverview != test.counts {
			t.Errorf("%s with %v bad: %s, %+v", test.config, test.bad, d.Status, *d.DeploymentOverview)
		}
	}
	bad()

	t.Run("only those that are outdated", func(t *testing.T) {
		f.until(f.create(&api.CreateDeploymentInput{Revision: f.put("hook.zip", hook), DeploymentConfigName: within("AllAtOnce")}), over)
		id := f.create(&api.CreateDeploymentInput{Revision: f.put("hook.zip", hook), UpdateOutdatedInstancesOnly: true})
		if d := f.until(id, over); d.Status != types.DeploymentStatusSucceeded || d.DeploymentOverview.Succeeded != 0 {
			t.Errorf("%s, %+v", d.Status, *d.DeploymentOverview)
		}
	})

	t.Run("files", func(t *testing.T) {
		foreign := filepath.Join(f.root("a"), "data", "foreign")
		if err := os.WriteFile(foreign, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{"appspec.yml": spec(""), "data/foreign": "theirs", "data/sub/new": "2"}
		for _, test := range []struct {
			behavior types.FileExistsBehavior
			status   types.TargetStatus
			is       string
		}{{types.FileExistsBehaviorDisallow, types.TargetStatusFailed, "mine"}, {types.FileExistsBehaviorRetain, types.TargetStatusSucceeded, "mine"}, {types.FileExistsBehaviorOverwrite, types.TargetStatusSucceeded, "theirs"}} {
			id := f.create(&api.CreateDeploymentInput{Revision: f.put("files.zip", files), DeploymentConfigName: within("AllAtOnce"), FileExistsBehavior: test.behavior})
			f.until(id, over)
			_, target := f.events(id, "a")
			text, err := os.ReadFile(foreign)
			if target.Status != test.status || err != nil || string(text) != test.is {
				t.Errorf("%s: %s, %q, %v: %v", test.behavior, target.Status, text, err, diagnostics(target))
			}
			if said := "The deployment failed because a specified file already exists at this location: /data/foreign"; test.status == types.TargetStatusFailed && *target.LifecycleEvents[3].Diagnostics.Message != said {
				t.Errorf("%s", *target.LifecycleEvents[3].Diagnostics.Message)
			}
		}
		id := f.create(&api.CreateDeploymentInput{Revision: f.put("other.zip", map[string]string{"appspec.yml": spec(""), "data/other": "3"}), DeploymentConfigName: within("AllAtOnce")})
		f.until(id, over)
		left, err := os.ReadDir(filepath.Join(f.root("a"), "data"))
		if err != nil || len(left) != 1 || left[0].Name() != "other" {
			t.Errorf("the files of the revision before are still there: %v, %v", left, err)
		}
	})

	t.Run("what goes wrong", func(t *testing.T) {
		for name, test := range map[string]struct {
			files   map[string]string
			event   int
			code    types.LifecycleErrorCode
			message string
		}{
			"no file":   {map[string]string{"readme": ""}, 2, types.LifecycleErrorCodeUnknownError, "did not find an AppSpec file"},
			"version":   {map[string]string{"appspec.yml": "version: 1.0\nos: linux\n"}, 2, types.LifecycleErrorCodeUnknownError, `the version "1.0"`},
			"timeouts":  {map[string]string{"appspec.yml": spec("AfterInstall: [{location: x, timeout: 3000}, {location: y, timeout: 3000}]")}, 2, types.LifecycleErrorCodeUnknownError, "6000 seconds together"},
			"no script": {map[string]string{"appspec.yml": spec("BeforeInstall: [{location: none.sh}]")}, 2, types.LifecycleErrorCodeScriptMissing, "Script does not exist at specified location: none.sh"},
			"slow": {map[string]string{"appspec.yml": spec("BeforeInstall: [{location: slow.sh, timeout: 2}]"), "slow.sh": "#!/bin/sh\necho on it\nsleep 600\n"},
				2, types.LifecycleErrorCodeScriptTimedOut, "Script at specified location: slow.sh failed to complete in 2 seconds"},
			"outside": {map[string]string{"appspec.yml": "version: 0.0\nos: linux\nfiles: [{source: ../../../x, destination: /}]\n"}, 3, types.LifecycleErrorCodeUnknownError, "no such file"},
			"nobody":  {map[string]string{"appspec.yml": spec("BeforeInstall: [{location: x.sh, runas: no-such-user}]"), "x.sh": "#!/bin/sh\n"}, 2, types.LifecycleErrorCodeUnknownError, "cannot be run as user no-such-user"},
		} {
			id := f.create(&api.CreateDeploymentInput{Revision: f.put("wrong.zip", test.files), DeploymentConfigName: within("AllAtOnce")})
			f.until(id, over)
			_, target := f.events(id, "b")
			e := target.LifecycleEvents[test.event]
			if e.Status != types.LifecycleEventStatusFailed || e.Diagnostics.ErrorCode != test.code || !strings.Contains(*e.Diagnostics.Message, test.message) {
				t.Errorf("%s: %s: %v", name, e.Status, diagnostics(target))
			}
		}
	})

	t.Run("stop", func(t *testing.T) {
		slow := map[string]string{"appspec.yml": spec("BeforeInstall: [{location: slow.sh}]"), "slow.sh": "#!/bin/sh\n>begun\nwhile ! [ -e go ]; do sleep 0.01; done\n"}
		id := f.create(&api.CreateDeploymentInput{Revision: f.put("slow.zip", slow), DeploymentConfigName: within("OneAtATime"),
			AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentStopOnRequest}}})
		f.until(id, func(*types.DeploymentInfo) bool {
			_, err := os.Stat(filepath.Join(f.root("a"), "begun"))
			return err == nil
		})
		_, err := f.deploy.CreateDeployment(t.Context(), &api.CreateDeploymentInput{ApplicationName: aws.String("site"), DeploymentGroupName: aws.String("web"), Revision: f.put("hook.zip", hook)})
		if err == nil || !strings.Contains(err.Error(), "DeploymentLimitExceededException: The Deployment Group 'web' already has an active Deployment '"+id+"'") {
			t.Errorf("a second deployment: %v", err)
		}
		must(t)(f.deploy.StopDeployment(t.Context(), &api.StopDeploymentInput{DeploymentId: &id}))
		if err := os.WriteFile(filepath.Join(f.root("a"), "go"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		d := f.until(id, over)
		if d.Status != types.DeploymentStatusStopped || d.DeploymentOverview.Skipped != 3 || d.RollbackInfo == nil {
			t.Errorf("%s, %+v, %+v", d.Status, *d.DeploymentOverview, d.RollbackInfo)
		}
		if words, _ := f.events(id, "a"); !strings.HasSuffix(words, "BeforeInstall:Succeeded Install:Skipped AfterInstall:Skipped ApplicationStart:Skipped ValidateService:Skipped") {
			t.Errorf("events %s", words)
		}
		if back := f.until(*d.RollbackInfo.RollbackDeploymentId, over); back.Status != types.DeploymentStatusSucceeded || *back.Revision.S3Location.Key != "other.zip" {
			t.Errorf("the rollback: %s, %+v", back.Status, back.Revision)
		}
		_, err = f.deploy.StopDeployment(t.Context(), &api.StopDeploymentInput{DeploymentId: &id})
		if err == nil || !strings.Contains(err.Error(), "DeploymentAlreadyCompletedException") {
			t.Errorf("a second stop: %v", err)
		}
	})
}

// TestClosed closes the cloud while a hook runs.
func TestClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := newFleet(t, dir, "a")
	slow := map[string]string{"appspec.yml": spec("BeforeInstall: [{location: slow.sh}]"), "slow.sh": "#!/bin/sh\n>begun\nsleep 600\n"}
	id := f.create(&api.CreateDeploymentInput{Revision: f.put("slow.zip", slow)})
	f.until(id, func(*types.DeploymentInfo) bool {
		_, err := os.Stat(filepath.Join(f.root("a"), "begun"))
		return err == nil
	})
	f.close()
	f = newFleet(t, dir)
	defer f.close()
	d := f.until(id, over)
	words, target := f.events(id, "a")
	if d.Status != types.DeploymentStatusFailed || words != "ApplicationStop:Succeeded DownloadBundle:Succeeded BeforeInstall:Failed Install:Skipped AfterInstall:Skipped ApplicationStart:Skipped ValidateService:Skipped" {
		t.Errorf("%s: %s: %v", d.Status, words, diagnostics(target))
	}
}
