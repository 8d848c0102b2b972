package resource

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	httptypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// made tells whether a resource that a service named itself was made by this
// step, whose process died before it could note the name: it bears the step's
// tags and is younger than the operation.
func (r *Request) made(tags map[string]string, created *time.Time) bool {
	for _, name := range []string{"aws:cloudformation:stack-id", "aws:cloudformation:logical-id"} {
		if tags[name] != r.Tags[name] {
			return false
		}
	}
	// Some services tell times in seconds.
	return created != nil && !created.Before(r.Since.Truncate(time.Second))
}

// findKey finds the key that a process made that died.
func findKey(ctx context.Context, client *kms.Client, r *Request) error {
	pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{})
	for r.Physical == "" && pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, k := range page.Keys {
			is, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
			if err != nil {
				return err
			}
			if is.KeyMetadata.KeyState == types.KeyStatePendingDeletion || is.KeyMetadata.KeyManager != types.KeyManagerTypeCustomer {
				continue
			}
			said, err := client.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: k.KeyId})
			if err != nil {
				return err
			}
			tags := map[string]string{}
			for _, t := range said.Tags {
				tags[*t.TagKey] = *t.TagValue
			}
			if r.made(tags, is.KeyMetadata.CreationDate) {
				r.Physical = *k.KeyId
			}
		}
	}
	return nil
}

// findRestAPI finds the API that a process made that died.
func findRestAPI(ctx context.Context, client *apigateway.Client, r *Request) error {
	pages := apigateway.NewGetRestApisPaginator(client, &apigateway.GetRestApisInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range page.Items {
			if r.made(a.Tags, a.CreatedDate) {
				r.Physical = *a.Id
			}
		}
	}
	return nil
}

// findHTTPAPI finds the API that a process made that died, or nil.
func findHTTPAPI(ctx context.Context, client *apigatewayv2.Client, r *Request) (*httptypes.Api, error) {
	in := &apigatewayv2.GetApisInput{}
	for {
		page, err := client.GetApis(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			if r.made(a.Tags, a.CreatedDate) {
				return &a, nil
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return nil, nil
		}
	}
}
