package kms_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func TestAsymmetricKeys(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	message := []byte("attack at dawn")
	sum := sha256.Sum256(message)
	k := w.key(func(in *api.CreateKeyInput) {
		in.KeySpec, in.KeyUsage = types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify
	})
	signed, err := w.Sign(ctx, &api.SignInput{KeyId: k.KeyId, Message: message, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256})
	if err != nil {
		t.Fatal(err)
	}
	public, err := w.GetPublicKey(ctx, &api.GetPublicKeyInput{KeyId: k.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParsePKIXPublicKey(public.PublicKey)
	if err != nil || !ecdsa.VerifyASN1(parsed.(*ecdsa.PublicKey), sum[:], signed.Signature) {
		t.Errorf("the signature does not verify outside: %v", err)
	}
	verify := &api.VerifyInput{KeyId: k.KeyId, Message: sum[:], MessageType: types.MessageTypeDigest, Signature: signed.Signature, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}
	if _, err := w.Verify(ctx, verify); err != nil {
		t.Error(err)
	}
	verify.Message[0] ^= 1
	_, err = w.Verify(ctx, verify)
	w.refused(err, "KMSInvalidSignatureException", "")
	_, err = w.Encrypt(ctx, &api.EncryptInput{KeyId: k.KeyId, Plaintext: message})
	w.refused(err, "InvalidKeyUsageException", "SIGN_VERIFY which is not valid for Encrypt")

	for _, spec := range []types.KeySpec{types.KeySpecRsa2048, types.KeySpecEccNistEdwards25519} {
		k := w.key(func(in *api.CreateKeyInput) { in.KeySpec, in.KeyUsage = spec, types.KeyUsageTypeSignVerify })
		for _, algorithm := range k.SigningAlgorithms {
			in := &api.SignInput{KeyId: k.KeyId, Message: message, SigningAlgorithm: algorithm}
			if algorithm == types.SigningAlgorithmSpecEd25519PhSha512 {
				in.MessageType, in.Message = types.MessageTypeDigest, crypto.SHA512.New().Sum(nil)
			}
			signed, err := w.Sign(ctx, in)
			if err != nil {
				t.Errorf("%s: %v", algorithm, err)
				continue
			}
			if _, err := w.Verify(ctx, &api.VerifyInput{KeyId: k.KeyId, Message: in.Message, MessageType: in.MessageType, SigningAlgorithm: algorithm, Signature: signed.Signature}); err != nil {
				t.Errorf("%s: %v", algorithm, err)
			}
		}
	}
	rsa := w.key(func(in *api.CreateKeyInput) {
		in.KeySpec, in.KeyUsage = types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt
	})
	blob, err := w.Encrypt(ctx, &api.EncryptInput{KeyId: rsa.KeyId, Plaintext: message, EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha256})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := w.Decrypt(ctx, &api.DecryptInput{KeyId: rsa.KeyId, CiphertextBlob: blob.CiphertextBlob, EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha256}); err != nil || string(out.Plaintext) != string(message) {
		t.Errorf("RSA: %v", err)
	}
	mac := w.key(func(in *api.CreateKeyInput) {
		in.KeySpec, in.KeyUsage = types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac
	})
	made, err := w.GenerateMac(ctx, &api.GenerateMacInput{KeyId: mac.KeyId, Message: message, MacAlgorithm: types.MacAlgorithmSpecHmacSha256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.VerifyMac(ctx, &api.VerifyMacInput{KeyId: mac.KeyId, Message: message, Mac: made.Mac, MacAlgorithm: types.MacAlgorithmSpecHmacSha256}); err != nil {
		t.Error(err)
	}
	_, err = w.VerifyMac(ctx, &api.VerifyMacInput{KeyId: mac.KeyId, Message: message[1:], Mac: made.Mac, MacAlgorithm: types.MacAlgorithmSpecHmacSha256})
	w.refused(err, "KMSInvalidMacException", "")
	for _, c := range []struct {
		change      func(*api.CreateKeyInput)
		code, words string
	}{
		{func(in *api.CreateKeyInput) { in.KeySpec = types.KeySpecRsa2048 }, "ValidationException", "You must specify a KeyUsage"},
		{func(in *api.CreateKeyInput) {
			in.KeySpec, in.KeyUsage = types.KeySpecRsa2048, types.KeyUsageTypeGenerateVerifyMac
		}, "ValidationException", "not compatible"},
		{func(in *api.CreateKeyInput) {
			in.KeySpec, in.KeyUsage = types.KeySpecEccSecgP256k1, types.KeyUsageTypeSignVerify
		}, "UnsupportedOperationException", "local cloud"},
		{func(in *api.CreateKeyInput) { in.MultiRegion = aws.Bool(true) }, "UnsupportedOperationException", "multi-Region"},
		{func(in *api.CreateKeyInput) { in.Origin = types.OriginTypeExternal }, "UnsupportedOperationException", "imported"},
		{func(in *api.CreateKeyInput) { in.Policy = aws.String("{") }, "MalformedPolicyDocumentException", "syntax"},
	} {
		in := &api.CreateKeyInput{}
		c.change(in)
		_, err := w.CreateKey(ctx, in)
		w.refused(err, c.code, c.words)
	}
}
