package s3_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// model is what a list must give: keys as they are, common prefixes with a bar
// before them, sorted.
func model(keys []string, prefix, delimiter, after string) []string {
	var out []string
	for _, k := range keys {
		if !strings.HasPrefix(k, prefix) || k <= after {
			continue
		}
		entry := k
		if i := strings.Index(k[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			entry = k[:len(prefix)+i+len(delimiter)]
			if entry == after {
				continue
			}
			entry = "|" + entry
		}
		if !slices.Contains(out, entry) {
			out = append(out, entry)
		}
	}
	return out
}

func randomKey(r *rand.Rand) string {
	parts := []string{"a", "b", "ab", "/", "//", "é", "~", "\x01", " ", "漢"}
	var key strings.Builder
	for range 1 + r.IntN(6) {
		key.WriteString(parts[r.IntN(len(parts))])
	}
	return key.String()
}

// listAll pages through a list; entries are as in model, in the order of each
// page's keys and prefixes merged.
func listAll(t *testing.T, c *cloud, prefix, delimiter, after string, size int32) []string {
	t.Helper()
	var all []string
	in := &s3.ListObjectsV2Input{Bucket: str("bucket"), Prefix: &prefix, MaxKeys: &size}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	if after != "" {
		in.StartAfter = &after
	}
	for {
		out, err := c.ListObjectsV2(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		var page []string
		for _, o := range out.Contents {
			page = append(page, *o.Key)
		}
		for _, p := range out.CommonPrefixes {
			page = append(page, "|"+*p.Prefix)
		}
		slices.SortFunc(page, func(a, b string) int { return strings.Compare(strings.TrimPrefix(a, "|"), strings.TrimPrefix(b, "|")) })
		if len(page) > int(size) || int(*out.KeyCount) != len(page) {
			t.Fatalf("a page of %d entries, KeyCount %d, MaxKeys %d", len(page), *out.KeyCount, size)
		}
		all = append(all, page...)
		if !*out.IsTruncated {
			return all
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

func TestListsAgreeWithModel(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	r := rand.New(rand.NewPCG(1, 2))
	var keys []string
	for range 300 {
		key := randomKey(r)
		if strings.Contains(key, "\x01") {
			key = strings.ReplaceAll(key, "\x01", "!") // XML 1.0 cannot hold it
		}
		c.put(t, key, "x")
		keys = append(keys, key)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for range 150 {
		prefix, delimiter, after := "", []string{"", "/", "ab", "é"}[r.IntN(4)], ""
		if r.IntN(2) == 0 {
			prefix = randomKey(r)
			prefix = prefix[:min(len(prefix), 1+r.IntN(2))]
		}
		if !strings.HasPrefix(strings.ToValidUTF8(prefix, ""), prefix) {
			continue
		}
		if r.IntN(3) == 0 {
			after = keys[r.IntN(len(keys))]
		}
		got := listAll(t, c, prefix, delimiter, after, int32(1+r.IntN(40)))
		if diff := cmp.Diff(model(keys, prefix, delimiter, after), got); diff != "" {
			t.Fatalf("prefix %q delimiter %q after %q:\n%s", prefix, delimiter, after, diff)
		}
	}
}

func TestListObjectVersionsPages(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	r := rand.New(rand.NewPCG(3, 4))
	c.put(t, "a", "null version")
	c.versioning(t, types.BucketVersioningStatusEnabled)
	want := map[string][]string{"a": {"null"}} // by key, the newest first
	for i := range 120 {
		key := []string{"a", "a/x", "a!", "b/1", "b/2", "c"}[r.IntN(6)]
		var version *string
		if r.IntN(4) == 0 {
			version = c.remove(t, key, nil).VersionId
		} else {
			version = c.put(t, key, fmt.Sprint(i)).VersionId
		}
		want[key] = slices.Insert(want[key], 0, *version)
	}
	for _, size := range []int32{1, 7, 1000} {
		got, latest := map[string][]string{}, map[string]string{}
		in := &s3.ListObjectVersionsInput{Bucket: str("bucket"), MaxKeys: &size}
		for {
			out, err := c.ListObjectVersions(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			type row struct {
				key, id string
				at      int64
			}
			var rows []row
			for _, v := range out.Versions {
				rows = append(rows, row{*v.Key, *v.VersionId, v.LastModified.UnixNano()})
				if *v.IsLatest {
					latest[*v.Key] = *v.VersionId
				}
			}
			for _, m := range out.DeleteMarkers {
				rows = append(rows, row{*m.Key, *m.VersionId, m.LastModified.UnixNano()})
				if *m.IsLatest {
					latest[*m.Key] = *m.VersionId
				}
			}
			if len(rows) > int(size) {
				t.Fatalf("%d rows on a page of %d", len(rows), size)
			}
			// Versions and markers come apart; ids sort the newest first.
			slices.SortFunc(rows, func(a, b row) int {
				if a.key != b.key || a.id == "null" || b.id == "null" {
					return strings.Compare(a.key, b.key)*2 - int(min(1, max(-1, a.at-b.at)))
				}
				return strings.Compare(a.id, b.id)
			})
			for _, v := range rows {
				got[v.key] = append(got[v.key], v.id)
			}
			if !*out.IsTruncated {
				break
			}
			in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("pages of %d:\n%s", size, diff)
		}
		for key, ids := range want {
			if latest[key] != ids[0] {
				t.Errorf("pages of %d: latest of %q is %s, want %s", size, key, latest[key], ids[0])
			}
		}
	}
	out, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: str("bucket"), Delimiter: str("/")})
	if err != nil || len(out.CommonPrefixes) != 2 || aws.ToString(out.CommonPrefixes[1].Prefix) != "b/" {
		t.Errorf("versions by delimiter: %v, %v", out.CommonPrefixes, err)
	}
}

func TestEncodingTypeURL(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put(t, "a b/ü+&.txt", "x")
	c.put(t, "line\nbreak", "x")
	out, err := c.ListObjects(t.Context(), &s3.ListObjectsInput{Bucket: str("bucket"), EncodingType: types.EncodingTypeUrl})
	if err != nil || *out.Contents[0].Key != "a+b/%C3%BC%2B%26.txt" || *out.Contents[1].Key != "line%0Abreak" {
		t.Errorf("keys %q, %v", *out.Contents[0].Key, err)
	}
}

// TestListingWhileDeleting is how clients empty a bucket: each page's versions
// are gone before the next page is asked for.
func TestListingWhileDeleting(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	put := func() {
		for i := range 9 {
			c.put(t, fmt.Sprint(i), "x")
		}
	}
	put() // null versions
	c.versioning(t, types.BucketVersioningStatusEnabled)
	put()
	put()
	c.versioning(t, types.BucketVersioningStatusSuspended)
	put() // null versions in the place of the first ones
	for _, size := range []int32{1, 2, 4, 5, 7} {
		in := &s3.ListObjectVersionsInput{Bucket: str("bucket"), MaxKeys: &size}
		for {
			out, err := c.ListObjectVersions(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range out.Versions {
				c.remove(t, *v.Key, v.VersionId)
			}
			if !*out.IsTruncated {
				break
			}
			in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
		}
		left, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: str("bucket")})
		if err != nil || len(left.Versions) > 0 {
			t.Fatalf("pages of %d leave %d versions, %v", size, len(left.Versions), err)
		}
		c.versioning(t, types.BucketVersioningStatusEnabled)
		put()
		put()
	}
}
