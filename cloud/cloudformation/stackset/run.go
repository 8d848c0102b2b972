package stackset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Resume goes on with the operations that a process left unfinished.
func (s *Sets) Resume(ctx context.Context) error {
	entries, err := s.operations.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading unfinished stack set operations: %w", err)
	}
	for _, e := range entries {
		if op := e.Value; slices.Contains(underWay, op.Status) {
			uuid, _, _ := strings.Cut(e.ID, "/")
			s.wake(uuid, op.Caller)
		}
	}
	return nil
}

// wake sees to it that the operations of a set are worked on.
func (s *Sets) wake(uuid string, caller door.Caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[uuid] {
		return // it will see what is new when it is done with what it does
	}
	s.running[uuid] = true
	s.host.Go("cloudformation: operations of stack set "+uuid, func(ctx context.Context) {
		ctx = door.WithCaller(ctx, caller)
		for {
			op, err := s.next(ctx, uuid)
			if err != nil && ctx.Err() == nil {
				s.host.Log().Error("working on a stack set", "set", uuid, "error", err)
			}
			if err != nil || op == nil {
				return
			}
			w := &work{s: s, uuid: uuid, op: *op, caller: op.Caller}
			if err := w.run(ctx); err != nil {
				if ctx.Err() == nil {
					s.host.Log().Error("working on a stack set", "set", uuid, "operation", op.ID, "error", err)
				}
				s.mu.Lock()
				delete(s.running, uuid)
				s.mu.Unlock()
				return
			}
		}
	})
}

// next is the operation to do now; without one the work on the set is over.
func (s *Sets) next(ctx context.Context, uuid string) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, err := s.operationsOf(ctx, set{UUID: uuid})
	at := slices.IndexFunc(list, func(o operation) bool { return slices.Contains(underWay, o.Status) })
	if err != nil || at < 0 {
		delete(s.running, uuid)
		return nil, err
	}
	return &list[at], nil
}

// work is one operation being done.
type work struct {
	s      *Sets
	uuid   string
	op     operation
	set    set
	caller door.Caller
}

func (w *work) scope() store.Scope { return w.caller.Scope() }

// key is the operation's name in the store.
func (w *work) key() string { return w.uuid + "/" + w.op.ID }

