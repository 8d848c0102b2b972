package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Mailbox is where processes outside leave answers for CloudFormation: objects
// in buckets of its own, put through presigned URLs, as on AWS. It also keeps
// what CloudFormation waits for, so that the wait goes on after the process died.
type Mailbox struct {
	host    door.Host
	errands store.Table[errand]

	mu   sync.Mutex
	made map[string]bool // buckets
}

// NewMailbox makes the mailbox of a cloud.
func NewMailbox(host door.Host) *Mailbox {
	return &Mailbox{host: host, errands: store.NewTable[errand](host.Store(), "cloudformation", "errand"), made: map[string]bool{}}
}

// ownAccount is CloudFormation's own account, in which its buckets are.
const ownAccount = "998877665544"

// The boxes, by the names of AWS's buckets.
const (
	customAnswers = "cloudformation-custom-resource-response-"
	waitSignals   = "cloudformation-waitcondition-"
)

// errand is something that was asked of somebody outside.
type errand struct {
	ID       string
	Deadline time.Time
	Sent     bool
	Address  string // of the cloud that sent it
}

// begin gives the errand of that name: the one that a process began which died,
// or a new one.
func (m *Mailbox) begin(ctx context.Context, r *Request, name string, patience time.Duration) (errand, error) {
	scope := store.Scope{Account: r.Account, Region: r.Region}
	e, err := m.errands.Get(ctx, scope, name)
	if errors.Is(err, store.ErrNotFound) {
		e = errand{ID: m.host.NewID(), Deadline: m.host.Now().Add(patience)}
		err = m.errands.Put(ctx, scope, name, e)
	}
	return e, err
}

func (m *Mailbox) sent(ctx context.Context, r *Request, name string, e errand) error {
	e.Sent, e.Address = true, m.host.Endpoint()
	return m.errands.Put(ctx, store.Scope{Account: r.Account, Region: r.Region}, name, e)
}

// end forgets an errand.
func (m *Mailbox) end(ctx context.Context, r *Request, name string) {
	err := m.errands.Delete(context.WithoutCancel(ctx), store.Scope{Account: r.Account, Region: r.Region}, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
		m.host.Log().Error("forgetting what was waited for", "resource", r.LogicalID, "error", err)
	}
}

func (m *Mailbox) client(region string, endpoint *string) *s3.Client {
	cfg := m.host.As(door.Caller{Account: ownAccount, Region: region, Service: "cloudformation.amazonaws.com"})
	if endpoint != nil {
		cfg.BaseEndpoint = endpoint
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// bucketOf is the bucket of a box in a region. AWS leaves the dashes of the
// region out for custom resources, and has them for wait conditions.
func bucketOf(box, region string) string {
	if box == customAnswers {
		region = strings.ReplaceAll(region, "-", "")
	}
	return box + region
}

// open makes the bucket of a box if it is not there yet. Two that do so at the
// same time do no harm.
func (m *Mailbox) open(ctx context.Context, box, region string) error {
	bucket := bucketOf(box, region)
	m.mu.Lock()
	made := m.made[bucket]
	m.mu.Unlock()
	if made {
		return nil
	}
	client := m.client(region, nil)
	in := &s3.CreateBucketInput{Bucket: &bucket}
	if region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	if _, err := client.CreateBucket(ctx, in); err != nil && code(err) != "BucketAlreadyOwnedByYou" {
		return fmt.Errorf("making the bucket for answers: %w", err)
	}
	if box == waitSignals { // every signal to the one URL counts
		_, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &bucket,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
		if err != nil {
			return fmt.Errorf("making the bucket for answers: %w", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made[bucket] = true
	return nil
}

// address is a URL that an answer can be put to, from anywhere that reaches
// the cloud.
func (m *Mailbox) address(ctx context.Context, box, region, key string, valid time.Duration) (string, error) {
	if err := m.open(ctx, box, region); err != nil {
		return "", err
	}
	presign := s3.NewPresignClient(m.client(region, aws.String(m.host.Endpoint())), s3.WithPresignExpires(valid))
	bucket := bucketOf(box, region)
	out, err := presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", fmt.Errorf("making the URL for an answer: %w", err)
	}
	return out.URL, nil
}

// maxAnswer is the size in bytes of an answer.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
const maxAnswer = 4096

// read gives an answer, of which one byte more than allowed is read; ok is
// false when there is none yet.
func (m *Mailbox) read(ctx context.Context, box, region, key string, version *string) (text []byte, ok bool, err error) {
	bucket := bucketOf(box, region)
	out, err := m.client(region, nil).GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: version})
	if err != nil {
		return nil, false, gone(err)
	}
	defer out.Body.Close()
	text, err = io.ReadAll(io.LimitReader(out.Body, maxAnswer+1))
	return text, err == nil, err
}

// versions are all that was put under a key, oldest first.
func (m *Mailbox) versions(ctx context.Context, box, region, key string) ([]types.ObjectVersion, error) {
	bucket := bucketOf(box, region)
	pages := s3.NewListObjectVersionsPaginator(m.client(region, nil), &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &key})
	var all []types.ObjectVersion
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, gone(err)
		}
		for _, v := range page.Versions { // newest first
			if aws.ToString(v.Key) == key {
				all = append(all, v)
			}
		}
	}
	slices.Reverse(all)
	return all, nil
}

// drop throws away what was put under a key.
func (m *Mailbox) drop(ctx context.Context, box, region, key string) error {
	all, err := m.versions(ctx, box, region, key)
	bucket := bucketOf(box, region)
	for _, v := range all {
		if err == nil {
			_, err = m.client(region, nil).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: v.VersionId})
		}
	}
	return gone(err)
}

// Waits for an answer double from the shortest to the longest.
const (
	shortestWait = 2 * time.Millisecond
	longestWait  = 250 * time.Millisecond
)

// Await asks again and again until ready; late is true when the deadline
// passed before. cancelled ends it with ErrCancelled.
func Await(ctx context.Context, now func() time.Time, deadline time.Time, cancelled <-chan struct{}, ready func() (bool, error)) (late bool, err error) {
	for pause := shortestWait; ; pause = min(2*pause, longestWait) {
		done, err := ready()
		if done || err != nil {
			return false, err
		}
		left := deadline.Sub(now())
		if left <= 0 {
			return true, nil
		}
		timer := time.NewTimer(min(pause, left))
		select {
		case <-timer.C:
		case <-cancelled:
			timer.Stop()
			return false, ErrCancelled
		case <-ctx.Done():
			timer.Stop()
			return false, ctx.Err()
		}
	}
}
