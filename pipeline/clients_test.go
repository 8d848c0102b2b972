package pipeline_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/pipeline"
)

// An endpoint that has a name is asked under that name, whatever the bucket.
func TestBucketsOfANamedEndpoint(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Host + r.URL.Path }))
	defer server.Close()
	endpoint := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	clients := pipeline.NewClients(aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	if _, err := clients.Buckets.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("one")}); err != nil {
		t.Fatal(err)
	}
	if got, want := <-asked, strings.TrimPrefix(endpoint, "http://")+"/one"; got != want {
		t.Errorf("asked %s, not %s", got, want)
	}
}
