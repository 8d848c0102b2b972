package resource

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// functionReaders are the readers of Lambda's types.
func functionReaders() map[string]reader {
	return map[string]reader{
		"AWS::Lambda::Function":               readFunction,
		"AWS::Lambda::Version":                readVersion,
		"AWS::Lambda::Alias":                  readAlias,
		"AWS::Lambda::Permission":             readPermission,
		"AWS::Lambda::EventInvokeConfig":      readEventConfig,
		"AWS::Lambda::Url":                    readFunctionURL,
		"AWS::Lambda::LayerVersion":           readLayerVersion,
		"AWS::Lambda::LayerVersionPermission": readLayerPermission,
	}
}

func readFunction(ctx context.Context, r *Request) ([]any, error) {
	client := Client(r.Clients, lambda.NewFromConfig)
	f, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &r.Physical})
	if err != nil {
		return nil, err
	}
	reserved, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &r.Physical})
	if err != nil {
		return nil, err
	}
	layers := []string{}
	for _, l := range f.Layers {
		layers = append(layers, aws.ToString(l.Arn))
	}
	return []any{map[string]any{"Layers": layers}, f, map[string]any{"ReservedConcurrentExecutions": reserved.ReservedConcurrentExecutions}}, nil
}

// sameFunction is the function that the template names, by name or ARN, as long
// as it is the one that the service tells.
func sameFunction(r *Request, property string, arn *string) map[string]any {
	if name := r.Text(property); functionName(name) == functionName(aws.ToString(arn)) {
		return map[string]any{property: name}
	}
	return map[string]any{property: aws.ToString(arn)}
}

func readVersion(ctx context.Context, r *Request) ([]any, error) {
	f, err := Client(r.Clients, lambda.NewFromConfig).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &r.Physical})
	if err != nil {
		return nil, err
	}
	return []any{sameFunction(r, "FunctionName", f.FunctionArn), f}, nil
}

func readAlias(ctx context.Context, r *Request) ([]any, error) {
	name := r.Physical[strings.LastIndexByte(r.Physical, ':')+1:]
	out, err := Client(r.Clients, lambda.NewFromConfig).GetAlias(ctx, &lambda.GetAliasInput{FunctionName: aws.String(functionName(r.Physical)), Name: &name})
	if err != nil {
		return nil, err
	}
	own := sameFunction(r, "FunctionName", out.AliasArn)
	if out.RoutingConfig != nil {
		weights := []any{}
		for _, version := range slices.Sorted(maps.Keys(out.RoutingConfig.AdditionalVersionWeights)) {
			weights = append(weights, map[string]any{"FunctionVersion": version, "FunctionWeight": out.RoutingConfig.AdditionalVersionWeights[version]})
		}
		own["RoutingConfig"] = map[string]any{"AdditionalVersionWeights": weights}
	} else {
		own["RoutingConfig"] = nil
	}
	return []any{own, out}, nil
}

// statementOf looks for a statement in a policy.
func statementOf(policy *string, sid string) (map[string]any, error) {
	var doc struct{ Statement []map[string]any }
	if err := json.Unmarshal([]byte(aws.ToString(policy)), &doc); err != nil {
		return nil, err
	}
	for _, st := range doc.Statement {
		if st["Sid"] == sid {
			return st, nil
		}
	}
	return nil, ErrGone
}

// principalText is a statement's principal as templates have it.
func principalText(r *Request, st map[string]any) any {
	for _, who := range object(st["Principal"]) {
		if account := r.Text("Principal"); len(account) == 12 && strings.HasSuffix(text(who), "::"+account+":root") {
			return account
		}
		return who
	}
	return st["Principal"]
}

func readPermission(ctx context.Context, r *Request) ([]any, error) {
	out, err := Client(r.Clients, lambda.NewFromConfig).GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String(r.Text("FunctionName"))})
	if err != nil {
		return nil, err
	}
	st, err := statementOf(out.Policy, r.Physical)
	if err != nil {
		return nil, err
	}
	return []any{sameFunction(r, "FunctionName", aws.String(text(st["Resource"]))), map[string]any{"Action": st["Action"], "Principal": principalText(r, st),
		"SourceAccount": object(object(st["Condition"])["StringEquals"])["AWS:SourceAccount"], "SourceArn": object(object(st["Condition"])["ArnLike"])["AWS:SourceArn"]}}, nil
}

