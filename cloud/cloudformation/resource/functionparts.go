package resource

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// functionName is the name of a function given by name or ARN.
func functionName(text string) string {
	if parts := strings.Split(text, ":"); len(parts) > 1 && parts[0] == "arn" && len(parts) > 6 {
		return parts[6]
	}
	name, _, _ := strings.Cut(text, ":")
	return name
}

// provisioned sets the provisioned concurrency of a version or an alias.
func provisioned(ctx context.Context, r *Request, function, qualifier string) error {
	client := Client(r.Clients, lambda.NewFromConfig)
	if v, ok := r.Properties["ProvisionedConcurrencyConfig"]; ok {
		in := &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &qualifier}
		if err := Bind(object(v), in); err != nil {
			return err
		}
		_, err := client.PutProvisionedConcurrencyConfig(ctx, in)
		return err
	}
	if _, had := r.Former["ProvisionedConcurrencyConfig"]; had {
		_, err := client.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &qualifier})
		return err
	}
	return nil
}

func functionVersionKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::Version", Untagged: true, Replace: []string{"FunctionName", "Description", "CodeSha256"},
		Create: createVersion,
		Update: func(ctx context.Context, r *Request) (Result, error) {
			v := versionResult(r.Physical)
			return v, provisioned(ctx, r, functionName(r.Physical), text(v.Attributes["Version"]))
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, lambda.NewFromConfig).DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &r.Physical})
			return gone(err)
		},
	}
}

func versionResult(arn string) Result {
	return Result{Physical: arn, Attributes: map[string]any{"FunctionArn": arn, "Version": arn[strings.LastIndexByte(arn, ':')+1:]}}
}

// createVersion publishes a version, which must be a new one, as AWS has it.
func createVersion(ctx context.Context, r *Request) (Result, error) {
	client, name := Client(r.Clients, lambda.NewFromConfig), functionName(r.Text("FunctionName"))
	there := map[string]bool{}
	pages := lambda.NewListVersionsByFunctionPaginator(client, &lambda.ListVersionsByFunctionInput{FunctionName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Result{}, err
		}
		for _, v := range page.Versions {
			there[*v.Version] = true
		}
	}
	in := &lambda.PublishVersionInput{}
	if err := Bind(r.Properties, in, "ProvisionedConcurrencyConfig", "RuntimePolicy", "FunctionScalingConfig"); err != nil {
		return Result{}, err
	}
	in.FunctionName = &name
	v, err := client.PublishVersion(ctx, in)
	if err != nil {
		return Result{}, err
	}
	if there[*v.Version] && !r.Retry {
		return Result{}, Sayf("A version for this Lambda function exists ( %s ). Modify the function to create a new version.", *v.Version)
	}
	r.Physical = *v.FunctionArn
	return versionResult(r.Physical), provisioned(ctx, r, name, *v.Version)
}

func functionAliasKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::Alias", NameProperty: "Name", Shared: true, Untagged: true, Replace: []string{"Name", "FunctionName"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.CreateAliasInput{}
			if err := Bind(r.Properties, in, "ProvisionedConcurrencyConfig", "RoutingConfig"); err != nil {
				return Result{}, err
			}
			in.RoutingConfig = routing(r)
			out, err := Client(r.Clients, lambda.NewFromConfig).CreateAlias(ctx, in)
			if isConflict(err) && r.Retry {
				r.Physical = r.ARN("lambda", "function:"+functionName(r.Text("FunctionName"))+":"+r.Text("Name"))
				return updateAlias(ctx, r)
			}
			if err != nil {
				return Result{}, err
			}
			r.Physical = *out.AliasArn
			return aliasResult(r), provisioned(ctx, r, functionName(r.Physical), r.Text("Name"))
		},
		Update: updateAlias,
		Delete: func(ctx context.Context, r *Request) error {
			name := r.Physical[strings.LastIndexByte(r.Physical, ':')+1:]
			_, err := Client(r.Clients, lambda.NewFromConfig).DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: aws.String(functionName(r.Physical)), Name: &name})
			return gone(err)
		},
	}
}

func isConflict(err error) bool {
	var there *types.ResourceConflictException
	return errors.As(err, &there)
}

// routing is the second version of an alias, of which templates have a list.
func routing(r *Request) *types.AliasRoutingConfiguration {
	weights := map[string]float64{}
	for _, item := range list(object(r.Properties["RoutingConfig"])["AdditionalVersionWeights"]) {
		entry := &struct {
			FunctionVersion string
			FunctionWeight  float64
		}{}
		if Bind(object(item), entry) == nil {
			weights[entry.FunctionVersion] = entry.FunctionWeight
		}
	}
	return &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
}

func aliasResult(r *Request) Result {
	return Result{Physical: r.Physical, Attributes: map[string]any{"AliasArn": r.Physical}}
}

