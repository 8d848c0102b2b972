package kms_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/kms"
	"ouro/cloud/store"
)

// world is the service alone, with a time that tests move.
type world struct {
	*api.Client
	t     *testing.T
	door  *door.Door
	ahead atomic.Int64
	dir   string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir()}
	st, err := store.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st, Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }})
	t.Cleanup(func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Register("kms", kms.New(d)); err != nil {
		t.Fatal(err)
	}
	w.door = d
	w.Client = w.in("000000000000")
	return w
}

func (w *world) in(account string) *api.Client {
	return api.NewFromConfig(w.door.As(door.Caller{Account: account, Region: "us-east-1"}))
}

func (w *world) forward(days int) { w.ahead.Add(int64(time.Duration(days) * 24 * time.Hour)) }

func (w *world) key(change ...func(*api.CreateKeyInput)) *types.KeyMetadata {
	w.t.Helper()
	in := &api.CreateKeyInput{}
	for _, c := range change {
		c(in)
	}
	out, err := w.CreateKey(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out.KeyMetadata
}

func (w *world) encrypt(id *string, plain string, with map[string]string) []byte {
	w.t.Helper()
	out, err := w.Encrypt(w.t.Context(), &api.EncryptInput{KeyId: id, Plaintext: []byte(plain), EncryptionContext: with})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.CiphertextBlob
}

// refused wants an error of that code, whose message has those words.
func (w *world) refused(err error, code, words string) {
	w.t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), words) {
		w.t.Errorf("got %v, want %s: %s", err, code, words)
	}
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	k, other := w.key(), w.key()
	with := map[string]string{"b": "2", "a": "1"}
	blob := w.encrypt(k.KeyId, "attack at dawn", with)
	if bytes.Contains(blob, []byte("dawn")) {
		t.Error("the ciphertext shows the plaintext")
	}
	out, err := w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: with})
	if err != nil || string(out.Plaintext) != "attack at dawn" || *out.KeyId != *k.Arn || *out.KeyMaterialId != *k.CurrentKeyMaterialId {
		t.Errorf("decrypted: %+v, %v", out, err)
	}
	_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob})
	w.refused(err, "InvalidCiphertextException", "")
	_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "12", "b": ""}})
	w.refused(err, "InvalidCiphertextException", "")
	_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: with, KeyId: other.KeyId})
	w.refused(err, "IncorrectKeyException", "does not identify")
	for at := range blob {
		forged := bytes.Clone(blob)
		forged[at] ^= 1
		_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: forged, EncryptionContext: with})
		w.refused(err, "InvalidCiphertextException", "")
		_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob[: at+1 : at+1][:at], EncryptionContext: with})
		if err == nil {
			t.Errorf("%d bytes of a ciphertext were decrypted", at)
		}
	}
	re, err := w.ReEncrypt(ctx, &api.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: with, DestinationKeyId: other.Arn})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := w.in("111111111111").Decrypt(ctx, &api.DecryptInput{CiphertextBlob: re.CiphertextBlob, KeyId: other.Arn}); err != nil || string(out.Plaintext) != "attack at dawn" {
		t.Errorf("another account decrypts with the key's ARN: %v", err)
	}
	_, err = w.in("111111111111").DisableKey(ctx, &api.DisableKeyInput{KeyId: other.Arn})
	w.refused(err, "AccessDeniedException", "kms:DisableKey")
	_, err = w.in("111111111111").CancelKeyDeletion(ctx, &api.CancelKeyDeletionInput{KeyId: other.Arn})
	w.refused(err, "AccessDeniedException", "kms:CancelKeyDeletion")
	data, err := w.GenerateDataKey(ctx, &api.GenerateDataKeyInput{KeyId: k.Arn, KeySpec: types.DataKeySpecAes256})
	if err != nil || len(data.Plaintext) != 32 {
		t.Fatalf("%+v, %v", data, err)
	}
	if out, err := w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: data.CiphertextBlob}); err != nil || !bytes.Equal(out.Plaintext, data.Plaintext) {
		t.Errorf("the data key: %v", err)
	}
	pair, err := w.GenerateDataKeyPair(ctx, &api.GenerateDataKeyPairInput{KeyId: k.Arn, KeyPairSpec: types.DataKeyPairSpecEccNistEdwards25519})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x509.ParsePKCS8PrivateKey(pair.PrivateKeyPlaintext); err != nil {
		t.Error(err)
	}
	_, err = w.GenerateDataKeyWithoutPlaintext(ctx, &api.GenerateDataKeyWithoutPlaintextInput{KeyId: k.Arn})
	w.refused(err, "ValidationException", "either number of bytes or key spec")
	_, err = w.Encrypt(ctx, &api.EncryptInput{KeyId: k.KeyId, Plaintext: make([]byte, 4097)})
	w.refused(err, "ValidationException", "4096")
	_, err = w.Encrypt(ctx, &api.EncryptInput{KeyId: k.KeyId, Plaintext: []byte("x"), DryRun: aws.Bool(true)})
	w.refused(err, "DryRunOperationException", "would have succeeded")
	if r, err := w.GenerateRandom(ctx, &api.GenerateRandomInput{NumberOfBytes: aws.Int32(7)}); err != nil || len(r.Plaintext) != 7 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	k := w.key(func(in *api.CreateKeyInput) {
		in.Description, in.Tags = aws.String("mine"), []types.Tag{{TagKey: aws.String("a"), TagValue: aws.String("1")}}
	})
	blob := w.encrypt(k.KeyId, "x", nil)
	if _, err := w.CreateAlias(ctx, &api.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: k.Arn}); err != nil {
		t.Fatal(err)
	}
	_, err := w.CreateAlias(ctx, &api.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: k.Arn})
	w.refused(err, "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:000000000000:alias/mine already exists")
	_, err = w.CreateAlias(ctx, &api.CreateAliasInput{AliasName: aws.String("alias/aws/mine"), TargetKeyId: k.Arn})
	w.refused(err, "NotAuthorizedException", "reserved")
	_, err = w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: aws.String("alias/other")})
	w.refused(err, "NotFoundException", "Alias arn:aws:kms:us-east-1:000000000000:alias/other is not found.")
	_, err = w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: aws.String("00000000-0000-0000-0000-000000000000")})
	w.refused(err, "NotFoundException", "Key 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000' does not exist")

	other := w.key()
	if _, err := w.UpdateAlias(ctx, &api.UpdateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: other.KeyId}); err != nil {
		t.Error(err)
	}
	if got, err := w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: aws.String("arn:aws:kms:us-east-1:000000000000:alias/mine")}); err != nil || *got.KeyMetadata.KeyId != *other.KeyId {
		t.Errorf("the alias stands for %+v, %v", got, err)
	}

	if _, err := w.EnableKeyRotation(ctx, &api.EnableKeyRotationInput{KeyId: k.KeyId, RotationPeriodInDays: aws.Int32(90)}); err != nil {
		t.Error(err)
	}
	w.forward(91)
	if newer, err := w.Encrypt(ctx, &api.EncryptInput{KeyId: k.KeyId, Plaintext: []byte("y")}); err != nil {
		t.Error(err)
	} else if now, _ := w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: k.KeyId}); *now.KeyMetadata.CurrentKeyMaterialId == *k.CurrentKeyMaterialId || bytes.Equal(newer.CiphertextBlob, blob) {
		t.Error("the key was not rotated")
	}
	if _, err := w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob}); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	if list, err := w.ListKeyRotations(ctx, &api.ListKeyRotationsInput{KeyId: k.KeyId}); err != nil || len(list.Rotations) != 1 || list.Rotations[0].RotationType != types.RotationTypeAutomatic {
		t.Errorf("rotations: %+v, %v", list, err)
	}

	if _, err := w.DisableKey(ctx, &api.DisableKeyInput{KeyId: k.KeyId}); err != nil {
		t.Error(err)
	}
	_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob})
	w.refused(err, "DisabledException", *k.Arn+" is disabled.")
	_, err = w.TagResource(ctx, &api.TagResourceInput{KeyId: k.KeyId, Tags: []types.Tag{{TagKey: aws.String("aws:b"), TagValue: aws.String("2")}}})
	w.refused(err, "TagException", "reserved for internal use")
	if _, err := w.EnableKey(ctx, &api.EnableKeyInput{KeyId: k.KeyId}); err != nil {
		t.Error(err)
	}
	if out, err := w.ScheduleKeyDeletion(ctx, &api.ScheduleKeyDeletionInput{KeyId: k.KeyId, PendingWindowInDays: aws.Int32(7)}); err != nil || out.KeyState != types.KeyStatePendingDeletion || *out.KeyId != *k.Arn {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = w.Decrypt(ctx, &api.DecryptInput{CiphertextBlob: blob})
	w.refused(err, "KMSInvalidStateException", *k.Arn+" is pending deletion.")
	_, err = w.TagResource(ctx, &api.TagResourceInput{KeyId: k.KeyId, Tags: []types.Tag{{TagKey: aws.String("b"), TagValue: aws.String("2")}}})
	w.refused(err, "KMSInvalidStateException", "pending deletion")
	if _, err := w.CancelKeyDeletion(ctx, &api.CancelKeyDeletionInput{KeyId: k.KeyId}); err != nil {
		t.Error(err)
	}
	if now, err := w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: k.KeyId}); err != nil || now.KeyMetadata.KeyState != types.KeyStateDisabled {
		t.Errorf("after the deletion was cancelled: %+v, %v", now, err)
	}
	if _, err := w.ScheduleKeyDeletion(ctx, &api.ScheduleKeyDeletionInput{KeyId: k.KeyId, PendingWindowInDays: aws.Int32(7)}); err != nil {
		t.Error(err)
	}
	w.forward(8)
	_, err = w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: k.KeyId})
	w.refused(err, "NotFoundException", "does not exist")
	if list, err := w.ListKeys(ctx, &api.ListKeysInput{}); err != nil || len(list.Keys) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := kms.New(w.door).Resume(ctx); err != nil {
		t.Error(err)
	}
}

