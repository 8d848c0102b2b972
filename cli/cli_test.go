package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/rogpeppe/go-internal/testscript"

	"ouro/cli"
	"ouro/cloud/cloudtest/tool"
	"ouro/function"
	"ouro/pipeline"
)

// TestMain makes this test binary the ouro that scripts, and the builds that
// they start, find on their PATH, and the functions of Lambda.
func TestMain(m *testing.M) {
	if function.Asked() {
		os.Exit(function.Main(context.Background(), os.Stderr))
	}
	testscript.Main(m, map[string]func(){
		"ouro": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := cli.Main(ctx, os.Args[1:], cli.System())
			stop()
			os.Exit(code)
		},
	})
}

// TestScripts runs the journeys of users in testdata/script against the real
// command, each in a directory of its own.
func TestScripts(t *testing.T) {
	site, err := filepath.Abs("../examples/site")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: false,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SITE", site)
			// Tools find themselves through HOME; what they are set to there
			// is none of our business.
			env.Setenv("HOME", os.Getenv("HOME"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			env.Setenv("AWS_CONFIG_FILE", os.DevNull)
			env.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
			env.Setenv("AWS_PAGER", "")
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+who+"_NAME", "tester")
				env.Setenv("GIT_"+who+"_EMAIL", "tester@localhost")
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			tool, ok := strings.CutPrefix(cond, "tool:")
			if !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := exec.LookPath(tool)
			if err != nil && os.Getenv("OURO_REQUIRE_TOOLS") == "1" {
				return false, fmt.Errorf("%s is not installed, and OURO_REQUIRE_TOOLS asks for it", tool)
			}
			return err == nil, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"project":   project,
			"waitfile":  waitFile,
			"endpoint":  endpoint,
			"trim":      trim,
			"moto":      moto(t),
			"forge":     forgeCommand(),
			"until":     until,
			"parameter": parameter,
			"left":      left,
			"aws":       awsCLI,
		},
	})
}

// project copies examples/site to a directory: project DIR.
func project(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: project DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(dir, os.DirFS(ts.Getenv("SITE"))))
	ts.Check(os.RemoveAll(filepath.Join(dir, ".ouro")))
}

// endpoint makes the local cloud on a state directory the endpoint of AWS's
// clients: endpoint DIR.
func endpoint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: endpoint DIR")
	}
	waitFile(ts, false, []string{filepath.Join(args[0], "endpoint"), "http"})
	b, err := os.ReadFile(filepath.Join(ts.MkAbs(args[0]), "endpoint"))
	ts.Check(err)
	url := strings.TrimSpace(string(b))
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "ADDRESS": strings.TrimPrefix(url, "http://"), "AWS_ACCESS_KEY_ID": "000000000000",
		"AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1",
	} {
		ts.Setenv(name, value)
	}
}

// waitFile waits until a file has a text in it: waitfile FILE TEXT.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfile FILE TEXT")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
	}
	ts.Fatalf("%s: no %q within a minute", args[0], args[1])
}

// until runs a program till it prints a text: until TEXT PROGRAM ARGS….
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until TEXT PROGRAM ARGS…")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("%s: no %q within a minute", args[1], args[0])
}

// trim puts a file's text, without the space around it, into a variable: trim
// FILE NAME. The file may be stdout.
func trim(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: trim FILE NAME")
	}
	ts.Setenv(args[1], strings.TrimSpace(ts.ReadFile(args[0])))
}

// awsCLI runs the AWS CLI, as exec does: aws ARGS….
func awsCLI(ts *testscript.TestScript, neg bool, args []string) {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PAGER",
		"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION",
	} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	stdout, stderr, code, err := tool.RunAWS(context.Background(), ts.MkAbs("."), env, args...)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), stdout)
	fmt.Fprint(ts.Stderr(), stderr)
	if (code != 0) != neg {
		ts.Fatalf("aws: exit status %d", code)
	}
}

// left prints what there is at the endpoint, one a line: left.
func left(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: left")
	}
	ctx := context.Background()
	cfg := aws.Config{
		BaseEndpoint: aws.String(ts.Getenv("AWS_ENDPOINT_URL")), Region: ts.Getenv("AWS_DEFAULT_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(ts.Getenv("AWS_ACCESS_KEY_ID"), ts.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	}
	tell := func(kind string, name *string) { fmt.Fprintln(ts.Stdout(), kind, aws.ToString(name)) }
	stacks, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	ts.Check(err)
	for _, s := range stacks.Stacks {
		tell("stack", s.StackName)
	}
	layers, err := lambda.NewFromConfig(cfg).ListLayers(ctx, &lambda.ListLayersInput{})
	ts.Check(err)
	for _, l := range layers.Layers {
		tell("layer", l.LayerName)
	}
	parameters, err := ssm.NewFromConfig(cfg).DescribeParameters(ctx, &ssm.DescribeParametersInput{})
	ts.Check(err)
	for _, p := range parameters.Parameters {
		tell("parameter", p.Name)
	}
	buckets, err := pipeline.NewBuckets(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
	ts.Check(err)
	for _, b := range buckets.Buckets {
		tell("bucket", b.Name)
	}
	repositories, err := codecommit.NewFromConfig(cfg).ListRepositories(ctx, &codecommit.ListRepositoriesInput{})
	ts.Check(err)
	for _, r := range repositories.Repositories {
		tell("repository", r.RepositoryName)
	}
	roles, err := iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{})
	ts.Check(err)
	for _, r := range roles.Roles {
		tell("role", r.RoleName)
	}
}

// moto gives the command moto, which makes moto's server, an AWS that we did not
// write, the endpoint MOTO. There is one for all scripts, each of which has a
// region of its own there; it ends with the test.
func moto(t *testing.T) func(ts *testscript.TestScript, neg bool, args []string) {
	start := sync.OnceValues(func() (string, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		address := l.Addr().String()
		_, port, err := net.SplitHostPort(address)
		if err = errors.Join(err, l.Close()); err != nil {
			return "", err
		}
		server := exec.Command("moto_server", "-p", port)
		if err := server.Start(); err != nil {
			return "", err
		}
		t.Cleanup(func() {
			server.Process.Kill() //nolint:errcheck // it may have ended by itself
			server.Wait()         //nolint:errcheck // killed
		})
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if res, err := http.Get("http://" + address + "/moto-api/data.json"); err == nil {
				return "http://" + address, res.Body.Close()
			}
		}
		return "", errors.New("moto's server did not answer within a minute")
	})
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: moto")
		}
		address, err := start()
		ts.Check(err)
		ts.Setenv("MOTO", address)
	}
}
