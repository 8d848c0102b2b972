// Package serverlessrepo is the AWS Serverless Application Repository: templates
// that are published under a name and a semantic version, and installed by
// AWS::Serverless::Application, or by a change set that the service makes.
//
// An application is known in all regions, by its ARN. What another account may
// do with it is said by its policy. Two things are not as on AWS: the files that
// a template refers to in S3 stay where they are, where AWS copies them; and
// there are no organizations, so that nobody has an application through one.
package serverlessrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Service is the Serverless Application Repository.
type Service struct {
	host         door.Host
	applications store.Table[application] // by name
	versions     store.Table[version]     // by name/version
	templates    store.Table[issued]      // by name/id

	mu   sync.Mutex
	made map[string]bool // buckets
}

// New makes the service.
func New(h door.Host) *Service {
	return &Service{
		host:         h,
		applications: store.NewTable[application](h.Store(), "serverlessrepo", "application"),
		versions:     store.NewTable[version](h.Store(), "serverlessrepo", "version"),
		templates:    store.NewTable[issued](h.Store(), "serverlessrepo", "template"),
		made:         map[string]bool{},
	}
}

// The errors, by the names of AWS's model, which has their statuses.

func invalid(format string, args ...any) error { return problem("BadRequestException", format, args) }
func missing(format string, args ...any) error { return problem("NotFoundException", format, args) }
func exists(format string, args ...any) error  { return problem("ConflictException", format, args) }
func forbidden(format string, args ...any) error {
	return problem("ForbiddenException", format, args)
}

func problem(code, format string, args []any) error {
	return &wire.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// find is the application with this ARN, if the caller may do the operation on
// it, and where it is kept.
func (s *Service) find(ctx context.Context, id *string, operation string) (application, store.Scope, error) {
	a, err := arn.Parse(aws.ToString(id))
	name, ok := strings.CutPrefix(a.Resource, "applications/")
	if err != nil || a.Service != "serverlessrepo" || !ok || name == "" {
		return application{}, store.Scope{}, invalid("The application id %q is not the ARN of an application", aws.ToString(id))
	}
	scope := store.Scope{Account: a.AccountID, Region: a.Region}
	app, err := s.applications.Get(ctx, scope, name)
	caller := door.CallerFrom(ctx)
	mine := caller.Account == a.AccountID
	switch {
	case errors.Is(err, store.ErrNotFound) && mine:
		return app, scope, missing("Application with id %s does not exist", aws.ToString(id))
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return app, scope, fmt.Errorf("reading application %q: %w", name, err)
	case !mine && (err != nil || !app.allows(caller.Account, operation)):
		return app, scope, forbidden("User: %s is not authorized to perform: serverlessrepo:%s on resource: %s", caller.ARN, operation, aws.ToString(id))
	}
	return app, scope, nil
}

// own is find for what only the application's own account may do.
func (s *Service) own(ctx context.Context, id *string, operation string) (application, store.Scope, error) {
	app, scope, err := s.find(ctx, id, operation)
	if caller := door.CallerFrom(ctx); err == nil && scope.Account != caller.Account {
		err = forbidden("User: %s is not authorized to perform: serverlessrepo:%s on resource: %s", caller.ARN, operation, app.ID)
	}
	return app, scope, err
}

func clock(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

// optional is nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
