package codebuild_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// batching makes a project one that may have batches, which never time out in
// a test that does not wait for it.
func batching(more func(*api.CreateProjectInput)) func(*api.CreateProjectInput) {
	return func(in *api.CreateProjectInput) {
		in.BuildBatchConfig = &types.ProjectBuildBatchConfig{ServiceRole: aws.String(roleARN), TimeoutInMins: aws.Int32(2160)}
		if more != nil {
			more(in)
		}
	}
}

func (c *testCloud) startBatch(t testing.TB, in *api.StartBuildBatchInput) *types.BuildBatch {
	t.Helper()
	out, err := c.builds.StartBuildBatch(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.BuildBatch
}

func (c *testCloud) getBatch(t testing.TB, id string) *types.BuildBatch {
	t.Helper()
	out, err := c.builds.BatchGetBuildBatches(context.Background(), &api.BatchGetBuildBatchesInput{Ids: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.BuildBatches) != 1 {
		t.Fatalf("batch %s is not there", id)
	}
	return &out.BuildBatches[0]
}

func (c *testCloud) waitBatch(t testing.TB, b *types.BuildBatch) *types.BuildBatch {
	t.Helper()
	until(t, "the batch's end", func() bool {
		b = c.getBatch(t, *b.Id)
		return b.Complete
	})
	return b
}

// batch runs a batch of a new project with the buildspec to its end.
func (c *testCloud) batch(t testing.TB, name, spec string, f func(*api.CreateProjectInput)) *types.BuildBatch {
	t.Helper()
	c.create(t, project(name, spec, batching(f)))
	return c.waitBatch(t, c.startBatch(t, &api.StartBuildBatchInput{ProjectName: &name}))
}

// groups is the batch's groups but the first in one line: IDENTIFIER=STATUS,
// with the statuses of earlier builds before it.
func groups(b *types.BuildBatch) string {
	var out []string
	for _, g := range b.BuildGroups {
		if *g.Identifier == "DOWNLOAD_SOURCE" {
			continue
		}
		text := *g.Identifier + "="
		for _, p := range g.PriorBuildSummaryList {
			text += string(p.BuildStatus) + ","
		}
		if g.CurrentBuildSummary != nil {
			text += string(g.CurrentBuildSummary.BuildStatus)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func batchPhases(b *types.BuildBatch) string {
	var out []string
	for _, p := range b.Phases {
		out = append(out, strings.TrimSuffix(string(p.PhaseType)+"="+string(p.PhaseStatus), "="))
	}
	return strings.Join(out, " ")
}

// lastWords is what the last phase that has something to say says.
func lastWords(b *types.BuildBatch) string {
	for _, p := range slices.Backward(b.Phases) {
		if len(p.Contexts) > 0 {
			return aws.ToString(p.Contexts[0].StatusCode) + ": " + aws.ToString(p.Contexts[0].Message)
		}
	}
	return ""
}

func (c *testCloud) partOf(t testing.TB, b *types.BuildBatch, identifier string) *types.Build {
	t.Helper()
	for _, g := range b.BuildGroups {
		if *g.Identifier == identifier {
			return c.get(t, strings.SplitN(*g.CurrentBuildSummary.Arn, "/", 2)[1])
		}
	}
	t.Fatalf("the batch has no group %s, but %s", identifier, groups(b))
	return nil
}

func exported(b *types.Build) string {
	var out []string
	for _, v := range b.ExportedEnvironmentVariables {
		out = append(out, *v.Value)
	}
	return strings.Join(out, " ")
}

const passed = "SUBMITTED=SUCCEEDED DOWNLOAD_BATCHSPEC=SUCCEEDED IN_PROGRESS=SUCCEEDED COMBINE_ARTIFACTS=SUCCEEDED SUCCEEDED"

func TestBatchKinds(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())

	t.Run("list", func(t *testing.T) {
		b := c.batch(t, "list", `
version: 0.2
env: {exported-variables: [X]}
batch:
  build-list:
    - identifier: one
      env: {compute-type: BUILD_GENERAL1_LARGE, image: "img:2", privileged-mode: true, variables: {V: first}}
    - buildspec: |
        version: 0.2
        env: {exported-variables: [X]}
        phases: {build: {commands: ['X=other']}}
phases: {build: {commands: ['X="$V $CODEBUILD_BATCH_BUILD_IDENTIFIER $CODEBUILD_BUILD_IMAGE"']}}
`, nil)
		if b.BuildBatchStatus != types.StatusTypeSucceeded || batchPhases(b) != passed || groups(b) != "one=SUCCEEDED build0=SUCCEEDED" || *b.BuildBatchNumber != 1 || *b.CurrentPhase != "SUCCEEDED" {
			t.Fatalf("phases %s, groups %s, %s", batchPhases(b), groups(b), lastWords(b))
		}
		one, other := c.partOf(t, b, "one"), c.partOf(t, b, "build0")
		if got := exported(one); got != "first one img:2" {
			t.Errorf("the first build exports %q", got)
		}
		if got := exported(other); got != "other" || other.Environment.ComputeType != types.ComputeTypeBuildGeneral1Small {
			t.Errorf("the second build exports %q", got)
		}
		if e := one.Environment; *one.BuildBatchArn != *b.Arn || e.ComputeType != types.ComputeTypeBuildGeneral1Large || !*e.PrivilegedMode || *one.Initiator != "ada" {
			t.Errorf("the first build: %+v", one)
		}
		spec := c.partOf(t, b, "DOWNLOAD_SOURCE")
		if phases(spec) != "SUBMITTED=SUCCEEDED QUEUED=SUCCEEDED PROVISIONING=SUCCEEDED DOWNLOAD_SOURCE=SUCCEEDED FINALIZING=SUCCEEDED COMPLETED" {
			t.Errorf("phases of the build that reads the batch specification: %s", phases(spec))
		}
		if _, err := c.builds.RetryBuild(t.Context(), &api.RetryBuildInput{Id: one.Id}); err == nil || !strings.Contains(err.Error(), "retry the batch build") {
			t.Errorf("retrying a build of a batch: %v", err)
		}
	})

	t.Run("graph", func(t *testing.T) {
		dir := t.TempDir()
		b := c.batch(t, "graph", `
version: 0.2
batch:
  build-graph:
    - {identifier: last, depend-on: [left, right]}
    - {identifier: left, depend-on: [first]}
    - {identifier: right, depend-on: [first], ignore-failure: true, env: {variables: {FAIL: "1"}}}
    - {identifier: first}
phases: {build: {commands: ['echo $CODEBUILD_BATCH_BUILD_IDENTIFIER >> `+dir+`/order', 'test -z "$FAIL"']}}
`, nil)
		body, _ := os.ReadFile(filepath.Join(dir, "order"))
		order := strings.Fields(string(body))
		if b.BuildBatchStatus != types.StatusTypeSucceeded || groups(b) != "last=SUCCEEDED left=SUCCEEDED right=FAILED first=SUCCEEDED" || len(order) != 4 || order[0] != "first" || order[3] != "last" {
			t.Errorf("groups %s in the order %v, %s", groups(b), order, lastWords(b))
		}
		if g := b.BuildGroups[1]; !slices.Equal(g.DependsOn, []string{"left", "right"}) || !b.BuildGroups[3].IgnoreFailure {
			t.Errorf("group %+v", g)
		}
	})

	t.Run("matrix", func(t *testing.T) {
		b := c.batch(t, "matrix", `
version: 0.2
env: {exported-variables: [X]}
batch:
  build-matrix:
    static: {env: {privileged-mode: true}}
    dynamic: {env: {image: [a, b], variables: {V: [1, 2]}}}
phases: {build: {commands: ['X=$CODEBUILD_BUILD_IMAGE$V']}}
`, nil)
		var all []string
		for _, g := range b.BuildGroups[1:] {
			all = append(all, exported(c.partOf(t, b, *g.Identifier)))
		}
		if !slices.Equal(all, []string{"a1", "a2", "b1", "b2"}) {
			t.Errorf("builds %v, %s", all, lastWords(b))
		}
	})

	t.Run("fanout", func(t *testing.T) {
		b := c.batch(t, "fanout", `
version: 0.2
env: {exported-variables: [X, Y, Z]}
batch: {build-fanout: {parallelism: 2}}
phases:
  build:
    commands:
      - mkdir -p tests/deep 'tests/with space'; touch tests/test_a.py tests/test_b.py tests/deep/test_c.py tests/no.py 'tests/with space/test_d.py' tests/deep/test_e.py
      - X=$(codebuild-tests-run --test-command 'printf "%s,"' --files-search "codebuild-glob-search '**/test_*.{py,js}'")
      - Y=$(codebuild-tests-run --sharding-strategy=stability --test-command 'echo "$CODEBUILD_CURRENT_SHARD_FILES" | tr "\n" ,' --files-search "codebuild-glob-search 'tests/*.py' 'tests/deep/*'")
      - Z=$(codebuild-tests-run --test-command x --files-search true --sharding-strategy odd 2>&1 || echo "; $?")
`, nil)
		one, two := c.partOf(t, b, "build0"), c.partOf(t, b, "build1")
		values := func(i int) string {
			return *one.ExportedEnvironmentVariables[i].Value + "|" + *two.ExportedEnvironmentVariables[i].Value
		}
		if got := values(0); got != "tests/deep/test_c.py,tests/deep/test_e.py,tests/test_a.py,|tests/test_b.py,tests/with space/test_d.py," {
			t.Errorf("equal distribution: %s", got)
		}
		// Which shard has which file is not what matters, but that one has it.
		stable := strings.Split(strings.ReplaceAll(values(1), "|", ","), ",")
		for _, name := range []string{"tests/test_a.py", "tests/test_b.py", "tests/deep/test_c.py", "tests/no.py", "tests/deep/test_e.py"} {
			if n := len(slices.DeleteFunc(slices.Clone(stable), func(s string) bool { return s != name })); n != 1 {
				t.Errorf("stability gives %s to %d shards: %s", name, n, values(1))
			}
		}
		if got := values(2); !strings.Contains(got, "unknown sharding strategy odd") {
			t.Errorf("unknown strategy: %s", got)
		}
	})

	for name, x := range map[string]struct{ spec, want string }{
		"without batch": {"version: 0.2\nphases: {}", "YAML_FILE_ERROR: the buildspec has no batch section, which a batch build needs"},
		"fleet":         {"version: 0.2\nbatch: {build-list: [{identifier: a, env: {fleet: f}}]}", "CLIENT_ERROR: build a: fleet: the local cloud has no fleets, all builds run on this machine"},
		"compute type":  {"version: 0.2\nbatch: {build-list: [{identifier: a, env: {compute-type: BUILD_GENERAL1_LARGE}}]}", "CLIENT_ERROR: build a: the project does not allow the compute type BUILD_GENERAL1_LARGE in batches, only BUILD_GENERAL1_SMALL"},
		"too many":      {"version: 0.2\nbatch: {build-list: [{}, {}, {}]}", "CLIENT_ERROR: the batch has 3 builds, and the project allows at most 2"},
		"debug session": {"version: 0.2\nbatch: {build-list: [{identifier: a, debug-session: true}]}", "CLIENT_ERROR: build a: debug-session: builds of the local cloud have no session to debug them in"},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.batch(t, "bad-"+strings.ReplaceAll(name, " ", "-"), x.spec, func(in *api.CreateProjectInput) {
				in.BuildBatchConfig.Restrictions = &types.BatchRestrictions{MaximumBuildsAllowed: aws.Int32(2), ComputeTypesAllowed: []string{"BUILD_GENERAL1_SMALL"}}
			})
			if b.BuildBatchStatus != types.StatusTypeFailed || batchPhases(b) != "SUBMITTED=SUCCEEDED DOWNLOAD_BATCHSPEC=FAILED FAILED" || lastWords(b) != x.want {
				t.Errorf("phases %s, %s", batchPhases(b), lastWords(b))
			}
		})
	}
}

func TestBatchFailures(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	failed := "SUBMITTED=SUCCEEDED DOWNLOAD_BATCHSPEC=SUCCEEDED IN_PROGRESS=FAILED FAILED"

	t.Run("retry", func(t *testing.T) {
		dir := t.TempDir()
		b := c.batch(t, "retry", `
version: 0.2
batch:
  build-graph:
    - {identifier: bad, env: {variables: {NEEDS: `+dir+`/there}}}
    - {identifier: good}
    - {identifier: after, depend-on: [bad]}
phases: {build: {commands: ['test -z "$NEEDS" || test -e "$NEEDS"']}}
`, nil)
		if batchPhases(b) != failed || groups(b) != "bad=FAILED good=SUCCEEDED after=STOPPED" || lastWords(b) != "CLIENT_ERROR: Builds of the batch did not succeed: bad (FAILED)" {
			t.Fatalf("phases %s, groups %s, %s", batchPhases(b), groups(b), lastWords(b))
		}
		if err := os.WriteFile(filepath.Join(dir, "there"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		in := &api.RetryBuildBatchInput{Id: b.Id, RetryType: types.RetryBuildBatchTypeRetryFailedBuilds, IdempotencyToken: aws.String("t")}
		again, err := c.builds.RetryBuildBatch(t.Context(), in)
		if err != nil || *again.BuildBatch.Id != *b.Id || batchPhases(again.BuildBatch) != failed+"=RETRY SUBMITTED" {
			t.Fatalf("retry: %v", err)
		}
		if _, err := c.builds.RetryBuildBatch(t.Context(), in); err != nil {
			t.Errorf("retry with the same token: %v", err)
		}
		b = c.waitBatch(t, b)
		if groups(b) != "bad=FAILED,SUCCEEDED good=SUCCEEDED after=SUCCEEDED" || batchPhases(b) != failed+"=RETRY "+passed {
			t.Errorf("phases %s, groups %s", batchPhases(b), groups(b))
		}
		if _, err := c.builds.RetryBuildBatch(t.Context(), &api.RetryBuildBatchInput{Id: b.Id}); err == nil || !strings.Contains(err.Error(), "only batch builds that have failed") {
			t.Errorf("retrying a batch that has succeeded: %v", err)
		}
	})

	t.Run("retry all", func(t *testing.T) {
		b := c.batch(t, "retry-all", "version: 0.2\nbatch: {build-list: [{identifier: a}, {identifier: b, env: {variables: {F: '1'}}}]}\nphases: {build: {commands: ['test -z \"$F\"']}}", nil)
		if _, err := c.builds.RetryBuildBatch(t.Context(), &api.RetryBuildBatchInput{Id: b.Id, RetryType: types.RetryBuildBatchTypeRetryAllBuilds}); err != nil {
			t.Fatal(err)
		}
		if b = c.waitBatch(t, b); groups(b) != "a=SUCCEEDED,SUCCEEDED b=FAILED,FAILED" {
			t.Errorf("groups %s", groups(b))
		}
	})

	t.Run("fast fail", func(t *testing.T) {
		dir := t.TempDir()
		b := c.batch(t, "fast", `
version: 0.2
batch:
  fast-fail: true
  build-list:
    - {identifier: slow, env: {variables: {DO: 'touch `+dir+`/runs; sleep 600'}}}
    - {identifier: bad, env: {variables: {DO: 'until [ -e `+dir+`/runs ]; do sleep 0.01; done; exit 1'}}}
phases: {build: {commands: ['sh -c "$DO"']}}
`, nil)
		if batchPhases(b) != failed || groups(b) != "slow=STOPPED bad=FAILED" {
			t.Errorf("phases %s, groups %s", batchPhases(b), groups(b))
		}
	})

	t.Run("auto retry", func(t *testing.T) {
		dir := t.TempDir()
		b := c.batch(t, "auto", `
version: 0.2
batch: {build-list: [{identifier: a}]}
phases: {build: {commands: ['mkdir `+dir+`/x && exit 1 || true']}}
`, func(in *api.CreateProjectInput) { in.AutoRetryLimit = aws.Int32(2) })
		if b.BuildBatchStatus != types.StatusTypeSucceeded || groups(b) != "a=FAILED,SUCCEEDED" {
			t.Errorf("phases %s, groups %s", batchPhases(b), groups(b))
		}
		prior := b.BuildGroups[1].PriorBuildSummaryList[0]
		if next := c.get(t, *prior.Arn).AutoRetryConfig.NextAutoRetry; aws.ToString(next) != *b.BuildGroups[1].CurrentBuildSummary.Arn {
			t.Errorf("the failed build is followed by %v", aws.ToString(next))
		}
	})

	t.Run("role", func(t *testing.T) {
		b := c.batch(t, "role", "version: 0.2\nbatch: {build-list: [{}]}", func(in *api.CreateProjectInput) {
			in.BuildBatchConfig.ServiceRole = aws.String("arn:aws:iam::000000000000:role/absent")
		})
		if batchPhases(b) != "SUBMITTED=SUCCEEDED DOWNLOAD_BATCHSPEC=FAILED FAILED" || !strings.HasPrefix(lastWords(b), "ACCESS_DENIED: CodeBuild is not authorized to perform: sts:AssumeRole on") {
			t.Errorf("phases %s, %s", batchPhases(b), lastWords(b))
		}
	})

	t.Run("timeout", func(t *testing.T) {
		b := c.batch(t, "timeout", "version: 0.2\nbatch: {build-list: [{identifier: a}]}\nphases: {build: {commands: [sleep 600]}}", func(in *api.CreateProjectInput) {
			in.BuildBatchConfig.TimeoutInMins = aws.Int32(20)
		})
		if b.BuildBatchStatus != types.StatusTypeTimedOut || !strings.HasSuffix(batchPhases(b), "=TIMED_OUT FAILED") {
			t.Errorf("status %s, phases %s, groups %s", b.BuildBatchStatus, batchPhases(b), groups(b))
		}
	})
}

// ranAt is when a build had its place: from the end of its time in the queue
// to its own.
func ranAt(t testing.TB, b *types.Build) (from, to int64) {
	return phase(t, b, types.BuildPhaseTypeProvisioning).StartTime.UnixMilli(), phase(t, b, types.BuildPhaseTypeFinalizing).EndTime.UnixMilli()
}

func TestBatchLimit(t *testing.T) {
	t.Parallel()
	const builds, limit = 20, 3
	c := newCloud(t, t.TempDir())
	b := c.batch(t, "limited", fmt.Sprintf("version: 0.2\nbatch: {build-fanout: {parallelism: %d}}\nphases: {build: {commands: ['sleep 0.05']}}", builds), func(in *api.CreateProjectInput) {
		in.ConcurrentBuildLimit = aws.Int32(limit)
	})
	if b.BuildBatchStatus != types.StatusTypeSucceeded || len(b.BuildGroups) != builds+1 {
		t.Fatalf("phases %s, groups %s", batchPhases(b), groups(b))
	}
	type event struct {
		at    int64
		delta int
	}
	var events []event
	for _, g := range b.BuildGroups[1:] {
		from, to := ranAt(t, c.partOf(t, b, *g.Identifier))
		events = append(events, event{from, 1}, event{to, -1})
	}
	slices.SortFunc(events, func(a, b event) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.delta - b.delta
	})
	now, most := 0, 0
	for _, e := range events {
		now += e.delta
		most = max(most, now)
	}
	if most != limit {
		t.Errorf("%d builds ran at a time, the limit is %d", most, limit)
	}
}

func TestBatchRequests(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	list := "version: 0.2\nbatch: {build-list: [{identifier: a}]}\nphases: {build: {commands: ['test -z \"$FAIL\"']}}"
	c.create(t, project("plain", list, nil))
	c.create(t, project("ready", list, batching(nil)))
	for name, x := range map[string]struct {
		in   api.StartBuildBatchInput
		want string
	}{
		"no role":       {api.StartBuildBatchInput{ProjectName: aws.String("plain")}, "Batch service role is required"},
		"no project":    {api.StartBuildBatchInput{ProjectName: aws.String("absent")}, "Project cannot be found"},
		"debug session": {api.StartBuildBatchInput{ProjectName: aws.String("ready"), DebugSessionEnabled: aws.Bool(true)}, "Invalid debug session"},
		"report":        {api.StartBuildBatchInput{ProjectName: aws.String("ready"), ReportBuildBatchStatusOverride: aws.Bool(true)}, "Invalid report build batch status"},
		"timeout": {api.StartBuildBatchInput{ProjectName: aws.String("ready"), BuildBatchConfigOverride: &types.ProjectBuildBatchConfig{
			TimeoutInMins: aws.Int32(1)}}, "Invalid batch timeout"},
	} {
		if _, err := c.builds.StartBuildBatch(t.Context(), &x.in); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	name := aws.String("ready")
	first := c.startBatch(t, &api.StartBuildBatchInput{ProjectName: name, IdempotencyToken: aws.String("t")})
	if again := c.startBatch(t, &api.StartBuildBatchInput{ProjectName: name, IdempotencyToken: aws.String("t")}); *again.Id != *first.Id {
		t.Errorf("one token started %s and %s", *first.Id, *again.Id)
	}
	_, err := c.builds.StartBuildBatch(t.Context(), &api.StartBuildBatchInput{ProjectName: name, IdempotencyToken: aws.String("t"), SourceVersion: aws.String("x")})
	var invalid *types.InvalidInputException
	if !errors.As(err, &invalid) {
		t.Errorf("other parameters with the same token: %v", err)
	}
	if *first.CurrentPhase != "SUBMITTED" || *first.BuildBatchConfig.Restrictions.MaximumBuildsAllowed != 100 {
		t.Errorf("answer %+v", first)
	}
	c.waitBatch(t, first)
	second := c.waitBatch(t, c.startBatch(t, &api.StartBuildBatchInput{ProjectName: name, EnvironmentVariablesOverride: []types.EnvironmentVariable{{Name: aws.String("FAIL"), Value: aws.String("1")}}}))
	if second.BuildBatchStatus != types.StatusTypeFailed || *second.BuildBatchNumber != 2 {
		t.Errorf("second batch: %s, number %d", second.BuildBatchStatus, *second.BuildBatchNumber)
	}
	for name, x := range map[string]struct {
		in   api.ListBuildBatchesForProjectInput
		want []string
	}{
		"all":       {api.ListBuildBatchesForProjectInput{}, []string{*second.Id, *first.Id}},
		"ascending": {api.ListBuildBatchesForProjectInput{SortOrder: types.SortOrderTypeAscending}, []string{*first.Id, *second.Id}},
		"failed":    {api.ListBuildBatchesForProjectInput{Filter: &types.BuildBatchFilter{Status: types.StatusTypeFailed}}, []string{*second.Id}},
	} {
		x.in.ProjectName, x.in.MaxResults = aws.String("ready"), aws.Int32(1)
		var got []string
		for pages := api.NewListBuildBatchesForProjectPaginator(c.builds, &x.in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Ids...)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
	gone, err := c.builds.DeleteBuildBatch(t.Context(), &api.DeleteBuildBatchInput{Id: first.Id})
	if err != nil || *gone.StatusCode != "BATCH_DELETED" || len(gone.BuildsDeleted) != 2 {
		t.Errorf("deleted %+v, %v", gone, err)
	}
	left, err := c.builds.ListBuildBatches(t.Context(), &api.ListBuildBatchesInput{})
	if err != nil || !slices.Equal(left.Ids, []string{*second.Id}) {
		t.Errorf("batches left: %v, %v", left, err)
	}
	missing, err := c.builds.BatchGetBuildBatches(t.Context(), &api.BatchGetBuildBatchesInput{Ids: []string{*first.Id}})
	if err != nil || len(missing.BuildBatchesNotFound) != 1 {
		t.Errorf("the deleted batch: %+v, %v", missing, err)
	}
}
