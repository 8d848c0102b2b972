package lambda

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// AWS's numbers for an account.
const (
	accountConcurrency = 1000
	leastUnreserved    = 100 // what reservations must leave
)

// unreserved is the concurrency that functions other than the one named have
// left to share.
func (s *Service) unreserved(ctx context.Context, scope store.Scope, except string) (int32, error) {
	entries, err := s.functions.List(ctx, scope, store.Query{})
	left := int32(accountConcurrency)
	for _, e := range entries {
		if e.ID != except {
			left -= aws.ToInt32(e.Value.Reserved)
		}
	}
	return left, err
}

// unqualified is own for what concerns a function as a whole.
func unqualified(ctx context.Context, name *string) (target, error) {
	t, err := own(ctx, name, nil)
	if err == nil && t.qualifier != "" {
		err = invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	return t, err
}

// PutFunctionConcurrency reserves concurrency for a function, which is also the
// most that it gets.
func (s *Service) PutFunctionConcurrency(ctx context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	var v violations
	v.present("reservedConcurrentExecutions", in.ReservedConcurrentExecutions != nil)
	v.number("reservedConcurrentExecutions", in.ReservedConcurrentExecutions, 0, 1<<31-1)
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := unqualified(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	n := *in.ReservedConcurrentExecutions
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		f, err := s.find(ctx, t)
		if err != nil {
			return err
		}
		left, err := s.unreserved(ctx, t.scope, t.name)
		if err != nil {
			return err
		}
		if n > left-leastUnreserved {
			return invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", leastUnreserved)
		}
		f.Reserved = &n
		return s.functions.Put(ctx, t.scope, t.name, f)
	})
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: &n}, err
}

// GetFunctionConcurrency tells what is reserved.
func (s *Service) GetFunctionConcurrency(ctx context.Context, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	t, err := unqualified(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, t)
	return &lambda.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: f.Reserved}, err
}

