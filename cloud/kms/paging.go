package kms

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// page cuts the items that come after marker to at most limit of them, which
// may not be more than most; name tells an item's place in the order.
func page[T any](items []T, name func(T) string, marker *string, limit *int32, usual, most int) ([]T, *string, error) {
	if limit != nil && (*limit < 1 || int(*limit) > most) {
		return nil, nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", *limit, most)
	}
	if aws.ToString(marker) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil {
			return nil, nil, &types.InvalidMarkerException{Message: aws.String("The marker is not valid.")}
		}
		for len(items) > 0 && name(items[0]) <= string(after) {
			items = items[1:]
		}
	}
	if limit != nil {
		usual = int(*limit)
	}
	if len(items) <= usual {
		return items, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(name(items[usual-1])))
	return items[:usual], &next, nil
}
