package codebuild

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// reportLife is how long a report is shown.
const reportLife = 30 * 24 * time.Hour

func (s *Service) expired(r *types.Report) bool { return !s.now().Before(aws.ToTime(r.Expired)) }

// reportID is GROUP:UUID, the name of a report in its ARN.
func reportID(caller door.Caller, arn string) (string, error) {
	id, ok := strings.CutPrefix(arn, caller.ResourceARN("codebuild", reportResource))
	if group, uuid, cut := strings.Cut(id, ":"); !ok || !cut || group == "" || uuid == "" {
		return "", invalid("Invalid report ARN: %s", arn)
	}
	return id, nil
}

// forgetReport deletes a report and what it consists of, as far as it is
// there; ctx is that of a transaction.
func (s *Service) forgetReport(ctx context.Context, scope store.Scope, id string) error {
	for _, del := range []func(context.Context, store.Scope, string) error{s.reports.Delete, s.cases.Delete, s.coverages.Delete} {
		if err := del(ctx, scope, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// reportOf is a report that a request names and that has not expired.
func (s *Service) reportOf(ctx context.Context, arn *string) (r types.Report, id string, err error) {
	caller := door.CallerFrom(ctx)
	if id, err = reportID(caller, aws.ToString(arn)); err != nil {
		return r, id, err
	}
	r, err = s.reports.Get(ctx, caller.Scope(), id)
	if errors.Is(err, store.ErrNotFound) || err == nil && s.expired(&r) {
		return r, id, notFound("Report does not exist: %s", *arn)
	}
	return r, id, err
}

// BatchGetReports describes the reports.
func (s *Service) BatchGetReports(ctx context.Context, in *api.BatchGetReportsInput) (*api.BatchGetReportsOutput, error) {
	if len(in.ReportArns) == 0 || len(in.ReportArns) > maxBatch {
		return nil, invalid("Invalid report ARNs: there must be between 1 and %d", maxBatch)
	}
	out := &api.BatchGetReportsOutput{Reports: []types.Report{}, ReportsNotFound: []string{}}
	for _, arn := range in.ReportArns {
		r, _, err := s.reportOf(ctx, &arn)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			out.ReportsNotFound = append(out.ReportsNotFound, arn)
		case err != nil:
			return nil, err
		default:
			out.Reports = append(out.Reports, r)
		}
	}
	return out, nil
}

// ListReports gives the ARNs of all reports, newest first unless asked
// otherwise.
func (s *Service) ListReports(ctx context.Context, in *api.ListReportsInput) (*api.ListReportsOutput, error) {
	arns, err := s.listReports(ctx, "", in.SortOrder, in.Filter)
	if err != nil {
		return nil, err
	}
	page, next, err := part(arns, in.NextToken, in.MaxResults)
	return &api.ListReportsOutput{Reports: page, NextToken: next}, err
}

// ListReportsForReportGroup gives the ARNs of a group's reports, newest first
// unless asked otherwise.
func (s *Service) ListReportsForReportGroup(ctx context.Context, in *api.ListReportsForReportGroupInput) (*api.ListReportsForReportGroupOutput, error) {
	g, err := s.group(ctx, in.ReportGroupArn)
	if err != nil {
		return nil, err
	}
	arns, err := s.listReports(ctx, *g.Name+":", in.SortOrder, in.Filter)
	if err != nil {
		return nil, err
	}
	page, next, err := part(arns, in.NextToken, in.MaxResults)
	return &api.ListReportsForReportGroupOutput{Reports: page, NextToken: next}, err
}

// group is the report group that a request names.
func (s *Service) group(ctx context.Context, arn *string) (types.ReportGroup, error) {
	caller := door.CallerFrom(ctx)
	name, err := groupName(caller, aws.ToString(arn))
	if err != nil {
		return types.ReportGroup{}, err
	}
	g, err := s.groups.Get(ctx, caller.Scope(), name)
	if errors.Is(err, store.ErrNotFound) {
		return g, notFound("Report group does not exist: %s", *arn)
	}
	return g, err
}

func (s *Service) listReports(ctx context.Context, prefix string, order types.SortOrderType, filter *types.ReportFilter) ([]string, error) {
	all, err := s.newest(ctx, prefix)
	if err != nil {
		return nil, err
	}
	if order == types.SortOrderTypeAscending {
		slices.Reverse(all)
	}
	arns := []string{}
	for _, r := range all {
		if filter == nil || filter.Status == "" || filter.Status == r.Status {
			arns = append(arns, *r.Arn)
		}
	}
	return arns, nil
}

// newest are the reports that have not expired, newest first.
func (s *Service) newest(ctx context.Context, prefix string) ([]types.Report, error) {
	entries, err := s.reports.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	var all []types.Report
	for _, e := range entries {
		if !s.expired(&e.Value) {
			all = append(all, e.Value)
		}
	}
	slices.SortStableFunc(all, func(a, b types.Report) int { return b.Created.Compare(*a.Created) })
	return all, nil
}

// DeleteReport forgets a report. Deleting what is not there succeeds.
func (s *Service) DeleteReport(ctx context.Context, in *api.DeleteReportInput) (*api.DeleteReportOutput, error) {
	caller := door.CallerFrom(ctx)
	id, err := reportID(caller, aws.ToString(in.Arn))
	if err == nil {
		err = s.host.Store().Atomically(ctx, func(ctx context.Context) error { return s.forgetReport(ctx, caller.Scope(), id) })
	}
	if err != nil {
		return nil, err
	}
	return &api.DeleteReportOutput{}, nil
}

// clearReports ends the reports that a killed process was writing, and
// forgets those that have expired.
func (s *Service) clearReports(ctx context.Context) error {
	all, err := s.reports.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("looking for reports in progress: %w", err)
	}
	for _, e := range all {
		if s.expired(&e.Value) {
			err = s.host.Store().Atomically(ctx, func(ctx context.Context) error { return s.forgetReport(ctx, e.Scope, e.ID) })
		} else if e.Value.Status == types.ReportStatusTypeGenerating {
			e.Value.Status = types.ReportStatusTypeIncomplete
			err = s.reports.Put(ctx, e.Scope, e.ID, e.Value)
		}
		if err != nil {
			return fmt.Errorf("clearing report %q: %w", e.ID, err)
		}
	}
	return nil
}
