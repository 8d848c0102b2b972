package door_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// echo is a service of each protocol that gives back what it was asked.
type pipelines struct {
	got *codepipeline.StartPipelineExecutionInput
}

func (p *pipelines) StartPipelineExecution(ctx context.Context, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	p.got = in
	if aws.ToString(in.Name) == "broken" {
		panic("a mistake")
	}
	if aws.ToString(in.Name) == "missing" {
		return nil, &cptypes.PipelineNotFoundException{Message: aws.String("no pipeline \"missing\"")}
	}
	return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: aws.String(door.CallerFrom(ctx).ARN)}, nil
}

type stacks struct {
	got *cloudformation.CreateStackInput
}

var created = time.Date(2026, 3, 1, 12, 30, 0, 250e6, time.UTC)

func (s *stacks) CreateStack(_ context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	s.got = in
	return &cloudformation.CreateStackOutput{StackId: in.StackName}, nil
}

func (s *stacks) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	if in.StackName != nil {
		return nil, &wire.Error{Code: "ValidationError", Message: "Stack with id " + *in.StackName + " does not exist"}
	}
	return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{{
		StackName: aws.String("a<b&c"), CreationTime: &created, StackStatus: cfntypes.StackStatusCreateComplete,
		Tags: []cfntypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}, EnableTerminationProtection: aws.Bool(true),
	}}}, nil
}

type buckets struct{ got *s3.PutObjectInput }

func (b *buckets) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	copied := *in
	copied.Body = strings.NewReader(string(body))
	b.got = &copied
	return &s3.PutObjectOutput{ETag: aws.String(`"` + string(body) + `"`)}, nil
}

func (b *buckets) GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return &s3.GetObjectOutput{
		Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<20))), ContentLength: aws.Int64(1 << 20),
		Metadata: map[string]string{"colour": "red"}, LastModified: &created,
	}, nil
}