func readEventConfig(ctx context.Context, r *Request) ([]any, error) {
	out, err := Client(r.Clients, lambda.NewFromConfig).GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{
		FunctionName: aws.String(r.Text("FunctionName")), Qualifier: aws.String(r.Text("Qualifier"))})
	if err != nil {
		return nil, err
	}
	return []any{out}, nil
}

func readFunctionURL(ctx context.Context, r *Request) ([]any, error) {
	in := &lambda.GetFunctionUrlConfigInput{FunctionName: aws.String(r.Text("TargetFunctionArn"))}
	if q := r.Text("Qualifier"); q != "" {
		in.Qualifier = &q
	}
	out, err := Client(r.Clients, lambda.NewFromConfig).GetFunctionUrlConfig(ctx, in)
	if err != nil {
		return nil, err
	}
	return []any{sameFunction(r, "TargetFunctionArn", out.FunctionArn), out}, nil
}

func readLayerVersion(ctx context.Context, r *Request) ([]any, error) {
	out, err := Client(r.Clients, lambda.NewFromConfig).GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &r.Physical})
	if err != nil {
		return nil, err
	}
	// Of the content there is no more than its hash.
	return []any{map[string]any{"Description": out.Description, "LicenseInfo": out.LicenseInfo, "CompatibleRuntimes": out.CompatibleRuntimes, "CompatibleArchitectures": out.CompatibleArchitectures}}, nil
}

func readLayerPermission(ctx context.Context, r *Request) ([]any, error) {
	arn, sid, _ := strings.Cut(r.Physical, "#")
	layer, version, err := layerOf(arn)
	if err != nil {
		return nil, err
	}
	out, err := Client(r.Clients, lambda.NewFromConfig).GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: &layer, VersionNumber: &version})
	if err != nil {
		return nil, err
	}
	st, err := statementOf(out.Policy, sid)
	if err != nil {
		return nil, err
	}
	return []any{map[string]any{"Action": st["Action"], "Principal": principalText(r, st), "LayerVersionArn": st["Resource"],
		"OrganizationId": object(object(st["Condition"])["StringEquals"])["aws:PrincipalOrgID"]}}, nil
}

// functionFinders find Lambda's types for an import.
func functionFinders() map[string]finder {
	function := named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := lambda.NewFromConfig(cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: id})
		return err
	})
	return map[string]finder{
		"AWS::Lambda::Function": function,
		"AWS::Lambda::Version":  function,
		"AWS::Lambda::Alias":    function,
		"AWS::Lambda::LayerVersion": named(func(ctx context.Context, cfg aws.Config, id *string) error {
			_, err := lambda.NewFromConfig(cfg).GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: id})
			return err
		}),
		"AWS::Lambda::LayerVersionPermission": named(func(ctx context.Context, cfg aws.Config, id *string) error {
			return absentIfGone(readLayerPermission(ctx, &Request{Clients: &Clients{Config: cfg}, Physical: *id}))
		}),
		"AWS::Lambda::Permission": func(ctx context.Context, cfg aws.Config, id string) (string, error) {
			function, sid, _ := strings.Cut(id, "|")
			r := &Request{Clients: &Clients{Config: cfg}, Physical: sid, Properties: map[string]any{"FunctionName": function}}
			return sid, absentIfGone(readPermission(ctx, r))
		},
		"AWS::Lambda::EventInvokeConfig": named(func(ctx context.Context, cfg aws.Config, id *string) error {
			function, qualifier, _ := strings.Cut(*id, "|")
			_, err := lambda.NewFromConfig(cfg).GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: &function, Qualifier: &qualifier})
			return err
		}),
		"AWS::Lambda::Url": named(func(ctx context.Context, cfg aws.Config, id *string) error {
			_, err := lambda.NewFromConfig(cfg).GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: id})
			return err
		}),
	}
}

func absentIfGone(_ []any, err error) error {
	if errors.Is(err, ErrGone) {
		return errAbsent
	}
	return err
}
