package codedeploy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

type revision struct {
	Location types.RevisionLocation
	Info     types.GenericRevisionInfo
}

const maxDescription = 256

// revisionKey names a revision of an application in the store.
func revisionKey(app string, l types.RevisionLocation) string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return app + "/" + hex.EncodeToString(sum[:])
}

// bundles are the kinds of bundles in S3 that a platform takes.
var bundles = map[types.ComputePlatform][]types.BundleType{
	types.ComputePlatformServer: {types.BundleTypeZip, types.BundleTypeTar, types.BundleTypeTarGZip},
	types.ComputePlatformLambda: {types.BundleTypeYaml, types.BundleTypeJson},
	types.ComputePlatformEcs:    {types.BundleTypeYaml, types.BundleTypeJson},
}

func checkRevision(l *types.RevisionLocation, p types.ComputePlatform) error {
	if l == nil {
		return refuse("RevisionRequired", "The revision must be specified")
	}
	set := func(texts ...*string) bool {
		return !slices.ContainsFunc(texts, func(t *string) bool { return aws.ToString(t) == "" })
	}
	server := p == types.ComputePlatformServer
	switch l.RevisionType {
	case types.RevisionLocationTypeS3:
		if l.S3Location == nil || !set(l.S3Location.Bucket, l.S3Location.Key) {
			return refuse("InvalidRevision", "A revision in S3 must have a bucket and a key")
		}
		if !slices.Contains(bundles[p], l.S3Location.BundleType) {
			return refuse("InvalidRevision", "The bundle type %q is not valid for the compute platform %s: it is one of %v", l.S3Location.BundleType, p, bundles[p])
		}
		return nil
	case types.RevisionLocationTypeGitHub:
		if l.GitHubLocation == nil || !set(l.GitHubLocation.Repository, l.GitHubLocation.CommitId) || !server || strings.Count(*l.GitHubLocation.Repository, "/") != 1 {
			return refuse("InvalidRevision", "A revision in GitHub must have a repository, OWNER/NAME, and a commit, and is for the compute platform Server")
		}
		return nil
	case types.RevisionLocationTypeAppSpecContent:
		if l.AppSpecContent != nil && set(l.AppSpecContent.Content) && !server {
			return checkSum(l.AppSpecContent.Content, l.AppSpecContent.Sha256)
		}
	case types.RevisionLocationTypeString:
		//lint:ignore SA1019 AWS still has it
		if raw := l.String_; raw != nil && set(raw.Content) && !server {
			return checkSum(raw.Content, raw.Sha256)
		}
	}
	return refuse("InvalidRevision", "The revision type %q is not valid for the compute platform %s, or its location is missing", l.RevisionType, p)
}

func checkSum(content, sum *string) error {
	actual := sha256.Sum256([]byte(*content))
	if sum != nil && *sum != "" && !strings.EqualFold(*sum, hex.EncodeToString(actual[:])) {
		return refuse("InvalidRevision", "The SHA-256 of the revision's content is not the one given")
	}
	return nil
}

// use registers a revision, and records its use by a group ("" for none).
func (s *Service) use(ctx context.Context, scope store.Scope, app, group string, l types.RevisionLocation, change func(*types.GenericRevisionInfo)) error {
	key := revisionKey(app, l)
	r, err := s.revisions.Get(ctx, scope, key)
	if missing(err, nil) != nil {
		return err
	}
	if err != nil {
		r = revision{Location: l, Info: types.GenericRevisionInfo{RegisterTime: s.now(), DeploymentGroups: []string{}}}
	}
	if group != "" {
		if !slices.Contains(r.Info.DeploymentGroups, group) {
			r.Info.DeploymentGroups = append(r.Info.DeploymentGroups, group)
			slices.Sort(r.Info.DeploymentGroups)
		}
		r.Info.LastUsedTime = s.now()
		if r.Info.FirstUsedTime == nil {
			r.Info.FirstUsedTime = r.Info.LastUsedTime
		}
	}
	change(&r.Info)
	return s.revisions.Put(ctx, scope, key, r)
}

// RegisterApplicationRevision makes a revision known.
func (s *Service) RegisterApplicationRevision(ctx context.Context, in *codedeploy.RegisterApplicationRevisionInput) (*codedeploy.RegisterApplicationRevisionOutput, error) {
	a, err := s.application(ctx, in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := checkRevision(in.Revision, a.Info.ComputePlatform); err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	return &codedeploy.RegisterApplicationRevisionOutput{}, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		return s.use(ctx, door.CallerFrom(ctx).Scope(), *in.ApplicationName, "", *in.Revision, func(i *types.GenericRevisionInfo) {
			if in.Description != nil {
				i.Description = in.Description
			}
		})
	})
}

func checkDescription(text *string) error {
	if len(aws.ToString(text)) > maxDescription {
		return refuse("DescriptionTooLong", "The description is longer than %d characters", maxDescription)
	}
	return nil
}

