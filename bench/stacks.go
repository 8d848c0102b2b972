package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// stacking measures CloudFormation: a large stack beside moto's, updates of one
// resource in stacks of several sizes, trees of nested stacks, and what ten
// thousand resources take up.
func stacking(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("stacks", flag.ContinueOnError)
	size := flags.Int("resources", maxResources, "parameters in the large stack")
	runs := flags.Int("runs", 5, "runs of each kind; the median counts")
	motoRuns := flags.Int("moto-runs", 3, "servers of moto that are started; 0 leaves it out")
	nested := flags.Int("nested", 200, "nested stacks in a tree")
	many := flags.Int("many", 10000, "resources whose memory is measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 || *size < 1 || *size > maxResources || *nested < chainLength || *many < 1 {
		return fmt.Errorf("-runs, -resources and -many have to be at least 1, -nested at least %d, and -resources at most %d", chainLength, maxResources)
	}
	return withOuro(ctx, func(dir, program string) error {
		ouro := stackServer{name: "ouro local", runs: *runs, start: func(ctx context.Context) (*server, error) { return startOuro(ctx, program, dir) }}
		return measureInTurn(w,
			func() (*table, error) {
				return compareStacks(ctx, w, append([]stackServer{ouro}, moto(w, *motoRuns)...), *size)
			},
			func() (*table, error) { return measureUpdates(ctx, ouro) },
			func() (*table, error) { return measureTrees(ctx, ouro, *nested) },
			func() (*table, error) { return measureMemory(ctx, ouro, *many) },
		)
	})
}

// measureInTurn prints the tables when all are there.
func measureInTurn(w io.Writer, measures ...func() (*table, error)) error {
	var tables []*table
	for _, measure := range measures {
		t, err := measure()
		if err != nil {
			return err
		}
		tables = append(tables, t)
	}
	for _, t := range tables {
		fmt.Fprintln(w)
		t.print(w)
	}
	return nil
}

// maxResources is how many resources CloudFormation allows in a stack.
const maxResources = 500

// flat is a template of n parameters below a path, the middle one with another
// value than the others.
func flat(path string, n int, middle string) string {
	var b strings.Builder
	b.WriteString(`{"Resources":{`)
	for i := range n {
		value, comma := "1", ","
		if i == n/2 {
			value = middle
		}
		if i == 0 {
			comma = ""
		}
		// The names are given: moto makes none.
		fmt.Fprintf(&b, `%s"P%d":{"Type":"AWS::SSM::Parameter","Properties":{"Name":"/%s/%d","Type":"String","Value":%q}}`, comma, i, path, i, value)
	}
	b.WriteString(`}}`)
	return b.String()
}

// stacks is CloudFormation at a server.
type stacks struct{ client *cloudformation.Client }

// create gives how long it takes until a new stack is seen to be complete.
func (s stacks) create(ctx context.Context, name, body string) (time.Duration, error) {
	start := time.Now()
	if _, err := s.client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body}); err != nil {
		return 0, err
	}
	return s.until(ctx, name, types.StackStatusCreateComplete, start)
}

func (s stacks) update(ctx context.Context, name, body string) (time.Duration, error) {
	start := time.Now()
	if _, err := s.client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &body}); err != nil {
		return 0, err
	}
	return s.until(ctx, name, types.StackStatusUpdateComplete, start)
}

func (s stacks) delete(ctx context.Context, name string) (time.Duration, error) {
	out, err := s.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := s.client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &name}); err != nil {
		return 0, err
	}
	return s.until(ctx, *out.Stacks[0].StackId, types.StackStatusDeleteComplete, start)
}

// until waits for the last status of an operation.
func (s stacks) until(ctx context.Context, name string, want types.StackStatus, start time.Time) (time.Duration, error) {
	err := poll(ctx, 5*time.Millisecond, 2*time.Minute, func(ctx context.Context) (bool, error) {
		out, err := s.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			return false, err
		}
		stack := out.Stacks[0]
		if stack.StackStatus != want && !strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS") {
			return false, fmt.Errorf("it is in %s: %s", stack.StackStatus, aws.ToString(stack.StackStatusReason))
		}
		return stack.StackStatus == want, nil
	})
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("waiting for the stack %s: %w", name, err)
	}
	return took, nil
}

// compareStacks measures the life of a large stack: at once on a server that
// was just started, and again on the same one.
func compareStacks(ctx context.Context, w io.Writer, servers []stackServer, n int) (*table, error) {
	t := &table{left: 1, head: []string{fmt.Sprintf("a stack of %d parameters", n), "the first", "times", "a further one", "times", "update of one", "times", "delete", "times"}}
	var ours [4]time.Duration
	for i, s := range servers {
		var all [4][]time.Duration // the first, a further one, update, delete
		for run := range s.runs {
			took, err := lifeOfStack(ctx, s, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			for k, d := range took {
				all[k] = append(all[k], d)
			}
			fmt.Fprintf(w, "%s, %d parameters, run %d of %d: %s, again %s, update %s, delete %s\n",
				s.name, n, run+1, s.runs, seconds(took[0]), seconds(took[1]), seconds(took[2]), seconds(took[3]))
		}
		cells := []string{s.name}
		for k := range all {
			m := median(all[k])
			if i == 0 {
				ours[k] = m
			}
			cells = append(cells, seconds(m), times(m, ours[k]))
		}
		t.add(cells...)
	}
	return t, nil
}

// lifeOfStack starts a server and gives how long creating the first stack on it
// takes, and creating, changing one of and deleting another.
func lifeOfStack(ctx context.Context, s stackServer, n int) (took [4]time.Duration, err error) {
	running, err := s.start(ctx)
	if err != nil {
		return took, err
	}
	defer func() { err = errors.Join(err, running.close()) }()
	on := running.stacks()
	for i, step := range []func() (time.Duration, error){
		func() (time.Duration, error) { return on.create(ctx, "first", flat("first", n, "1")) },
		func() (time.Duration, error) { return on.create(ctx, "second", flat("second", n, "1")) },
		func() (time.Duration, error) { return on.update(ctx, "second", flat("second", n, "2")) },
		func() (time.Duration, error) { return on.delete(ctx, "second") },
	} {
		if took[i], err = step(); err != nil {
			return took, err
		}
	}
	return took, running.checkParameters(ctx, "/first", n)
}

// measureUpdates changes one resource in stacks of several sizes.
func measureUpdates(ctx context.Context, s stackServer) (t *table, err error) {
	running, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, running.close()) }()
	on := running.stacks()
	t = &table{left: 1, head: []string{"an update that changes 1 of", "time"}}
	for _, n := range []int{10, 100, maxResources} {
		name := fmt.Sprintf("of%d", n)
		if _, err := on.create(ctx, name, flat(name, n, "0")); err != nil {
			return nil, err
		}
		var all []time.Duration
		for run := range 3 * s.runs {
			took, err := on.update(ctx, name, flat(name, n, fmt.Sprint(run+1)))
			if err != nil {
				return nil, err
			}
			all = append(all, took)
		}
		t.add(fmt.Sprintf("%d parameters", n), seconds(median(all)))
	}
	return t, nil
}
