package function

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
)

// sshKind is what SSH calls keys of this kind.
const sshKind = "ssh-ed25519"

// sshKey is an Ed25519 key for SSH.
type sshKey struct{ ed25519.PrivateKey }

func newSSHKey() (sshKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return sshKey{private}, err
}

// wire writes strings and numbers as SSH does.
type wire struct{ bytes.Buffer }

func (w *wire) text(s []byte) {
	w.number(uint32(len(s)))
	w.Write(s)
}

func (w *wire) number(n uint32) { w.Write(binary.BigEndian.AppendUint32(nil, n)) }

// blob is the public half, as SSH sends it.
func (k sshKey) blob() []byte {
	var w wire
	w.text([]byte(sshKind))
	w.text(k.Public().(ed25519.PublicKey))
	return w.Bytes()
}

// authorized is the public half as a line of authorized_keys.
func (k sshKey) authorized(comment string) string {
	line := sshKind + " " + base64.StdEncoding.EncodeToString(k.blob())
	if comment != "" {
		line += " " + comment
	}
	return line
}

// fingerprint is the public half's, as ssh-keygen -l prints it.
func (k sshKey) fingerprint() string {
	sum := sha256.Sum256(k.blob())
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// pemKind begins a file with a private key, and magic what is in it.
const (
	pemKind = "OPENSSH PRIVATE KEY"
	magic   = "openssh-key-v1\x00"
)

// file is the private half as ssh reads it, without a passphrase.
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
func (k sshKey) file() []byte {
	var private wire
	// Twice the same number, by which a wrong passphrase shows. It is made of the
	// public half, so that the same key is the same file.
	check := binary.BigEndian.Uint32(k.blob()[len(k.blob())-4:])
	private.number(check)
	private.number(check)
	private.text([]byte(sshKind))
	private.text(k.Public().(ed25519.PublicKey))
	private.text(k.PrivateKey)
	private.text(nil) // the comment
	for i := byte(1); private.Len()%8 != 0; i++ {
		private.WriteByte(i)
	}
	var w wire
	w.WriteString(magic)
	w.text([]byte("none")) // cipher
	w.text([]byte("none")) // of the passphrase
	w.text(nil)
	w.number(1)
	w.text(k.blob())
	w.text(private.Bytes())
	return pem.EncodeToMemory(&pem.Block{Type: pemKind, Bytes: w.Bytes()})
}

// readSSHKey reads what file wrote.
func readSSHKey(text []byte) (sshKey, error) {
	wrong := errors.New("it holds no key of this function's") // and says nothing of what it holds
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemKind {
		return sshKey{}, wrong
	}
	// The private half follows the public one, which begins with its length.
	const head = "\x00\x00\x00\x0b" + sshKind + "\x00\x00\x00\x20"
	at := bytes.LastIndex(block.Bytes, []byte(head))
	if at < 0 {
		return sshKey{}, wrong
	}
	rest := block.Bytes[at+len(head):]
	const public, length = ed25519.PublicKeySize, 4
	if len(rest) < public+length+ed25519.PrivateKeySize {
		return sshKey{}, wrong
	}
	k := sshKey{ed25519.PrivateKey(rest[public+length : public+length+ed25519.PrivateKeySize])}
	if !bytes.Equal(k.file(), text) {
		return sshKey{}, wrong
	}
	return k, nil
}
