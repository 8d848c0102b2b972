package kms

import (
	"context"
	"crypto/rand"
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const maxRandom = 1024 // bytes in one answer

// GenerateRandom gives random bytes.
func (s *Service) GenerateRandom(_ context.Context, in *kms.GenerateRandomInput) (*kms.GenerateRandomOutput, error) {
	switch n := aws.ToInt32(in.NumberOfBytes); {
	case in.CustomKeyStoreId != nil:
		return nil, unsupported("custom key stores are not supported by the local cloud")
	case in.Recipient != nil:
		return nil, errEnclave()
	case in.NumberOfBytes == nil:
		return nil, validation("NumberOfBytes is required.")
	case n < 1 || n > maxRandom:
		return nil, validation("1 validation error detected: Value '%d' at 'numberOfBytes' failed to satisfy constraint: Member must have value between 1 and %d", n, maxRandom)
	}
	b := make([]byte, *in.NumberOfBytes)
	rand.Read(b) // never fails
	return &kms.GenerateRandomOutput{Plaintext: b}, nil
}

// GenerateDataKey gives a new key twice: in the clear and encrypted.
func (s *Service) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	if in.Recipient != nil {
		return nil, errEnclave()
	}
	size := 0
	switch {
	case (in.KeySpec == "") == (in.NumberOfBytes == nil):
		return nil, validation("Please specify either number of bytes or key spec.")
	case in.KeySpec == types.DataKeySpecAes256:
		size = 32
	case in.KeySpec == types.DataKeySpecAes128:
		size = 16
	case in.KeySpec != "":
		return nil, validation("1 validation error detected: Value '%s' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]", in.KeySpec)
	default:
		size = int(*in.NumberOfBytes)
	}
	if size < 1 || size > maxRandom {
		return nil, validation("1 validation error detected: Value '%d' at 'numberOfBytes' failed to satisfy constraint: Member must have value between 1 and %d", size, maxRandom)
	}
	k, err := s.wrapper(ctx, in.KeyId, "GenerateDataKey", in.DryRun)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, size)
	rand.Read(plain) // never fails
	blob, err := s.encrypt(ctx, k, symmetric, plain, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyOutput{KeyId: &k.ARN, Plaintext: plain, CiphertextBlob: blob, KeyMaterialId: aws.String(k.current().ID)}, nil
}

// wrapper gives the symmetric key that encrypts other keys, as it is after the
// rotations that are due.
func (s *Service) wrapper(ctx context.Context, id *string, operation string, dryRun *bool) (key, error) {
	k, err := s.usable(ctx, id, types.KeyUsageTypeEncryptDecrypt, operation)
	if err != nil {
		return k, err
	}
	if k.Spec != types.KeySpecSymmetricDefault {
		return k, &types.InvalidKeyUsageException{Message: aws.String(k.ARN + " key spec is " + string(k.Spec) + " which is not valid for " + operation + ".")}
	}
	if err := dry(dryRun); err != nil {
		return k, err
	}
	return s.turned(ctx, k)
}

// GenerateDataKeyWithoutPlaintext gives a new key encrypted only.
func (s *Service) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	out, err := s.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: in.KeyId, KeySpec: in.KeySpec, NumberOfBytes: in.NumberOfBytes, EncryptionContext: in.EncryptionContext, DryRun: in.DryRun,
	})
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{KeyId: out.KeyId, CiphertextBlob: out.CiphertextBlob, KeyMaterialId: out.KeyMaterialId}, nil
}

// GenerateDataKeyPair gives a new pair of keys, the private half twice: in the
// clear and encrypted.
func (s *Service) GenerateDataKeyPair(ctx context.Context, in *kms.GenerateDataKeyPairInput) (*kms.GenerateDataKeyPairOutput, error) {
	if in.Recipient != nil {
		return nil, errEnclave()
	}
	kind, ok := kinds[types.KeySpec(in.KeyPairSpec)]
	if !ok || kind.signing == nil {
		return nil, unsupported("key pairs of the spec %s are not supported by the local cloud", in.KeyPairSpec)
	}
	k, err := s.wrapper(ctx, in.KeyId, "GenerateDataKeyPair", in.DryRun)
	if err != nil {
		return nil, err
	}
	plain, err := kind.make()
	if err != nil {
		return nil, err
	}
	signer, err := private(plain)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	blob, err := s.encrypt(ctx, k, symmetric, plain, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyPairOutput{
		KeyId: &k.ARN, KeyPairSpec: in.KeyPairSpec, PublicKey: public, PrivateKeyPlaintext: plain,
		PrivateKeyCiphertextBlob: blob, KeyMaterialId: aws.String(k.current().ID),
	}, nil
}

// GenerateDataKeyPairWithoutPlaintext gives a new pair of keys, the private
// half encrypted only.
func (s *Service) GenerateDataKeyPairWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyPairWithoutPlaintextInput) (*kms.GenerateDataKeyPairWithoutPlaintextOutput, error) {
	out, err := s.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{
		KeyId: in.KeyId, KeyPairSpec: in.KeyPairSpec, EncryptionContext: in.EncryptionContext, DryRun: in.DryRun,
	})
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyPairWithoutPlaintextOutput{
		KeyId: out.KeyId, KeyPairSpec: out.KeyPairSpec, PublicKey: out.PublicKey,
		PrivateKeyCiphertextBlob: out.PrivateKeyCiphertextBlob, KeyMaterialId: out.KeyMaterialId,
	}, nil
}