// DeleteFunctionConcurrency gives the reservation up.
func (s *Service) DeleteFunctionConcurrency(ctx context.Context, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	t, err := unqualified(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	_, err = s.functions.Update(ctx, t.scope, t.name, func(f *function) error {
		f.Reserved = nil
		return nil
	})
	return &lambda.DeleteFunctionConcurrencyOutput{}, missing(err, noFunction(t.arn()))
}

// provision is provisioned concurrency, which is recorded: processes are kept
// warm by use.
type provision struct {
	Qualifier string
	Requested int32
	Changed   string
}

// provisionTarget finds the qualifier that provisioned concurrency is for.
func (s *Service) provisionTarget(ctx context.Context, name, qualifier *string) (target, error) {
	t, err := own(ctx, name, qualifier)
	switch {
	case err != nil:
		return t, err
	case t.qualifier == "":
		return t, invalid("The function resource provided must be an alias or a published version.")
	case t.qualifier == latest:
		return t, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	_, _, err = s.lookup(ctx, t)
	return t, err
}

// PutProvisionedConcurrencyConfig records provisioned concurrency.
func (s *Service) PutProvisionedConcurrencyConfig(ctx context.Context, in *lambda.PutProvisionedConcurrencyConfigInput) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
	var v violations
	v.present("provisionedConcurrentExecutions", in.ProvisionedConcurrentExecutions != nil)
	v.number("provisionedConcurrentExecutions", in.ProvisionedConcurrentExecutions, 1, 1<<31-1)
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := s.provisionTarget(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, t)
	if err != nil {
		return nil, err
	}
	n := *in.ProvisionedConcurrentExecutions
	if f.Reserved != nil && n > *f.Reserved {
		return nil, invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	}
	if n > accountConcurrency-leastUnreserved {
		return nil, invalid("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", leastUnreserved)
	}
	p := provision{Qualifier: t.qualifier, Requested: n, Changed: s.now()}
	if err := s.provisioned.Put(ctx, t.scope, qualifiedKey(t.name, t.qualifier), p); err != nil {
		return nil, err
	}
	return &lambda.PutProvisionedConcurrencyConfigOutput{RequestedProvisionedConcurrentExecutions: &n, AllocatedProvisionedConcurrentExecutions: &n,
		AvailableProvisionedConcurrentExecutions: &n, Status: types.ProvisionedConcurrencyStatusEnumReady, LastModified: &p.Changed}, nil
}

// GetProvisionedConcurrencyConfig tells what is recorded.
func (s *Service) GetProvisionedConcurrencyConfig(ctx context.Context, in *lambda.GetProvisionedConcurrencyConfigInput) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	t, err := s.provisionTarget(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	p, err := s.provisioned.Get(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
	if err != nil {
		return nil, missing(err, &types.ProvisionedConcurrencyConfigNotFoundException{Type: aws.String(user),
			Message: aws.String("No Provisioned Concurrency Config found for this function")})
	}
	n := p.Requested
	return &lambda.GetProvisionedConcurrencyConfigOutput{RequestedProvisionedConcurrentExecutions: &n, AllocatedProvisionedConcurrentExecutions: &n,
		AvailableProvisionedConcurrentExecutions: &n, Status: types.ProvisionedConcurrencyStatusEnumReady, LastModified: &p.Changed}, nil
}

// DeleteProvisionedConcurrencyConfig forgets it.
func (s *Service) DeleteProvisionedConcurrencyConfig(ctx context.Context, in *lambda.DeleteProvisionedConcurrencyConfigInput) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error) {
	t, err := s.provisionTarget(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &lambda.DeleteProvisionedConcurrencyConfigOutput{}, missing(s.provisioned.Delete(ctx, t.scope, qualifiedKey(t.name, t.qualifier)), nil)
}

// ListProvisionedConcurrencyConfigs tells what is recorded for a function.
func (s *Service) ListProvisionedConcurrencyConfigs(ctx context.Context, in *lambda.ListProvisionedConcurrencyConfigsInput) (*lambda.ListProvisionedConcurrencyConfigsOutput, error) {
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, t); err != nil {
		return nil, err
	}
	entries, err := s.provisioned.List(ctx, t.scope, store.Query{Prefix: t.name + ":"})
	if err != nil {
		return nil, err
	}
	entries, next, err := page(entries, func(e store.Entry[provision]) string { return e.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListProvisionedConcurrencyConfigsOutput{NextMarker: next, ProvisionedConcurrencyConfigs: []types.ProvisionedConcurrencyConfigListItem{}}
	for _, e := range entries {
		n := e.Value.Requested
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, types.ProvisionedConcurrencyConfigListItem{
			FunctionArn: aws.String(t.arn() + ":" + e.Value.Qualifier), RequestedProvisionedConcurrentExecutions: &n,
			AllocatedProvisionedConcurrentExecutions: &n, AvailableProvisionedConcurrentExecutions: &n,
			Status: types.ProvisionedConcurrencyStatusEnumReady, LastModified: &e.Value.Changed})
	}
	return out, nil
}

// GetAccountSettings tells AWS's limits, and what the account uses.
func (s *Service) GetAccountSettings(ctx context.Context, _ *lambda.GetAccountSettingsInput) (*lambda.GetAccountSettingsOutput, error) {
	scope := door.CallerFrom(ctx).Scope()
	left, err := s.unreserved(ctx, scope, "")
	if err != nil {
		return nil, err
	}
	usage := &types.AccountUsage{}
	versions, err := s.versions.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	for _, e := range versions {
		usage.TotalCodeSize += e.Value.Code.Size
		if e.Value.number() == latest {
			usage.FunctionCount++
		}
	}
	layers, err := s.layers.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	for _, e := range layers {
		if !strings.HasPrefix(e.ID, deletedKey) {
			usage.TotalCodeSize += e.Value.Code.Size
		}
	}
	return &lambda.GetAccountSettingsOutput{AccountUsage: usage, AccountLimit: &types.AccountLimit{
		TotalCodeSize: 75 << 30, CodeSizeUnzipped: maxUnzipped, CodeSizeZipped: maxDirect,
		ConcurrentExecutions: accountConcurrency, UnreservedConcurrentExecutions: &left,
	}}, nil
}
