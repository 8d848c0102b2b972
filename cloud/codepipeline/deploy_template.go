package codepipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Sizes in bytes; the template's are CloudFormation's own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	maxTemplateBody = 51_200
	maxTemplate     = 1 << 20
	maxConfigFile   = 1 << 20
)

// templateInput is what a stack is made from.
type templateInput struct {
	body, url, role, policy *string
	parameters              []cftypes.Parameter
	tags                    []cftypes.Tag
	capabilities            []cftypes.Capability
}

// templateFile is a template configuration file.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
type templateFile struct {
	Parameters  map[string]string
	Tags        map[string]string
	StackPolicy json.RawMessage
}

// template reads what the configuration refers to.
func (d *deployment) template(ctx context.Context) (*templateInput, error) {
	role, err := d.need("RoleArn")
	if err != nil {
		return nil, err
	}
	t := &templateInput{role: &role}
	for c := range strings.SplitSeq(d.config["Capabilities"], ",") {
		if c = strings.TrimSpace(c); c != "" {
			t.capabilities = append(t.capabilities, cftypes.Capability(c))
		}
	}
	if err := d.templateBody(ctx, t); err != nil {
		return nil, err
	}
	return t, d.templateConfiguration(ctx, t)
}

// templateBody reads the template. One that is too long for a request goes to
// the artifact bucket first.
func (d *deployment) templateBody(ctx context.Context, t *templateInput) error {
	path, err := d.need("TemplatePath")
	if err != nil {
		return err
	}
	body, err := d.file(ctx, "TemplatePath", path, maxTemplate)
	if err != nil {
		return err
	}
	if len(body) <= maxTemplateBody {
		t.body = aws.String(string(body))
		return nil
	}
	to := location{aws.ToString(d.store.Location), cut(d.key.name, 20) + "/templates/" + d.record.ID + ".template"}
	if err := d.putObject(ctx, to, body); err != nil {
		return err
	}
	t.url = aws.String(d.service.host.Endpoint() + "/" + to.Bucket + "/" + escapeKey(to.Key))
	return nil
}

// file reads a file that a configuration names as Artifact::path.
func (d *deployment) file(ctx context.Context, name, value string, limit int64) ([]byte, error) {
	from, path, ok := strings.Cut(value, "::")
	if !ok {
		return nil, failed(types.FailureTypeConfigurationError, "the configuration %s of action %q is %q, and must be of the form ArtifactName::path/of/file", name, d.record.Name, value)
	}
	in, err := d.input(from)
	if err != nil {
		return nil, err
	}
	return d.readArtifact(ctx, in, path, limit)
}

// templateConfiguration collects parameters, tags and the stack policy. What
// ParameterOverrides says goes over the file.
func (d *deployment) templateConfiguration(ctx context.Context, t *templateInput) error {
	var file templateFile
	if path := d.config["TemplateConfiguration"]; path != "" {
		text, err := d.file(ctx, "TemplateConfiguration", path, maxConfigFile)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &file); err != nil {
			return failed(types.FailureTypeConfigurationError, "the template configuration is not valid: %s", jsonProblem(path, text, err))
		}
	}
	overrides, err := d.parameterOverrides(ctx)
	if err != nil {
		return err
	}
	parameters := maps.Clone(file.Parameters)
	if parameters == nil {
		parameters = map[string]string{}
	}
	maps.Copy(parameters, overrides)
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		t.parameters = append(t.parameters, cftypes.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(parameters[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(file.Tags)) {
		t.tags = append(t.tags, cftypes.Tag{Key: aws.String(name), Value: aws.String(file.Tags[name])})
	}
	if len(file.StackPolicy) > 0 {
		t.policy = aws.String(string(file.StackPolicy))
	}
	return nil
}

// parameterOverrides reads the configuration ParameterOverrides: JSON whose
// values are strings, Fn::GetArtifactAtt or Fn::GetParam.
func (d *deployment) parameterOverrides(ctx context.Context) (map[string]string, error) {
	text := d.config["ParameterOverrides"]
	if text == "" {
		return nil, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, failed(types.FailureTypeConfigurationError, "the configuration of action %q is not valid: %s", d.record.Name, jsonProblem("ParameterOverrides", []byte(text), err))
	}
	values := map[string]string{}
	for name, value := range raw {
		v, err := d.overrideValue(ctx, name, value)
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return values, nil
}

func (d *deployment) overrideValue(ctx context.Context, name string, value json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text, nil
	}
	var call struct {
		Att   []string `json:"Fn::GetArtifactAtt"`
		Param []string `json:"Fn::GetParam"`
	}
	err := json.Unmarshal(value, &call)
	switch {
	case err == nil && len(call.Att) == 2:
		return d.artifactAtt(call.Att[0], call.Att[1])
	case err == nil && len(call.Param) == 3:
		return d.param(ctx, call.Param[0], call.Param[1], call.Param[2])
	}
	return "", failed(types.FailureTypeConfigurationError,
		`the override of parameter %q must be a string, {"Fn::GetArtifactAtt": [artifact, attribute]} or {"Fn::GetParam": [artifact, file, key]}`, name)
}

func (d *deployment) artifactAtt(name, attribute string) (string, error) {
	in, err := d.input(name)
	if err != nil {
		return "", err
	}
	switch attribute {
	case "ArtifactName":
		return in.Name, nil
	case "BucketName":
		return in.Bucket, nil
	case "ObjectKey":
		return in.Key, nil
	case "URL":
		return d.service.host.Endpoint() + "/" + in.Bucket + "/" + escapeKey(in.Key), nil
	}
	return "", failed(types.FailureTypeConfigurationError, "Fn::GetArtifactAtt has no attribute %q; it has ArtifactName, BucketName, ObjectKey and URL", attribute)
}

func (d *deployment) param(ctx context.Context, name, file, key string) (string, error) {
	in, err := d.input(name)
	if err != nil {
		return "", err
	}
	text, err := d.readArtifact(ctx, in, file, maxConfigFile)
	if err != nil {
		return "", err
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return "", failed(types.FailureTypeConfigurationError, "a file for Fn::GetParam is not valid: %s", jsonProblem(name+"::"+file, text, err))
	}
	v, ok := values[key]
	if !ok {
		return "", failed(types.FailureTypeConfigurationError, "the file %q in artifact %q has no key %q", file, name, key)
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", failed(types.FailureTypeConfigurationError, "the key %q of file %q in artifact %q is not a string", key, file, name)
}

// jsonProblem says where in a text an error of decoding is.
func jsonProblem(name string, text []byte, err error) string {
	offset := int64(-1)
	switch e := err.(type) {
	case *json.SyntaxError:
		offset = e.Offset
	case *json.UnmarshalTypeError:
		offset = e.Offset
	}
	if offset < 1 || offset > int64(len(text)) {
		return fmt.Sprintf("%s: %v", name, err)
	}
	before := string(text[:offset-1])
	line := strings.Count(before, "\n") + 1
	return fmt.Sprintf("%s:%d:%d: %v", name, line, len(before)-strings.LastIndex(before, "\n"), err)
}