// run works through the regions in order, and in each through the accounts,
// as many at once as the preferences allow. When more of a region's stacks
// failed than is tolerated, the operation ends there.
func (w *work) run(ctx context.Context) error {
	var err error
	if w.set, err = w.s.sets.Get(ctx, w.scope(), w.op.Set); err != nil {
		return err
	}
	if w.op.Status == types.StackSetOperationStatusQueued {
		if err := w.put(ctx, types.StackSetOperationStatusRunning, ""); err != nil {
			return err
		}
	}
	byRegion := map[string][]target{}
	var order []string
	for _, t := range w.op.Targets {
		if byRegion[t.Region] == nil {
			order = append(order, t.Region)
		}
		byRegion[t.Region] = append(byRegion[t.Region], t)
	}
	p := preferences(w.op)
	slices.SortStableFunc(order, func(a, b string) int { return rank(p.RegionOrder, a) - rank(p.RegionOrder, b) })
	groups := make([][]string, 0, len(order))
	if p.RegionConcurrencyType == types.RegionConcurrencyTypeParallel {
		groups = append(groups, order)
	} else {
		for _, r := range order {
			groups = append(groups, []string{r})
		}
	}
	failed := false
	for _, regions := range groups {
		var wg sync.WaitGroup
		errs, over := make([]error, len(regions)), make([]bool, len(regions))
		for i, r := range regions {
			wg.Go(func() { over[i], errs[i] = w.region(ctx, byRegion[r], p, failed) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		failed = failed || slices.Contains(over, true)
	}
	return w.end(ctx, failed)
}

func rank(order []string, region string) int {
	if at := slices.Index(order, region); at >= 0 {
		return at
	}
	return math.MaxInt32
}

// share is a count, or a percentage of n: rounded down, but at least least.
func share(count, percentage *int32, n, least int) int {
	if percentage != nil {
		return max(n*int(*percentage)/100, least)
	}
	return int(aws.ToInt32(count))
}

// region works on the targets of one region. over tells that too many failed;
// if that was so before, all are cancelled.
func (w *work) region(ctx context.Context, targets []target, p *types.StackSetOperationPreferences, before bool) (over bool, err error) {
	tolerance := share(p.FailureToleranceCount, p.FailureTolerancePercentage, len(targets), 0)
	width := share(p.MaxConcurrentCount, p.MaxConcurrentPercentage, len(targets), 1)
	if p.ConcurrencyMode != types.ConcurrencyModeSoftFailureTolerance {
		// No more at once than may fail, and one
		// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/concept-stackset-operation-options.html).
		width = min(width, tolerance+1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	failures := 0
	places := make(chan struct{}, width)
	for _, t := range targets {
		places <- struct{}{}
		mu.Lock()
		cancel := before || failures > tolerance
		mu.Unlock()
		wg.Go(func() {
			defer func() { <-places }()
			ok, e := w.one(ctx, t, cancel)
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, e)
			if !ok && !cancel {
				failures++
			}
		})
	}
	wg.Wait()
	return failures > tolerance, err
}

// one works on one target, unless that was done before. ok is false for a
// failure, which is recorded; an error means that the work stops here.
func (w *work) one(ctx context.Context, t target, cancel bool) (ok bool, err error) {
	r, err := w.s.results.Get(ctx, w.scope(), t.key(w.key()))
	if err != nil {
		return false, err
	}
	switch r.Status {
	case types.StackSetOperationResultStatusSucceeded:
		return true, nil
	case types.StackSetOperationResultStatusFailed:
		return false, nil
	}
	now, err := w.s.operations.Get(ctx, w.scope(), w.key())
	if err != nil {
		return false, err
	}
	stopping := now.Status == types.StackSetOperationStatusStopping
	if cancel || stopping {
		reason := "Cancelled since failure tolerance has exceeded"
		if stopping {
			reason = "Cancelled since the operation was stopped"
		}
		return stopping, w.result(ctx, t, types.StackSetOperationResultStatusCancelled, reason)
	}
	if err := w.result(ctx, t, types.StackSetOperationResultStatusRunning, ""); err != nil {
		return false, err
	}
	failure := w.act(ctx, t)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if failure != nil {
		return false, w.result(ctx, t, types.StackSetOperationResultStatusFailed, failure.Error())
	}
	return true, w.result(ctx, t, types.StackSetOperationResultStatusSucceeded, "")
}

// result records how it stands with a target, and its instance.
func (w *work) result(ctx context.Context, t target, status types.StackSetOperationResultStatus, reason string) error {
	return w.s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		r := result{Account: t.Account, Region: t.Region, Status: status, Reason: reason}
		if err := w.s.results.Put(ctx, w.scope(), t.key(w.key()), r); err != nil {
			return err
		}
		i, err := w.s.instances.Get(ctx, w.scope(), t.key(w.uuid))
		if errors.Is(err, store.ErrNotFound) {
			return nil // a deletion
		}
		if err != nil {
			return err
		}
		i.Operation, i.Reason = w.op.ID, reason
		i.Detailed = types.StackInstanceDetailedStatus(status)
		if after := statusAfter(w.op.Action, status); after != "" {
			i.Status = after
		}
		return w.s.instances.Put(ctx, w.scope(), t.key(w.uuid), i)
	})
}

// statusAfter is what a result makes of an instance, "" for no change.
func statusAfter(action types.StackSetOperationAction, status types.StackSetOperationResultStatus) types.StackInstanceStatus {
	switch {
	case action == types.StackSetOperationActionDetectDrift,
		status == types.StackSetOperationResultStatusPending, status == types.StackSetOperationResultStatusRunning:
		return ""
	case status == types.StackSetOperationResultStatusSucceeded:
		return types.StackInstanceStatusCurrent
	case status == types.StackSetOperationResultStatusFailed && action == types.StackSetOperationActionDelete:
		return types.StackInstanceStatusInoperable
	}
	return types.StackInstanceStatusOutdated
}

// end records the end of the operation.
func (w *work) end(ctx context.Context, failed bool) error {
	now, err := w.s.operations.Get(ctx, w.scope(), w.key())
	if err != nil {
		return err
	}
	status := types.StackSetOperationStatusSucceeded
	switch {
	case now.Status == types.StackSetOperationStatusStopping:
		status = types.StackSetOperationStatusStopped
	case failed:
		status = types.StackSetOperationStatusFailed
	}
	return w.put(ctx, status, "")
}

func (w *work) put(ctx context.Context, status types.StackSetOperationStatus, reason string) error {
	results, err := w.s.results.List(ctx, w.scope(), store.Query{Prefix: w.key() + "/"})
	if err != nil {
		return err
	}
	_, err = w.s.operations.Update(ctx, w.scope(), w.key(), func(o *operation) error {
		o.Status, o.Reason, o.Failed = status, reason, 0
		for _, r := range results {
			if r.Value.Status == types.StackSetOperationResultStatusFailed {
				o.Failed++
			}
		}
		if !slices.Contains(underWay, status) {
			o.Ended = w.s.host.Now()
		}
		return nil
	})
	return err
}

// client calls CloudFormation where the target is, with the execution role.
func (w *work) client(ctx context.Context, t target) (*cloudformation.Client, error) {
	admin := w.s.host.Assume(w.caller, w.op.Admin, "AWSCloudFormationStackSets")
	if _, err := admin.Credentials.Retrieve(ctx); err != nil {
		return nil, sayf("Account %s should have '%s' role with trust relationship to CloudFormation service.",
			w.caller.Account, w.op.Admin[strings.LastIndex(w.op.Admin, "/")+1:])
	}
	arn := "arn:" + w.caller.Partition() + ":iam::" + t.Account + ":role/" + w.op.Exec
	cfg := w.s.host.Through(admin, t.Region, arn, "AWSCloudFormationStackSets")
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, sayf("Account %s should have '%s' role with trust relationship to Role '%s'.",
			t.Account, w.op.Exec, w.op.Admin[strings.LastIndex(w.op.Admin, "/")+1:])
	}
	return cloudformation.NewFromConfig(cfg), nil
}

// act does what the operation is about to the stack of one target.
func (w *work) act(ctx context.Context, t target) error {
	i, err := w.s.instances.Get(ctx, w.scope(), t.key(w.uuid))
	if errors.Is(err, store.ErrNotFound) {
		return sayf("Stack instance not found in account %s and region %s", t.Account, t.Region)
	}
	if err != nil {
		return err
	}
	if w.op.Action == types.StackSetOperationActionDelete {
		return w.remove(ctx, t, i)
	}
	client, err := w.client(ctx, t)
	if err != nil {
		return err
	}
	if w.op.Action == types.StackSetOperationActionDetectDrift {
		err = w.detect(ctx, client, &i)
	} else {
		if w.op.SetsOverrides {
			i.Overrides = w.op.Overrides
		}
		err = w.apply(ctx, client, &i)
	}
	if e := w.s.instances.Put(ctx, w.scope(), t.key(w.uuid), i); e != nil {
		return e
	}
	return err
}

// remove deletes the stack, unless it is to stay, and the instance.
func (w *work) remove(ctx context.Context, t target, i instance) error {
	if !w.op.Retain && i.StackID != "" {
		client, err := w.client(ctx, t)
		if err != nil {
			return err
		}
		if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &i.StackID}); err != nil {
			return said(err)
		}
		if err := settle(ctx, client, i.StackID, types.StackStatusDeleteComplete); err != nil {
			return err
		}
	}
	return w.s.instances.Delete(ctx, w.scope(), t.key(w.uuid))
}

