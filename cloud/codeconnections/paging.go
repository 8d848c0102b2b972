package codeconnections

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/store"
)

// maxPage is how many items a page has at most.
const maxPage = 100

// page cuts at most limit entries out of all, after the id that token holds,
// and gives the token of the next page, if there is one.
func page[T any](all []store.Entry[T], token *string, limit int32) ([]store.Entry[T], *string, error) {
	if aws.ToString(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalid("The token %q is not valid", *token)
		}
		for len(all) > 0 && all[0].ID <= string(after) {
			all = all[1:]
		}
	}
	size := maxPage
	if limit > 0 {
		size = min(size, int(limit))
	}
	if len(all) <= size {
		return all, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(all[size-1].ID))
	return all[:size], &next, nil
}
