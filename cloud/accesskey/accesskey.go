// Package accesskey makes and reads the identifiers that AWS gives to
// credentials and to identities: a prefix of four letters that tells what it
// is (AKIA, ASIA, AROA, …), then 16 or 17 letters of base 32.
//
// As in AWS's own, an access key's id holds the number of its account, so that
// whose key it is can be told without a list of keys.
package accesskey

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
)

var base32Letters = base32.StdEncoding.WithPadding(base32.NoPadding)

const (
	prefixLen   = 4
	idLen       = 20
	accountBits = 40
	randomBits  = 7 // of the first six bytes, after the account
)

// New makes a fresh access key id for the account, such as
// New("ASIA", "000000000000"). An account that is no number counts as 0.
func New(prefix, account string) string {
	var b [10]byte
	fill(b[:])
	number, _ := strconv.ParseUint(account, 10, accountBits)
	head := 1<<(accountBits+randomBits) | number<<randomBits | uint64(b[5])&(1<<randomBits-1)
	var six [8]byte
	binary.BigEndian.PutUint64(six[:], head)
	copy(b[:6], six[2:])
	return prefix + base32Letters.EncodeToString(b[:])
}

// Account is the number of the account that an access key id belongs to; ok is
// false for what is no id of AWS's form.
func Account(id string) (account string, ok bool) {
	if len(id) != idLen {
		return "", false
	}
	b, err := base32Letters.DecodeString(id[prefixLen:])
	if err != nil {
		return "", false
	}
	var eight [8]byte
	copy(eight[2:], b[:6])
	number := binary.BigEndian.Uint64(eight[:]) >> randomBits & (1<<accountBits - 1)
	if number > 999_999_999_999 {
		return "", false
	}
	return fmt.Sprintf("%012d", number), true
}

// NewID makes a fresh unique id of an identity, such as NewID("AROA"): 21
// letters.
func NewID(prefix string) string {
	var b [11]byte
	fill(b[:])
	return prefix + base32Letters.EncodeToString(b[:])[:17]
}

// NewSecret makes a secret access key: 40 letters of base 64.
func NewSecret() string {
	var b [30]byte
	fill(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// NewToken makes a session token.
func NewToken() string {
	var b [192]byte
	fill(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// fill never fails: crypto/rand ends the program rather than give less.
func fill(b []byte) { _, _ = rand.Read(b) }