// apply creates or updates the stack of an instance, and waits for its end.
func (w *work) apply(ctx context.Context, client *cloudformation.Client, i *instance) error {
	r := w.set.Revision
	values := slices.Clone(r.Parameters)
	for _, o := range i.Overrides {
		if at := slices.IndexFunc(values, func(p ledger.Parameter) bool { return p.Key == o.Key }); at < 0 {
			values = append(values, o)
		} else {
			values[at] = o
		}
	}
	parameters, err := w.s.revealed(values)
	if err != nil {
		return err
	}
	body, url := &r.Template, (*string)(nil)
	if r.URL != "" {
		body, url = nil, &r.URL
	}
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &i.StackName})
	if err != nil {
		made, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &i.StackName, TemplateBody: body, TemplateURL: url,
			Parameters: parameters, Capabilities: r.Capabilities, Tags: r.Tags})
		if err != nil {
			return said(err)
		}
		i.StackID = aws.ToString(made.StackId)
		return settle(ctx, client, i.StackID, types.StackStatusCreateComplete)
	}
	i.StackID = aws.ToString(out.Stacks[0].StackId)
	switch out.Stacks[0].StackStatus {
	case types.StackStatusCreateInProgress: // begun before the process died
		return settle(ctx, client, i.StackID, types.StackStatusCreateComplete)
	case types.StackStatusRollbackComplete, types.StackStatusCreateFailed, types.StackStatusRollbackFailed: // never worked
		if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &i.StackID}); err != nil {
			return said(err)
		}
		if err := settle(ctx, client, i.StackID, types.StackStatusDeleteComplete); err != nil {
			return err
		}
		return w.apply(ctx, client, i)
	}
	_, err = client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &i.StackID, TemplateBody: body, TemplateURL: url,
		Parameters: parameters, Capabilities: r.Capabilities, Tags: r.Tags})
	if err != nil {
		if strings.Contains(err.Error(), "No updates are to be performed") {
			return nil
		}
		return said(err)
	}
	return settle(ctx, client, i.StackID, types.StackStatusUpdateComplete)
}

