package s3

import (
	"context"
	"io"
	"strconv"
	"strings"
)

// span is a range of an object's bytes.
type span struct {
	start, length int64
	partial       bool // the request asked for a part
}

// parseRange reads a Range header. What is not one range of bytes counts as
// none, as RFC 9110 section 14.2 allows and S3 does.
func parseRange(header string, size int64) (span, error) {
	whole := span{length: size}
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !ok || !dash {
		return whole, nil
	}
	if first == "" { // the last so many bytes
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			return whole, nil
		}
		n = min(n, size)
		if n == 0 {
			return span{}, invalidRange(header, size)
		}
		return span{start: size - n, length: n, partial: true}, nil
	}
	start, err := strconv.ParseInt(first, 10, 64)
	if err != nil || start < 0 {
		return whole, nil
	}
	end := size - 1
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < start {
			return whole, nil
		}
		end = min(end, n)
	}
	if start >= size {
		return span{}, invalidRange(header, size)
	}
	return span{start: start, length: end - start + 1, partial: true}, nil
}

// partsReader reads the parts of an object one after the other, one file open
// at a time.
type partsReader struct {
	ctx    context.Context // of the request
	bodies *bodies
	parts  []part
	at     span // of what is left, counted from the first of parts
	now    io.ReadCloser
}

func newPartsReader(ctx context.Context, b *bodies, parts []part, at span) *partsReader {
	for len(parts) > 0 && at.start >= parts[0].Size {
		at.start -= parts[0].Size
		parts = parts[1:]
	}
	return &partsReader{ctx: ctx, bodies: b, parts: parts, at: at}
}

func (r *partsReader) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if r.at.length <= 0 || len(r.parts) == 0 {
				return 0, io.EOF
			}
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.now.Read(p)
		if err == io.EOF {
			err = r.Close()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (r *partsReader) next() error {
	part := r.parts[0]
	take := span{start: r.at.start, length: min(r.at.length, part.Size-r.at.start), partial: true}
	var err error
	if r.now, err = r.bodies.open(r.ctx, part.Blob, take); err != nil {
		return err
	}
	r.parts = r.parts[1:]
	r.at = span{length: r.at.length - take.length}
	return nil
}

// Close closes the file that is open, if one is.
func (r *partsReader) Close() error {
	if r.now == nil {
		return nil
	}
	err := r.now.Close()
	r.now = nil
	return err
}
