package kms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes that algorithms name
	_ "crypto/sha512"
	"crypto/x509"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// schemes are the signing algorithms: what is signed is a hash of the message,
// or, for plain Ed25519, the message.
var schemes = map[types.SigningAlgorithmSpec]crypto.SignerOpts{
	types.SigningAlgorithmSpecRsassaPkcs1V15Sha256: crypto.SHA256,
	types.SigningAlgorithmSpecRsassaPkcs1V15Sha384: crypto.SHA384,
	types.SigningAlgorithmSpecRsassaPkcs1V15Sha512: crypto.SHA512,
	types.SigningAlgorithmSpecRsassaPssSha256:      pss(crypto.SHA256),
	types.SigningAlgorithmSpecRsassaPssSha384:      pss(crypto.SHA384),
	types.SigningAlgorithmSpecRsassaPssSha512:      pss(crypto.SHA512),
	types.SigningAlgorithmSpecEcdsaSha256:          crypto.SHA256,
	types.SigningAlgorithmSpecEcdsaSha384:          crypto.SHA384,
	types.SigningAlgorithmSpecEcdsaSha512:          crypto.SHA512,
	types.SigningAlgorithmSpecEd25519Sha512:        &ed25519.Options{},
	types.SigningAlgorithmSpecEd25519PhSha512:      &ed25519.Options{Hash: crypto.SHA512},
}

func pss(h crypto.Hash) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
}

// signing is a request to sign or verify, ready for Go's packages.
type signing struct {
	key    key
	signer crypto.Signer
	opts   crypto.SignerOpts
	digest []byte // or the message
}

func (s *Service) signing(ctx context.Context, id *string, algorithm types.SigningAlgorithmSpec, message []byte, kind types.MessageType, operation string) (signing, error) {
	k, err := s.usable(ctx, id, types.KeyUsageTypeSignVerify, operation)
	if err != nil {
		return signing{}, err
	}
	if !slices.Contains(kinds[k.Spec].signing, algorithm) {
		return signing{}, &types.InvalidKeyUsageException{Message: aws.String("Algorithm " + string(algorithm) + " and key spec " + string(k.Spec) + " are incompatible.")}
	}
	if n := len(message); n == 0 || n > maxPlaintext {
		return signing{}, validation("1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length between 1 and %d", maxPlaintext)
	}
	x := signing{key: k, opts: schemes[algorithm]}
	if x.digest, err = digest(message, kind, x.opts.HashFunc(), algorithm); err != nil {
		return x, err
	}
	x.signer, err = s.pair(k)
	return x, err
}

func digest(message []byte, kind types.MessageType, h crypto.Hash, algorithm types.SigningAlgorithmSpec) ([]byte, error) {
	switch {
	case kind == types.MessageTypeExternalMu:
		return nil, unsupported("messages of the type EXTERNAL_MU are not supported by the local cloud")
	case h == 0 && kind == types.MessageTypeDigest, algorithm == types.SigningAlgorithmSpecEd25519PhSha512 && kind != types.MessageTypeDigest:
		return nil, validation("MessageType %s is not valid for algorithm %s.", kind, algorithm)
	case h == 0:
		return message, nil
	case kind == types.MessageTypeDigest:
		if len(message) != h.Size() {
			return nil, validation("Digest is invalid length for algorithm %s.", algorithm)
		}
		return message, nil
	}
	hash := h.New()
	hash.Write(message)
	return hash.Sum(nil), nil
}

