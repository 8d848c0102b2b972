package codedeploy_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

// victimState is the folder of the state of a cloud that is to be killed.
const victimState = "VICTIM_STATE"

// beVictim serves a cloud until the process is killed.
func beVictim(dir string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		var s *cloud.Server
		if s, err = cloud.Start(context.Background(), l, cloud.Options{Dir: dir}); err == nil {
			fmt.Println(s.URL)
			select {}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// victim is a fleet in a process of its own, and what kills that.
func victim(t *testing.T, dir string, instances ...string) (f *fleet, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), victimState+"="+dir), os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url = strings.TrimSpace(url)
	f = &fleet{t: t, Cloud: &cloudtest.Cloud{Dir: dir, Config: aws.Config{
		Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("000000000000", "test", "")}}}
	f.provide(instances...)
	return f, func() {
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // killed
	}
}

// TestKilled kills the cloud while a hook runs on the first of two instances.
// The hook dies too; the next cloud ends the deployment, and rolls it back.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, kill := victim(t, dir, "a", "b")
	fine := map[string]string{"appspec.yml": spec(""), "data/it": "first"}
	if d := f.until(f.create(&api.CreateDeploymentInput{Revision: f.put("fine.zip", fine), DeploymentConfigName: aws.String("CodeDeployDefault.AllAtOnce")}), over); d.Status != types.DeploymentStatusSucceeded {
		t.Fatalf("%s, %+v", d.Status, d.ErrorInformation)
	}
	slow := map[string]string{"appspec.yml": spec("AfterInstall: [{location: slow.sh}]"), "data/it": "second", "slow.sh": "#!/bin/sh\nsleep 600 &\necho $! >sleeper.new\nmv sleeper.new sleeper\nwait\n"}
	id := f.create(&api.CreateDeploymentInput{Revision: f.put("slow.zip", slow),
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}}})
	var sleeper int
	f.eventually("the hook runs", func() bool {
		text, err := os.ReadFile(filepath.Join(f.root("a"), "sleeper"))
		if err != nil {
			return false
		}
		sleeper, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	kill()
	f.eventually("the hook's processes have ended", func() bool { return syscall.Kill(sleeper, 0) != nil })

	f, kill = victim(t, dir)
	defer kill()
	d := f.until(id, func(d *types.DeploymentInfo) bool { return over(d) && d.RollbackInfo != nil })
	words, target := f.events(id, "a")
	if d.Status != types.DeploymentStatusFailed || *d.DeploymentOverview != (types.DeploymentOverview{Failed: 1, Skipped: 1}) || !strings.HasSuffix(words, "AfterInstall:Failed ApplicationStart:Skipped ValidateService:Skipped") {
		t.Errorf("%s, %+v: %s, %v", d.Status, *d.DeploymentOverview, words, diagnostics(target))
	}
	if back := f.until(*d.RollbackInfo.RollbackDeploymentId, over); back.Status != types.DeploymentStatusSucceeded || back.DeploymentOverview.Succeeded != 2 {
		t.Errorf("the rollback: %s, %+v", back.Status, *back.DeploymentOverview)
	}
	for _, name := range []string{"a", "b"} {
		if got, err := os.ReadFile(filepath.Join(f.root(name), "data", "it")); err != nil || string(got) != "first" {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}
}
