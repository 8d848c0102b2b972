package codecommit

import (
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

// page cuts at most size items out of all, from where token says, and gives
// the token of the next page, if there is one.
func page[T any](all []T, token *string, size int) ([]T, *string, error) {
	start := 0
	if aws.ToString(token) != "" {
		text, err := base64.RawURLEncoding.DecodeString(*token)
		if err == nil {
			start, err = strconv.Atoi(string(text))
		}
		if err != nil || start < 0 {
			return nil, nil, &types.InvalidContinuationTokenException{Message: aws.String("The continuation token is not valid.")}
		}
	}
	all = all[min(start, len(all)):]
	if len(all) <= size {
		return all, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(start + size)))
	return all[:size], &next, nil
}
