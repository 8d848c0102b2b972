package s3

import (
	"encoding/binary"
	"hash"
	"sync"
)

// nvmePoly is the polynomial of CRC-64/NVME, reflected.
const nvmePoly = 0x9a6c9329ac4bc9b5

// nvmeTables are for eight bytes at a time. hash/crc64 makes such tables anew
// at every write for polynomials that it does not know.
var nvmeTables = sync.OnceValue(func() *[8][256]uint64 {
	var t [8][256]uint64
	for i := range 256 {
		crc := uint64(i)
		for range 8 {
			crc = crc>>1 ^ nvmePoly&-(crc&1)
		}
		t[0][i] = crc
	}
	for i := range 256 {
		for j := 1; j < 8; j++ {
			t[j][i] = t[0][byte(t[j-1][i])] ^ t[j-1][i]>>8
		}
	}
	return &t
})

// crc64NVME is a hash.Hash of CRC-64/NVME.
type crc64NVME uint64

func newCRC64NVME() hash.Hash { return new(crc64NVME) }

func (c *crc64NVME) Size() int      { return 8 }
func (c *crc64NVME) BlockSize() int { return 1 }
func (c *crc64NVME) Reset()         { *c = 0 }

func (c *crc64NVME) Sum(b []byte) []byte { return binary.BigEndian.AppendUint64(b, uint64(*c)) }

func (c *crc64NVME) Write(p []byte) (int, error) {
	n, crc, t := len(p), ^uint64(*c), nvmeTables()
	for ; len(p) >= 8; p = p[8:] {
		crc ^= binary.LittleEndian.Uint64(p)
		crc = t[7][byte(crc)] ^ t[6][byte(crc>>8)] ^ t[5][byte(crc>>16)] ^ t[4][byte(crc>>24)] ^
			t[3][byte(crc>>32)] ^ t[2][byte(crc>>40)] ^ t[1][byte(crc>>48)] ^ t[0][crc>>56]
	}
	for _, b := range p {
		crc = t[0][byte(crc)^b] ^ crc>>8
	}
	*c = crc64NVME(^crc)
	return n, nil
}

// combine is the CRC of two pieces one after the other, from their CRCs and the
// second one's length. A CRC is a remainder of polynomials over GF(2); bytes
// that follow multiply it by a power of x, and what the two runs' initial and
// final inversions add cancels out.
func (a algorithm) combine(first, second uint64, length int64) uint64 {
	return a.multiply(first, a.power(uint64(length)*8)) ^ second
}

// multiply gives the product modulo the polynomial; the highest bit is x⁰.
func (a algorithm) multiply(p, q uint64) uint64 {
	var product uint64
	for mask := uint64(1) << (a.bits - 1); mask != 0; mask >>= 1 {
		if p&mask != 0 {
			product ^= q
		}
		q = q>>1 ^ a.poly&-(q&1)
	}
	return product
}

// power is xⁿ modulo the polynomial.
func (a algorithm) power(n uint64) uint64 {
	result, square := uint64(1)<<(a.bits-1), uint64(1)<<(a.bits-2)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = a.multiply(result, square)
		}
		square = a.multiply(square, square)
	}
	return result
}
