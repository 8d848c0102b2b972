package door

import (
	"context"
	"strings"

	"ouro/cloud/store"
)

// Caller is who makes a request, and where.
type Caller struct {
	Account   string // 12 digits
	Region    string
	ARN       string // arn:aws:iam::000000000000:root, arn:aws:sts::…:assumed-role/ROLE/SESSION, …
	UserID    string // as sts:GetCallerIdentity tells it
	AccessKey string // the access key id that signed the request
	Service   string // the AWS service that calls for itself, such as codepipeline.amazonaws.com; empty for all others
}

// Scope is where the caller's records of a regional service live.
func (c Caller) Scope() store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

// GlobalScope is where the caller's records of a global service, such as IAM, live.
func (c Caller) GlobalScope() store.Scope { return store.Scope{Account: c.Account} }

// Partition is the partition of the caller's region: aws, aws-cn or aws-us-gov.
func (c Caller) Partition() string {
	switch {
	case strings.HasPrefix(c.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(c.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// ResourceARN names a resource of a regional service in the caller's account:
// ResourceARN("codebuild", "project/site") is
// arn:aws:codebuild:REGION:ACCOUNT:project/site.
func (c Caller) ResourceARN(service, resource string) string {
	return "arn:" + c.Partition() + ":" + service + ":" + c.Region + ":" + c.Account + ":" + resource
}

type callerKey struct{}

// WithCaller returns a context in which an operation runs for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller that the operation runs for. The door sets it
// before it calls a service; without one it is the zero Caller.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
