package publish

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// API is what Upload needs of S3.
type API interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

var _ API = (*s3.Client)(nil)

// UploadOptions of Upload.
type UploadOptions struct {
	// Parallel is how many requests run at once at most; 0 stands for 32. Fewer
	// do where the endpoint is near: see crowd.
	Parallel int
	// Entrypoint sends the finished entrypoint too, after everything else.
	Entrypoint bool
	// KMSKeyID is the key that S3 encrypts what is sent with: an id, an ARN or
	// an alias. "" leaves encryption to the bucket's own setting.
	KMSKeyID string
}

const defaultParallel = 32

// patient makes a request try more often than the SDK's three times, with its
// growing pauses, unless the client was told how often: S3 answers SlowDown
// while it makes room for many new keys.
func patient(o *s3.Options) {
	if o.RetryMaxAttempts == 0 {
		o.RetryMaxAttempts = 8
	}
}

// Result counts what Upload did.
type Result struct {
	Objects  int   // of the plan
	Uploaded int   // sent, as they were not there
	Kept     int   // there already
	Bytes    int64 // sent
}

// Upload sends the plan's objects that the bucket does not hold yet. When it
// fails or ctx ends, some objects may have been sent, which does no harm: their
// keys are their content, nothing refers to them yet, and the next run keeps
// them. The entrypoint, if asked for, is sent when all others are there.
func Upload(ctx context.Context, api API, plan *Plan, options UploadOptions) (Result, error) {
	u := &uploader{
		api: api, plan: plan, parallel: options.Parallel, kmsKey: options.KMSKeyID,
		large: make(chan struct{}, largeAtOnce), archives: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	if u.parallel <= 0 {
		u.parallel = defaultParallel
	}
	first := distinct(plan.Objects)
	objects := first
	if options.Entrypoint {
		objects = append(slices.Clip(first), plan.Entrypoint)
	}
	result := Result{Objects: len(objects)}
	if len(objects) == 0 {
		return result, nil
	}
	keys := make([]string, len(objects))
	for i, o := range objects {
		keys[i] = o.Key
	}
	known, err := u.survey(ctx, keys)
	if err != nil {
		return result, fmt.Errorf("list bucket %q: %w", plan.Location.Bucket, err)
	}
	err = u.send(ctx, known, first)
	if err == nil && options.Entrypoint {
		err = u.send(ctx, known, []Object{plan.Entrypoint})
	}
	result.Uploaded, result.Bytes, result.Kept = int(u.sent.Load()), u.bytes.Load(), int(u.kept.Load())
	return result, err
}

type uploader struct {
	api               API
	plan              *Plan
	parallel          int
	kmsKey            string
	large, archives   chan struct{} // a place for each that may be sent, or zipped, at once
	sent, kept, bytes atomic.Int64
}

// distinct are the objects without those whose key came before: files with the
// same content have the same flat key.
func distinct(objects []Object) []Object {
	seen := make(map[string]bool, len(objects))
	return slices.DeleteFunc(slices.Clone(objects), func(o Object) bool {
		again := seen[o.Key]
		seen[o.Key] = true
		return again
	})
}

// send puts those of objects that are not there. The first failure stops the rest.
func (u *uploader) send(ctx context.Context, known inventory, objects []Object) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var absent []Object
	for _, o := range objects {
		if known.there[o.Key] {
			u.kept.Add(1)
		} else {
			absent = append(absent, o)
		}
	}
	var once sync.Once
	var failure error
	crowd(len(absent), u.parallel, func(i int) {
		err := ctx.Err()
		if err == nil {
			err = u.one(ctx, known, absent[i])
		}
		if err != nil {
			once.Do(func() {
				failure = fmt.Errorf("publish %q to bucket %q: %w", absent[i].Path, u.plan.Location.Bucket, err)
			})
			cancel()
		}
	})
	return failure
}

// Uploads begin with few workers; each call that takes long brings one more.
const (
	firstWorkers = 8
	long         = 15 * time.Millisecond
)

// crowd runs f for 0 to n-1 on at most most workers. An endpoint that is far
// keeps workers waiting, and many of them make up for that; one on this machine
// shares its processors with them, and more than a few only get in its way.
func crowd(n, most int, f func(i int)) {
	var next, workers atomic.Int64
	var wait sync.WaitGroup
	var work func()
	work = func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			start := time.Now()
			f(i)
			if time.Since(start) > long && workers.Add(1) <= int64(most) {
				wait.Go(work)
			}
		}
	}
	first := min(firstWorkers, most, n)
	workers.Store(int64(first))
	for range first {
		wait.Go(work)
	}
	wait.Wait()
}

func (u *uploader) one(ctx context.Context, known inventory, o Object) error {
	if known.open[o.Key] {
		there, err := u.head(ctx, o.Key)
		if err != nil {
			return err
		}
		if there {
			u.kept.Add(1)
			return nil
		}
	}
	size, err := u.put(ctx, o)
	if err != nil {
		return err
	}
	u.sent.Add(1)
	u.bytes.Add(size)
	return nil
}

// put sends o and tells how many bytes that were. The sum that goes along makes
// S3 refuse the object if the file changed since its hash was taken.
func (u *uploader) put(ctx context.Context, o Object) (int64, error) {
	if o.Kind == KindArchive {
		if err := occupy(ctx, u.archives); err != nil {
			return 0, err
		}
		defer func() { <-u.archives }()
	}
	c, err := u.plan.content(ctx, o)
	if err != nil {
		return 0, err
	}
	defer c.Close() //nolint:errcheck // only read from
	if c.size > largeFrom {
		if err := occupy(ctx, u.large); err != nil {
			return 0, err
		}
		defer func() { <-u.large }()
		return c.size, u.sendLarge(ctx, o, c)
	}
	in := &s3.PutObjectInput{
		Bucket: aws.String(u.plan.Location.Bucket), Key: aws.String(o.Key), Body: c.ReadSeekCloser, ContentLength: aws.Int64(c.size),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(c.sum)), ContentType: contentType(o),
	}
	if u.kmsKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String(u.kmsKey)
	}
	_, err = u.api.PutObject(ctx, in, patient)
	return c.size, err
}

// occupy waits for one of the places.
func occupy(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func contentType(o Object) *string {
	switch o.Kind {
	case KindTemplate:
		return aws.String("application/json")
	case KindArchive:
		return aws.String("application/zip")
	}
	return nil
}
