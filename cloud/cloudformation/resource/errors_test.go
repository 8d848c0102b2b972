package resource_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/cloudformation/resource"
)

func TestReason(t *testing.T) {
	t.Parallel()
	_, incomplete := codebuild.New(codebuild.Options{Region: "us-east-1"}).CreateProject(t.Context(), &codebuild.CreateProjectInput{
		Name: aws.String("p"), Artifacts: &types.ProjectArtifacts{}, ServiceRole: aws.String("r"), Source: &types.ProjectSource{Type: "S3"}})
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("no"), "no"},
		{incomplete, "Properties validation failed with message: #/Artifacts: required key [Type] not found; #: required key [Environment] not found"},
		{&types.ResourceAlreadyExistsException{Message: aws.String("p exists")},
			`Resource handler returned message: "p exists (Service: , Status Code: 0, Request ID: )" (RequestToken: t, HandlerErrorCode: AlreadyExists)`},
	} {
		if got := resource.Reason(c.err, "t"); got != c.want {
			t.Errorf("reason of %v is\n%s\nwant\n%s", c.err, got, c.want)
		}
	}
}
