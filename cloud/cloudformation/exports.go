package cloudformation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// ListExports lists the exports of the account and region, by name.
func (s *Service) ListExports(ctx context.Context, in *cloudformation.ListExportsInput) (*cloudformation.ListExportsOutput, error) {
	entries, err := s.ledger.Exports.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{After: aws.ToString(in.NextToken), Limit: pageSize + 1})
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListExportsOutput{Exports: []types.Export{}}
	for i, e := range entries {
		if i == pageSize {
			out.NextToken = aws.String(entries[i-1].ID)
			break
		}
		out.Exports = append(out.Exports, types.Export{Name: aws.String(e.Value.Name), Value: aws.String(e.Value.Value), ExportingStackId: aws.String(e.Value.StackID)})
	}
	return out, nil
}

// ListImports lists the stacks that use an export.
func (s *Service) ListImports(ctx context.Context, in *cloudformation.ListImportsInput) (*cloudformation.ListImportsOutput, error) {
	importers, err := s.ledger.Importers(ctx, door.CallerFrom(ctx).Scope(), aws.ToString(in.ExportName), 0)
	if err != nil {
		return nil, err
	}
	if len(importers) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", aws.ToString(in.ExportName))
	}
	page, next, err := paged(importers, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListImportsOutput{NextToken: next}
	for _, im := range page {
		out.Imports = append(out.Imports, im.StackName)
	}
	return out, nil
}
