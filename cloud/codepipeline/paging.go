package codepipeline

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/store"
)

// page is a part of a list: what comes after a key, so many of it.
type page struct {
	after string
	size  int
}

// newPage reads an operation's paging members. Without maxResults a page has
// the most that AWS gives.
func newPage(maxResults *int32, token *string, most int) (page, error) {
	p := page{size: most}
	if maxResults != nil {
		if *maxResults < 1 || int(*maxResults) > most {
			return p, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *maxResults, most)
		}
		p.size = int(*maxResults)
	}
	if token != nil {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil || len(after) == 0 {
			return p, badToken()
		}
		p.after = string(after)
	}
	return p, nil
}

func badToken() error {
	return &types.InvalidNextTokenException{Message: aws.String("The next token is not valid. Use the token that was returned by a previous call.")}
}

// query asks for the page and one record more, which tells whether there is a
// next page.
func (p page) query(prefix string) store.Query {
	return store.Query{Prefix: prefix, After: p.after, Limit: p.size + 1}
}

// cutPage takes the record too many away and gives the token of the next page.
func cutPage[T any](p page, list []store.Entry[T]) ([]store.Entry[T], *string) {
	if len(list) <= p.size {
		return list, nil
	}
	list = list[:p.size]
	return list, tokenAfter(list[len(list)-1].ID)
}

func tokenAfter(key string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(key)))
}
