package s3

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// PutObjectLockConfiguration sets the retention that new objects get.
func (s *Service) PutObjectLockConfiguration(ctx context.Context, in *s3.PutObjectLockConfigurationInput) (*s3.PutObjectLockConfigurationOutput, error) {
	config := in.ObjectLockConfiguration
	if config == nil || config.ObjectLockEnabled != types.ObjectLockEnabledEnabled {
		return nil, malformedXML()
	}
	if config.Rule != nil {
		r := config.Rule.DefaultRetention
		if r == nil || !slices.Contains(r.Mode.Values(), r.Mode) || (r.Days == nil) == (r.Years == nil) || aws.ToInt32(r.Days) < 0 || aws.ToInt32(r.Years) < 0 {
			return nil, malformedXML()
		}
		if r.DefaultEventHold != nil {
			return nil, notImplemented("DefaultEventHold")
		}
	}
	return &s3.PutObjectLockConfigurationOutput{}, s.changeBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ context.Context, b *bucket) error {
		if b.Versioning != types.BucketVersioningStatusEnabled {
			return invalidState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		b.Lock = config
		return nil
	})
}

// GetObjectLockConfiguration gives the retention that new objects get.
func (s *Service) GetObjectLockConfiguration(ctx context.Context, in *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.Lock == nil {
		return nil, problem(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", "BucketName", b.Name)
	}
	return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: b.Lock}, nil
}

func missingLock() error {
	return invalidRequest("Bucket is missing Object Lock Configuration")
}

// lock checks the lock that a request puts on a new object, and adds the
// bucket's default.
func (o *object) lock(b bucket, now time.Time) error {
	if o.ObjectLockMode != "" || o.ObjectLockRetainUntilDate != nil || o.ObjectLockLegalHoldStatus != "" {
		if b.Lock == nil {
			return missingLock()
		}
	}
	if (o.ObjectLockMode == "") != (o.ObjectLockRetainUntilDate == nil) {
		return invalidArgument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", "x-amz-object-lock-mode", string(o.ObjectLockMode))
	}
	if b.Lock == nil || b.Lock.Rule == nil || o.ObjectLockMode != "" {
		return nil
	}
	r := b.Lock.Rule.DefaultRetention
	o.ObjectLockMode = types.ObjectLockMode(r.Mode)
	o.ObjectLockRetainUntilDate = aws.Time(now.AddDate(int(aws.ToInt32(r.Years)), 0, int(aws.ToInt32(r.Days))).Truncate(time.Second))
	return nil
}

// checkUnlocked refuses to delete or loosen a version that is locked.
func (o object) checkUnlocked(now time.Time, bypass bool) error {
	held := o.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn
	if held || o.retained(now, bypass) {
		return problem(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
	}
	return nil
}

func (o object) retained(now time.Time, bypass bool) bool {
	if o.ObjectLockRetainUntilDate == nil || !now.Before(*o.ObjectLockRetainUntilDate) {
		return false
	}
	return o.ObjectLockMode == types.ObjectLockModeCompliance || !bypass
}

// PutObjectRetention sets until when a version is kept. A lock that holds may
// only be made longer.
func (s *Service) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	want := value(in.Retention)
	if (want.Mode == "") != (want.RetainUntilDate == nil) {
		return nil, malformedXML()
	}
	_, err := s.changeVersion(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, func(b bucket, o *object) error {
		if b.Lock == nil {
			return missingLock()
		}
		now := s.now()
		if want.RetainUntilDate != nil && !want.RetainUntilDate.After(now) {
			return invalidArgument("The retain until date must be in the future!", "RetainUntilDate", want.RetainUntilDate.Format(time.RFC3339))
		}
		looser := want.RetainUntilDate == nil || o.ObjectLockRetainUntilDate != nil && want.RetainUntilDate.Before(*o.ObjectLockRetainUntilDate) ||
			o.ObjectLockMode != types.ObjectLockMode(want.Mode)
		if looser && o.retained(now, aws.ToBool(in.BypassGovernanceRetention)) {
			return problem(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
		}
		o.ObjectLockMode, o.ObjectLockRetainUntilDate = types.ObjectLockMode(want.Mode), want.RetainUntilDate
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectRetentionOutput{}, nil
}

// GetObjectRetention tells until when a version is kept.
func (s *Service) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	b, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, "GET")
	switch {
	case err != nil:
		return nil, err
	case b.Lock == nil:
		return nil, missingLock()
	case o.ObjectLockMode == "":
		return nil, problem(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", "Key", *in.Key)
	}
	return &s3.GetObjectRetentionOutput{Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(o.ObjectLockMode), RetainUntilDate: o.ObjectLockRetainUntilDate}}, nil
}

// PutObjectLegalHold puts a legal hold on a version or takes it off.
func (s *Service) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	status := value(in.LegalHold).Status
	if !slices.Contains(status.Values(), status) {
		return nil, malformedXML()
	}
	_, err := s.changeVersion(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, func(b bucket, o *object) error {
		if b.Lock == nil {
			return missingLock()
		}
		o.ObjectLockLegalHoldStatus = status
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectLegalHoldOutput{}, nil
}

// GetObjectLegalHold tells whether a version is on legal hold.
func (s *Service) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	b, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, "GET")
	switch {
	case err != nil:
		return nil, err
	case b.Lock == nil:
		return nil, missingLock()
	case o.ObjectLockLegalHoldStatus == "":
		return nil, problem(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", "Key", *in.Key)
	}
	return &s3.GetObjectLegalHoldOutput{LegalHold: &types.ObjectLockLegalHold{Status: o.ObjectLockLegalHoldStatus}}, nil
}
