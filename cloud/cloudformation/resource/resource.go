// Package resource holds what CloudFormation knows of resource types: how a
// resource of a type is made, changed and ended, what Ref and Fn::GetAtt of it
// answer, what it is called when the template does not say, and which changed
// properties mean that a new one has to take its place.
//
// The types that run call the service that they belong to through SDK clients,
// with the permissions of the stack. Every other type is recorded: it gets an
// identifier and attributes of the right shape, and nothing happens behind
// them (see recorded.go).
package resource

import (
	"context"
	"errors"
	"time"

	"ouro/regex"
	"ouro/spec"
)

// Request is one resource to make, change or end.
type Request struct {
	Clients   *Clients
	Account   string
	Region    string
	Partition string
	StackID   string
	StackName string
	LogicalID string
	Type      string

	Name string // the name, given or generated; fixed before the first Create. Empty for types without
	// Physical is the id of the resource that Update and Delete are about.
	// Create sets it as soon as the resource exists, so that a failure on the
	// way to its end leaves something to delete.
	Physical   string
	Properties map[string]any    // evaluated: string, bool, json.Number, []any, map[string]any
	Former     map[string]any    // the properties in force; Update only
	Attributes map[string]any    // what Create or Update returned last
	Tags       map[string]string // the stack's tags and the aws:cloudformation: ones
	FormerTags map[string]string // the stack's tags as they were; Update only
	Token      string            // names this step of this operation, for calls that take a client token
	Mail       *Mailbox          // where processes outside leave answers

	// Cancelled is closed when the operation will not use the result any more.
	// Handlers that wait for long then return ErrCancelled.
	Cancelled <-chan struct{}
	// Retry is set when the step was begun by a process that died: what is
	// there already under Name was made by it and is to be adopted.
	Retry bool
	// Since is when the operation began that the step belongs to.
	Since time.Time
	// Rollback is set when an update is being taken back.
	Rollback bool
	// Started tells that the resource exists under this id although it is not
	// ready. Handlers that wait for long call it; for others the end is news enough.
	Started func(ctx context.Context, physical string) error
}

// ARN names a resource of the stack's account and region.
func (r *Request) ARN(service, name string) string {
	return "arn:" + r.Partition + ":" + service + ":" + r.Region + ":" + r.Account + ":" + name
}

// GlobalARN names a resource of a service without regions, such as IAM.
func (r *Request) GlobalARN(service, name string) string {
	return "arn:" + r.Partition + ":" + service + "::" + r.Account + ":" + name
}

// Text is a property as a string; empty if it is absent or not a scalar.
func (r *Request) Text(property string) string { return text(r.Properties[property]) }

// ErrCancelled is what a handler returns that stopped waiting.
var ErrCancelled = errors.New("cancelled")

// Result is what a made or changed resource is known by.
type Result struct {
	Physical   string         // Ref's answer and the physical id
	Attributes map[string]any // Fn::GetAtt's answers
	Hidden     bool           // the attributes are not to be shown
}

// Kind is what CloudFormation knows of one resource type.
type Kind struct {
	Type         string
	NameProperty string   // the property that names the resource
	Shared       bool     // several resources may bear the name, as versions of a layer do: it does not stand against a replacement
	Naming       *Naming  // how it is called without that property; nil for types that name themselves
	Replace      []string // top-level properties that cannot change on a resource that exists
	Capability   bool     // an IAM type: templates with it need CAPABILITY_IAM, or _NAMED_IAM with a name
	Untagged     bool     // the service has no tags for it
	Recorded     bool
	spec         *spec.Type // of recorded types
	// Moves is set where an update may end with another physical id. Then the
	// former one is deleted as one that was replaced, and taking an update back
	// is an update of what it ended with.
	Moves bool

	Create func(ctx context.Context, r *Request) (Result, error)
	Update func(ctx context.Context, r *Request) (Result, error)
	Delete func(ctx context.Context, r *Request) error

	// Read asks how the resource is now, for drift detection; see Actual. It is
	// nil for types that do not take part.
	Read func(ctx context.Context, r *Request) ([]any, error)

	// Commit and Revert are for resources that keep their former state until
	// the operation that changed them is decided: nested stacks. Without them
	// a commit needs nothing, and a revert is an Update to the former properties.
	Commit func(ctx context.Context, r *Request) error
	Revert func(ctx context.Context, r *Request) (Result, error)
	// Stale tells whether a resource has to be updated although its properties
	// are the same.
	Stale func(ctx context.Context, r *Request) (bool, error)
	// Missing is the sentence for an attribute that the resource does not have,
	// where it is not CloudFormation's common one.
	Missing func(r *Request, attribute string) error
}

// Replaces tells whether a change of the property means a new resource.
func (k *Kind) Replaces(property string) bool {
	for _, p := range k.Replace {
		if p == property {
			return true
		}
	}
	return false
}

// Table finds kinds by the name of the type.
type Table map[string]*Kind

// NewTable holds the types that run.
func NewTable() Table {
	t := Table{}
	t.Add(bucketKinds()...)
	t.Add(iamKinds()...)
	t.Add(codeKinds()...)
	t.Add(reportGroupKind(), sourceCredentialKind())
	t.Add(pipelineHookKinds()...)
	t.Add(deployKinds()...)
	t.Add(snsKinds()...)
	t.Add(alarmKinds()...)
	t.Add(ecrKinds()...)
	t.Add(httpAPIKinds()...)
	t.Add(restAPIKinds()...)
	t.Add(lambdaKinds()...)
	t.Add(parameterKind(), secretKind(), keyKind(), aliasKind(), logGroupKind(), busKind(), ruleKind(), waitHandleKind(), waitConditionKind(), customKind())
	for _, some := range []map[string]reader{readers, functionReaders(), httpReaders(), restReaders()} {
		for name, read := range some {
			t[name].Read = read
		}
	}
	return t
}

// Add puts kinds into the table, over those of the same type.
func (t Table) Add(kinds ...*Kind) {
	for _, k := range kinds {
		t[k.Type] = k
	}
}

// customName is what a template may call a custom resource.
var customName = regex.New(`^Custom::[A-Za-z0-9_@-]{1,60}$`)

// Refused are types that AWS has and that cannot be kept as a mere record,
// because something outside the stack has to happen for them, with the reason.
func Refused() map[string]string {
	return map[string]string{
		"AWS::CloudFormation::ModuleDefaultVersion": "modules are not supported",
		"AWS::CloudFormation::ModuleVersion":        "modules are not supported",
	}
}

// Find returns the kind of a type: one that runs, or a recorded one. The error
// is CloudFormation's sentence for a type that nobody registered.
func (t Table) Find(name string) (*Kind, error) {
	if k, ok := t[name]; ok {
		return k, nil
	}
	if customName().MatchString(name) {
		return t[customType].named(name), nil
	}
	if why, ok := Refused()[name]; ok {
		return nil, Sayf("Resource type %s: %s", name, why)
	}
	if k := recordedKind(name); k != nil {
		return k, nil
	}
	return nil, Sayf("Template format error: Unrecognized resource types: [%s]", name)
}
