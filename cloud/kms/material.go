package kms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// kind is what keys of one spec are and can do.
type kind struct {
	usages     []types.KeyUsageType
	encryption []types.EncryptionAlgorithmSpec
	signing    []types.SigningAlgorithmSpec
	mac        []types.MacAlgorithmSpec
	make       func() ([]byte, error) // key material: raw, or PKCS #8
}

var (
	encrypts  = []types.KeyUsageType{types.KeyUsageTypeEncryptDecrypt}
	signs     = []types.KeyUsageType{types.KeyUsageTypeSignVerify}
	macs      = []types.KeyUsageType{types.KeyUsageTypeGenerateVerifyMac}
	rsaUsages = []types.KeyUsageType{types.KeyUsageTypeEncryptDecrypt, types.KeyUsageTypeSignVerify}
	rsaCrypt  = []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecRsaesOaepSha1, types.EncryptionAlgorithmSpecRsaesOaepSha256}
	rsaSigns  = []types.SigningAlgorithmSpec{
		types.SigningAlgorithmSpecRsassaPkcs1V15Sha256, types.SigningAlgorithmSpecRsassaPkcs1V15Sha384, types.SigningAlgorithmSpecRsassaPkcs1V15Sha512,
		types.SigningAlgorithmSpecRsassaPssSha256, types.SigningAlgorithmSpecRsassaPssSha384, types.SigningAlgorithmSpecRsassaPssSha512,
	}
)

// kinds are the specs of keys that there are.
var kinds = map[types.KeySpec]kind{
	types.KeySpecSymmetricDefault: {usages: encrypts, encryption: []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault}, make: raw(32)},
	types.KeySpecRsa2048:          {usages: rsaUsages, encryption: rsaCrypt, signing: rsaSigns, make: rsaKey(2048)},
	types.KeySpecRsa3072:          {usages: rsaUsages, encryption: rsaCrypt, signing: rsaSigns, make: rsaKey(3072)},
	types.KeySpecRsa4096:          {usages: rsaUsages, encryption: rsaCrypt, signing: rsaSigns, make: rsaKey(4096)},
	types.KeySpecEccNistP256:      {usages: signs, signing: []types.SigningAlgorithmSpec{types.SigningAlgorithmSpecEcdsaSha256}, make: curve(elliptic.P256)},
	types.KeySpecEccNistP384:      {usages: signs, signing: []types.SigningAlgorithmSpec{types.SigningAlgorithmSpecEcdsaSha384}, make: curve(elliptic.P384)},
	types.KeySpecEccNistP521:      {usages: signs, signing: []types.SigningAlgorithmSpec{types.SigningAlgorithmSpecEcdsaSha512}, make: curve(elliptic.P521)},
	types.KeySpecEccNistEdwards25519: {usages: signs, make: edwards, signing: []types.SigningAlgorithmSpec{
		types.SigningAlgorithmSpecEd25519Sha512, types.SigningAlgorithmSpecEd25519PhSha512}},
	types.KeySpecHmac224: {usages: macs, mac: []types.MacAlgorithmSpec{types.MacAlgorithmSpecHmacSha224}, make: raw(28)},
	types.KeySpecHmac256: {usages: macs, mac: []types.MacAlgorithmSpec{types.MacAlgorithmSpecHmacSha256}, make: raw(32)},
	types.KeySpecHmac384: {usages: macs, mac: []types.MacAlgorithmSpec{types.MacAlgorithmSpecHmacSha384}, make: raw(48)},
	types.KeySpecHmac512: {usages: macs, mac: []types.MacAlgorithmSpec{types.MacAlgorithmSpecHmacSha512}, make: raw(64)},
}

func raw(n int) func() ([]byte, error) {
	return func() ([]byte, error) {
		b := make([]byte, n)
		rand.Read(b) // never fails
		return b, nil
	}
}

func rsaKey(bits int) func() ([]byte, error) {
	return func() ([]byte, error) {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, fmt.Errorf("make an RSA key: %w", err)
		}
		return x509.MarshalPKCS8PrivateKey(k)
	}
}

func curve(c func() elliptic.Curve) func() ([]byte, error) {
	return func() ([]byte, error) {
		k, err := ecdsa.GenerateKey(c(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make a key on %s: %w", c().Params().Name, err)
		}
		return x509.MarshalPKCS8PrivateKey(k)
	}
}

func edwards() ([]byte, error) {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key on Ed25519: %w", err)
	}
	return x509.MarshalPKCS8PrivateKey(k)
}

// private reads a key of a pair.
func private(pkcs8 []byte) (crypto.Signer, error) {
	k, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("read a private key: %w", err)
	}
	signer, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("read a private key: %T cannot sign", k)
	}
	return signer, nil
}

// addMaterial makes new material, which is the one in use from now on.
func (s *Service) addMaterial(k *key, demanded bool) error {
	plain, err := kinds[k.Spec].make()
	if err != nil {
		return err
	}
	box, err := s.box()
	if err != nil {
		return err
	}
	m := material{ID: randomHex(32), Since: s.host.Now(), Demanded: demanded}
	m.Sealed = box.Seal(plain, k.ARN+"/"+m.ID)
	k.Materials = append(k.Materials, m)
	return nil
}

// current is the material in use.
func (k key) current() material { return k.Materials[len(k.Materials)-1] }

// open gives key material in the clear.
func (s *Service) open(k key, m material) ([]byte, error) {
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	return box.Unseal(m.Sealed, k.ARN+"/"+m.ID)
}

// pair gives the private key of an asymmetric key.
func (s *Service) pair(k key) (crypto.Signer, error) {
	plain, err := s.open(k, k.current())
	if err != nil {
		return nil, err
	}
	return private(plain)
}

// turned gives the key after the rotations that are due.
func (s *Service) turned(ctx context.Context, k key) (key, error) {
	if !k.Rotation.Enabled || s.host.Now().Before(k.Rotation.Next) {
		return k, nil
	}
	return s.keys.Update(ctx, k.scope(), k.ID, func(k *key) error {
		if !k.Rotation.Enabled || s.host.Now().Before(k.Rotation.Next) {
			return nil // somebody else was quicker
		}
		k.Rotation.Next = s.host.Now().AddDate(0, 0, int(k.Rotation.Days))
		return s.addMaterial(k, false)
	})
}
