package door

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/store"
)

// Host is what a service behind the door is given to live on. A service knows
// nothing else: other services are reached through SDK clients made from As
// and Assume, whose calls come in through the door again.
type Host interface {
	// Store is the cloud's state.
	Store() *store.Store
	// Endpoint is the URL at which processes outside the cloud, such as the
	// commands of a build, reach the door; without a trailing slash.
	Endpoint() string
	// Now is the time, in UTC.
	Now() time.Time
	// NewID is a fresh random UUID in lower case.
	NewID() string
	// Log takes what an operator should know. Secrets stay out.
	Log() *slog.Logger
	// Go runs f in the background until it returns. Closing the cloud cancels
	// f's context and waits for it. name tells what f does.
	Go(name string, f func(ctx context.Context))
	// As gives a configuration for SDK clients that call as c: on behalf of
	// the client whose request is being served (AWS's forward access
	// sessions), or, with Service set, as a service for itself.
	As(c Caller) aws.Config
	// Assume gives a configuration for SDK clients that call as the role,
	// with credentials that sts:AssumeRole gave to the service; they are
	// renewed by themselves. The role belongs to c's account unless its ARN
	// says otherwise; calls go to c's region.
	Assume(c Caller, roleARN, sessionName string) aws.Config
	// Through is Assume for a role that trusts another role: by's caller
	// assumes it, and calls in the region.
	Through(by aws.Config, region, roleARN, sessionName string) aws.Config
}
