package function

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/stack"
)

// exported are the parameters of stack.export.
type exported struct {
	Stack         string            `json:"stack"`
	Template      string            `json:"template"`      // file in the artifact, template.json by default
	Configuration string            `json:"configuration"` // file in the artifact, configuration.json by default
	Parameters    map[string]string `json:"parameters"`    // that get other values
	// AtLeast are numbers that rise to this if they are less, such as the count
	// of a service's tasks, which is 0 until there is an image. Others are handed
	// on as the stack has them, which is what it would keep without being told; to
	// what a service has grown by use, no parameter says.
	AtLeast map[string]int `json:"atLeast"`
}

// stackExport hands a running stack's template and parameters on as artifacts,
// with the values that a deployment gives some parameters. Parameters whose
// values CloudFormation does not tell are left out: they keep their values.
func stackExport(ctx context.Context, j *job, p *exported) (done, error) {
	if p.Stack == "" {
		return done{}, errors.New("the UserParameters name no stack")
	}
	api := cloudformation.NewFromConfig(j.cfg)
	s, err := stack.Describe(ctx, api, p.Stack)
	if err != nil {
		return done{}, err
	}
	if s == nil {
		return done{}, fmt.Errorf("there is no stack %q", p.Stack)
	}
	out, err := api.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: s.StackId, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return done{}, fmt.Errorf("reading the template of stack %q: %w", p.Stack, err)
	}
	values, err := p.values(s.Parameters)
	if err != nil {
		return done{}, fmt.Errorf("stack %q: %w", p.Stack, err)
	}
	configuration, err := json.MarshalIndent(map[string]any{"Parameters": values}, "", "  ")
	if err != nil {
		return done{}, err
	}
	return done{Summary: fmt.Sprintf("Stack %s with %d parameters", p.Stack, len(values))}, j.output(ctx,
		member{cmp.Or(p.Template, "template.json"), []byte(aws.ToString(out.TemplateBody))},
		member{cmp.Or(p.Configuration, "configuration.json"), configuration})
}

// masked is what CloudFormation says of parameters with NoEcho.
const masked = "****"

// values are the stack's parameters with the values that they are to get.
func (p *exported) values(there []types.Parameter) (map[string]string, error) {
	values := map[string]string{}
	known := map[string]bool{}
	for _, t := range there {
		name, value := aws.ToString(t.ParameterKey), aws.ToString(t.ParameterValue)
		if known[name] = true; value != masked {
			values[name] = value
		}
	}
	for name, value := range p.Parameters {
		if !known[name] {
			return nil, fmt.Errorf("it has no parameter %s", name)
		}
		values[name] = value
	}
	for name, least := range p.AtLeast {
		n, err := strconv.Atoi(values[name])
		if err != nil {
			return nil, fmt.Errorf("its parameter %s is no number", name)
		}
		values[name] = strconv.Itoa(max(n, least))
	}
	return values, nil
}
