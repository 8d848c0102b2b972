package wire_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/wire"
)

// sink takes objects and tags and remembers what came.
type sink struct {
	body string
	tags int
}

func (s *sink) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := io.ReadAll(in.Body)
	s.body = string(b)
	return &s3.PutObjectOutput{}, err
}

func (s *sink) PutBucketTagging(_ context.Context, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	s.tags = len(in.Tagging.TagSet)
	return &s3.PutBucketTaggingOutput{}, nil
}

func (s *sink) CreateStack(_ context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	s.tags = len(in.Tags)
	return &cloudformation.CreateStackOutput{StackId: aws.String("id")}, nil
}

func (s *sink) StartPipelineExecution(_ context.Context, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	s.body = aws.ToString(in.Name)
	return &codepipeline.StartPipelineExecutionOutput{}, nil
}

func (s *sink) PutMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	s.tags = len(in.MetricData)
	return &cloudwatch.PutMetricDataOutput{}, nil
}

const metricData = "/service/GraniteServiceVersion20100801/operation/PutMetricData"

// FuzzCBOR: whatever the bytes are, they are an input or a mistake of the
// client's.
func FuzzCBOR(f *testing.F) {
	for _, seed := range []string{"\xa0", "\xbf\xff", "\xa1\x69Namespace\x61N", "\xa1\x6aMetricData\x81\xa2\x65Value\xfb\x7f\xf8\x00\x00\x00\x00\x00\x01\x69Timestamp\xc1\xfa\x7f\x80\x00\x00", "\x9f\x9f\x9f", "\xc2\x41\x01"} {
		f.Add([]byte(seed))
	}
	server, err := wire.New("cloudwatch", &sink{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, metricData, bytes.NewReader(body))
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 || w.Header().Get("Smithy-Protocol") != "rpc-v2-cbor" {
			t.Errorf("%q: %d %q", body, w.Code, w.Body)
		}
	})
}

// TestInput sends requests that no SDK would send, and says what each gets.
func TestInput(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	chunked := map[string]string{"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length": "5"}
	target := map[string]string{"X-Amz-Target": "CodePipeline_20150709.StartPipelineExecution"}
	smithy := map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}
	packed := map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Encoding": "gzip"}
	for _, c := range []struct {
		name, service, method, path, body string
		header                            map[string]string
		status                            int
		want                              string // in the answer
	}{
		{"chunks", "s3", "PUT", "/b/k", "5;chunk-signature=x\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", chunked, 200, ""},
		{"a chunk cut short", "s3", "PUT", "/b/k", "5\r\nhel", chunked, 400, "IncompleteBody"},
		{"a chunk longer than announced", "s3", "PUT", "/b/k", "6\r\nhello!\r\n0\r\n\r\n", chunked, 400, "IncompleteBody"},
		{"fewer chunks than announced", "s3", "PUT", "/b/k", "2\r\nhe\r\n0\r\n\r\n", chunked, 400, "IncompleteBody"},
		{"a chunk of negative size", "s3", "PUT", "/b/k", "-5\r\nhello\r\n", chunked, 400, "IncompleteBody"},
		{"a chunk line without end", "s3", "PUT", "/b/k", strings.Repeat("5", 1<<16), chunked, 400, "IncompleteBody"},
		{"tags", "s3", "PUT", "/b?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>", nil, 200, ""},
		{"XML without end", "s3", "PUT", "/b?tagging", "<Tagging><TagSet>", nil, 400, "MalformedXML"},
		{"XML nested for ever", "s3", "PUT", "/b?tagging", strings.Repeat("<a>", 1<<15), nil, 400, "MalformedXML"},
		{"XML with a document type", "s3", "PUT", "/b?tagging", `<!DOCTYPE a [<!ENTITY b "c">]><Tagging/>`, nil, 400, "MalformedXML"},
		{"an operation that is not there", "s3", "PUT", "/b?website", "", nil, 501, "NotImplemented"},
		{"a method that S3 does not know there", "s3", "PATCH", "/b/k", "", nil, 405, "MethodNotAllowed"},
		{"a form", "cloudformation", "POST", "/", "Action=CreateStack&Tags.member.2.Key=b&Tags.member.1.Key=a", map[string]string{"Content-Type": form}, 200, "<StackId>id</StackId>"},
		{"a list with a name for a number", "cloudformation", "POST", "/", "Action=CreateStack&Tags.member.x.Key=b", map[string]string{"Content-Type": form}, 400, "MalformedInput"},
		{"text for a number", "cloudformation", "POST", "/", "Action=CreateStack&TimeoutInMinutes=soon", map[string]string{"Content-Type": form}, 400, "MalformedInput"},
		{"no action", "cloudformation", "POST", "/", "", map[string]string{"Content-Type": form}, 400, "InvalidAction"},
		{"JSON", "codepipeline", "POST", "/", `{"name":"x"}`, target, 200, "{}"},
		{"JSON cut short", "codepipeline", "POST", "/", `{"name":`, target, 400, "SerializationException"},
		{"JSON of another type", "codepipeline", "POST", "/", `{"name":{"a":1}}`, target, 400, "name cannot be a map"},
		{"JSON nested for ever", "codepipeline", "POST", "/", `{"name":` + strings.Repeat("[", 1<<16), target, 400, "SerializationException"},
		{"CBOR", "cloudwatch", "POST", metricData, "\xa1\x69Namespace\x61N", smithy, 200, "\xbf\xff"},
		{"CBOR cut short", "cloudwatch", "POST", metricData, "\xa1\x69Name", smithy, 400, "SerializationException"},
		{"CBOR of another type", "cloudwatch", "POST", metricData, "\xa1\x69Namespace\x80", smithy, 400, "Namespace cannot be a []interface"},
		{"CBOR that is no map", "cloudwatch", "POST", metricData, "\x80", smithy, 400, "not a map"},
		{"CBOR nested for ever", "cloudwatch", "POST", metricData, strings.Repeat("\x81", 1<<16), smithy, 400, "nesting depth"},
		{"CBOR nested for ever without ends", "cloudwatch", "POST", metricData, strings.Repeat("\x9f", 1<<16), smithy, 400, "nesting depth"},
		{"CBOR of tags for ever", "cloudwatch", "POST", metricData, strings.Repeat("\xc1", 1<<16), smithy, 400, "nesting depth"},
		{"CBOR with a list of all", "cloudwatch", "POST", metricData, "\xa1\x6aMetricData\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", smithy, 400, "SerializationException"},
		{"CBOR with a text of all", "cloudwatch", "POST", metricData, "\xa1\x69Namespace\x7b\xff\xff\xff\xff\xff\xff\xff\xff", smithy, 400, "SerializationException"},
		{"CBOR with a name that is a number", "cloudwatch", "POST", metricData, "\xa1\x01\x01", smithy, 400, "SerializationException"},
		{"too much CBOR", "cloudwatch", "POST", metricData, strings.Repeat("\xf6", 2<<20), smithy, 413, "RequestEntityTooLarge"},
		{"CBOR that is not packed", "cloudwatch", "POST", metricData, "\xa0", packed, 400, "gzip"},
		{"an RPC that is not there", "cloudwatch", "POST", "/service/x/operation/y", "", smithy, 400, "UnknownOperationException"},
		{"an RPC of nothing", "cloudwatch", "POST", "/", "", smithy, 400, "UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, err := wire.New(c.service, &sink{})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s\n%s; want %d with %q", w.Code, http.StatusText(w.Code), w.Body, c.status, c.want)
			}
		})
	}
}
