package codebuild

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

var groupNameForm = regex.New(`^[A-Za-z0-9][A-Za-z0-9_-]{1,127}$`)

const (
	groupResource  = "report-group/"
	reportResource = "report/"
)

// groupName is the name in the ARN of one of the caller's report groups.
func groupName(caller door.Caller, arn string) (string, error) {
	name, ok := strings.CutPrefix(arn, caller.ResourceARN("codebuild", groupResource))
	if !ok || !groupNameForm().MatchString(name) {
		return "", invalid("Invalid report group ARN: %s", arn)
	}
	return name, nil
}

// CreateReportGroup keeps a new report group.
func (s *Service) CreateReportGroup(ctx context.Context, in *api.CreateReportGroupInput) (*api.CreateReportGroupOutput, error) {
	caller := door.CallerFrom(ctx)
	if in.ExportConfig == nil {
		return nil, invalid("Report group export config is required")
	}
	g, err := s.newGroup(caller, aws.ToString(in.Name), in.Type)
	if err != nil {
		return nil, err
	}
	if g.ExportConfig, err = exportConfig(caller, in.ExportConfig); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, invalid("Invalid tags: there can be at most %d", maxTags)
	}
	g.Tags = in.Tags
	switch err := s.groups.Insert(ctx, caller.Scope(), *g.Name, g); {
	case errors.Is(err, store.ErrExists):
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String("Report group already exists: " + *g.Arn)}
	case err != nil:
		return nil, err
	}
	return &api.CreateReportGroupOutput{ReportGroup: &g}, nil
}

// newGroup is a report group that exports nothing.
func (s *Service) newGroup(caller door.Caller, name string, kind types.ReportType) (types.ReportGroup, error) {
	if !groupNameForm().MatchString(name) {
		return types.ReportGroup{}, invalid("Invalid report group name: %q must begin with a letter or number and have 2 to 128 letters, numbers, dashes and underscores", name)
	}
	if !slices.Contains(kind.Values(), kind) {
		return types.ReportGroup{}, invalid("Invalid report group type: %s", kind)
	}
	now := s.now()
	return types.ReportGroup{
		Arn: aws.String(caller.ResourceARN("codebuild", groupResource+name)), Name: &name, Type: kind, Created: &now, LastModified: &now,
		ExportConfig: &types.ReportExportConfig{ExportConfigType: types.ReportExportConfigTypeNoExport}, Status: types.ReportGroupStatusTypeActive,
	}, nil
}

// exportConfig checks where a group's raw data go, and fills in what AWS does.
func exportConfig(caller door.Caller, in *types.ReportExportConfig) (*types.ReportExportConfig, error) {
	out := *in
	switch in.ExportConfigType {
	case types.ReportExportConfigTypeNoExport:
		out.S3Destination = nil
		return &out, nil
	case types.ReportExportConfigTypeS3:
	default:
		return nil, invalid("Invalid report group export config type: %s", in.ExportConfigType)
	}
	if in.S3Destination == nil || aws.ToString(in.S3Destination.Bucket) == "" {
		return nil, invalid("Report group S3 destination bucket is required")
	}
	to := *in.S3Destination
	if to.Packaging == "" {
		to.Packaging = types.ReportPackagingTypeNone
	}
	if !slices.Contains(to.Packaging.Values(), to.Packaging) {
		return nil, invalid("Invalid report group packaging: %s", to.Packaging)
	}
	if to.EncryptionDisabled == nil {
		to.EncryptionDisabled = aws.Bool(false)
	}
	if to.EncryptionKey == nil && !*to.EncryptionDisabled {
		to.EncryptionKey = aws.String(defaultKey(caller))
	}
	out.S3Destination = &to
	return &out, nil
}

// UpdateReportGroup changes where raw data go, and the tags.
func (s *Service) UpdateReportGroup(ctx context.Context, in *api.UpdateReportGroupInput) (*api.UpdateReportGroupOutput, error) {
	caller := door.CallerFrom(ctx)
	name, err := groupName(caller, aws.ToString(in.Arn))
	if err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, invalid("Invalid tags: there can be at most %d", maxTags)
	}
	g, err := s.groups.Update(ctx, caller.Scope(), name, func(g *types.ReportGroup) error {
		if in.ExportConfig != nil {
			config, err := exportConfig(caller, in.ExportConfig)
			if err != nil {
				return err
			}
			g.ExportConfig = config
		}
		replaceAll(&g.Tags, in.Tags)
		g.LastModified = aws.Time(s.now())
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Report group does not exist: %s", *in.Arn)
	} else if err != nil {
		return nil, err
	}
	return &api.UpdateReportGroupOutput{ReportGroup: &g}, nil
}

