package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// A ciphertext of a symmetric key is an envelope: a version, the name of the
// key (its ARN) and of its material, and what AES-256-GCM made of the
// plaintext. All before the last is bound to it, and so is the encryption
// context, which is not in it. AWS's are opaque too; they cannot be exchanged.
const (
	envelopeVersion = 1
	materialSize    = 32
)

// errCiphertext says that a ciphertext was not made by this key with this
// context, and not why: AWS's has no message either.
func errCiphertext() error { return &types.InvalidCiphertextException{Message: aws.String("")} }

// wrap makes the envelope.
func wrap(plain, secret []byte, k key, m material, context map[string]string) ([]byte, error) {
	aead, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(m.ID)
	if err != nil {
		return nil, err
	}
	head := []byte{envelopeVersion}
	head = binary.BigEndian.AppendUint16(head, uint16(len(k.ARN)))
	head = append(append(head, k.ARN...), id...)
	return aead.Seal(head, nil, plain, bound(head, context)), nil
}

// envelope is a ciphertext taken apart.
type envelope struct {
	head, body    []byte
	key, material string
}

func parse(blob []byte) (envelope, error) {
	if len(blob) < 3 || blob[0] != envelopeVersion {
		return envelope{}, errCiphertext()
	}
	arn := int(binary.BigEndian.Uint16(blob[1:]))
	if len(blob) < 3+arn+materialSize {
		return envelope{}, errCiphertext()
	}
	at := 3 + arn + materialSize
	return envelope{head: blob[:at:at], body: blob[at:], key: string(blob[3 : 3+arn]), material: hex.EncodeToString(blob[3+arn : at])}, nil
}

// unwrap opens an envelope.
func (e envelope) unwrap(secret []byte, context map[string]string) ([]byte, error) {
	aead, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, e.body, bound(e.head, context))
	if err != nil {
		return nil, errCiphertext()
	}
	return plain, nil
}

func gcm(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bound is what is bound to a ciphertext: its head, and the context in the
// order of its names, each part with its length before it.
func bound(head []byte, context map[string]string) []byte {
	out := slices.Clone(head)
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, part := range []string{name, context[name]} {
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(part))), part...)
		}
	}
	return out
}