// sayf is a reason that is shown as it stands, in AWS's own words.
func sayf(format string, a ...any) error { return fmt.Errorf(format, a...) }

// said is AWS's own message in an error.
func said(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return errors.New(api.ErrorMessage())
	}
	return err
}

// settle waits for the end of what is under way on a stack, and wants it to be
// that.
func settle(ctx context.Context, client *cloudformation.Client, id string, want types.StackStatus) error {
	for wait := firstWait; ; wait = longer(wait) {
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
		if err != nil {
			return said(err)
		}
		stack := out.Stacks[0]
		if stack.StackStatus == want {
			return nil
		}
		if !strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS") {
			return failure(ctx, client, stack)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// failure tells which resource failed first in the last operation of a stack.
func failure(ctx context.Context, client *cloudformation.Client, stack types.Stack) error {
	out, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: stack.StackId})
	if err != nil {
		return said(err)
	}
	var first *types.StackEvent
	for _, e := range out.StackEvents { // the newest first
		own := aws.ToString(e.PhysicalResourceId) == aws.ToString(stack.StackId)
		if own && aws.ToString(e.ResourceStatusReason) == "User Initiated" {
			break
		}
		if !own && strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
			first = &e
		}
	}
	if first == nil {
		return sayf("Stack %s is in %s state", aws.ToString(stack.StackName), stack.StackStatus)
	}
	return sayf("ResourceLogicalId:%s, ResourceType:%s, ResourceStatusReason:%s.",
		aws.ToString(first.LogicalResourceId), aws.ToString(first.ResourceType), aws.ToString(first.ResourceStatusReason))
}
