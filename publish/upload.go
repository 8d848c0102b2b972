package publish

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// API is what Upload needs of S3.
type API interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

var _ API = (*s3.Client)(nil)

// UploadOptions of Upload.
type UploadOptions struct {
	// Parallel is how many requests run at once at most; 0 stands for 32. Fewer
	// do where the endpoint is near: see crowd.
	Parallel int
	// Entrypoint sends the finished entrypoint too, after everything else.
	Entrypoint bool
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
	u := &uploader{api: api, plan: plan, parallel: options.Parallel}
	if u.parallel <= 0 {
		u.parallel = 32
	}
	objects := plan.Objects
	if options.Entrypoint {
		objects = append(objects[:len(objects):len(objects)], plan.Entrypoint)
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
	err = u.send(ctx, known, plan.Objects)
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
	sent, kept, bytes atomic.Int64
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
	content, err := u.plan.content(o)
	if err != nil {
		return err
	}
	defer content.Close()
	sum, err := hex.DecodeString(o.SHA256)
	if err != nil {
		return err
	}
	in := &s3.PutObjectInput{
		Bucket: aws.String(u.plan.Location.Bucket), Key: aws.String(o.Key), Body: content, ContentLength: aws.Int64(o.Size),
		// S3 refuses the object if a file changed since its hash was taken.
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum)),
	}
	if o.body != nil {
		in.ContentType = aws.String("application/json")
	}
	if _, err := u.api.PutObject(ctx, in); err != nil {
		return err
	}
	u.sent.Add(1)
	u.bytes.Add(o.Size)
	return nil
}
