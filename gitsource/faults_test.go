package gitsource_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest"
	"ouro/gitsource"
)

// forGood is how many refusals no number of tries outlasts.
const forGood = 1000

// TestBucketFails: as long as S3 takes one step not, whichever it is, nothing of
// the commit is to be seen, and what was there before stays; the event is given
// back, and done when it comes again.
func TestBucketFails(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	for name, kind := range map[string]string{
		"reads": "GET", "looks": "HEAD", "records": "PUT", "beginnings": "POST uploads", "parts": "PUT upload", "completions": "POST upload",
	} {
		t.Run(name, func(t *testing.T) {
			left := map[string]*atomic.Int32{kind: {}}
			f := newForge(t, c, "fails-"+name, refusing{left})
			if err := f.Work(t.Context(), push(0, 1)); err != nil {
				t.Fatal(err)
			}
			left[kind].Store(forGood)
			if err := f.Work(t.Context(), push(1, 2)); err == nil || !strings.Contains(err.Error(), "SlowDown") && !strings.Contains(err.Error(), "503") {
				t.Errorf("it got %v", err)
			}
			left[kind].Store(0)
			if _, sha := f.object(); sha != commit(1) {
				t.Errorf("the object is of %s", sha)
			}
			if v, u := f.versions(); v != 1 || u != 0 {
				t.Errorf("there are %d versions and %d uploads", v, u)
			}
			if err := f.Work(t.Context(), push(1, 2)); err != nil {
				t.Fatal(err)
			}
			if _, sha := f.object(); sha != commit(2) {
				t.Errorf("in the end the object is of %s", sha)
			}
			if v, u := f.versions(); v != 2 || u != 0 {
				t.Errorf("in the end there are %d versions and %d uploads", v, u)
			}
		})
	}
}

// TestAbortFails: an upload that cannot even be aborted is told, and seen by
// nobody; the bucket's lifecycle ends it.
func TestAbortFails(t *testing.T) {
	t.Parallel()
	left := map[string]*atomic.Int32{"POST upload": {}, "DELETE upload": {}}
	f := newForge(t, cloudtest.New(t), "aborts", refusing{left})
	left["POST upload"].Store(forGood)
	left["DELETE upload"].Store(forGood)
	if err := f.Work(t.Context(), push(0, 1)); err == nil || !strings.Contains(err.Error(), "aborting the upload") {
		t.Errorf("it got %v", err)
	}
	if v, u := f.versions(); v != 0 || u == 0 {
		t.Errorf("there are %d versions and %d uploads", v, u)
	}
	left["POST upload"].Store(0)
	if err := f.Work(t.Context(), push(0, 1)); err != nil {
		t.Fatal(err)
	}
	if _, sha := f.object(); sha != commit(1) {
		t.Errorf("the object is of %s", sha)
	}
}

// TestHookFails: a hook whose bucket refuses twice takes the delivery all the
// same, once; one whose bucket is gone says so to the provider, hands nothing on,
// and takes the delivery when it is sent again.
func TestHookFails(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	d := newDoor(t, c, "fails-hook", "github", "", secret)
	left := map[string]*atomic.Int32{"GET": {}, "PUT": {}}
	cfg := c.Config.Copy()
	cfg.HTTPClient = refusing{left}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 1 })
	}
	d.Records = gitsource.Records{API: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), Bucket: "fails-hook"}
	s := samples(t)["github-push"]
	for i, step := range []struct {
		refusals int32 // of each kind
		want     int
		sent     int // in all
	}{
		{2, http.StatusAccepted, 1}, {0, http.StatusForbidden, 1}, {forGood, http.StatusInternalServerError, 1}, {0, http.StatusAccepted, 2}, {0, http.StatusForbidden, 2},
	} {
		for _, n := range left {
			n.Store(step.refusals)
		}
		if i == 2 {
			s.body = append(s.body, ' ') // another delivery
		}
		if got := d.status(t, request(s, secret)); got != step.want || len(d.sent) != step.sent {
			t.Errorf("step %d got %d, and %d events were handed on: %s", i, got, len(d.sent), &d.log)
		}
	}
}
