package kms

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
	symmetric     = types.EncryptionAlgorithmSpecSymmetricDefault
)

// oaep are the hashes of RSA's encryption.
var oaep = map[types.EncryptionAlgorithmSpec]func() hash.Hash{
	types.EncryptionAlgorithmSpecRsaesOaepSha1:   sha1.New,
	types.EncryptionAlgorithmSpecRsaesOaepSha256: sha256.New,
}

// algorithm is the algorithm that a request means, which the key must have.
func (k key) algorithm(asked types.EncryptionAlgorithmSpec) (types.EncryptionAlgorithmSpec, error) {
	if asked == "" {
		asked = symmetric
	}
	if !slices.Contains(kinds[k.Spec].encryption, asked) {
		return "", &types.InvalidKeyUsageException{Message: aws.String("Algorithm " + string(asked) + " and key spec " + string(k.Spec) + " are incompatible.")}
	}
	return asked, nil
}

// encrypt is Encrypt without its request.
func (s *Service) encrypt(ctx context.Context, k key, algorithm types.EncryptionAlgorithmSpec, plain []byte, with map[string]string) ([]byte, error) {
	if algorithm != symmetric {
		if len(with) > 0 {
			return nil, validation("EncryptionContext is valid only for symmetric keys.")
		}
		signer, err := s.pair(k)
		if err != nil {
			return nil, err
		}
		public := &signer.(*rsa.PrivateKey).PublicKey
		h := oaep[algorithm]()
		if room := public.Size() - 2*h.Size() - 2; len(plain) > room {
			return nil, validation("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", algorithm, k.Spec, room)
		}
		return rsa.EncryptOAEP(h, rand.Reader, public, plain, nil)
	}
	k, err := s.turned(ctx, k)
	if err != nil {
		return nil, err
	}
	secret, err := s.open(k, k.current())
	if err != nil {
		return nil, err
	}
	return wrap(plain, secret, k, k.current(), with)
}

// opened is a ciphertext that was decrypted, and by what.
type opened struct {
	plain     []byte
	key       key
	algorithm types.EncryptionAlgorithmSpec
	material  *string
}

// decrypt is Decrypt without its request. The key of a symmetric ciphertext is
// named in it.
func (s *Service) decrypt(ctx context.Context, blob []byte, id *string, asked types.EncryptionAlgorithmSpec, with map[string]string, operation string) (opened, error) {
	if len(blob) == 0 || len(blob) > maxCiphertext {
		return opened{}, validation("1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length between 1 and %d", maxCiphertext)
	}
	if asked != "" && asked != symmetric {
		return s.decryptRSA(ctx, blob, id, asked, operation)
	}
	e, err := parse(blob)
	if err != nil {
		return opened{}, err
	}
	k, err := s.find(ctx, &e.key)
	if err != nil {
		return opened{}, errCiphertext() // the key is not told, for whoever guesses
	}
	if id != nil {
		named, err := s.find(ctx, id)
		if err != nil {
			return opened{}, err
		}
		if named.ARN != k.ARN {
			return opened{}, &types.IncorrectKeyException{Message: aws.String("The key ID in the request does not identify a CMK that can perform this operation.")}
		}
	}
	if err := k.check(types.KeyUsageTypeEncryptDecrypt, operation); err != nil {
		return opened{}, err
	}
	at := slices.IndexFunc(k.Materials, func(m material) bool { return m.ID == e.material })
	if at < 0 {
		return opened{}, errCiphertext()
	}
	secret, err := s.open(k, k.Materials[at])
	if err != nil {
		return opened{}, err
	}
	plain, err := e.unwrap(secret, with)
	return opened{plain, k, symmetric, &k.Materials[at].ID}, err
}

func (s *Service) decryptRSA(ctx context.Context, blob []byte, id *string, asked types.EncryptionAlgorithmSpec, operation string) (opened, error) {
	if id == nil {
		return opened{}, validation("KeyId is required for algorithm %s.", asked)
	}
	k, err := s.usable(ctx, id, types.KeyUsageTypeEncryptDecrypt, operation)
	if err != nil {
		return opened{}, err
	}
	if _, err := k.algorithm(asked); err != nil {
		return opened{}, err
	}
	signer, err := s.pair(k)
	if err != nil {
		return opened{}, err
	}
	plain, err := rsa.DecryptOAEP(oaep[asked](), nil, signer.(*rsa.PrivateKey), blob, nil)
	if err != nil {
		return opened{}, errCiphertext()
	}
	return opened{plain, k, asked, nil}, nil
}

// Encrypt encrypts up to 4 KB.
func (s *Service) Encrypt(ctx context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	if n := len(in.Plaintext); n == 0 || n > maxPlaintext {
		return nil, validation("1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxPlaintext)
	}
	k, err := s.usable(ctx, in.KeyId, types.KeyUsageTypeEncryptDecrypt, "Encrypt")
	if err != nil {
		return nil, err
	}
	algorithm, err := k.algorithm(in.EncryptionAlgorithm)
	if err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	blob, err := s.encrypt(ctx, k, algorithm, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.EncryptOutput{KeyId: &k.ARN, CiphertextBlob: blob, EncryptionAlgorithm: algorithm}, nil
}

// Decrypt opens a ciphertext.
func (s *Service) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if in.Recipient != nil {
		return nil, errEnclave()
	}
	o, err := s.decrypt(ctx, in.CiphertextBlob, in.KeyId, in.EncryptionAlgorithm, in.EncryptionContext, "Decrypt")
	if err == nil {
		err = dry(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	return &kms.DecryptOutput{KeyId: &o.key.ARN, Plaintext: o.plain, EncryptionAlgorithm: o.algorithm, KeyMaterialId: o.material}, nil
}

// ReEncrypt opens a ciphertext and encrypts it with another key, or for
// another context, without the plaintext coming out.
func (s *Service) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	to, err := s.usable(ctx, in.DestinationKeyId, types.KeyUsageTypeEncryptDecrypt, "ReEncryptTo")
	if err != nil {
		return nil, err
	}
	algorithm, err := to.algorithm(in.DestinationEncryptionAlgorithm)
	if err != nil {
		return nil, err
	}
	from, err := s.decrypt(ctx, in.CiphertextBlob, in.SourceKeyId, in.SourceEncryptionAlgorithm, in.SourceEncryptionContext, "ReEncryptFrom")
	if err == nil {
		err = dry(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	var material *string
	if algorithm == symmetric {
		if to, err = s.turned(ctx, to); err != nil {
			return nil, err
		}
		material = aws.String(to.current().ID)
	}
	blob, err := s.encrypt(ctx, to, algorithm, from.plain, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.ReEncryptOutput{
		DestinationKeyMaterialId: material,
		CiphertextBlob:           blob, KeyId: &to.ARN, DestinationEncryptionAlgorithm: algorithm,
		SourceKeyId: &from.key.ARN, SourceEncryptionAlgorithm: from.algorithm, SourceKeyMaterialId: from.material,
	}, nil
}

// errEnclave refuses what only an enclave could read.
func errEnclave() error {
	return unsupported("answers for enclaves (Recipient) are not supported by the local cloud")
}
