package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"ouro/template"
)

// TemplateAPI is what Verify needs of CloudFormation.
type TemplateAPI interface {
	ValidateTemplate(context.Context, *cloudformation.ValidateTemplateInput, ...func(*cloudformation.Options)) (*cloudformation.ValidateTemplateOutput, error)
}

var _ TemplateAPI = (*cloudformation.Client)(nil)

// maxBody is the largest template that is sent in a request; larger ones are
// fetched from the bucket
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html).
const maxBody = 51_200

// asking is how many templates CloudFormation is asked about at once.
const asking = 8

// Verify asks CloudFormation about the templates of a plan that nobody else can
// judge: those with types of third parties or modules, which an account
// registers for a region, and those with the account's own macros. It refuses
// types that are not there, and what has the wrong form before macros run. It
// reads neither the values of SSM parameters nor what macros make, so these ask
// for nothing here.
//
// Small templates are to be asked about before anything is uploaded, with sent
// false; large ones afterwards, with sent true, since CloudFormation reads them
// from the bucket. Answers without a fault are remembered in known for the
// plan's bucket, which stands for an account, and region.
func Verify(ctx context.Context, api TemplateAPI, plan *Plan, known *Known, sent bool) ([]Problem, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := verification{api: api, plan: plan, known: known, cancel: cancel}
	var ask []Object
	for _, o := range append(plan.Objects[:len(plan.Objects):len(plan.Objects)], plan.Entrypoint) {
		if o.remote && (o.Size > maxBody) == sent && (!sent || o.Key != plan.Entrypoint.Key) {
			ask = append(ask, o)
		}
	}
	parallel(len(ask), asking, func(i int) { v.look(ctx, ask[i]) })
	if v.failure != nil {
		return nil, v.failure
	}
	slices.SortFunc(v.problems, func(a, b Problem) int { return byPlace(a.Pos, b.Pos) })
	return v.problems, nil
}

type verification struct {
	api    TemplateAPI
	plan   *Plan
	known  *Known
	cancel context.CancelFunc

	mu       sync.Mutex
	problems []Problem
	over     bool  // nobody is to be asked any more
	failure  error // for which
}

func (v *verification) look(ctx context.Context, o Object) {
	at := v.plan.Location
	v.known.once(o.body, func() bool {
		err := ctx.Err()
		if err == nil {
			err = v.ask(ctx, o)
		}
		if err != nil {
			v.note(o, err)
		}
		return err != nil
	}, "cloudformation", at.Endpoint, at.Region, at.Bucket)
}

func (v *verification) ask(ctx context.Context, o Object) error {
	in := &cloudformation.ValidateTemplateInput{TemplateBody: aws.String(string(o.body))}
	if o.Size > maxBody {
		in = &cloudformation.ValidateTemplateInput{TemplateURL: aws.String(o.URL)}
	}
	_, err := v.api.ValidateTemplate(ctx, in)
	return err
}

// note makes a problem of a refusal. Whoever may not ask, or lets CloudFormation
// not read the bucket, may publish nevertheless: another role deploys.
func (v *verification) note(o Object, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return
	}
	found := Problem{Problem: template.Problem{Pos: template.Pos{File: o.Path}, ID: "cloudformation"}, Chain: o.chain}
	var refusal smithy.APIError
	switch {
	case errors.As(err, &refusal) && strings.HasPrefix(refusal.ErrorCode(), "AccessDenied"):
		v.stop(nil)
		found = Problem{Problem: found.Problem}
		found.Pos.File, found.Severity = v.plan.Entrypoint.Path, template.SeverityWarning
		found.Message = "CloudFormation could not be asked about types and macros: " + refusal.ErrorMessage()
	case refusal == nil || refusal.ErrorCode() != "ValidationError":
		v.stop(fmt.Errorf("ask CloudFormation about %q: %w", o.Path, err))
		return
	case strings.HasPrefix(refusal.ErrorMessage(), "S3 error"):
		found.Severity = template.SeverityWarning
		found.Message = "CloudFormation could not read it: " + refusal.ErrorMessage()
	default:
		found.Message = "CloudFormation refuses it: " + refusal.ErrorMessage()
	}
	v.problems = append(v.problems, found)
}

func (v *verification) stop(failure error) {
	v.over, v.failure = true, failure
	v.cancel()
}

// foreign tells whether a resource type is an account's to define, so that only
// CloudFormation can judge it.
func foreign(kind string) bool {
	return strings.HasSuffix(kind, "::MODULE") ||
		strings.Contains(kind, "::") && !strings.HasPrefix(kind, "AWS::") && !strings.HasPrefix(kind, "Custom::")
}

// foreignMacro tells the same of a macro.
func foreignMacro(name string) bool { return !strings.HasPrefix(name, "AWS::") }
