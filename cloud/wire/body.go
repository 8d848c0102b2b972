package wire

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// openBody gives the body of a REST request as the client meant it: without
// aws-chunked framing, checked against x-amz-content-sha256 at its end.
func openBody(r *http.Request) (io.Reader, error) {
	sum := r.Header.Get("X-Amz-Content-Sha256")
	if strings.HasPrefix(sum, "STREAMING-") || strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return openChunked(r)
	}
	if len(sum) == hex.EncodedLen(sha256.Size) && r.ContentLength != 0 {
		return &summed{r: r.Body, h: sha256.New(), want: sum}, nil
	}
	return r.Body, nil
}

// summed fails at the end of a body that has another SHA-256 than was signed.
type summed struct {
	r    io.Reader
	h    hash.Hash
	want string
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.h.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(s.h.Sum(nil)); got != s.want {
			return n, &Error{Code: "XAmzContentSHA256Mismatch", Message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
				Fields: map[string]string{"ClientComputedContentSHA256": s.want, "S3ComputedContentSHA256": got}}
		}
	}
	return n, err
}

// chunked reads the aws-chunked framing of Signature Version 4's streaming
// uploads: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html.
// The signatures of chunks are not checked, as no signature is.
type chunked struct {
	r       *bufio.Reader
	left    int64 // of the current chunk
	total   int64 // still to come, by x-amz-decoded-content-length; -1 unknown
	done    bool
	trailer map[string]string // by lower-case name, complete after EOF
}

func openChunked(r *http.Request) (*chunked, error) {
	c := &chunked{r: bufio.NewReader(r.Body), total: -1, trailer: map[string]string{}}
	if text := r.Header.Get("X-Amz-Decoded-Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, &Error{Code: "InvalidArgument", Message: "x-amz-decoded-content-length is no length"}
		}
		c.total, r.ContentLength = n, n
		r.Header.Set("Content-Length", text)
	}
	encodings := strings.Split(r.Header.Get("Content-Encoding"), ",")
	kept := encodings[:0]
	for _, e := range encodings {
		if e = strings.TrimSpace(e); e != "" && e != "aws-chunked" {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		r.Header.Del("Content-Encoding")
	} else {
		r.Header.Set("Content-Encoding", strings.Join(kept, ","))
	}
	return c, nil
}

// Trailer is the value of a trailing header, known once the body has ended.
func (c *chunked) Trailer(name string) string { return c.trailer[strings.ToLower(name)] }

func (c *chunked) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.nextChunk(); err != nil {
			return 0, err
		}
		if c.done {
			return 0, io.EOF
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.total >= 0 {
		if c.total -= int64(n); c.total < 0 {
			return 0, incomplete()
		}
	}
	if err == io.EOF {
		return n, incomplete()
	}
	if err == nil && c.left == 0 {
		if line, lerr := c.line(); lerr != nil || line != "" {
			return n, incomplete()
		}
	}
	return n, err
}

func (c *chunked) nextChunk() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	if c.left, err = strconv.ParseInt(size, 16, 64); err != nil || c.left < 0 {
		return incomplete()
	}
	if c.left > 0 {
		return nil
	}
	for {
		line, err := c.line()
		if err == io.ErrUnexpectedEOF || err == nil && line == "" {
			break
		}
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		if len(c.trailer) < 16 {
			c.trailer[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	if c.total > 0 {
		return incomplete()
	}
	c.done = true
	return nil
}

// line reads up to the end of a line, which must come within the reader's
// buffer.
func (c *chunked) line() (string, error) {
	b, err := c.r.ReadSlice('\n')
	if err == io.EOF {
		return "", io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", incomplete()
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func incomplete() error {
	return &Error{Code: "IncompleteBody", Message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
}
