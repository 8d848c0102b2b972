package codebuild

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"ouro/cloud/door"
)

// role is the service role of a build's project.
type role struct {
	config      aws.Config
	credentials aws.Credentials
	s3          func() *s3.Client
}

// assume gives the build its role. In a build that another service has started
// for itself it is one that trusts that service: the commands of a pipeline run
// as the pipeline's role.
func (r *run) assume(ctx context.Context) (*role, error) {
	arn := aws.ToString(r.rec.Build.ServiceRole)
	session := "AWSCodeBuild-" + r.uuid()
	out := &role{config: r.s.host.Assume(r.rec.Caller, arn, session)}
	if r.rec.Service != "" {
		by := door.Caller{Account: r.rec.Caller.Account, Region: r.rec.Caller.Region, Service: r.rec.Service}
		out.config = r.s.host.Through(r.s.host.As(by), by.Region, arn, session)
	}
	var err error
	if out.credentials, err = out.config.Credentials.Retrieve(ctx); err != nil {
		var api smithy.APIError
		if errors.As(err, &api) {
			return nil, failf("ACCESS_DENIED", "CodeBuild is not authorized to perform: sts:AssumeRole on %s: %s: %s", arn, api.ErrorCode(), api.ErrorMessage())
		}
		return nil, err
	}
	out.s3 = sync.OnceValue(func() *s3.Client { return s3.NewFromConfig(out.config) })
	return out, nil
}

// provision makes what a build runs in: credentials, folder, log.
func (r *run) provision(ctx context.Context) error {
	together, joint := errgroup.WithContext(ctx)
	together.Go(func() (err error) {
		if r.work, err = r.s.newWorkspace(r.uuid()); err == nil {
			_, err = r.work.group(r.marker())
		}
		return err
	})
	var stream *logStream
	together.Go(func() (err error) {
		if r.role, err = r.assume(joint); err != nil {
			return err
		}
		stream, err = r.openStream(joint)
		return err
	})
	err := together.Wait()
	if err == nil {
		err = r.startLog(stream)
	}
	if err != nil && stream != nil && r.log == nil {
		_ = stream.close() // nothing was sent
	}
	if err == nil && r.s.options.Containers != "" {
		err = r.startContainer(ctx)
	}
	return err
}

// marker is in the environment of all processes of the build, for finding
// them.
func (r *run) marker() string { return "CODEBUILD_BUILD_ARN=" + *r.rec.Build.Arn }

// openStream makes the build's stream in CloudWatch Logs, nil if the project
// wants none.
func (r *run) openStream(ctx context.Context) (*logStream, error) {
	logs := r.rec.Build.Logs
	if logs.GroupName == nil {
		return nil, nil
	}
	stream, err := openStream(ctx, cloudwatchlogs.NewFromConfig(r.role.config), *logs.GroupName, *logs.StreamName)
	if err != nil {
		return nil, failf("ACCESS_DENIED", "Service role %s does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build %s. Error message: %v",
			aws.ToString(r.rec.Build.ServiceRole), *r.rec.Build.Arn, err)
	}
	return stream, nil
}

// startLog begins the log, which goes to the stream, to a file that becomes
// an object in S3, to both, or nowhere.
func (r *run) startLog(stream *logStream) (err error) {
	var file *os.File
	if r.rec.Build.Logs.S3LogsArn != nil {
		if file, err = os.Create(filepath.Join(r.work.state, "log")); err != nil {
			return fmt.Errorf("making the log of a build: %w", err)
		}
	}
	sink := func(line string, at time.Time) {
		if stream != nil {
			stream.put(line, at)
		}
		if file != nil {
			_, _ = io.WriteString(file, line) // a full disk shows when it is read again
		}
	}
	finish := func() {
		if stream != nil {
			if err := stream.close(); err != nil {
				r.s.host.Log().Warn("sending the log of a build", "build", *r.rec.Build.Id, "error", err)
			}
		}
		if file != nil {
			if err := r.uploadLog(file); err != nil {
				r.s.host.Log().Warn("uploading the log of a build", "build", *r.rec.Build.Id, "error", err)
			}
		}
	}
	log, err := startLog(r.s.host.Now, sink, finish)
	if err != nil {
		return err
	}
	var own []string
	for _, v := range []string{r.role.credentials.SecretAccessKey, r.role.credentials.SessionToken} {
		if len(v) >= 16 { // shorter ones are no secrets but words
			own = append(own, v)
		}
	}
	log.hide(own)
	r.log = log
	return nil
}

// uploadLog compresses the log and puts it where the project wants it in S3.
func (r *run) uploadLog(file *os.File) error {
	defer file.Close()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	packed, err := os.Create(file.Name() + ".gz")
	if err != nil {
		return err
	}
	defer packed.Close()
	zip := gzip.NewWriter(packed)
	if _, err := io.Copy(zip, file); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	if _, err := packed.Seek(0, io.SeekStart); err != nil {
		return err
	}
	bucket, key := bucketAndKey(*r.rec.Build.Logs.S3LogsArn)
	ctx := door.WithCaller(context.Background(), r.rec.Caller)
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: packed, ContentType: aws.String("text/plain"), ContentEncoding: aws.String("gzip")}
	if c := r.rec.Build.Logs.S3Logs; c != nil {
		in.ACL = ownerAccess[c.BucketOwnerAccess]
		if kms := kmsKey(r.rec.Caller, r.rec.Build.EncryptionKey); kms != nil && !aws.ToBool(c.EncryptionDisabled) {
			in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, kms
		}
	}
	_, err = r.role.s3().PutObject(ctx, in)
	return err
}

// bucketAndKey takes an S3 location apart: bucket/key, or its ARN.
func bucketAndKey(location string) (bucket, key string) {
	if isARN(location) {
		location = location[strings.Index(location, ":::")+3:]
	}
	bucket, key, _ = strings.Cut(strings.TrimPrefix(location, "/"), "/")
	return bucket, key
}

func isARN(text string) bool { return strings.HasPrefix(text, "arn:") && strings.Contains(text, ":::") }

// kmsKey is the key for S3 objects that is asked for, nil for S3's own.
func kmsKey(caller door.Caller, asked *string) *string {
	if key := aws.ToString(asked); key == "" || key == defaultKey(caller) || strings.HasSuffix(key, "alias/aws/s3") {
		return nil
	}
	return asked
}