// DeleteReportGroup forgets a group, with its reports if asked to. A group
// that has reports stays otherwise. Deleting what is not there succeeds.
func (s *Service) DeleteReportGroup(ctx context.Context, in *api.DeleteReportGroupInput) (*api.DeleteReportGroupOutput, error) {
	caller := door.CallerFrom(ctx)
	name, err := groupName(caller, aws.ToString(in.Arn))
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		reports, err := s.reports.List(ctx, caller.Scope(), store.Query{Prefix: name + ":"})
		if err != nil {
			return err
		}
		for _, r := range reports {
			if !in.DeleteReports && !s.expired(&r.Value) {
				return invalid("Cannot delete report group %s: it has reports", *in.Arn)
			}
			if err := s.forgetReport(ctx, caller.Scope(), r.ID); err != nil {
				return err
			}
		}
		if err := s.groups.Delete(ctx, caller.Scope(), name); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return s.dropPolicy(ctx, caller, *in.Arn)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteReportGroupOutput{}, nil
}

// BatchGetReportGroups describes the groups.
func (s *Service) BatchGetReportGroups(ctx context.Context, in *api.BatchGetReportGroupsInput) (*api.BatchGetReportGroupsOutput, error) {
	if len(in.ReportGroupArns) == 0 || len(in.ReportGroupArns) > maxBatch {
		return nil, invalid("Invalid report group ARNs: there must be between 1 and %d", maxBatch)
	}
	caller := door.CallerFrom(ctx)
	out := &api.BatchGetReportGroupsOutput{ReportGroups: []types.ReportGroup{}, ReportGroupsNotFound: []string{}}
	for _, arn := range in.ReportGroupArns {
		name, err := groupName(caller, arn)
		if err != nil {
			return nil, err
		}
		g, err := s.groups.Get(ctx, caller.Scope(), name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			out.ReportGroupsNotFound = append(out.ReportGroupsNotFound, arn)
		case err != nil:
			return nil, err
		default:
			out.ReportGroups = append(out.ReportGroups, g)
		}
	}
	return out, nil
}

// ListReportGroups gives the ARNs of all report groups.
func (s *Service) ListReportGroups(ctx context.Context, in *api.ListReportGroupsInput) (*api.ListReportGroupsOutput, error) {
	entries, err := s.groups.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	byName := func(a, b types.ReportGroup) int { return cmp.Compare(*a.Name, *b.Name) }
	order := map[types.ReportGroupSortByType]func(a, b types.ReportGroup) int{
		"":                              byName,
		types.ReportGroupSortByTypeName: byName,
		types.ReportGroupSortByTypeCreatedTime: func(a, b types.ReportGroup) int {
			return a.Created.Compare(*b.Created)
		},
		types.ReportGroupSortByTypeLastModifiedTime: func(a, b types.ReportGroup) int {
			return a.LastModified.Compare(*b.LastModified)
		},
	}[in.SortBy]
	if order == nil {
		return nil, invalid("Invalid sort by: %s", in.SortBy)
	}
	slices.SortStableFunc(entries, func(a, b store.Entry[types.ReportGroup]) int {
		return cmp.Or(order(a.Value, b.Value), cmp.Compare(a.ID, b.ID))
	})
	if in.SortOrder == types.SortOrderTypeDescending {
		slices.Reverse(entries)
	}
	arns := make([]string, len(entries))
	for i, e := range entries {
		arns[i] = *e.Value.Arn
	}
	page, next, err := part(arns, in.NextToken, in.MaxResults)
	return &api.ListReportGroupsOutput{ReportGroups: page, NextToken: next}, err
}

// part cuts the page out of all that begins at the token, the number of
// entries on the pages before.
func part[T any](all []T, token *string, size *int32) (page []T, next *string, err error) {
	n := pageSize
	if size != nil {
		if n = int(*size); n < 1 || n > pageSize {
			return nil, nil, invalid("Invalid max results: %d, it must be between 1 and %d", n, pageSize)
		}
	}
	at := 0
	if t := aws.ToString(token); t != "" {
		if at, err = strconv.Atoi(t); err != nil || at < 0 {
			return nil, nil, invalid("Invalid next token")
		}
	}
	all = all[min(at, len(all)):]
	if len(all) > n {
		all = all[:n]
		next = aws.String(strconv.Itoa(at + n))
	}
	return all, next, nil
}
