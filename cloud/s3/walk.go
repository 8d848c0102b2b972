package s3

import (
	"context"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const maxList = 1000 // entries of one page

// rows are what a list walks over, sorted by key.
type rows[T any] interface {
	// peek gives the next row and its key; false at the end.
	peek(ctx context.Context) (key string, row T, ok bool, err error)
	next()
	// skip goes on to the first key after all that begin with prefix.
	skip(prefix string)
}

// query is what a list operation asks for.
type query struct {
	prefix, delimiter string
	after             string // the last key or common prefix of the page before
	limit             int
}

// newQuery checks a page's limit; name is the parameter's.
func newQuery(prefix, delimiter, after *string, limit *int32, name string) (query, error) {
	q := query{aws.ToString(prefix), aws.ToString(delimiter), aws.ToString(after), maxList}
	if limit != nil {
		if *limit < 0 {
			return q, invalidArgument("Argument "+name+" must be an integer between 0 and 2147483647", name, strconv.Itoa(int(*limit)))
		}
		q.limit = min(int(*limit), maxList)
	}
	return q, nil
}

// common is the common prefix that a key is rolled up into.
func (q query) common(key string) (string, bool) {
	if q.delimiter == "" || len(key) < len(q.prefix) || key[:len(q.prefix)] != q.prefix {
		return "", false
	}
	i := strings.Index(key[len(q.prefix):], q.delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(q.prefix)+i+len(q.delimiter)], true
}

// page is the outcome of a walk, besides the rows visited.
type page struct {
	prefixes  []string
	count     int // rows visited and prefixes
	truncated bool
	last      string // key or common prefix
}

// walk visits the rows of one page. Rows with a common prefix count as one, and
// are skipped, not read.
func walk[T any](ctx context.Context, from rows[T], q query, visit func(key string, row T)) (page, error) {
	p := page{last: q.after}
	if q.limit == 0 {
		return p, nil
	}
	if prefix, ok := q.common(q.after); ok && prefix == q.after {
		from.skip(prefix) // the page before ended with it
	}
	for {
		key, row, ok, err := from.peek(ctx)
		if err != nil || !ok {
			return p, err
		}
		if p.count == q.limit {
			p.truncated = true
			return p, nil
		}
		p.count++
		if prefix, rolled := q.common(key); rolled {
			p.prefixes = append(p.prefixes, prefix)
			p.last = prefix
			from.skip(prefix)
			continue
		}
		p.last = key
		visit(key, row)
		from.next()
	}
}

// encoder writes keys as the request wants them: as they are, or as in a URL,
// for keys that XML cannot hold.
type encoder bool

func newEncoder(kind types.EncodingType) (encoder, error) {
	if kind != "" && kind != types.EncodingTypeUrl {
		return false, invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", string(kind))
	}
	return kind != "", nil
}

func (e encoder) text(s string) string {
	if !e {
		return s
	}
	return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/")
}

func (e encoder) string(s string) *string { return aws.String(e.text(s)) }

// optional leaves out what is not there or empty.
func (e encoder) optional(s *string) *string {
	if aws.ToString(s) == "" {
		return nil
	}
	return e.string(*s)
}

func (e encoder) prefixes(list []string) []types.CommonPrefix {
	out := make([]types.CommonPrefix, len(list))
	for i, p := range list {
		out[i].Prefix = e.string(p)
	}
	return out
}

// Continuation tokens are opaque to clients; here they hold the last name of
// the page before.
func encodeToken(last string) *string {
	return aws.String("1" + base64.RawURLEncoding.EncodeToString([]byte(last)))
}

func decodeToken(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	text, ok := strings.CutPrefix(*token, "1")
	last, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil {
		return "", invalidArgument("The continuation token provided is incorrect", "continuation-token", "")
	}
	return string(last), nil
}