type world struct {
	*door.Door
	url       string
	pipelines *pipelines
	stacks    *stacks
	buckets   *buckets
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Door: door.New(door.Options{Store: st}), pipelines: &pipelines{}, stacks: &stacks{}, buckets: &buckets{}}
	for name, impl := range map[string]any{"codepipeline": w.pipelines, "cloudformation": w.stacks, "s3": w.buckets} {
		if err := w.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(w)
	w.url = server.URL
	t.Cleanup(func() {
		server.Close()
		w.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// configs are the two ways in: over a socket, and inside.
func (w *world) configs() map[string]aws.Config {
	return map[string]aws.Config{
		"outside": {Region: "eu-west-1", BaseEndpoint: &w.url, Credentials: credentials.NewStaticCredentialsProvider("111111111111", "x", "")},
		"inside":  w.As(door.Caller{Account: "111111111111", Region: "eu-west-1"}),
	}
}

// A mistake in one service fails a request, from wherever it came, and no more.
func TestPanic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cfg := range w.configs() {
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		client := codepipeline.NewFromConfig(cfg)
		if _, err := client.StartPipelineExecution(t.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String("broken")}); err == nil || !strings.Contains(err.Error(), "StatusCode: 500") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := client.StartPipelineExecution(t.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String("whole")}); err != nil {
			t.Errorf("%s, afterwards: %v", name, err)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cfg := range w.configs() {
		t.Run(name, func(t *testing.T) {
			client := codepipeline.NewFromConfig(cfg)
			in := &codepipeline.StartPipelineExecutionInput{
				Name: aws.String("ünï \"quoted\" \n"), ClientRequestToken: aws.String("t"),
				Variables: []cptypes.PipelineVariable{{Name: aws.String("a"), Value: aws.String("b")}},
			}
			out, err := client.StartPipelineExecution(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got := aws.ToString(out.PipelineExecutionId); got != "arn:aws:iam::111111111111:root" {
				t.Errorf("caller = %q", got)
			}
			if diff := cmp.Diff(aws.ToString(in.Name), aws.ToString(w.pipelines.got.Name)); diff != "" {
				t.Error(diff)
			}
			if len(w.pipelines.got.Variables) != 1 || aws.ToString(w.pipelines.got.Variables[0].Value) != "b" {
				t.Errorf("variables = %v", w.pipelines.got.Variables)
			}
			_, err = client.StartPipelineExecution(t.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String("missing")})
			var missing *cptypes.PipelineNotFoundException
			if !errors.As(err, &missing) || missing.ErrorMessage() != `no pipeline "missing"` {
				t.Errorf("error = %v", err)
			}
			_, err = client.ListPipelines(t.Context(), &codepipeline.ListPipelinesInput{})
			if code := codeOf(err); code != "UnknownOperationException" {
				t.Errorf("an operation that is not there: %v", err)
			}
		})
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cfg := range w.configs() {
		t.Run(name, func(t *testing.T) {
			client := cloudformation.NewFromConfig(cfg)
			out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
			if err != nil {
				t.Fatal(err)
			}
			s := out.Stacks[0]
			if aws.ToString(s.StackName) != "a<b&c" || !s.CreationTime.Equal(created) || len(s.Tags) != 1 || !aws.ToBool(s.EnableTerminationProtection) {
				t.Errorf("stack = %+v", s)
			}
			_, err = client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("X")})
			if codeOf(err) != "ValidationError" || !strings.HasSuffix(err.Error(), "Stack with id X does not exist") {
				t.Errorf("error = %v", err)
			}
			in := &cloudformation.CreateStackInput{
				StackName: aws.String("s"), TemplateBody: aws.String("{}\n"), Capabilities: []cfntypes.Capability{"CAPABILITY_IAM"},
				Parameters:       []cfntypes.Parameter{{ParameterKey: aws.String("P"), UsePreviousValue: aws.Bool(true)}},
				TimeoutInMinutes: aws.Int32(5),
			}
			if _, err := client.CreateStack(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			got := w.stacks.got
			if aws.ToString(got.TemplateBody) != "{}\n" || len(got.Capabilities) != 1 || aws.ToInt32(got.TimeoutInMinutes) != 5 ||
				len(got.Parameters) != 1 || !aws.ToBool(got.Parameters[0].UsePreviousValue) {
				t.Errorf("input = %+v", got)
			}
		})
	}
	t.Run("an empty list as botocore sends it", func(t *testing.T) {
		form := url.Values{"Action": {"CreateStack"}, "Version": {"2010-05-15"}, "StackName": {"s"}, "Parameters": {""}}
		res, err := http.PostForm(w.url, form)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || w.stacks.got.Parameters == nil || len(w.stacks.got.Parameters) != 0 {
			t.Errorf("status %d, parameters %#v", res.StatusCode, w.stacks.got.Parameters)
		}
	})
}

func TestREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cfg := range w.configs() {
		t.Run(name, func(t *testing.T) {
			client := s3.NewFromConfig(cfg)
			out, err := client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("b"), Key: aws.String("a/ü b+c"), Body: strings.NewReader("hello"), Metadata: map[string]string{"colour": "red"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := w.buckets.got
			if aws.ToString(out.ETag) != `"hello"` || aws.ToString(got.Bucket) != "b" || aws.ToString(got.Key) != "a/ü b+c" ||
				aws.ToInt64(got.ContentLength) != 5 || got.Metadata["colour"] != "red" || got.ContentEncoding != nil {
				t.Errorf("etag %q, bucket %q, key %q, length %d, metadata %v", aws.ToString(out.ETag), aws.ToString(got.Bucket), aws.ToString(got.Key), aws.ToInt64(got.ContentLength), got.Metadata)
			}
			object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			if err != nil {
				t.Fatal(err)
			}
			defer object.Body.Close()
			if n, err := io.Copy(io.Discard, object.Body); n != 1<<20 || err != nil || object.Metadata["colour"] != "red" {
				t.Errorf("%d bytes, %v, %v", n, err, object.Metadata)
			}
			_, err = client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("b")})
			if err == nil {
				t.Error("an operation that is not there succeeded")
			}
		})
	}
	t.Run("virtual-hosted style", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.url+"/k", strings.NewReader("v"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "bucket.s3.localhost:4566"
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if aws.ToString(w.buckets.got.Bucket) != "bucket" || aws.ToString(w.buckets.got.Key) != "k" {
			t.Errorf("input = %+v", w.buckets.got)
		}
	})
	t.Run("a wrong sum", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.url+"/b/k", strings.NewReader("v"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, _ := io.ReadAll(res.Body); res.StatusCode != 400 || !strings.Contains(string(body), "<Code>XAmzContentSHA256Mismatch</Code>") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	})
}

func TestForeignPagesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		host, origin string
		want         int
	}{
		{"127.0.0.1:4566", "", http.StatusOK},
		{"localhost", "http://localhost:4566", http.StatusOK},
		{"b.s3.localhost", "", http.StatusOK},
		{"[::1]:4566", "", http.StatusOK},
		{"evil.example", "", http.StatusForbidden},
		{"127.0.0.1.evil.example", "", http.StatusForbidden},
		{"localhost", "https://evil.example", http.StatusForbidden},
		{"localhost", "null", http.StatusForbidden},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/b/k", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("host %q origin %q: %d, want %d", c.host, c.origin, res.StatusCode, c.want)
		}
	}
}

func BenchmarkInsideCall(b *testing.B) {
	st, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	d := door.New(door.Options{Store: st})
	defer d.Close()
	if err := d.Register("codepipeline", &pipelines{}); err != nil {
		b.Fatal(err)
	}
	client := codepipeline.NewFromConfig(d.As(door.Caller{Account: "000000000000", Region: "us-east-1"}))
	for b.Loop() {
		if _, err := client.StartPipelineExecution(b.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String("n")}); err != nil {
			b.Fatal(err)
		}
	}
}
