package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/wire"
)

// maxPut is the largest body of one request, in bytes.
const maxPut = 5 << 30

// trailered is a body whose checksum may come in a trailer, known after the
// end.
type trailered interface{ Trailer(name string) string }

// intake reads a body on its way to the store: it computes its digests, and at
// its end compares them with what the client said they are. A body that is not
// what the client said ends in an error, so that nothing of it is kept.
type intake struct {
	body     io.Reader
	size     int64
	length   int64 // as the request said; -1 unknown
	md5      hash.Hash
	wantMD5  []byte
	given    checksum // in the request; Value is empty when the trailer brings it
	sums     []digest
	verified bool
}

type digest struct {
	name types.ChecksumAlgorithm
	hash hash.Hash
}

// delivery is what an operation knows of the body that it is sent.
type delivery struct {
	body       io.Reader
	length     *int64
	contentMD5 *string
	in         any                     // the operation's input, for its checksum fields
	announced  types.ChecksumAlgorithm // by x-amz-sdk-checksum-algorithm
	kept       types.ChecksumAlgorithm // the one to keep, if it is fixed already
}

func newIntake(d delivery) (*intake, error) {
	t := &intake{body: d.body, length: -1, md5: md5.New()}
	if t.body == nil {
		t.body = bytes.NewReader(nil)
	}
	if d.length != nil {
		if t.length = *d.length; t.length > maxPut {
			return nil, entityTooLarge(t.length)
		}
	}
	if d.contentMD5 != nil {
		raw, err := base64.StdEncoding.DecodeString(*d.contentMD5)
		if err != nil || len(raw) != md5.Size {
			return nil, badRequest("InvalidDigest", "The Content-MD5 you specified was invalid.", "Content-MD5", *d.contentMD5)
		}
		t.wantMD5 = raw
	}
	var err error
	if t.given, err = givenSum(d.in); err != nil {
		return nil, err
	}
	if t.given.Value != "" {
		if err := t.given.checkForm(); err != nil {
			return nil, err
		}
	}
	return t, t.choose(d)
}

// choose decides which checksums to compute; the first is the one to keep, if
// the trailer says nothing else.
func (t *intake) choose(d delivery) error {
	names := []types.ChecksumAlgorithm{d.kept, t.given.Algorithm, d.announced}
	if names[0] == "" && names[1] == "" && names[2] == "" {
		names = append(names, defaultAlgorithm)
	}
	if _, ok := t.body.(trailered); ok && t.given.Value == "" && d.announced == "" {
		for _, a := range algorithms { // the trailer may bring any
			names = append(names, a.name)
		}
	}
	for _, name := range names {
		if name == "" || t.sum(name) != nil {
			continue
		}
		a, err := algorithmOf(name)
		if err != nil {
			return err
		}
		t.sums = append(t.sums, digest{name, a.new()})
	}
	return nil
}

func (t *intake) sum(name types.ChecksumAlgorithm) hash.Hash {
	for _, d := range t.sums {
		if d.name == name {
			return d.hash
		}
	}
	return nil
}

func (t *intake) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if n > 0 {
		t.size += int64(n)
		t.md5.Write(p[:n])
		for _, d := range t.sums {
			d.hash.Write(p[:n])
		}
	}
	switch {
	case t.size > maxPut:
		return n, entityTooLarge(t.size)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, incompleteBody()
	case err == io.EOF && !t.verified:
		if failure := t.verify(); failure != nil {
			return n, failure
		}
		t.verified = true
	}
	return n, err
}

func incompleteBody() *wire.Error {
	return badRequest("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

// verify compares what was computed with what the client said.
func (t *intake) verify() error {
	if t.length >= 0 && t.size != t.length {
		return incompleteBody()
	}
	if t.wantMD5 != nil && !bytes.Equal(t.wantMD5, t.md5.Sum(nil)) {
		return badRequest("BadDigest", "The Content-MD5 you specified did not match what we received.",
			"ExpectedDigest", base64.StdEncoding.EncodeToString(t.wantMD5), "CalculatedDigest", encodeSum(t.md5))
	}
	if trailer, ok := t.body.(trailered); ok && t.given.Value == "" {
		if err := t.readTrailer(trailer); err != nil {
			return err
		}
	}
	if t.given.Value != "" && t.given.Value != encodeSum(t.sum(t.given.Algorithm)) {
		return badDigest(string(t.given.Algorithm))
	}
	return nil
}

func (t *intake) readTrailer(trailer trailered) error {
	for _, d := range t.sums {
		if value := trailer.Trailer(headerOf(d.name)); value != "" {
			t.given = checksum{Algorithm: d.name, Value: value}
			if t.given.checkForm() != nil {
				return invalidRequest("Value for " + headerOf(d.name) + " trailing header is invalid.")
			}
			return nil
		}
	}
	return nil
}

// kept is the checksum to keep: the fixed one, else the client's, else the
// default.
func (t *intake) kept(fixed types.ChecksumAlgorithm) checksum {
	name := cmp.Or(fixed, t.given.Algorithm, t.sums[0].name)
	return checksum{Algorithm: name, Value: encodeSum(t.sum(name)), Type: types.ChecksumTypeFullObject}
}

func (t *intake) etag() string { return hex.EncodeToString(t.md5.Sum(nil)) }

// receive stores a body that an operation was sent. done is as for bodies.put.
func (s *Service) receive(ctx context.Context, d delivery) (t *intake, b body, done func(), err error) {
	if t, err = newIntake(d); err != nil {
		return nil, b, nil, err
	}
	b, done, err = s.bodies.put(ctx, t)
	return t, b, done, err
}

// trimETag is an entity tag without its quotes.
func trimETag(tag *string) string {
	s := aws.ToString(tag)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
