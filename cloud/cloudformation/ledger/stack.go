package ledger

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/door"
)

// Stack is a stack, living or deleted.
type Stack struct {
	ID     string // its ARN
	Name   string
	UUID   string // the last part of the ARN
	Status types.StackStatus
	Reason string
	Revision
	Outputs         []Output  `json:",omitempty"`
	Imports         []string  `json:",omitempty"` // exports that it uses
	Parent          string    `json:",omitempty"` // id of the stack that it is nested in
	Root            string    `json:",omitempty"`
	Created         time.Time `json:",omitzero"`
	Updated         time.Time `json:",omitzero"`
	Deleted         time.Time `json:",omitzero"`
	Policy          string    `json:",omitempty"`
	Protected       bool      `json:",omitempty"` // termination protection
	DisableRollback bool      `json:",omitempty"`
	TimeoutMinutes  int32     `json:",omitempty"`
	ChangeSet       string    `json:",omitempty"` // id of the change set that was executed last
	Token           string    `json:",omitempty"` // ClientRequestToken of the last operation
	Action          string    `json:",omitempty"` // the API operation that began it
	DoNothing       bool      `json:",omitempty"` // created with OnFailure DO_NOTHING
	LastOperation   string    `json:",omitempty"` // its id

	Drift        types.StackDriftStatus `json:",omitempty"` // as the last detection found it
	DriftChecked time.Time              `json:",omitzero"`
}

// Key is the name of the record.
func (s *Stack) Key() string { return s.Name + "/" + s.UUID }

// Revision is everything that a stack is made from.
type Revision struct {
	Template         string                       // hash, see Ledger.Template
	Processed        string                       `json:",omitempty"` // hash of what its transforms made of it
	Description      string                       `json:",omitempty"`
	Parameters       []Parameter                  `json:",omitempty"`
	Tags             []Tag                        `json:",omitempty"`
	Capabilities     []types.Capability           `json:",omitempty"`
	RoleARN          string                       `json:",omitempty"`
	NotificationARNs []string                     `json:",omitempty"`
	Rollback         *types.RollbackConfiguration `json:",omitempty"`
}

// Parameter is a parameter's value as given or by default. Of a NoEcho
// parameter only Sealed is kept.
type Parameter struct {
	Key      string
	Value    string `json:",omitempty"`
	NoEcho   bool   `json:",omitempty"`
	Sealed   string `json:",omitempty"`
	Resolved string `json:",omitempty"` // what an SSM parameter's name stands for
}

// Tag is a tag of the stack.
type Tag struct{ Key, Value string }

// Output is an output's value.
type Output struct {
	Key, Value  string
	Description string `json:",omitempty"`
	Export      string `json:",omitempty"`
}

// Kind is what an operation does.
type Kind string

// The kinds of operations.
const (
	Create Kind = "create"
	Update Kind = "update"
	Delete Kind = "delete"
	Adopt  Kind = "import" // of resources that exist, into a new stack or one that is there
)

// Phase is how far an operation is. It is stored before its first step.
type Phase string

// The phases, in the order in which an operation passes through them.
const (
	Forward         Phase = "forward"          // making and changing resources
	Held            Phase = "held"             // a nested stack waits for what becomes of its parent
	Cleanup         Phase = "cleanup"          // deleting what was replaced or removed
	Rollback        Phase = "rollback"         // back to what was
	RollbackCleanup Phase = "rollback-cleanup" // deleting what was made in vain
	Deleting        Phase = "deleting"
	Stopped         Phase = "stopped" // UPDATE_ROLLBACK_FAILED: waits for ContinueUpdateRollback
	Failed          Phase = "failed"  // UPDATE_FAILED: RollbackStack may take it back
)

// Rests tells whether nothing happens in the phase; the empty one is the end.
func (p Phase) Rests() bool { return p == "" || p == Held || p == Stopped || p == Failed }

// Operation is something under way on a stack.
type Operation struct {
	ID                   string
	Kind                 Kind
	Phase                Phase
	Stack                string // key
	Caller               door.Caller
	Token                string    `json:",omitempty"` // ClientRequestToken
	Started              time.Time `json:",omitzero"`
	Deadline             time.Time `json:",omitzero"`
	Monitored            time.Time `json:",omitzero"`  // until when its rollback triggers are, once all resources are there
	Before               *Revision `json:",omitempty"` // in force until an update has succeeded
	OnFailure            types.OnFailure
	RetainExceptOnCreate bool              `json:",omitempty"`
	Retain               []string          `json:",omitempty"` // DeleteStack's RetainResources
	Skip                 []string          `json:",omitempty"` // ContinueUpdateRollback's ResourcesToSkip
	Hold                 bool              `json:",omitempty"` // see Held
	Cancel               bool              `json:",omitempty"` // CancelUpdateStack was called
	Refused              string            `json:",omitempty"` // why it fails before its first resource
	Policy               string            `json:",omitempty"` // the stack policy that binds this update
	Imports              map[string]Import `json:",omitempty"` // by logical id: resources that exist already
	Suffixes             map[string]string `json:",omitempty"` // by logical id: of names that a change set promised
	Was                  types.StackStatus // the status before, for an operation that is called off
}

// Import is a resource that an operation takes over instead of making it.
type Import struct {
	Type       string
	Identifier map[string]string // the properties that name it
}

// Physical is the id by which the resource is shown: its identifier's values,
// in the order of their names, as Cloud Control joins them.
func (i Import) Physical() string {
	values := make([]string, 0, len(i.Identifier))
	for _, name := range slices.Sorted(maps.Keys(i.Identifier)) {
		values = append(values, i.Identifier[name])
	}
	return strings.Join(values, "|")
}

// Nested announces a stack that is about to be made or updated by another: by
// its name, so that the stack knows its parent from its first moment on.
type Nested struct {
	Parent, Root string // ids
	Token        string // ClientRequestToken by which the parent's operation calls
}

// ChangeSet is a change set and what it would change.
type ChangeSet struct {
	ID, Name, UUID      string
	Stack               string // key
	Type                types.ChangeSetType
	Status              types.ChangeSetStatus
	Reason              string `json:",omitempty"`
	Execution           types.ExecutionStatus
	Description         string `json:",omitempty"`
	Created             time.Time
	Revision            Revision
	OnFailure           types.OnStackFailure   `json:",omitempty"`
	IncludeNestedStacks bool                   `json:",omitempty"`
	Changes             []types.ResourceChange `json:",omitempty"` // with the values of properties
	Outline             []types.ResourceChange `json:",omitempty"` // without, and with what may change besides
	Token               string                 `json:",omitempty"`
	Parent, Root        string                 `json:",omitempty"` // ids of the change sets that this one is nested in
	NewStack            bool                   `json:",omitempty"` // its stack was made for it, and goes with it
	ImportExisting      bool                   `json:",omitempty"`
	Imports             map[string]Import      `json:",omitempty"`
	Suffixes            map[string]string      `json:",omitempty"` // see Operation.Suffixes
}

// Key is the name of the record in the scope of its stack's UUID.
func (c *ChangeSet) Key(stackUUID string) string { return stackUUID + "/" + c.UUID }
