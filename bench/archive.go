package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// archiving measures what memory git.zip takes while an archive streams through
// it, from the provider into a bucket.
func archiving(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	largest := flags.Int64("mb", 1024, "megabytes of the largest archive")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return withLocal(ctx, "state", func(dir, ouro string, cloud *local) error {
		t := table{left: 1, head: []string{"an archive of", "through git.zip", "MB a second", "peak memory"}}
		for _, mb := range []int64{1, *largest / 8, *largest} {
			took, peak, err := streamed(ctx, ouro, cloud, mb<<20)
			if err != nil {
				return fmt.Errorf("an archive of %d MB: %w", mb, err)
			}
			t.add(fmt.Sprintf("%d MB", mb), seconds(took), fmt.Sprintf("%.0f", float64(mb)/took.Seconds()), fmt.Sprintf("%d MB", peak>>20))
		}
		t.print(w)
		return nil
	})
}

// commit is what is packed.
const commit = "1111111111111111111111111111111111111111"

// streamed has the function, a process of its own, fetch one commit.
func streamed(ctx context.Context, ouro string, cloud *local, size int64) (took time.Duration, peak int64, err error) {
	api := s3.NewFromConfig(cloud.config(), func(o *s3.Options) { o.UsePathStyle = true })
	zips, state := fmt.Sprintf("zips-%d", size), fmt.Sprintf("state-%d", size)
	for _, bucket := range []string{zips, state} {
		if _, err := api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			return 0, 0, err
		}
	}
	provider := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := writeCommit(w, size); err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	defer provider.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	runtime := &oneEvent{event: `{"provider":"github-enterprise","kind":"push","owner":"acme","name":"app","ref":"main","commit":"` + commit + `"}`, ended: stop}
	lambda := httptest.NewServer(runtime)
	defer lambda.Close()
	p := process{args: []string{ouro}, env: append(clientEnv(cloud.url), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(lambda.URL, "http://"), "_HANDLER=git.zip",
		"GIT_PROVIDER=github-enterprise", "GIT_HOST="+strings.TrimPrefix(provider.URL, "https://"), "GIT_BUCKET="+zips, "GIT_STATE_BUCKET="+state,
		"GIT_AUTHORITIES="+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})))}
	peak, err = p.peak(ctx)
	if runtime.said != "" || runtime.took == 0 {
		return 0, 0, fmt.Errorf("the function says %q: %w", runtime.said, err)
	}
	out, err := api.HeadObject(context.WithoutCancel(ctx), &s3.HeadObjectInput{Bucket: &zips, Key: aws.String("acme/app/main/app.zip")})
	if err != nil {
		return 0, 0, err
	}
	if aws.ToInt64(out.ContentLength) < size {
		return 0, 0, fmt.Errorf("the zip has %d bytes", aws.ToInt64(out.ContentLength))
	}
	return runtime.took, peak, nil
}

// writeCommit packs files of a megabyte each, which nothing could compress, as
// many as make the size.
func writeCommit(w io.Writer, size int64) error {
	const file = 1 << 20
	z, err := gzip.NewWriterLevel(w, gzip.NoCompression)
	if err != nil {
		return err
	}
	t, noise := tar.NewWriter(z), rand.NewChaCha8([32]byte{})
	for i := range size / file {
		if err := t.WriteHeader(&tar.Header{Name: fmt.Sprintf("acme-app/%d/%d", i%100, i), Mode: 0o644, Size: file}); err != nil {
			return err
		}
		if _, err := io.CopyN(t, noise, file); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

// oneEvent is Lambda's API for runtimes, which has one event.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type oneEvent struct {
	event string
	ended func()
	begun time.Time
	took  time.Duration
	said  string // what the function failed with
}

func (o *oneEvent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocation/next") && o.begun.IsZero():
		o.begun = time.Now()
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(15*time.Minute).UnixMilli()))
		io.WriteString(w, o.event) //nolint:errcheck // the function tells
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		o.ended()
		<-r.Context().Done()
	default:
		o.took = time.Since(o.begun)
		body, err := io.ReadAll(r.Body)
		if !strings.HasSuffix(r.URL.Path, "/response") || err != nil {
			o.said = string(body)
		}
		w.WriteHeader(http.StatusAccepted)
	}
}
