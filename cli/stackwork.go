package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/spf13/cobra"

	"ouro/ci"
	"ouro/library"
	"ouro/pipeline"
	"ouro/stack"
)

// stackWork is a stack of one of the library's templates, to be deployed or to
// be checked.
type stackWork struct {
	io         IO
	target     targetFlags
	template   string // in the library
	name       string // of the stack
	parameters []string
	tags       map[string]string
	body       string // of the template, if it is not the library's own
	yes, json  bool
}

// verb is the command that deploys the stack of something, or that checks it
// only.
func (o *stackWork) verb(deploys bool, what string) *cobra.Command {
	c := &cobra.Command{
		Use:   "deploy",
		Short: "Create or update the stack of " + what,
		Long: `Shows what would change in the stack of ` + what + `, asks, and has it
changed. On the project's own local cloud it does not ask.`,
		Args: noArgs,
	}
	if !deploys {
		c.Use, c.Short = "validate", "Check the template of "+what+" with its parameters"
		c.Long = `Checks the parameters, has CloudFormation check the template, and shows what
would change in the stack of ` + what + `. Nothing is deployed.`
	}
	o.target.add(c)
	flags := c.Flags()
	flags.StringVar(&o.name, "stack", "", "name of the stack, if it is to be another")
	flags.StringArrayVar(&o.parameters, "parameter", nil, "NAME=VALUE of the template "+o.template+"; repeatable")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	if deploys {
		flags.BoolVarP(&o.yes, "yes", "y", false, "change what has to be changed, do not ask")
	}
	return c
}

// merge adds what --parameter gives to the values that other flags give.
func (o *stackWork) merge(values map[string]string) (map[string]string, error) {
	given, err := (&upInputs{parameters: o.parameters}).given()
	if err != nil {
		return nil, err
	}
	for name, value := range given {
		if other := values[name]; other != "" && other != value {
			return nil, usageError{fmt.Errorf("--parameter %s=%s, and another flag says %s", name, value, other)}
		}
		values[name] = value
	}
	if err := ci.CheckParameters(o.template, values); err != nil {
		return nil, usageError{err}
	}
	return values, nil
}

// session reaches the endpoint, for work that needs no project.
func (o *stackWork) session(ctx context.Context) (*session, error) {
	o.target.asker = o.io.asker()
	w, err := o.target.sessionOf(ctx, o.io, &pipeline.Project{Dir: "."})
	if err == nil {
		w.introduce()
	}
	return w, err
}

func (o *stackWork) spec(values map[string]string) (stack.Spec, error) {
	t, err := library.Open(o.template)
	return stack.Spec{Name: o.name, Template: firstOf(o.body, string(t.Body)), Parameters: values, Tags: o.tags}, err
}

// validate has CloudFormation check the template, and shows what it would do
// with the values. Nothing is deployed.
func (o *stackWork) validate(ctx context.Context, w *session, values map[string]string) error {
	spec, err := o.spec(values)
	if err != nil {
		return err
	}
	w.doing("checking " + o.template)
	if _, err := w.clients.Stacks.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: &spec.Template}); err != nil {
		return fmt.Errorf("checking %s: %w", o.template, err)
	}
	w.doing("asking what would change in " + o.name)
	changes, err := stack.Preview(ctx, w.clients.Stacks, spec)
	if err != nil {
		return err
	}
	w.clearNow()
	if o.json {
		return printJSON(o.io, changes)
	}
	drawPlan(o.io.Out, paint(o.io.Color && o.io.Terminal), o.width(o.io.Terminal), []*stack.Changes{changes})
	return nil
}

// width is the one that lines are cut to; what is not a terminal has none.
func (o *stackWork) width(terminal bool) int {
	if !terminal {
		return 0
	}
	return max(o.io.Width, 40)
}

// deploy has the stack changed, and tells what it is then.
func (o *stackWork) deploy(ctx context.Context, w *session, values map[string]string) error {
	if err := o.change(ctx, w, values); err != nil {
		return err
	}
	stacks, err := pipeline.Stacks(ctx, w.clients, []pipeline.StackRef{{Name: o.name}})
	if err != nil {
		return err
	}
	w.clearNow()
	if o.json {
		return printJSON(o.io, stacks)
	}
	printStacks(o.io.Out, paint(o.io.Color && o.io.Terminal), stacks)
	return nil
}

// change shows what would change in the stack, asks, has it done and follows it.
func (o *stackWork) change(ctx context.Context, w *session, values map[string]string) error {
	consent := consent{session: w, asker: o.target.asker, yes: o.yes}
	if err := consent.possible(); err != nil {
		return err
	}
	spec, err := o.spec(values)
	if err != nil {
		return err
	}
	if err := o.removeLeftOver(ctx, w, consent); err != nil {
		return err
	}
	for {
		err := o.apply(ctx, w, consent, spec)
		if stack.Outdated(err) {
			w.Step("Stack " + o.name + " was changed by somebody else meanwhile")
			continue
		}
		return err
	}
}

func (o *stackWork) apply(ctx context.Context, w *session, consent consent, spec stack.Spec) error {
	w.doing("asking what would change in " + o.name)
	p, err := stack.Propose(ctx, w.clients.Stacks, spec)
	if err != nil {
		return err
	}
	if p.Changes.Empty() {
		w.Step("Stack " + o.name + ", unchanged")
		return p.Discard(ctx)
	}
	ok, err := consent.ask(ctx, func() {
		drawPlan(o.io.Err, paint(o.io.Color), o.width(o.io.ErrTerminal), []*stack.Changes{p.Changes})
	}, "Go ahead")
	if err == nil && !ok {
		err = pipeline.ErrDeclined
	}
	if err != nil {
		return errors.Join(err, p.Discard(ctx))
	}
	w.Step("Stack " + o.name)
	return p.Execute(ctx, w.StackEvent)
}

// removeLeftOver deletes a stack whose creation failed: it can only be deleted.
func (o *stackWork) removeLeftOver(ctx context.Context, w *session, consent consent) error {
	s, err := stack.Describe(ctx, w.clients.Stacks, o.name)
	if err != nil || s == nil || !stack.LeftOver(s.StackStatus) || s.StackStatus == cfntypes.StackStatusReviewInProgress {
		return err
	}
	status := string(s.StackStatus)
	ok, err := consent.ask(ctx, func() {
		fmt.Fprintf(o.io.Err, "Stack %s was left over as %s. It is deleted, to begin anew.\n", o.name, status)
	}, "Go ahead")
	if err == nil && !ok {
		err = pipeline.ErrDeclined
	}
	if err != nil {
		return err
	}
	w.Step("Stack " + o.name + " was left over as " + status + ": deleting it first")
	return stack.Delete(ctx, w.clients.Stacks, aws.ToString(s.StackId), w.StackEvent)
}

func printJSON(s IO, v any) error {
	e := json.NewEncoder(s.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// joined are names with commas between, as list parameters take them.
func joined(names []string) string { return strings.Join(names, ",") }
