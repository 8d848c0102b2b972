package ssm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// GetParameter gives a parameter by name, name:version, name:label, or ARN.
func (s *Service) GetParameter(ctx context.Context, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	p, err := s.get(ctx, aws.ToString(in.Name), in.WithDecryption)
	if err != nil {
		return nil, err
	}
	return &ssm.GetParameterOutput{Parameter: &p}, nil
}

// GetParameters gives those of up to ten that are there, and tells which are
// not.
func (s *Service) GetParameters(ctx context.Context, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.GetParametersOutput{Parameters: []types.Parameter{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		p, err := s.get(ctx, name, in.WithDecryption)
		switch {
		case absent(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		case err != nil:
			return nil, err
		default:
			out.Parameters = append(out.Parameters, p)
		}
	}
	return out, nil
}

func absent(err error) bool {
	var parameter *types.ParameterNotFound
	var version *types.ParameterVersionNotFound
	return errors.As(err, &parameter) || errors.As(err, &version)
}

func checkNames(names []string) error {
	if len(names) == 0 || len(names) > 10 {
		return validation("1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length between 1 and 10")
	}
	return nil
}

func (s *Service) get(ctx context.Context, reference string, decrypt *bool) (types.Parameter, error) {
	name, selector := split(reference)
	switch {
	case strings.HasPrefix(named(name), publicPath):
		return s.public(ctx, named(name), selector)
	case strings.HasPrefix(name, secretPath):
		return s.secret(ctx, name, selector, decrypt)
	}
	p, err := s.find(ctx, name)
	if err != nil {
		return types.Parameter{}, err
	}
	v := p.Now
	if selector != "" {
		if v, err = s.selected(ctx, p, selector); err != nil {
			return types.Parameter{}, err
		}
	}
	return s.view(ctx, p.Name, selector, v, decrypt)
}

// split cuts the version or label off a reference.
func split(reference string) (name, selector string) {
	head, rest := "", reference
	if at := strings.Index(reference, ":parameter/"); at >= 0 && strings.HasPrefix(reference, "arn:") {
		head, rest = reference[:at+1], reference[at+1:]
	}
	name, selector, _ = strings.Cut(rest, ":")
	return head + name, selector
}

// selected gives the version of that number or label.
func (s *Service) selected(ctx context.Context, p parameter, selector string) (version, error) {
	if number, err := strconv.ParseInt(selector, 10, 64); err == nil {
		if number == p.Now.Number {
			return p.Now, nil
		}
		v, err := s.versions.Get(ctx, door.CallerFrom(ctx).Scope(), versionID(p.Name, number))
		if errors.Is(err, store.ErrNotFound) {
			return v, noVersion("version %s of %s. Verify the version and try again.", selector, p.Name)
		}
		return v, err
	}
	versions, err := s.history(ctx, p)
	if err != nil {
		return version{}, err
	}
	for _, v := range versions {
		if slices.Contains(v.Labels, selector) {
			return v, nil
		}
	}
	return version{}, noVersion("label %s for parameter %s. Verify the label and try again.", selector, p.Name)
}

func noVersion(format string, args ...any) error {
	return &types.ParameterVersionNotFound{Message: aws.String("Systems Manager could not find " + fmt.Sprintf(format, args...))}
}

func (s *Service) view(ctx context.Context, name, selector string, v version, decrypt *bool) (types.Parameter, error) {
	arn := parameterARN(door.CallerFrom(ctx), name)
	value, err := s.reveal(arn, v, decrypt)
	if err != nil {
		return types.Parameter{}, err
	}
	p := types.Parameter{
		Name: &name, ARN: &arn, Type: v.Type, Value: &value, Version: v.Number,
		DataType: aws.String(v.DataType), LastModifiedDate: aws.Time(v.Modified),
	}
	if selector != "" {
		p.Selector = aws.String(":" + selector)
	}
	return p, nil
}

// GetParametersByPath gives what lies below a path, in the order of the names.
func (s *Service) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	path := aws.ToString(in.Path)
	if err := checkPath(path); err != nil {
		return nil, err
	}
	filters, err := compileFilters(in.ParameterFilters, "Type", "KeyId", "Label")
	if err != nil {
		return nil, err
	}
	below, err := s.matching(ctx, func(p parameter) bool {
		return under(path, p.Name, aws.ToBool(in.Recursive)) && filters.accept(p)
	})
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(below, func(p parameter) string { return p.Name }, in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{}, NextToken: next}
	for _, p := range page {
		v, selector := p.Now, ""
		if label := filters.label(); label != "" {
			if v, err = s.selected(ctx, p, label); absent(err) {
				continue
			} else if err != nil {
				return nil, err
			}
			selector = label
		}
		shown, err := s.view(ctx, p.Name, selector, v, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, shown)
	}
	return out, nil
}

// matching gives the parameters that accept takes, in the order of the names.
func (s *Service) matching(ctx context.Context, accept func(parameter) bool) ([]parameter, error) {
	entries, err := s.parameters.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var found []parameter
	for _, e := range entries {
		if accept(e.Value) {
			found = append(found, e.Value)
		}
	}
	return found, nil
}
