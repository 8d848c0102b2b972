package sns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// signer signs messages with a key of this cloud, whose certificate nobody but
// itself vouches for. Clients that check a signature find the certificate at
// SigningCertURL, as on AWS; those that insist on AWS's host name there do not
// take messages of a local cloud.
type signer struct {
	key         *rsa.PrivateKey
	certificate []byte // PEM
	name        string // of the certificate's file
}

const keyBits = 2048

// openSigner reads the key in dir, and makes one if there is none.
func openSigner(dir string, now time.Time) (*signer, error) {
	path := filepath.Join(dir, "signing.pem")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = makeIdentity(now); err == nil {
			err = writeWhole(path, b)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening the key that signs messages: %w", err)
	}
	keyBlock, rest := pem.Decode(b)
	if keyBlock == nil {
		return nil, fmt.Errorf("opening the key that signs messages: %q holds no key", path)
	}
	key, err := x509.ParsePKCS1PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("opening the key that signs messages: %w", err)
	}
	sum := sha256.Sum256(rest)
	return &signer{key, rest, "SimpleNotificationService-" + hex.EncodeToString(sum[:16]) + ".pem"}, nil
}

// writeWhole writes a file that only its owner reads, so that it appears whole
// or not at all.
func writeWhole(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone by then if all went well
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// makeIdentity makes a key and its certificate, as PEM.
func makeIdentity(now time.Time) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "sns.amazonaws.com", Organization: []string{"ouro local cloud"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...), nil
}

// sign is the signature of a text, of version 1 (SHA-1) or 2 (SHA-256).
func (s *signer) sign(text, version string) (string, error) {
	hash, sum := crypto.SHA1, sha1.Sum([]byte(text))
	digest := sum[:]
	if version == "2" {
		sum := sha256.Sum256([]byte(text))
		hash, digest = crypto.SHA256, sum[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, hash, digest)
	if err != nil {
		return "", fmt.Errorf("signing a message: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

const certificatePath = "/_ouro/sns/"

// Paths is where the certificate lies.
func (s *Service) Paths() []string { return []string{certificatePath} }

// ServeHTTP serves the certificate.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signer, err := s.signer()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if strings.TrimPrefix(r.URL.Path, certificatePath) != signer.name {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Write(signer.certificate) //nolint:errcheck // the client is gone: nobody is left to tell
}
