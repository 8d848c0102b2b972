package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// subject is a function to measure, beside the start of a process of its kind
// that does nothing.
type subject struct {
	name    string
	runtime types.Runtime
	handler string
	file    string // of its code
	code    []byte
	event   string
	beside  []string
}

// subjects are ouro itself, as the functions of its templates are, and two that
// answer with their event. Ouro's answers a custom resource, to the URL given.
func subjects(ouro, answers string) ([]subject, error) {
	program, err := os.ReadFile(ouro)
	if err != nil {
		return nil, err
	}
	request := fmt.Sprintf(`{"RequestType":"Create","ResponseURL":%q,"StackId":"s","RequestId":"r","LogicalResourceId":"l","ResourceProperties":{"BucketName":"none"}}`, answers)
	return []subject{
		{"ouro (bucket.empty)", types.RuntimeProvidedal2023, "bucket.empty", "bootstrap", program, request, []string{ouro, "help"}},
		{"Python", types.RuntimePython312, "index.handler", "index.py", []byte("def handler(event, context):\n    return event\n"), `{"a":1}`, []string{"python3", "-c", "pass"}},
		{"Node.js", types.RuntimeNodejs22x, "index.handler", "index.js", []byte("exports.handler = async (event) => event\n"), `{"a":1}`, []string{"node", "-e", "0"}},
	}, nil
}

// invoking measures functions: started for an invocation, and there for it.
func invoking(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("lambda", flag.ContinueOnError)
	colds := flags.Int("colds", 11, "cold starts of each function; the median counts")
	warms := flags.Int("warms", 501, "invocations of each function that is there; the median counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *colds < 1 || *warms < 1 {
		return errors.New("-colds and -warms have to be at least 1")
	}
	return withLocal(ctx, "state", func(dir, ouro string, cloud *local) error {
		return compareFunctions(ctx, w, cloud, ouro, *colds, *warms)
	})
}

func compareFunctions(ctx context.Context, w io.Writer, cloud *local, ouro string, colds, warms int) error {
	answers := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer answers.Close()
	all, err := subjects(ouro, answers.URL)
	if err != nil {
		return err
	}
	f := functions{client: lambda.NewFromConfig(cloud.config())}
	if err := f.prepare(ctx, cloud.config()); err != nil {
		return err
	}
	t := &table{left: 1, head: []string{"a function", "first answer", "of it init", "beside a process", "times", "further answer", "of it the function", "the rest", "beside a dry run"}}
	for _, s := range all {
		m, err := f.measure(ctx, s, colds, warms)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		t.add(s.name, seconds(m.cold), seconds(m.init), seconds(m.beside), times(m.cold, m.beside), each(m.warm, 1), each(m.function, 1), each(m.rest, 1), each(m.dry, 1))
	}
	t.print(w)
	return nil
}

// functions is Lambda at the local cloud.
type functions struct {
	client  *lambda.Client
	objects *s3.Client
	role    *string
}

const codeBucket = "bench-functions"

// prepare makes what all functions need: a role, and a bucket for code that is
// too large for a request.
func (f *functions) prepare(ctx context.Context, cfg aws.Config) error {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	role, err := iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("bench"), AssumeRolePolicyDocument: &trust})
	if err != nil {
		return err
	}
	f.role = role.Role.Arn
	f.objects = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	_, err = f.objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(codeBucket)})
	return err
}

// measures are medians.
type measures struct {
	cold, init, beside time.Duration
	warm               time.Duration
	function, rest     time.Duration // what the function's log says of a further answer, and what its client sees besides
	dry                time.Duration // the same request, only asking whether it may
}

func (f *functions) measure(ctx context.Context, s subject, colds, warms int) (m measures, err error) {
	name, err := f.create(ctx, s)
	if err != nil {
		return m, err
	}
	var cold, init, beside, warm, function, rest, dry []time.Duration
	for n := range colds {
		// A function that changed has no process that could serve it.
		if _, err := f.client.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &name, Environment: &types.Environment{Variables: map[string]string{"RUN": strconv.Itoa(n)}},
		}); err != nil {
			return m, err
		}
		a, err := f.invoke(ctx, name, s.event)
		if err == nil && a.init == 0 {
			err = errors.New("a changed function was served by a process that was there")
		}
		if err != nil {
			return m, err
		}
		cold, init = append(cold, a.took), append(init, a.init)
		alone, err := process{args: s.beside}.time(ctx)
		if err != nil {
			return m, err
		}
		beside = append(beside, alone)
	}
	for range warms {
		a, err := f.invoke(ctx, name, s.event)
		if err == nil && a.init != 0 {
			err = errors.New("an invocation started a process although one was there")
		}
		if err != nil {
			return m, err
		}
		warm, function, rest = append(warm, a.took), append(function, a.ran), append(rest, a.took-a.ran)
		start := time.Now()
		if _, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(s.event), InvocationType: types.InvocationTypeDryRun}); err != nil {
			return m, err
		}
		dry = append(dry, time.Since(start))
	}
	return measures{median(cold), median(init), median(beside), median(warm), median(function), median(rest), median(dry)}, nil
}

func (f *functions) create(ctx context.Context, s subject) (string, error) {
	var body bytes.Buffer
	archive := zip.NewWriter(&body)
	head := &zip.FileHeader{Name: s.file, Method: zip.Store}
	head.SetMode(0o755)
	file, err := archive.CreateHeader(head)
	if err == nil {
		_, err = file.Write(s.code)
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		return "", err
	}
	key := s.file + ".zip"
	if _, err := f.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(codeBucket), Key: &key, Body: bytes.NewReader(body.Bytes())}); err != nil {
		return "", err
	}
	out, err := f.client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("bench-" + string(s.runtime[:4])), Runtime: s.runtime, Handler: &s.handler, Role: f.role, MemorySize: aws.Int32(512), Timeout: aws.Int32(60),
		Code: &types.FunctionCode{S3Bucket: aws.String(codeBucket), S3Key: &key},
	})
	if err != nil {
		return "", err
	}
	return *out.FunctionName, nil
}

var (
	initLine   = regexp.MustCompile(`\tInit Duration: ([\d.]+) ms`)
	reportLine = regexp.MustCompile(`(?m)^REPORT .*?\tDuration: ([\d.]+) ms`)
)

// answer tells how long one took: as its client saw it, and as its log says, of
// the function and of starting its process, 0 for none.
type answer struct{ took, ran, init time.Duration }

func (f *functions) invoke(ctx context.Context, name, event string) (a answer, err error) {
	start := time.Now()
	out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event), LogType: types.LogTypeTail})
	a.took = time.Since(start)
	if err != nil {
		return a, err
	}
	if out.FunctionError != nil {
		return a, fmt.Errorf("the function failed: %s", out.Payload)
	}
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		return a, err
	}
	ran := reportLine.FindSubmatch(log)
	if ran == nil {
		return a, fmt.Errorf("no report in the log of an invocation: %s", log)
	}
	a.ran, err = time.ParseDuration(string(ran[1]) + "ms")
	if m := initLine.FindSubmatch(log); err == nil && m != nil {
		a.init, err = time.ParseDuration(string(m[1]) + "ms")
	}
	return a, err
}
