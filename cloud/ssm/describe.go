package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/door"
)

// DescribeParameters tells of parameters without their values. Parameters are
// not shared between accounts here, so that Shared finds none.
func (s *Service) DescribeParameters(ctx context.Context, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, validation("You can use either Filters or ParameterFilters in a single request.")
	}
	wanted := append(legacyFilters(in.Filters), in.ParameterFilters...)
	filters, err := compileFilters(wanted, "Path", "Name", "Type", "KeyId", "Tier", "DataType", "tag")
	if err != nil {
		return nil, err
	}
	found, err := s.matching(ctx, func(p parameter) bool { return !aws.ToBool(in.Shared) && filters.accept(p) })
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(found, func(p parameter) string { return p.Name }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := &ssm.DescribeParametersOutput{Parameters: []types.ParameterMetadata{}, NextToken: next}
	for _, p := range page {
		v := p.Now
		out.Parameters = append(out.Parameters, types.ParameterMetadata{
			Name: aws.String(p.Name), ARN: aws.String(parameterARN(door.CallerFrom(ctx), p.Name)),
			Type: v.Type, KeyId: optional(v.KeyID), Version: v.Number, Tier: v.Tier, DataType: aws.String(v.DataType),
			Description: optional(v.Description), AllowedPattern: optional(v.AllowedPattern),
			LastModifiedDate: aws.Time(v.Modified), LastModifiedUser: optional(v.ModifiedBy),
			Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

// GetParameterHistory gives a parameter's versions, oldest first.
func (s *Service) GetParameterHistory(ctx context.Context, in *ssm.GetParameterHistoryInput) (*ssm.GetParameterHistoryOutput, error) {
	p, err := s.find(ctx, aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	versions, err := s.history(ctx, p)
	if err != nil {
		return nil, err
	}
	order := func(v version) string { return versionID("", v.Number) }
	page, next, err := pageOf(versions, order, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParameterHistoryOutput{Parameters: []types.ParameterHistory{}, NextToken: next}
	arn := parameterARN(door.CallerFrom(ctx), p.Name)
	for _, v := range page {
		value, err := s.reveal(arn, v, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, types.ParameterHistory{
			Name: aws.String(p.Name), Type: v.Type, KeyId: optional(v.KeyID), Value: &value, Version: v.Number,
			Labels: append([]string{}, v.Labels...), Tier: v.Tier, DataType: aws.String(v.DataType),
			Description: optional(v.Description), AllowedPattern: optional(v.AllowedPattern),
			LastModifiedDate: aws.Time(v.Modified), LastModifiedUser: optional(v.ModifiedBy),
			Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}