func updateAlias(ctx context.Context, r *Request) (Result, error) {
	name := r.Text("Name")
	in := &lambda.UpdateAliasInput{FunctionName: aws.String(functionName(r.Physical)), Name: &name, FunctionVersion: aws.String(r.Text("FunctionVersion")),
		Description: aws.String(r.Text("Description")), RoutingConfig: routing(r)}
	if _, err := Client(r.Clients, lambda.NewFromConfig).UpdateAlias(ctx, in); err != nil {
		return Result{}, err
	}
	return aliasResult(r), provisioned(ctx, r, functionName(r.Physical), name)
}

// permissionKind is a statement of a function's policy.
func permissionKind() *Kind {
	return &Kind{
		Type: "AWS::Lambda::Permission", Naming: &Naming{Max: 100}, Untagged: true,
		Replace: []string{"Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.AddPermissionInput{StatementId: &r.Name}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			if _, err := Client(r.Clients, lambda.NewFromConfig).AddPermission(ctx, in); err != nil && !(r.Retry && isConflict(err)) {
				return Result{}, err
			}
			return Result{Physical: r.Name, Attributes: map[string]any{"Id": r.Name}}, nil
		},
		Update: unchanged,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, lambda.NewFromConfig).RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String(r.Text("FunctionName")), StatementId: &r.Physical})
			return gone(err)
		},
	}
}

// unchanged is the update of a resource whose properties all replace it.
func unchanged(_ context.Context, r *Request) (Result, error) {
	return Result{Physical: r.Physical, Attributes: r.Attributes}, nil
}

// eventConfigKind is how asynchronous events are treated.
func eventConfigKind() *Kind {
	put := func(ctx context.Context, r *Request) (Result, error) {
		in := &lambda.PutFunctionEventInvokeConfigInput{}
		if err := Bind(r.Properties, in); err != nil {
			return Result{}, err
		}
		_, err := Client(r.Clients, lambda.NewFromConfig).PutFunctionEventInvokeConfig(ctx, in)
		return Result{Physical: r.Text("FunctionName") + "|" + r.Text("Qualifier")}, err
	}
	return &Kind{
		Type: "AWS::Lambda::EventInvokeConfig", Untagged: true, Replace: []string{"FunctionName", "Qualifier"},
		Create: put, Update: put,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, lambda.NewFromConfig).DeleteFunctionEventInvokeConfig(ctx, &lambda.DeleteFunctionEventInvokeConfigInput{
				FunctionName: aws.String(r.Text("FunctionName")), Qualifier: aws.String(r.Text("Qualifier"))})
			return gone(err)
		},
	}
}

// functionURLKind is the URL of a function or an alias.
func functionURLKind() *Kind {
	result := func(arn, url *string) Result {
		return Result{Physical: aws.ToString(arn), Attributes: map[string]any{"FunctionArn": aws.ToString(arn), "FunctionUrl": aws.ToString(url)}}
	}
	qualifier := func(r *Request) *string {
		if q := r.Text("Qualifier"); q != "" {
			return &q
		}
		return nil
	}
	update := func(ctx context.Context, r *Request) (Result, error) {
		in := &lambda.UpdateFunctionUrlConfigInput{}
		if err := Bind(r.Properties, in, "TargetFunctionArn"); err != nil {
			return Result{}, err
		}
		if in.FunctionName = aws.String(r.Text("TargetFunctionArn")); in.Cors == nil {
			in.Cors = &types.Cors{}
		}
		if in.InvokeMode == "" {
			in.InvokeMode = types.InvokeModeBuffered
		}
		out, err := Client(r.Clients, lambda.NewFromConfig).UpdateFunctionUrlConfig(ctx, in)
		if err != nil {
			return Result{}, err
		}
		return result(out.FunctionArn, out.FunctionUrl), nil
	}
	return &Kind{
		Type: "AWS::Lambda::Url", Untagged: true, Replace: []string{"TargetFunctionArn", "Qualifier"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.CreateFunctionUrlConfigInput{}
			if err := Bind(r.Properties, in, "TargetFunctionArn"); err != nil {
				return Result{}, err
			}
			in.FunctionName = aws.String(r.Text("TargetFunctionArn"))
			out, err := Client(r.Clients, lambda.NewFromConfig).CreateFunctionUrlConfig(ctx, in)
			if isConflict(err) && r.Retry {
				return update(ctx, r)
			}
			if err != nil {
				return Result{}, err
			}
			return result(out.FunctionArn, out.FunctionUrl), nil
		},
		Update: update,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, lambda.NewFromConfig).DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{
				FunctionName: aws.String(r.Text("TargetFunctionArn")), Qualifier: qualifier(r)})
			return gone(err)
		},
	}
}
