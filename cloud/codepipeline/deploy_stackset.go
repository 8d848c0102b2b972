package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// stackSet makes a stack set, or updates it, and has it deployed to targets.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StackSets.html
type stackSet struct{}

// stackInstances makes the instances of a stack set that are missing at the
// targets, and updates the others there.
type stackInstances struct{}

// setDeployment is an action on a stack set at work.
type setDeployment struct {
	deployment
	targets     *cftypes.DeploymentTargets // of a set that an organization manages
	accounts    []string                   // of any other
	regions     []string
	preferences *cftypes.StackSetOperationPreferences
	overrides   []cftypes.Parameter
}

func (j *job) setDeployment(ctx context.Context) (*setDeployment, error) {
	name, err := j.need("StackSetName")
	if err != nil {
		return nil, err
	}
	d := &setDeployment{deployment: deployment{job: j, client: cloudformation.NewFromConfig(j.as), stack: name}, regions: commaList(j.config["Regions"])}
	if err := d.readTargets(ctx); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		name string
		set  func(p *cftypes.StackSetOperationPreferences, n *int32)
	}{
		{"FailureTolerancePercentage", func(p *cftypes.StackSetOperationPreferences, n *int32) { p.FailureTolerancePercentage = n }},
		{"MaxConcurrentPercentage", func(p *cftypes.StackSetOperationPreferences, n *int32) { p.MaxConcurrentPercentage = n }},
	} {
		text := d.config[p.name]
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, failed(types.FailureTypeConfigurationError, "the configuration %s of action %q is %q, and must be a number", p.name, d.record.Name, text)
		}
		if d.preferences == nil {
			d.preferences = &cftypes.StackSetOperationPreferences{}
		}
		p.set(d.preferences, aws.Int32(int32(n)))
	}
	if d.overrides, err = d.parameterList(ctx, "ParameterOverrides"); err != nil {
		return nil, err
	}
	// What was under way when the process died is waited for first.
	return d, d.followOperation(ctx, d.record.ExternalID)
}

// readTargets reads accounts or organizational units, separated by commas or
// as a JSON list in a file of an artifact.
func (d *setDeployment) readTargets(ctx context.Context) error {
	text := d.config["DeploymentTargets"]
	list := commaList(text)
	if strings.Contains(text, "::") {
		list = nil
		file, err := d.file(ctx, "DeploymentTargets", text, maxConfigFile)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(file, &list); err != nil {
			return failed(types.FailureTypeConfigurationError, "the list of deployment targets is not valid: %s", jsonProblem(text, file, err))
		}
	}
	if slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, "ou-") || strings.HasPrefix(s, "r-") }) {
		d.targets = &cftypes.DeploymentTargets{OrganizationalUnitIds: list}
		return nil
	}
	d.accounts = list
	return nil
}

func commaList(text string) (list []string) {
	for v := range strings.SplitSeq(text, ",") {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}

// parameterList reads parameters: in the short form of the command line, or as
// a JSON list in a file of an artifact.
func (d *setDeployment) parameterList(ctx context.Context, name string) ([]cftypes.Parameter, error) {
	text := d.config[name]
	if text != "" && !strings.HasPrefix(text, "ParameterKey=") && strings.Contains(text, "::") {
		file, err := d.file(ctx, name, text, maxConfigFile)
		if err != nil {
			return nil, err
		}
		var list []cftypes.Parameter
		if err := json.Unmarshal(file, &list); err != nil {
			return nil, failed(types.FailureTypeConfigurationError, "the list of parameters is not valid: %s", jsonProblem(text, file, err))
		}
		return list, nil
	}
	var list []cftypes.Parameter
	for _, words := range strings.Fields(text) {
		p, err := shortParameter(words)
		if err != nil {
			return nil, failed(types.FailureTypeConfigurationError, "the configuration %s of action %q is not valid: %v", name, d.record.Name, err)
		}
		list = append(list, p)
	}
	return list, nil
}

var errShortForm = errors.New("parameters are written as ParameterKey=name,ParameterValue=value or ParameterKey=name,UsePreviousValue=true")

// shortParameter reads one parameter. A value with commas goes on to the next
// member.
func shortParameter(text string) (p cftypes.Parameter, err error) {
	var value *string
	for part := range strings.SplitSeq(text, ",") {
		name, v, ok := strings.Cut(part, "=")
		switch {
		case ok && name == "ParameterKey":
			p.ParameterKey = &v
		case ok && name == "ParameterValue":
			p.ParameterValue, value = &v, &v
		case ok && name == "UsePreviousValue":
			use := strings.EqualFold(v, "true")
			p.UsePreviousValue, value = &use, nil
		case ok && name == "ResolvedValue":
			value = nil // CloudFormation only answers with it
		case value != nil:
			*value += "," + part
		default:
			return p, errShortForm
		}
	}
	if p.ParameterKey == nil {
		return p, errShortForm
	}
	return p, nil
}

func (stackSet) run(ctx context.Context, j *job) (*outcome, error) {
	d, err := j.setDeployment(ctx)
	if err != nil {
		return nil, err
	}
	set, err := d.client.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &d.stack})
	var none *cftypes.StackSetNotFoundException
	if err != nil && !errors.As(err, &none) {
		return nil, err
	}
	there := err == nil && !strings.HasSuffix(d.record.Summary, madeHere)
	id := ""
	if err == nil {
		id = aws.ToString(set.StackSet.StackSetId)
	} else if id, err = d.createSet(ctx); err != nil {
		return nil, err
	}
	missing, _, err := d.instances(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.createInstances(ctx, missing); err != nil {
		return nil, err
	}
	if there {
		if err := d.updateSet(ctx); err != nil {
			return nil, err
		}
	}
	return d.done(id), nil
}

