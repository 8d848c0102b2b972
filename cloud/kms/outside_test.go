package kms_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

// TestMaterialIsSealed looks for a private key in all files of the state.
func TestMaterialIsSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.key(func(in *api.CreateKeyInput) {
		in.KeySpec, in.KeyUsage = types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify
	})
	der := []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07} // the curve's name, in every private key on it
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, der) || bytes.Contains(b, []byte("KoZIzj0DAQc")) { // as base64
			t.Errorf("%s holds a private key", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	cli := tool.NewAWS(t, cloudtest.New(t).URL, "--output", "json")
	run := func(args ...string) map[string]any {
		t.Helper()
		out := cli.Run(args...)
		var v map[string]any
		if err := json.Unmarshal([]byte(out), &v); err != nil && len(out) > 0 {
			t.Fatalf("aws %s: %s", strings.Join(args, " "), out)
		}
		return v
	}
	file := func(content []byte) string {
		path := filepath.Join(t.TempDir(), "content")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return "fileb://" + path
	}
	key := run("kms", "create-key")["KeyMetadata"].(map[string]any)["KeyId"].(string)
	encrypted := run("kms", "encrypt", "--key-id", key, "--plaintext", file([]byte("hello")), "--encryption-context", "a=b")
	blob, err := base64.StdEncoding.DecodeString(encrypted["CiphertextBlob"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if got := run("kms", "decrypt", "--ciphertext-blob", file(blob), "--encryption-context", "a=b")["Plaintext"]; got != "aGVsbG8=" {
		t.Errorf("decrypted %v", got)
	}
}
