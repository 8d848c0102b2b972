package function

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/pipeline"
)

// keyed are the properties of key.create: where the private half is kept, in a
// secret or in an object that KMS encrypts, and what the public half is called.
type keyed struct {
	SecretName string
	BucketName string
	Key        string
	KmsKeyID   string `json:"KmsKeyId"` // empty for AWS's own
	Comment    string
}

// keeper keeps a private key. owner marks what is ours: what bears another mark
// is neither taken over nor deleted.
type keeper interface {
	read(ctx context.Context, owner string) ([]byte, error) // nil for none
	write(ctx context.Context, owner string, key []byte) error
	encrypt(ctx context.Context, owner string, key []byte) error // with the KMS key that is named now
	remove(ctx context.Context, owner string) error
}

// keyCreate makes an SSH key whose private half nobody has seen. Its attributes
// are the public half and what is known of it. A key stays while its place does.
func keyCreate(cfg aws.Config) *resource[keyed] {
	secrets, buckets := secretsmanager.NewFromConfig(cfg), pipeline.NewBuckets(cfg)
	keeperOf := func(p *keyed) keeper {
		if p.SecretName != "" {
			return secret{secrets, p}
		}
		return keyObject{buckets, p}
	}
	return &resource[keyed]{
		check: (*keyed).check,
		id:    func(_ *request, p *keyed) string { return p.place() },
		put: func(ctx context.Context, r *request, p, old *keyed) (map[string]string, error) {
			key, err := ensureKey(ctx, keeperOf(p), owner(r))
			if err == nil && old != nil && old.place() == p.place() && old.KmsKeyID != p.KmsKeyID {
				err = keeperOf(p).encrypt(ctx, owner(r), key.file())
			}
			if err != nil {
				return nil, fmt.Errorf("keeping a key in %s: %w", p.place(), err)
			}
			return map[string]string{"PublicKey": key.authorized(p.Comment), "Fingerprint": key.fingerprint()}, nil
		},
		remove: func(ctx context.Context, r *request, p *keyed) error {
			if err := keeperOf(p).remove(ctx, owner(r)); err != nil && !errors.Is(err, errForeign) {
				return fmt.Errorf("deleting the key in %s: %w", p.place(), err)
			}
			return nil
		},
	}
}

func (p *keyed) check() error {
	if (p.SecretName == "") == (p.BucketName == "") || (p.BucketName == "") != (p.Key == "") {
		return errors.New("the private key is kept either in a secret, which SecretName names, or in an object, which BucketName and Key name")
	}
	if strings.ContainsFunc(p.Comment, unicode.IsControl) || len(p.Comment) > maxComment {
		return fmt.Errorf("the comment is one line of %d bytes at most", maxComment)
	}
	return nil
}

// maxComment keeps the public half, an attribute, well below what an answer may
// hold.
const maxComment = 500

func (p *keyed) place() string {
	if p.SecretName != "" {
		return "secret/" + p.SecretName
	}
	return "s3://" + p.BucketName + "/" + p.Key
}

// owner is the mark of what a resource made.
func owner(r *request) string { return r.StackID + "/" + r.LogicalResourceID }

// ownerMark is the tag, or the metadata, with the owner.
const ownerMark = "ouro-resource"

// errForeign tells that somebody else made what is there.
var errForeign = errors.New("there is one already, which this resource did not make")

// ensureKey is the key that is kept, or else a new one. A request that comes a
// second time finds what the first one made, also if that is made meanwhile.
func ensureKey(ctx context.Context, k keeper, owner string) (sshKey, error) {
	key, err := keptKey(ctx, k, owner)
	if err != nil || key.PrivateKey != nil {
		return key, err
	}
	if key, err = newSSHKey(); err != nil {
		return sshKey{}, err
	}
	if err = k.write(ctx, owner, key.file()); isCode(err, "ResourceExistsException") || isCode(err, "PreconditionFailed") || isCode(err, "ConditionalRequestConflict") {
		return keptKey(ctx, k, owner)
	}
	return key, err
}

// keptKey is the key that is kept, if there is one.
func keptKey(ctx context.Context, k keeper, owner string) (sshKey, error) {
	text, err := k.read(ctx, owner)
	if err != nil || text == nil {
		return sshKey{}, err
	}
	return readSSHKey(text)
}

