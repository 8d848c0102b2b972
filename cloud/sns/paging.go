package sns

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// pageSize is how many entries SNS gives at once.
const pageSize = 100

// page cuts the items, sorted by id, that come after the one in token.
func page[T any](items []T, id func(T) string, token *string) ([]T, *string, error) {
	if aws.ToString(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalid("NextToken")
		}
		for len(items) > 0 && id(items[0]) <= string(after) {
			items = items[1:]
		}
	}
	if len(items) <= pageSize {
		return items, nil, nil
	}
	return items[:pageSize], aws.String(base64.RawURLEncoding.EncodeToString([]byte(id(items[pageSize-1])))), nil
}
