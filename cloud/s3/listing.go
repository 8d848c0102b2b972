package s3

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// listing is what lists tell of a version. A list reads a thousand of them, so
// it is kept as one short string at the head of the version's record, and read
// without the rest.
type listing struct {
	Version  string // version id; "null" when it was written without versions
	Order    int64  // rises from version to version of a key
	Marker   bool   // a delete marker
	Modified time.Time
	Size     int64
	ETag     string // without quotes
	Sum      checksum
	Class    types.StorageClass // empty: STANDARD
}

// record is an object as the store keeps it.
type record struct {
	Listing string `json:"l"`
	details
}

const recordHead = `{"l":"`

// MarshalJSON writes the record.
func (o object) MarshalJSON() ([]byte, error) {
	return json.Marshal(record{o.encode(), o.details})
}

// UnmarshalJSON reads the record.
func (o *object) UnmarshalJSON(b []byte) error {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	o.details = r.details
	return o.decode(r.Listing)
}

// UnmarshalJSON reads the head of a record.
func (l *listing) UnmarshalJSON(b []byte) error {
	b, ok := bytes.CutPrefix(b, []byte(recordHead))
	end := bytes.IndexByte(b, '"')
	if !ok || end < 0 {
		return fmt.Errorf("a record of an object begins otherwise than with %s", recordHead)
	}
	return l.decode(string(b[:end]))
}

// encode writes the fields in order; none of them holds a bar, nor what JSON
// would escape.
func (l listing) encode() string {
	marker := ""
	if l.Marker {
		marker = "x"
	}
	return strings.Join([]string{
		l.Version, strconv.FormatInt(l.Order, 10), marker, strconv.FormatInt(l.Modified.UnixMilli(), 10), strconv.FormatInt(l.Size, 10),
		l.ETag, string(l.Sum.Algorithm), l.Sum.Value, string(l.Sum.Type), string(l.Class),
	}, "|")
}

func (l *listing) decode(text string) error {
	var f [10]string
	for i := range f {
		f[i], text, _ = strings.Cut(text, "|")
	}
	var modified int64
	for _, n := range []struct {
		text string
		to   *int64
	}{{f[1], &l.Order}, {f[3], &modified}, {f[4], &l.Size}} {
		var err error
		if *n.to, err = strconv.ParseInt(n.text, 10, 64); err != nil {
			return fmt.Errorf("reading a record of an object: %w", err)
		}
	}
	l.Version, l.Marker, l.Modified, l.ETag = f[0], f[2] != "", time.UnixMilli(modified).UTC(), f[5]
	l.Sum = checksum{types.ChecksumAlgorithm(f[6]), f[7], types.ChecksumType(f[8])}
	l.Class = types.StorageClass(f[9])
	return nil
}
