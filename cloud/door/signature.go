package door

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// signing is the name of the SDK's step that signs a request.
const signing = "Signing"

// namedOnly has a client say who signs and for what, which is all that the
// door reads of a signature, and spare itself the signature: a quarter of what
// a small call takes. Requests that are presigned for others are signed all the
// same, since presigning puts its own step in this one's place.
func namedOnly(credentials aws.CredentialsProvider) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		if _, signs := stack.Finalize.Get(signing); !signs {
			return nil
		}
		_, err := stack.Finalize.Swap(signing, middleware.FinalizeMiddlewareFunc(signing, func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			who, err := credentials.Retrieve(ctx)
			if err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("retrieving credentials: %w", err)
			}
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+who.AccessKeyID+"/20000101/"+
					awsmiddleware.GetRegion(ctx)+"/"+scopeOf(awsmiddleware.GetServiceID(ctx))+"/aws4_request, SignedHeaders=, Signature=")
			}
			return next.HandleFinalize(ctx, in)
		}))
		return err
	}
}

// scopeOf is the signing name of a service by the SDK's name for it: "Lambda"
// signs as lambda. Where the two are not alike (CloudWatch Logs signs as logs),
// the service is known by the target that its requests name.
func scopeOf(serviceID string) string {
	return strings.ToLower(strings.ReplaceAll(serviceID, " ", ""))
}
