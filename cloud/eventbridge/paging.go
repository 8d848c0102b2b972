package eventbridge

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// page cuts the items that come after token, a name that nextToken gave out,
// to at most limit; name tells an item's place in the order.
func page[T any](items []T, name func(T) string, token *string, limit *int32) ([]T, *string, error) {
	if aws.ToString(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, validation("Invalid NextToken")
		}
		for len(items) > 0 && name(items[0]) <= string(after) {
			items = items[1:]
		}
	}
	most := 100
	if n := aws.ToInt32(limit); n > 0 && int(n) < most {
		most = int(n)
	}
	if len(items) <= most {
		return items, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(name(items[most-1])))
	return items[:most], &next, nil
}
