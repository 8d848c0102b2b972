package publish

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// keysOnly makes a listing come with keys, whether there are more, and nothing
// else. The SDK decodes all that an answer says of each object, which takes
// several times as long as the answer took to come.
func keysOnly(o *s3.Options) {
	o.APIOptions = append(slices.Clip(o.APIOptions), func(stack *middleware.Stack) error {
		const name = "OperationDeserializer"
		sdk, ok := stack.Deserialize.Get(name)
		if !ok {
			return nil
		}
		_, err := stack.Deserialize.Swap(name, keyReader{sdk})
		return err
	})
}

// keyReader decodes the answers that it understands whole, and has the SDK
// decode the others.
type keyReader struct {
	middleware.DeserializeMiddleware
}

func (r keyReader) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	answer, ok := out.RawResponse.(*smithyhttp.Response)
	if err == nil && ok && answer.StatusCode == http.StatusOK {
		body, broken := io.ReadAll(answer.Body)
		if page, ok := readKeys(string(body)); ok && broken == nil {
			out.Result = page
			return out, metadata, nil
		}
		answer.Body = again{io.MultiReader(bytes.NewReader(body), failing{broken}), answer.Body}
	}
	return r.DeserializeMiddleware.HandleDeserialize(ctx, in, middleware.DeserializeHandlerFunc(
		func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
			return out, metadata, err
		}))
}

// again is a body that was read, from its start.
type again struct {
	io.Reader
	io.Closer
}

// failing ends as reading ended.
type failing struct{ error }

func (f failing) Read([]byte) (int, error) {
	if f.error == nil {
		return 0, io.EOF
	}
	return 0, f.error
}

// readKeys takes apart an answer of ListObjectsV2 as far as it is plain: an
// encoding of keys, and what XML has to escape, is the SDK's.
func readKeys(body string) (*s3.ListObjectsV2Output, bool) {
	if !strings.HasSuffix(strings.TrimSpace(body), "</ListBucketResult>") || strings.Contains(body, "<EncodingType>") || strings.Contains(body, "<!") {
		return nil, false
	}
	page := &s3.ListObjectsV2Output{
		IsTruncated: aws.Bool(strings.Contains(body, "<IsTruncated>true</IsTruncated>")),
		Contents:    make([]types.Object, 0, strings.Count(body, "<Contents>")),
	}
	for {
		var key string
		var found bool
		if _, body, found = strings.Cut(body, "<Key>"); !found {
			return page, len(page.Contents) == cap(page.Contents)
		}
		if key, body, found = strings.Cut(body, "</Key>"); !found || strings.ContainsAny(key, "&<\r") {
			return nil, false
		}
		page.Contents = append(page.Contents, types.Object{Key: aws.String(key)})
	}
}