// secret keeps a key in Secrets Manager.
type secret struct {
	api *secretsmanager.Client
	p   *keyed
}

// ours tells whether the secret is there, and that it is ours.
func (s secret) ours(ctx context.Context, owner string) (bool, error) {
	out, err := s.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &s.p.SecretName})
	if none := (*smtypes.ResourceNotFoundException)(nil); errors.As(err, &none) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, tag := range out.Tags {
		if aws.ToString(tag.Key) == ownerMark && aws.ToString(tag.Value) == owner {
			return true, nil
		}
	}
	return false, errForeign
}

func (s secret) read(ctx context.Context, owner string) ([]byte, error) {
	ours, err := s.ours(ctx, owner)
	if err != nil || !ours {
		return nil, err
	}
	out, err := s.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.p.SecretName})
	if err != nil {
		return nil, err
	}
	return []byte(aws.ToString(out.SecretString)), nil
}

func (s secret) write(ctx context.Context, owner string, key []byte) error {
	in := &secretsmanager.CreateSecretInput{
		Name: &s.p.SecretName, SecretString: aws.String(string(key)), Description: aws.String("Private SSH key"),
		Tags: []smtypes.Tag{{Key: aws.String(ownerMark), Value: &owner}},
	}
	if s.p.KmsKeyID != "" {
		in.KmsKeyId = &s.p.KmsKeyID
	}
	_, err := s.api.CreateSecret(ctx, in)
	return err
}

func (s secret) encrypt(ctx context.Context, _ string, _ []byte) error {
	key := cmp.Or(s.p.KmsKeyID, "alias/aws/secretsmanager")
	_, err := s.api.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: &s.p.SecretName, KmsKeyId: &key})
	return err
}

func (s secret) remove(ctx context.Context, owner string) error {
	ours, err := s.ours(ctx, owner)
	if err != nil || !ours {
		return err
	}
	// The name is to be free for the next stack, and nobody can want the key back.
	_, err = s.api.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &s.p.SecretName, ForceDeleteWithoutRecovery: aws.Bool(true)})
	return err
}

// keyObject keeps a key in an object.
type keyObject struct {
	api *s3.Client
	p   *keyed
}

func (o keyObject) ours(ctx context.Context, owner string) (bool, error) {
	out, err := o.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.p.BucketName, Key: &o.p.Key})
	if none := (*s3types.NotFound)(nil); errors.As(err, &none) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if out.Metadata[ownerMark] != owner {
		return false, errForeign
	}
	return true, nil
}

// maxKey bounds what is read of an object.
const maxKey = 16 << 10

func (o keyObject) read(ctx context.Context, owner string) ([]byte, error) {
	ours, err := o.ours(ctx, owner)
	if err != nil || !ours {
		return nil, err
	}
	out, err := o.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.p.BucketName, Key: &o.p.Key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close() //nolint:errcheck // only read from
	return io.ReadAll(io.LimitReader(out.Body, maxKey))
}

func (o keyObject) object(owner string, key []byte) *s3.PutObjectInput {
	in := &s3.PutObjectInput{
		Bucket: &o.p.BucketName, Key: &o.p.Key, Body: bytes.NewReader(key), Metadata: map[string]string{ownerMark: owner},
		ServerSideEncryption: s3types.ServerSideEncryptionAwsKms,
	}
	if o.p.KmsKeyID != "" {
		in.SSEKMSKeyId = &o.p.KmsKeyID
	}
	return in
}

func (o keyObject) write(ctx context.Context, owner string, key []byte) error {
	in := o.object(owner, key)
	in.IfNoneMatch = aws.String("*")
	_, err := o.api.PutObject(ctx, in)
	return err
}

func (o keyObject) encrypt(ctx context.Context, owner string, key []byte) error {
	_, err := o.api.PutObject(ctx, o.object(owner, key))
	return err
}

func (o keyObject) remove(ctx context.Context, owner string) error {
	ours, err := o.ours(ctx, owner)
	if err != nil || !ours {
		return err
	}
	return pipeline.DeleteObject(ctx, o.api, o.p.BucketName, o.p.Key)
}
