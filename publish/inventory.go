package publish

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// stretch is how many keys one listing covers: listings of a large tree run
// side by side.
const stretch = 1000

// inventory is what the bucket is known to hold.
type inventory struct {
	there map[string]bool
	// open are keys of which nothing is known: the listing was given up
	// before it came to them.
	open map[string]bool
}

// survey lists the part of the bucket where keys lie. A bucket may hold any
// number of older versions between them, so a listing that takes more pages
// than asking for each key would is given up.
func (u *uploader) survey(ctx context.Context, keys []string) (inventory, error) {
	keys = slices.Sorted(slices.Values(keys))
	var parts [][]string
	for part := range slices.Chunk(keys, stretch) {
		parts = append(parts, part)
	}
	found := make([]inventory, len(parts))
	faults := make([]error, len(parts))
	parallel(len(parts), u.parallel, func(i int) { found[i], faults[i] = u.list(ctx, parts[i]) })
	all := inventory{there: make(map[string]bool, len(keys)), open: map[string]bool{}}
	for _, part := range found {
		for key := range part.there {
			all.there[key] = true
		}
		for key := range part.open {
			all.open[key] = true
		}
	}
	return all, errors.Join(faults...)
}

// list looks for sorted keys with at most len(keys)/50+1 pages. Each page
// starts right before the next key that is looked for.
func (u *uploader) list(ctx context.Context, keys []string) (inventory, error) {
	found := inventory{there: make(map[string]bool, len(keys)), open: map[string]bool{}}
	prefix := commonPrefix(keys[0], keys[len(keys)-1])
	next := 0 // keys before it are decided
	for range len(keys)/50 + 1 {
		page, err := u.api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
			Bucket: aws.String(u.plan.Location.Bucket), Prefix: aws.String(prefix), MaxKeys: aws.Int32(1000),
			StartAfter: aws.String(before(keys[next])),
		}, patient, keysOnly)
		if status(err) == http.StatusForbidden {
			break // a role may be allowed to put and not to list
		}
		if err != nil {
			return found, err
		}
		last := ""
		for _, o := range page.Contents {
			last = aws.ToString(o.Key)
			for next < len(keys) && keys[next] < last {
				next++
			}
			if next < len(keys) && keys[next] == last {
				found.there[last] = true
				next++
			}
		}
		if !aws.ToBool(page.IsTruncated) || last == "" {
			next = len(keys)
		}
		if next == len(keys) {
			return found, nil
		}
	}
	for _, key := range keys[next:] {
		found.open[key] = true
	}
	return found, nil
}

// before is a text that sorts before key with next to nothing between them.
func before(key string) string { return key[:len(key)-1] }

func commonPrefix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	if n == len(a) {
		n = strings.LastIndexByte(a, '/') + 1
	}
	return strings.ToValidUTF8(a[:n], "")
}

// head asks for one key.
func (u *uploader) head(ctx context.Context, key string) (bool, error) {
	_, err := u.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(u.plan.Location.Bucket), Key: aws.String(key)}, patient)
	switch code := status(err); {
	case err == nil:
		return true, nil
	case code == http.StatusNotFound || code == http.StatusForbidden: // 403: absent, to a role that may not list
		return false, nil
	}
	return false, err
}

// status is the HTTP status of a refusal, 0 when err is none.
func status(err error) int {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	var plain interface{ HTTPStatusCode() int }
	if errors.As(err, &plain) {
		return plain.HTTPStatusCode()
	}
	return 0
}