func (stackInstances) run(ctx context.Context, j *job) (*outcome, error) {
	d, err := j.setDeployment(ctx)
	if err != nil {
		return nil, err
	}
	set, err := d.client.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &d.stack})
	if err != nil {
		return nil, err
	}
	missing, found, err := d.instances(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.createInstances(ctx, missing); err != nil {
		return nil, err
	}
	if err := d.updateInstances(ctx, found); err != nil {
		return nil, err
	}
	return d.done(aws.ToString(set.StackSet.StackSetId)), nil
}

// madeHere ends the summary of an action that made the stack set itself, which
// needs no update then, after a crash neither.
const madeHere = "was created"

func (d *setDeployment) done(id string) *outcome {
	out := &outcome{summary: "Stack set " + d.stack + " is deployed", variables: map[string]string{"StackSetId": id}}
	if op := d.record.ExternalID; op != "" {
		out.variables["OperationId"] = op
	}
	return out
}

// setPause is the longest between two looks at an operation.
const setPause = time.Second

// operate starts an operation, once only, and follows it to its end. The
// operation's id is made of the action's, so that a second start finds it.
func (d *setDeployment) operate(ctx context.Context, what string, start func(id *string) error) error {
	id := d.record.ID + "-" + what
	err := start(&id)
	var there *cftypes.OperationIdAlreadyExistsException
	if err != nil && !errors.As(err, &there) {
		return err
	}
	if err := d.started(ctx, id, stackURL(d.caller.Region, d.stack)); err != nil {
		return err
	}
	return d.followOperation(ctx, id)
}

// followOperation waits for the end of an operation; of none, if there is no id.
func (d *setDeployment) followOperation(ctx context.Context, id string) error {
	for since := time.Now(); id != ""; {
		out, err := d.client.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: &d.stack, OperationId: &id})
		if err != nil {
			return err
		}
		switch out.StackSetOperation.Status {
		case cftypes.StackSetOperationStatusSucceeded:
			return nil
		case cftypes.StackSetOperationStatusFailed, cftypes.StackSetOperationStatusStopped:
			return d.setFailure(ctx, id, out.StackSetOperation)
		}
		if err := pause(ctx, since, setPause); err != nil {
			return err
		}
	}
	return nil
}

// setFailure tells why the operation failed: the first reason of an instance,
// if the role may read it.
func (d *setDeployment) setFailure(ctx context.Context, id string, op *cftypes.StackSetOperation) error {
	text := "The operation " + id + " of stack set " + d.stack + " has status " + string(op.Status)
	out, err := d.client.ListStackSetOperationResults(ctx, &cloudformation.ListStackSetOperationResultsInput{StackSetName: &d.stack, OperationId: &id})
	if err == nil {
		for _, r := range out.Summaries {
			if r.Status == cftypes.StackSetOperationResultStatusFailed {
				text += ": " + aws.ToString(r.Account) + " in " + aws.ToString(r.Region) + ": " + aws.ToString(r.StatusReason)
				break
			}
		}
	}
	return failed(types.FailureTypeJobFailed, "%s", text)
}
