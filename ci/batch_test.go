package ci_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/google/go-cmp/cmp"

	"ouro/ci"
)

// scripted is a CodeBuild whose batch is told by looks: at each it stands as
// the next one says. A part stands as IDENTIFIER or IDENTIFIER=STATUS.
type scripted struct {
	ci.API
	looks []string
	asked []string // ids of builds
}

func (s *scripted) BatchGetBuildBatches(context.Context, *codebuild.BatchGetBuildBatchesInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildBatchesOutput, error) {
	words := strings.Fields(s.looks[0])
	if len(s.looks) > 1 {
		s.looks = s.looks[1:]
	}
	b := types.BuildBatch{Id: aws.String("p:1"), BuildBatchStatus: types.StatusType(words[0]), StartTime: aws.Time(time.Unix(0, 0)), EndTime: aws.Time(time.Unix(60, 0))}
	for _, word := range words[1:] {
		name, status, started := strings.Cut(word, "=")
		g := types.BuildGroup{Identifier: &name}
		if started {
			g.CurrentBuildSummary = &types.BuildSummary{Arn: aws.String("arn:aws:codebuild:us-east-1:1:build/p:" + name), BuildStatus: types.StatusType(status)}
		}
		b.BuildGroups = append(b.BuildGroups, g)
	}
	return &codebuild.BatchGetBuildBatchesOutput{BuildBatches: []types.BuildBatch{b}}, nil
}

func (s *scripted) BatchGetBuilds(_ context.Context, in *codebuild.BatchGetBuildsInput, _ ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error) {
	if len(in.Ids) > 100 {
		return nil, errors.New("too many")
	}
	s.asked = append(s.asked, in.Ids...)
	out := &codebuild.BatchGetBuildsOutput{}
	for _, id := range in.Ids {
		b := types.Build{Id: &id, BuildStatus: types.StatusTypeInProgress, CurrentPhase: aws.String("BUILD"), Logs: &types.LogsLocation{DeepLink: aws.String("https://logs/" + id)}}
		if strings.HasPrefix(id, "p:bad") {
			b.BuildStatus, b.BuildComplete = types.StatusTypeFailed, true
			b.Phases = []types.BuildPhase{{PhaseType: types.BuildPhaseTypeBuild, PhaseStatus: types.StatusTypeFailed, Contexts: []types.PhaseContext{{StatusCode: aws.String("COMMAND_EXECUTION_ERROR"), Message: aws.String("exit status 3")}}}}
		}
		out.Builds = append(out.Builds, b)
	}
	return out, nil
}

func TestFollow(t *testing.T) {
	t.Parallel()
	api := &scripted{looks: []string{"IN_PROGRESS a bad", "IN_PROGRESS a bad", "IN_PROGRESS a=IN_PROGRESS bad=IN_PROGRESS", "IN_PROGRESS a=IN_PROGRESS bad=FAILED", "FAILED a=IN_PROGRESS bad=FAILED"}}
	var seen []string
	b, err := ci.Follow(t.Context(), api, "p:1", func(b *ci.Batch) {
		text := b.Status
		for _, p := range b.Parts {
			text += fmt.Sprintf(" %s/%s/%s", p.Identifier, p.Status, p.Reason)
		}
		seen = append(seen, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := "bad/FAILED/COMMAND_EXECUTION_ERROR: exit status 3"
	want := []string{"IN_PROGRESS a// bad//", "IN_PROGRESS a/IN_PROGRESS/ " + failed, "FAILED a/IN_PROGRESS/ " + failed}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if b.Succeeded() || b.Duration != time.Minute || b.Parts[0].Log != "https://logs/p:a" {
		t.Errorf("batch %+v", b)
	}
	if n := strings.Count(strings.Join(api.asked, " "), "p:bad"); n != 1 {
		t.Errorf("a build that has ended was asked for %d times", n)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := ci.Follow(ctx, &scripted{looks: []string{"IN_PROGRESS a"}}, "p:1", func(*ci.Batch) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// More parts than AWS tells of at a time.
func TestFollowManyParts(t *testing.T) {
	t.Parallel()
	text := "SUCCEEDED"
	for i := range 250 {
		text += fmt.Sprintf(" n%d=SUCCEEDED", i)
	}
	b, err := ci.Follow(t.Context(), &scripted{looks: []string{text}}, "p:1", func(*ci.Batch) {})
	if err != nil || len(b.Parts) != 250 || b.Parts[249].Phase != "BUILD" {
		t.Errorf("%d parts, %v", len(b.Parts), err)
	}
}
