package ssm

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// pageOf cuts the items that come after token to at most limit, which may not
// be more than most; name tells an item's place in the order.
func pageOf[T any](items []T, name func(T) string, token *string, limit *int32, most int) ([]T, *string, error) {
	if limit != nil && (*limit < 1 || int(*limit) > most) {
		return nil, nil, validation("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *limit, most)
	}
	if aws.ToString(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, &types.InvalidNextToken{Message: aws.String("The specified token is not valid.")}
		}
		for len(items) > 0 && name(items[0]) <= string(after) {
			items = items[1:]
		}
	}
	if limit != nil {
		most = int(*limit)
	}
	if len(items) <= most {
		return items, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(name(items[most-1])))
	return items[:most], &next, nil
}
