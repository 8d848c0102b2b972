package codedeploy

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/door"
	"ouro/cloud/unzip"
)

// maxUnpacked is how much a revision may unpack to, in bytes.
const maxUnpacked = 16 << 30

// download unpacks the revision into the deployment's folder.
func (a *agent) download(ctx context.Context) error {
	id := a.deployment.id()
	for _, dir := range []string{a.folder(id), a.archive(id), filepath.Join(a.folder(id), "logs"), filepath.Dir(a.instructions(""))} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	l := a.deployment.Info.Revision
	if l.RevisionType == types.RevisionLocationTypeGitHub {
		return a.clone(ctx, *l.GitHubLocation.Repository, *l.GitHubLocation.CommitId)
	}
	at := l.S3Location
	in := &s3.GetObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version}
	if tag := strings.Trim(aws.ToString(at.ETag), `"`); tag != "" {
		in.IfMatch = aws.String(`"` + tag + `"`)
	}
	// The instance gets it by itself, as whom it was registered with.
	as := door.Caller{Account: a.deployment.Caller.Account, Region: a.deployment.Caller.Region, ARN: a.instance.iam()}
	out, err := s3.NewFromConfig(a.service.host.As(as)).GetObject(ctx, in)
	if err != nil {
		return fmt.Errorf("getting the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
	}
	defer out.Body.Close()
	bundle, err := os.Create(filepath.Join(a.folder(id), "bundle."+string(at.BundleType)))
	if err != nil {
		return err
	}
	defer os.Remove(bundle.Name())
	defer bundle.Close()
	size, err := io.Copy(bundle, out.Body)
	if err != nil {
		return fmt.Errorf("getting the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
	}
	if at.BundleType == types.BundleTypeZip {
		_, err = unzip.Into(ctx, bundle, size, a.archive(id), maxUnpacked)
	} else if _, err = bundle.Seek(0, io.SeekStart); err == nil {
		err = untar(ctx, bundle, at.BundleType == types.BundleTypeTarGZip, a.archive(id))
	}
	if err != nil {
		return fmt.Errorf("unpacking the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
	}
	return nil
}
