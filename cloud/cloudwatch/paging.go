package cloudwatch

import (
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// page cuts the items that come after token to at most limit of them; name
// tells an item's place in the order.
func page[T any](items []T, name func(T) string, token *string, limit int) ([]T, *string, error) {
	if aws.ToString(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, &types.InvalidNextToken{Message: aws.String("Invalid NextToken")}
		}
		for i, item := range items {
			if name(item) == string(after) {
				items = items[i+1:]
				break
			}
		}
	}
	if len(items) <= limit {
		return items, nil, nil
	}
	return items[:limit], aws.String(base64.RawURLEncoding.EncodeToString([]byte(name(items[limit-1])))), nil
}

// records is how many items a page has.
func records(given *int32) (int, error) {
	if given == nil {
		return 50, nil
	}
	if *given < 1 || *given > 100 {
		return 0, constraint(*given, "maxRecords", fmt.Sprintf("have value between %d and %d", 1, 100))
	}
	return int(*given), nil
}