// GetApplicationRevision gives a revision.
func (s *Service) GetApplicationRevision(ctx context.Context, in *codedeploy.GetApplicationRevisionInput) (*codedeploy.GetApplicationRevisionOutput, error) {
	a, err := s.application(ctx, in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := checkRevision(in.Revision, a.Info.ComputePlatform); err != nil {
		return nil, err
	}
	r, err := s.revisions.Get(ctx, door.CallerFrom(ctx).Scope(), revisionKey(*in.ApplicationName, *in.Revision))
	if err != nil {
		return nil, missing(err, refuse("RevisionDoesNotExist", "The revision is not registered with the application %s", *in.ApplicationName))
	}
	return &codedeploy.GetApplicationRevisionOutput{ApplicationName: in.ApplicationName, Revision: &r.Location, RevisionInfo: &r.Info}, nil
}

// BatchGetApplicationRevisions gives revisions; what is not registered is told
// in the message.
func (s *Service) BatchGetApplicationRevisions(ctx context.Context, in *codedeploy.BatchGetApplicationRevisionsInput) (*codedeploy.BatchGetApplicationRevisionsOutput, error) {
	if err := batch(len(in.Revisions)); err != nil {
		return nil, err
	}
	if len(in.Revisions) == 0 {
		return nil, checkRevision(nil, "")
	}
	out := &codedeploy.BatchGetApplicationRevisionsOutput{ApplicationName: in.ApplicationName, Revisions: []types.RevisionInfo{}}
	for _, l := range in.Revisions {
		one, err := s.GetApplicationRevision(ctx, &codedeploy.GetApplicationRevisionInput{ApplicationName: in.ApplicationName, Revision: &l})
		if isCode(err, "RevisionDoesNotExist") {
			out.ErrorMessage = aws.String(err.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Revisions = append(out.Revisions, types.RevisionInfo{RevisionLocation: one.Revision, GenericRevisionInfo: one.RevisionInfo})
	}
	return out, nil
}

// ListApplicationRevisions gives revisions.
func (s *Service) ListApplicationRevisions(ctx context.Context, in *codedeploy.ListApplicationRevisionsInput) (*codedeploy.ListApplicationRevisionsOutput, error) {
	if _, err := s.application(ctx, in.ApplicationName); err != nil {
		return nil, err
	}
	if err := checkRevisionQuery(in); err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	all, err := s.revisions.List(ctx, scope, store.Query{Prefix: *in.ApplicationName + "/"})
	if err != nil {
		return nil, err
	}
	current, err := s.current(ctx, scope, *in.ApplicationName)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e store.Entry[revision]) bool { return !wanted(in, e, current) })
	sortRevisions(all, in.SortBy, in.SortOrder)
	byKey, keys := map[string]types.RevisionLocation{}, []string{}
	for _, e := range all {
		byKey[e.ID] = e.Value.Location
		keys = append(keys, e.ID)
	}
	keys, next, err := page(keys, in.NextToken)
	out := &codedeploy.ListApplicationRevisionsOutput{Revisions: []types.RevisionLocation{}, NextToken: next}
	for _, k := range keys {
		out.Revisions = append(out.Revisions, byKey[k])
	}
	return out, err
}

func checkRevisionQuery(in *codedeploy.ListApplicationRevisionsInput) error {
	switch {
	case in.SortBy != "" && !slices.Contains(in.SortBy.Values(), in.SortBy):
		return refuse("InvalidSortBy", "Revisions cannot be sorted by %q", in.SortBy)
	case in.SortOrder != "" && !slices.Contains(in.SortOrder.Values(), in.SortOrder):
		return refuse("InvalidSortOrder", "The sort order %q is not valid", in.SortOrder)
	case in.Deployed != "" && !slices.Contains(in.Deployed.Values(), in.Deployed):
		return refuse("InvalidDeployedStateFilter", "The deployed state filter %q is not valid", in.Deployed)
	case in.S3KeyPrefix != nil && in.S3Bucket == nil:
		return refuse("BucketNameFilterRequired", "A key prefix needs the bucket's name")
	}
	return nil
}

// current are the keys of the revisions that groups of the application have.
func (s *Service) current(ctx context.Context, scope store.Scope, app string) ([]string, error) {
	groups, err := s.groups.List(ctx, scope, store.Query{Prefix: app + "/"})
	var keys []string
	for _, g := range groups {
		if l := g.Value.Info.TargetRevision; l != nil {
			keys = append(keys, revisionKey(app, *l))
		}
	}
	return keys, err
}

func wanted(in *codedeploy.ListApplicationRevisionsInput, e store.Entry[revision], current []string) bool {
	deployed := slices.Contains(current, e.ID)
	if in.Deployed == types.ListStateFilterActionInclude && !deployed || in.Deployed == types.ListStateFilterActionExclude && deployed {
		return false
	}
	if in.S3Bucket == nil {
		return true
	}
	at := e.Value.Location.S3Location
	return at != nil && aws.ToString(at.Bucket) == *in.S3Bucket && strings.HasPrefix(aws.ToString(at.Key), aws.ToString(in.S3KeyPrefix))
}

func sortRevisions(all []store.Entry[revision], by types.ApplicationRevisionSortBy, order types.SortOrder) {
	when := func(r revision) time.Time {
		switch by {
		case types.ApplicationRevisionSortByFirstUsedTime:
			return aws.ToTime(r.Info.FirstUsedTime)
		case types.ApplicationRevisionSortByLastUsedTime:
			return aws.ToTime(r.Info.LastUsedTime)
		}
		return aws.ToTime(r.Info.RegisterTime)
	}
	slices.SortStableFunc(all, func(a, b store.Entry[revision]) int {
		c := cmp.Or(when(a.Value).Compare(when(b.Value)), cmp.Compare(a.ID, b.ID))
		if order == types.SortOrderDescending {
			return -c
		}
		return c
	})
}
