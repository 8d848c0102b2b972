package codebuild_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/smithy-go"
)

func TestProjects(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	in := project("site", "version: 0.2\nphases: {}", func(in *api.CreateProjectInput) { in.TimeoutInMinutes = nil })
	made := c.create(t, in)
	if *made.Arn != "arn:aws:codebuild:us-east-1:000000000000:project/site" || *made.TimeoutInMinutes != 60 || *made.QueuedTimeoutInMinutes != 480 ||
		made.Cache.Type != types.CacheTypeNoCache || *made.EncryptionKey != "arn:aws:kms:us-east-1:000000000000:alias/aws/s3" {
		t.Errorf("made %+v", made)
	}
	_, err := c.builds.CreateProject(t.Context(), in)
	var there *types.ResourceAlreadyExistsException
	if !errors.As(err, &there) || *there.Message != "Project already exists: "+*made.Arn {
		t.Errorf("made twice: %v", err)
	}
	changed, err := c.builds.UpdateProject(t.Context(), &api.UpdateProjectInput{Name: made.Name, Description: aws.String("d"), ConcurrentBuildLimit: aws.Int32(2)})
	if err != nil || *changed.Project.Description != "d" || *changed.Project.ServiceRole != roleARN || !changed.Project.Created.Equal(*made.Created) {
		t.Errorf("changed %+v, %v", changed, err)
	}
	c.create(t, project("other", "version: 0.2\nphases: {}", nil))
	list, err := c.builds.ListProjects(t.Context(), &api.ListProjectsInput{SortOrder: types.SortOrderTypeDescending})
	if err != nil || !slices.Equal(list.Projects, []string{"site", "other"}) {
		t.Errorf("projects %v, %v", list, err)
	}
	if _, err := c.builds.DeleteProject(t.Context(), &api.DeleteProjectInput{Name: made.Name}); err != nil {
		t.Error(err)
	}
	got, err := c.builds.BatchGetProjects(t.Context(), &api.BatchGetProjectsInput{Names: []string{"site", "other"}})
	if err != nil || len(got.Projects) != 1 || !slices.Equal(got.ProjectsNotFound, []string{"site"}) {
		t.Errorf("projects %+v, %v", got, err)
	}
}

// Each case breaks a valid project, or asks for what is not there, and is
// refused with the code and message.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	create := func(f func(in *api.CreateProjectInput)) error {
		_, err := c.builds.CreateProject(t.Context(), project("site", "version: 0.2\nphases: {}", f))
		return err
	}
	_, noProject := c.builds.StartBuild(t.Context(), &api.StartBuildInput{ProjectName: aws.String("nosuch")})
	_, noHistory := c.builds.ListBuildsForProject(t.Context(), &api.ListBuildsForProjectInput{ProjectName: aws.String("nosuch")})
	_, noBuild := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: aws.String("a:b")})
	_, badID := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: aws.String("ab")})
	_, noUpdate := c.builds.UpdateProject(t.Context(), &api.UpdateProjectInput{Name: aws.String("nosuch")})
	cases := map[string]error{
		"InvalidInputException: Project name is required": create(func(in *api.CreateProjectInput) { in.Name = aws.String("") }),
		"InvalidInputException: Project source location is required": create(func(in *api.CreateProjectInput) {
			in.Source = &types.ProjectSource{Type: types.SourceTypeS3}
		}),
		"InvalidInputException: Invalid type provided: Project source type": create(func(in *api.CreateProjectInput) { in.Source.Type = "SVN" }),
		"InvalidInputException: Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE": create(func(in *api.CreateProjectInput) {
			in.Source = &types.ProjectSource{Type: types.SourceTypeCodepipeline}
		}),
		"InvalidInputException: Invalid artifacts: artifact type NO_ARTIFACTS should have null location": create(func(in *api.CreateProjectInput) {
			in.Artifacts.Location = aws.String("b")
		}),
		"InvalidInputException: Invalid service role: Service role account ID does not match caller's account": create(func(in *api.CreateProjectInput) {
			in.ServiceRole = aws.String("arn:aws:iam::111111111111:role/x")
		}),
		"InvalidInputException: Invalid compute type provided: HUGE": create(func(in *api.CreateProjectInput) { in.Environment.ComputeType = "HUGE" }),
		"InvalidInputException: Invalid timeout: 4, it must be between 5 and 2160 minutes": create(func(in *api.CreateProjectInput) {
			in.TimeoutInMinutes = aws.Int32(4)
		}),
		"ResourceNotFoundException: Project cannot be found: arn:aws:codebuild:us-east-1:000000000000:project/nosuch":            noProject,
		"ResourceNotFoundException: The provided project arn:aws:codebuild:us-east-1:000000000000:project/nosuch does not exist": noHistory,
		"ResourceNotFoundException: Build a:b does not exist":                                                                    noBuild,
		"InvalidInputException: Invalid build ID provided":                                                                       badID,
		"ResourceNotFoundException: Project does not exist: arn:aws:codebuild:us-east-1:000000000000:project/nosuch":             noUpdate,
	}
	for want, err := range cases {
		var api smithy.APIError
		if !errors.As(err, &api) {
			t.Errorf("%v, want %s", err, want)
		} else if got := api.ErrorCode() + ": " + api.ErrorMessage(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestSourceCredentials(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	in := &api.ImportSourceCredentialsInput{AuthType: types.AuthTypePersonalAccessToken, ServerType: types.ServerTypeGithub, Token: aws.String("gh-token"), ShouldOverwrite: aws.Bool(false)}
	made, err := c.builds.ImportSourceCredentials(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.builds.ImportSourceCredentials(t.Context(), in); err == nil || !strings.Contains(err.Error(), "ResourceAlreadyExistsException") {
		t.Errorf("imported twice: %v", err)
	}
	list, err := c.builds.ListSourceCredentials(t.Context(), &api.ListSourceCredentialsInput{})
	if err != nil || len(list.SourceCredentialsInfos) != 1 || *list.SourceCredentialsInfos[0].Arn != *made.Arn || list.SourceCredentialsInfos[0].Resource != nil {
		t.Errorf("credentials %+v, %v", list, err)
	}
	if _, err := c.builds.DeleteSourceCredentials(t.Context(), &api.DeleteSourceCredentialsInput{Arn: made.Arn}); err != nil {
		t.Error(err)
	}
	if _, err := c.builds.DeleteSourceCredentials(t.Context(), &api.DeleteSourceCredentialsInput{Arn: made.Arn}); err == nil {
		t.Error("deleted twice")
	}
}
