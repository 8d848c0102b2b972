package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

func reportGroupKind() *Kind {
	return &Kind{
		Type: "AWS::CodeBuild::ReportGroup", NameProperty: "Name", Naming: &Naming{Max: 128}, Replace: []string{"Name", "Type"},
		Create: createReportGroup, Update: updateReportGroup,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, codebuild.NewFromConfig).DeleteReportGroup(ctx, &codebuild.DeleteReportGroupInput{
				Arn: &r.Physical, DeleteReports: r.Text("DeleteReports") == "true"})
			return gone(err)
		},
	}
}

func createReportGroup(ctx context.Context, r *Request) (Result, error) {
	in := &codebuild.CreateReportGroupInput{}
	if err := Bind(r.Properties, in, "DeleteReports", "Tags"); err != nil {
		return Result{}, err
	}
	in.Name, in.Tags = &r.Name, projectTags(r)
	_, err := Client(r.Clients, codebuild.NewFromConfig).CreateReportGroup(ctx, in)
	if err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	return byARN(r.ARN("codebuild", "report-group/"+r.Name)), nil
}

func updateReportGroup(ctx context.Context, r *Request) (Result, error) {
	in := &codebuild.UpdateReportGroupInput{}
	if err := Bind(r.Properties, in, "DeleteReports", "Name", "Type", "Tags"); err != nil {
		return Result{}, err
	}
	in.Arn, in.Tags = &r.Physical, projectTags(r)
	_, err := Client(r.Clients, codebuild.NewFromConfig).UpdateReportGroup(ctx, in)
	return byARN(r.Physical), err
}

// byARN is a resource that Ref and Fn::GetAtt name by its ARN alone.
func byARN(arn string) Result {
	return Result{Physical: arn, Attributes: map[string]any{"Arn": arn, "Id": arn}}
}

func sourceCredentialKind() *Kind {
	return &Kind{
		Type: "AWS::CodeBuild::SourceCredential", Untagged: true, Replace: []string{"ServerType"},
		// An account has one credential for a provider. Only an update may
		// overwrite it, or the repetition of a creation.
		Create: func(ctx context.Context, r *Request) (Result, error) { return importCredential(ctx, r, r.Retry) },
		Update: func(ctx context.Context, r *Request) (Result, error) { return importCredential(ctx, r, true) },
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, codebuild.NewFromConfig).DeleteSourceCredentials(ctx, &codebuild.DeleteSourceCredentialsInput{Arn: &r.Physical})
			return gone(err)
		},
	}
}

func importCredential(ctx context.Context, r *Request, overwrite bool) (Result, error) {
	in := &codebuild.ImportSourceCredentialsInput{}
	if err := Bind(r.Properties, in); err != nil {
		return Result{}, err
	}
	in.ShouldOverwrite = &overwrite
	out, err := Client(r.Clients, codebuild.NewFromConfig).ImportSourceCredentials(ctx, in)
	if err != nil {
		return Result{}, err
	}
	return byARN(aws.ToString(out.Arn)), nil
}

// readCredential tells of a credential all but its secrets.
func readCredential(ctx context.Context, client *codebuild.Client, arn string) (*cbtypes.SourceCredentialsInfo, error) {
	out, err := client.ListSourceCredentials(ctx, &codebuild.ListSourceCredentialsInput{})
	if err != nil {
		return nil, err
	}
	for _, info := range out.SourceCredentialsInfos {
		if aws.ToString(info.Arn) == arn {
			return &info, nil
		}
	}
	return nil, ErrGone
}
