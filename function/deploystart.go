package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/pipeline"
	"ouro/stack"
)

// starter has CodeDeploy deploy what comes into a bucket. DEPLOY_APPLICATION
// and DEPLOY_GROUP name the deployment group, DEPLOY_FILES what becomes of files
// that are there already.
type starter struct {
	deploy             *codedeploy.Client
	objects            *s3.Client
	application, group string
	files              types.FileExistsBehavior
}

// putEvent is what a bucket tells of a new object: by EventBridge, or by a
// notification of its own.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
type putEvent struct {
	Type   string `json:"detail-type"`
	Detail struct {
		Bucket struct{ Name string }
		Object struct {
			Key     string
			Version string `json:"version-id"`
			ETag    string
		}
	}
	Records []struct {
		Name string `json:"eventName"`
		S3   struct {
			Bucket struct{ Name string }
			Object struct {
				Key     string // as in the query of a URL
				Version string `json:"versionId"`
				ETag    string
			}
		}
	}
	Event string // of the note that S3 sends when a notification is made: s3:TestEvent
}

// objects are the new objects that an event tells of.
func (e putEvent) objects() ([]types.S3Location, error) {
	if e.Type == "Object Created" {
		o := e.Detail.Object
		return []types.S3Location{location(e.Detail.Bucket.Name, o.Key, o.Version, o.ETag)}, nil
	}
	if e.Event == "s3:TestEvent" {
		return nil, nil
	}
	if e.Records == nil {
		return nil, errors.New("the event is none of a bucket")
	}
	var all []types.S3Location
	for _, r := range e.Records {
		if !strings.HasPrefix(r.Name, "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("the event's key %q: %w", r.S3.Object.Key, err)
		}
		all = append(all, location(r.S3.Bucket.Name, key, r.S3.Object.Version, r.S3.Object.ETag))
	}
	return all, nil
}

// suffixes are how the names of bundles end.
var suffixes = []struct {
	end  string
	kind types.BundleType
}{{".zip", types.BundleTypeZip}, {".tar.gz", types.BundleTypeTarGZip}, {".tgz", types.BundleTypeTarGZip}, {".tar", types.BundleTypeTar}}

func location(bucket, key, version, tag string) types.S3Location {
	l := types.S3Location{Bucket: &bucket, Key: &key}
	if version != "" {
		l.Version = &version
	}
	if tag != "" {
		l.ETag = &tag
	}
	for _, s := range suffixes {
		if strings.HasSuffix(key, s.end) {
			l.BundleType = s.kind
			break
		}
	}
	return l
}

func deployStart(cfg aws.Config) Handler {
	s := &starter{
		deploy: codedeploy.NewFromConfig(cfg), objects: pipeline.NewBuckets(cfg),
		application: os.Getenv("DEPLOY_APPLICATION"), group: os.Getenv("DEPLOY_GROUP"), files: types.FileExistsBehavior(os.Getenv("DEPLOY_FILES")),
	}
	return func(ctx context.Context, event json.RawMessage) (any, error) {
		return within(ctx, func(ctx context.Context) (any, error) { return s.handle(ctx, event) })
	}
}

// started is what became of an object.
type started struct {
	Key          string
	DeploymentID string `json:"DeploymentId,omitempty"`
	Skipped      string `json:",omitempty"` // why nothing was deployed
}

func (s *starter) handle(ctx context.Context, event json.RawMessage) (any, error) {
	if s.application == "" || s.group == "" {
		return nil, errors.New("DEPLOY_APPLICATION and DEPLOY_GROUP say what is deployed to")
	}
	var e putEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	objects, err := e.objects()
	if err != nil {
		return nil, err
	}
	all := []started{}
	for _, l := range objects {
		one, err := s.start(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("deploying s3://%s/%s: %w", *l.Bucket, *l.Key, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// start deploys an object. While another deployment of the group is under way
// it waits, and looks then whether the object is still the newest: of many that
// come in meanwhile, the last one is deployed. Lambda may tell of one twice.
func (s *starter) start(ctx context.Context, l types.S3Location) (started, error) {
	out := started{Key: *l.Key}
	if l.BundleType == "" {
		out.Skipped = "it is no zip, tar or tgz"
		return out, nil
	}
	in := &codedeploy.CreateDeploymentInput{
		ApplicationName: &s.application, DeploymentGroupName: &s.group, FileExistsBehavior: s.files,
		Description: aws.String("New in the bucket"),
		Revision:    &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &l},
	}
	for poll := stack.NewPoll(); ; {
		why, err := s.obsolete(ctx, l)
		if err != nil || why != "" {
			out.Skipped = why
			return out, err
		}
		made, err := s.deploy.CreateDeployment(ctx, in)
		if err == nil {
			out.DeploymentID = *made.DeploymentId
			return out, nil
		}
		if !isCode(err, "DeploymentLimitExceededException") {
			return out, err
		}
		if waited := poll.Wait(ctx, false); waited != nil {
			return out, fmt.Errorf("waiting for another deployment of the group: %w", err)
		}
	}
}

// obsolete tells why an object is not to be deployed, "" if it is.
func (s *starter) obsolete(ctx context.Context, l types.S3Location) (why string, err error) {
	now, err := s.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: l.Bucket, Key: l.Key})
	switch {
	case isCode(err, "NotFound"):
		return "it is not there any more", nil
	case err != nil:
		return "", fmt.Errorf("looking at the object: %w", err)
	case l.Version != nil && aws.ToString(now.VersionId) != *l.Version:
		return "there is a newer one", nil
	case l.Version == nil:
		return "", nil // without versions one cannot tell a repeated event from a new object
	}
	done, err := s.done(ctx, l)
	if done != "" {
		why = "deployment " + done + " is of it"
	}
	return why, err
}

// done finds the deployment of an object among the newest of the group, ""
// for none. Rollbacks do not count.
func (s *starter) done(ctx context.Context, l types.S3Location) (string, error) {
	list, err := s.deploy.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{ApplicationName: &s.application, DeploymentGroupName: &s.group})
	if err != nil || len(list.Deployments) == 0 {
		return "", err
	}
	const most = 25 // that BatchGetDeployments takes
	got, err := s.deploy.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: list.Deployments[:min(most, len(list.Deployments))]})
	if err != nil {
		return "", err
	}
	for _, d := range got.DeploymentsInfo {
		if d.Revision == nil || d.Revision.S3Location == nil || d.Creator == types.DeploymentCreatorCodeDeployRollback {
			continue
		}
		if at := d.Revision.S3Location; *at.Bucket == *l.Bucket && *at.Key == *l.Key && aws.ToString(at.Version) == *l.Version {
			return *d.DeploymentId, nil
		}
	}
	return "", nil
}
