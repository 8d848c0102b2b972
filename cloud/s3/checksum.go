package s3

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// checksum is the checksum of an object or part besides its ETag.
type checksum struct {
	Algorithm types.ChecksumAlgorithm
	Value     string             // base64; a composite one ends in -N
	Type      types.ChecksumType `json:",omitempty"` // of objects
}

// algorithm is a way to compute checksums.
type algorithm struct {
	name  types.ChecksumAlgorithm
	new   func() hash.Hash
	poly  uint64 // of a CRC, reflected: those can be put together from parts
	bits  uint
	whole bool // a checksum of the whole object is possible for multipart uploads
	parts bool // a checksum of the parts' checksums is possible
}

// defaultAlgorithm is what S3 computes when the client gives no checksum:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
const defaultAlgorithm = types.ChecksumAlgorithmCrc64nvme

var algorithms = []algorithm{
	{name: types.ChecksumAlgorithmCrc32, new: func() hash.Hash { return crc32.NewIEEE() }, poly: crc32.IEEE, bits: 32, whole: true, parts: true},
	{name: types.ChecksumAlgorithmCrc32c, new: func() hash.Hash { return crc32.New(castagnoli()) }, poly: crc32.Castagnoli, bits: 32, whole: true, parts: true},
	{name: types.ChecksumAlgorithmCrc64nvme, new: newCRC64NVME, poly: nvmePoly, bits: 64, whole: true},
	{name: types.ChecksumAlgorithmSha1, new: sha1.New, parts: true},
	{name: types.ChecksumAlgorithmSha256, new: sha256.New, parts: true},
	{name: types.ChecksumAlgorithmSha512, new: sha512.New, parts: true},
	{name: types.ChecksumAlgorithmMd5, new: md5.New, parts: true},
}

var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

func algorithmOf(name types.ChecksumAlgorithm) (algorithm, error) {
	for _, a := range algorithms {
		if a.name == name {
			return a, nil
		}
	}
	for _, known := range name.Values() {
		if known == name {
			return algorithm{}, notImplemented(headerOf(name)) // the XXHASH family
		}
	}
	return algorithm{}, invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
}

// headerOf is the header that carries a checksum.
func headerOf(name types.ChecksumAlgorithm) string {
	return "x-amz-checksum-" + strings.ToLower(string(name))
}

func fieldOf(name types.ChecksumAlgorithm) string { return "Checksum" + string(name) }

// givenSum is the checksum in the Checksum… fields of an SDK struct, which may
// hold one; the zero checksum if they hold none.
func givenSum(in any) (checksum, error) {
	v := reflect.ValueOf(in).Elem()
	var given checksum
	for _, name := range types.ChecksumAlgorithm("").Values() {
		value, _ := v.FieldByName(fieldOf(name)).Interface().(*string)
		if value == nil {
			continue
		}
		if given.Value != "" {
			return given, invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		given = checksum{Algorithm: name, Value: *value}
	}
	return given, nil
}

// tell sets the field of an SDK struct that this checksum belongs in, and the
// type, where the struct has one.
func (c checksum) tell(out any) {
	if c.Value == "" {
		return
	}
	v := reflect.ValueOf(out).Elem()
	v.FieldByName(fieldOf(c.Algorithm)).Set(reflect.ValueOf(&c.Value))
	if f := v.FieldByName("ChecksumType"); f.IsValid() && c.Type != "" {
		f.Set(reflect.ValueOf(c.Type))
	}
}

// checkForm refuses what cannot be a checksum of its algorithm.
func (c checksum) checkForm() error {
	a, err := algorithmOf(c.Algorithm)
	if err != nil {
		return err
	}
	value, count, composite := strings.Cut(c.Value, "-")
	raw, err := base64.StdEncoding.DecodeString(value)
	if composite && err == nil {
		_, err = strconv.Atoi(count)
	}
	if err != nil || len(raw) != a.new().Size() {
		return invalidRequest("Value for " + headerOf(c.Algorithm) + " header is invalid.")
	}
	return nil
}

func encodeSum(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }

// compose is the checksum of an object from those of its parts.
func (a algorithm) compose(kind types.ChecksumType, parts []part) (checksum, error) {
	sum := checksum{Algorithm: a.name, Type: kind}
	if kind == types.ChecksumTypeFullObject {
		var crc uint64
		for _, p := range parts {
			raw, err := base64.StdEncoding.DecodeString(p.Sum.Value)
			if err != nil {
				return sum, fmt.Errorf("reading checksum of part %d: %w", p.Number, err)
			}
			crc = a.combine(crc, bigEndian(raw), p.Size)
		}
		raw := binary.BigEndian.AppendUint64(nil, crc)
		sum.Value = base64.StdEncoding.EncodeToString(raw[8-a.bits/8:])
		return sum, nil
	}
	h := a.new()
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.Sum.Value)
		if err != nil {
			return sum, fmt.Errorf("reading checksum of part %d: %w", p.Number, err)
		}
		h.Write(raw)
	}
	sum.Value = encodeSum(h) + "-" + strconv.Itoa(len(parts))
	return sum, nil
}

func bigEndian(raw []byte) uint64 {
	var n uint64
	for _, b := range raw {
		n = n<<8 | uint64(b)
	}
	return n
}
