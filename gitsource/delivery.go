package gitsource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Records are small JSON objects in a bucket, which are written only as long as
// nobody else wrote them.
type Records struct {
	API    *s3.Client
	Bucket string
}

// errConflict tells that somebody else wrote the object meanwhile.
var errConflict = errors.New("it was written by another meanwhile")

const maxRecord = 64 << 10

// read reads an object; without one, the entity tag is empty.
func (r Records) read(ctx context.Context, key string, into any) (etag string, err error) {
	out, err := r.API.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.Bucket, Key: &key})
	if code(err) == "NoSuchKey" {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	defer out.Body.Close() //nolint:errcheck // only read from
	body, err := io.ReadAll(io.LimitReader(out.Body, maxRecord))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	return aws.ToString(out.ETag), nil
}

// write writes an object over the one with that entity tag; empty for none.
func (r Records) write(ctx context.Context, key, etag string, v any) (string, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	in := &s3.PutObjectInput{Bucket: &r.Bucket, Key: &key, Body: bytes.NewReader(body), ContentType: aws.String("application/json")}
	in.IfMatch, in.IfNoneMatch = condition(etag)
	out, err := r.API.PutObject(ctx, in)
	if conflict(err) {
		return "", errConflict
	}
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", key, err)
	}
	return aws.ToString(out.ETag), nil
}

func (r Records) remove(ctx context.Context, key string) error {
	if _, err := r.API.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &r.Bucket, Key: &key}); err != nil {
		return fmt.Errorf("deleting %s: %w", key, err)
	}
	return nil
}

// condition is that the object is the one with that entity tag; empty for none.
func condition(etag string) (match, noneMatch *string) {
	if etag == "" {
		return nil, aws.String("*")
	}
	return &etag, nil
}

// conflict tells whether S3 refused for the condition, or for another write at
// the same time. An object that is gone is neither there to be matched.
func conflict(err error) bool {
	switch code(err) {
	case "PreconditionFailed", "ConditionalRequestConflict":
		return true
	case "NoSuchKey":
		return true
	}
	return status(err) == http.StatusPreconditionFailed
}

func code(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func status(err error) int {
	if response := (*smithyhttp.ResponseError)(nil); errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// claim is of a delivery: when it was taken up, and whether it was handed on.
// One that never was, because we ended first, may be taken up anew.
type claim struct {
	At   time.Time `json:"at"`
	Done bool      `json:"done"`
}

// abandoned is how long a claim stands that nobody finishes. The door waits half
// as long for an answer.
const abandoned = time.Minute

// errReplay tells that the delivery came before.
var errReplay = errors.New("the delivery was here before")

// deliveryKey is where the claim is. A signature covers the body alone: with
// another id, the same body is a replay nevertheless. A secret that is sent as it
// is proves whoever knows it, so that the id is as good, and tells pushes apart
// whose bodies are the same.
func (k kindOf) deliveryKey(header func(string) string, body []byte) string {
	sum := sha256.New()
	if id := first(header, k.deliveries); !k.signed(header) && id != "" {
		io.WriteString(sum, id) //nolint:errcheck // a hash
	} else {
		sum.Write(body)
	}
	return "deliveries/" + hex.EncodeToString(sum.Sum(nil))
}

// claim takes a delivery up, once.
func (r Records) claim(ctx context.Context, key string, now time.Time) (etag string, err error) {
	var before claim
	if etag, err = r.read(ctx, key, &before); err != nil {
		return "", err
	}
	if etag != "" && (before.Done || now.Sub(before.At) < abandoned) {
		return "", errReplay
	}
	if etag, err = r.write(ctx, key, etag, claim{At: now}); errors.Is(err, errConflict) {
		return "", errReplay
	}
	return etag, err
}