func TestKeysOfServices(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.encrypt(aws.String("alias/aws/s3"), "x", nil)
	one, err := w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: aws.String("alias/aws/s3")})
	if err != nil || one.KeyMetadata.KeyManager != types.KeyManagerTypeAws {
		t.Fatalf("%+v, %v", one, err)
	}
	_, err = w.ScheduleKeyDeletion(ctx, &api.ScheduleKeyDeletionInput{KeyId: one.KeyMetadata.KeyId})
	w.refused(err, "AccessDeniedException", "is not authorized to perform: kms:ScheduleKeyDeletion")
	_, err = w.DescribeKey(ctx, &api.DescribeKeyInput{KeyId: aws.String("alias/aws/nothing")})
	w.refused(err, "NotFoundException", "alias/aws/nothing is not found")
	if list, err := w.ListAliases(ctx, &api.ListAliasesInput{}); err != nil || len(list.Aliases) != 1 || *list.Aliases[0].TargetKeyId != *one.KeyMetadata.KeyId {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	k := w.key()
	in := &api.CreateGrantInput{KeyId: k.KeyId, Name: aws.String("n"), GranteePrincipal: aws.String("arn:aws:iam::000000000000:role/r"),
		RetiringPrincipal: aws.String("arn:aws:iam::000000000000:role/q"), Operations: []types.GrantOperation{types.GrantOperationDecrypt}}
	one, err := w.CreateGrant(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.CreateGrant(ctx, in); err != nil || *again.GrantId != *one.GrantId {
		t.Errorf("the same grant again: %+v, %v", again, err)
	}
	in.Name = nil
	two, err := w.CreateGrant(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := w.ListGrants(ctx, &api.ListGrantsInput{KeyId: k.KeyId}); err != nil || len(list.Grants) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := w.ListRetirableGrants(ctx, &api.ListRetirableGrantsInput{RetiringPrincipal: in.RetiringPrincipal}); err != nil || len(list.Grants) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := w.RetireGrant(ctx, &api.RetireGrantInput{GrantToken: one.GrantToken}); err != nil {
		t.Error(err)
	}
	if _, err := w.RevokeGrant(ctx, &api.RevokeGrantInput{KeyId: k.KeyId, GrantId: two.GrantId}); err != nil {
		t.Error(err)
	}
	_, err = w.RevokeGrant(ctx, &api.RevokeGrantInput{KeyId: k.KeyId, GrantId: two.GrantId})
	w.refused(err, "NotFoundException", "Grant ID")
}