// Sign signs a message, or its digest.
func (s *Service) Sign(ctx context.Context, in *kms.SignInput) (*kms.SignOutput, error) {
	x, err := s.signing(ctx, in.KeyId, in.SigningAlgorithm, in.Message, in.MessageType, "Sign")
	if err == nil {
		err = dry(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	signature, err := x.signer.Sign(rand.Reader, x.digest, x.opts)
	if err != nil {
		return nil, err
	}
	return &kms.SignOutput{KeyId: &x.key.ARN, Signature: signature, SigningAlgorithm: in.SigningAlgorithm}, nil
}

// Verify tells whether a signature is the key's; one that is not is an error.
func (s *Service) Verify(ctx context.Context, in *kms.VerifyInput) (*kms.VerifyOutput, error) {
	x, err := s.signing(ctx, in.KeyId, in.SigningAlgorithm, in.Message, in.MessageType, "Verify")
	if err == nil {
		err = dry(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	if !x.verifies(in.Signature) {
		return nil, &types.KMSInvalidSignatureException{Message: aws.String("")}
	}
	return &kms.VerifyOutput{KeyId: &x.key.ARN, SignatureValid: true, SigningAlgorithm: in.SigningAlgorithm}, nil
}

func (x signing) verifies(signature []byte) bool {
	switch public := x.signer.Public().(type) {
	case *rsa.PublicKey:
		if opts, ok := x.opts.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(public, opts.Hash, x.digest, signature, opts) == nil
		}
		return rsa.VerifyPKCS1v15(public, x.opts.HashFunc(), x.digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, x.digest, signature)
	case ed25519.PublicKey:
		return ed25519.VerifyWithOptions(public, x.digest, signature, x.opts.(*ed25519.Options)) == nil
	}
	return false
}

// GetPublicKey gives the public half of a pair.
func (s *Service) GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput) (*kms.GetPublicKeyOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if kinds[k.Spec].signing == nil {
		return nil, unsupported("%s key spec is %s which is not valid for GetPublicKey.", k.ARN, k.Spec)
	}
	if err := k.check(k.Usage, "GetPublicKey"); err != nil {
		return nil, err
	}
	signer, err := s.pair(k)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	m := k.metadata()
	return &kms.GetPublicKeyOutput{
		KeyId: &k.ARN, PublicKey: public, KeySpec: k.Spec, KeyUsage: k.Usage,
		//lint:ignore SA1019 AWS still tells it
		CustomerMasterKeySpec: m.CustomerMasterKeySpec,
		EncryptionAlgorithms:  m.EncryptionAlgorithms, SigningAlgorithms: m.SigningAlgorithms,
	}, nil
}

// hashes are those of the HMAC algorithms.
var hashes = map[types.MacAlgorithmSpec]crypto.Hash{
	types.MacAlgorithmSpecHmacSha224: crypto.SHA224,
	types.MacAlgorithmSpecHmacSha256: crypto.SHA256,
	types.MacAlgorithmSpecHmacSha384: crypto.SHA384,
	types.MacAlgorithmSpecHmacSha512: crypto.SHA512,
}

// mac computes an HMAC.
func (s *Service) mac(ctx context.Context, id *string, algorithm types.MacAlgorithmSpec, message []byte, operation string) (key, []byte, error) {
	k, err := s.usable(ctx, id, types.KeyUsageTypeGenerateVerifyMac, operation)
	if err != nil {
		return k, nil, err
	}
	if !slices.Contains(kinds[k.Spec].mac, algorithm) {
		return k, nil, &types.InvalidKeyUsageException{Message: aws.String("Algorithm " + string(algorithm) + " and key spec " + string(k.Spec) + " are incompatible.")}
	}
	if n := len(message); n == 0 || n > maxPlaintext {
		return k, nil, validation("1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length between 1 and %d", maxPlaintext)
	}
	secret, err := s.open(k, k.current())
	if err != nil {
		return k, nil, err
	}
	h := hmac.New(hashes[algorithm].New, secret)
	h.Write(message)
	return k, h.Sum(nil), nil
}

// GenerateMac gives the HMAC of a message.
func (s *Service) GenerateMac(ctx context.Context, in *kms.GenerateMacInput) (*kms.GenerateMacOutput, error) {
	k, sum, err := s.mac(ctx, in.KeyId, in.MacAlgorithm, in.Message, "GenerateMac")
	if err == nil {
		err = dry(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	return &kms.GenerateMacOutput{KeyId: &k.ARN, Mac: sum, MacAlgorithm: in.MacAlgorithm}, nil
}

// VerifyMac tells whether an HMAC is the key's; one that is not is an error.
func (s *Service) VerifyMac(ctx context.Context, in *kms.VerifyMacInput) (*kms.VerifyMacOutput, error) {
	k, sum, err := s.mac(ctx, in.KeyId, in.MacAlgorithm, in.Message, "VerifyMac")
	if err == nil {
		err = dry(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(sum, in.Mac) {
		return nil, &types.KMSInvalidMacException{Message: aws.String("")}
	}
	return &kms.VerifyMacOutput{KeyId: &k.ARN, MacValid: true, MacAlgorithm: in.MacAlgorithm}, nil
}
