package ledger

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Resource is a resource of a stack. It is written before every step and after it.
type Resource struct {
	LogicalID string
	Type      string
	Status    types.ResourceStatus
	Reason    string    `json:",omitempty"`
	Time      time.Time // of Status
	Now       Version   // what is there, or what is being made
	// Former is what was there before the operation that touched the resource
	// last; nil when that operation made it. It is gone once that is decided.
	Former *Version `json:",omitempty"`
	// Discard is what a rollback left to be deleted.
	Discard   []Version `json:",omitempty"`
	Operation string    // the operation that touched it last
	Metadata  string    `json:",omitempty"` // JSON
}

// Replaced tells whether the operation under way put another physical resource
// in the place of the former one.
func (r *Resource) Replaced() bool { return r.Former != nil && r.Now.Suffix != r.Former.Suffix }

// Version is one physical resource in one state.
type Version struct {
	Physical string `json:",omitempty"`
	Name     string `json:",omitempty"` // fixed before the resource is made
	// Suffix is the random part of generated names. It is another one for each
	// physical resource, also for those whose names do not show it.
	Suffix         string
	Hash           string   // of the properties as evaluated
	Tags           string   `json:",omitempty"` // hash of the stack's tags
	DeletionPolicy string   `json:",omitempty"`
	ReplacePolicy  string   `json:",omitempty"`
	DependsOn      []string `json:",omitempty"`
	MadeBy         string   // the operation that made the physical resource
	Hidden         bool     `json:",omitempty"` // Attributes are not to be shown
	Imported       string   `json:",omitempty"` // the operation that took it over, which does not delete it

	// Properties and Attributes are kept sealed.
	Properties map[string]any `json:"-"`
	Attributes map[string]any `json:"-"`
	Sealed     string         `json:",omitempty"`
}

// Changed forgets the sealed form after a change of Properties or Attributes.
func (v *Version) Changed() { v.Sealed = "" }

type secrets struct {
	P map[string]any `json:",omitempty"`
	A map[string]any `json:",omitempty"`
}

func (l *Ledger) seal(r *Resource) error {
	for _, v := range r.versions() {
		if v.Sealed != "" {
			continue
		}
		sealed, err := l.sealJSON(secrets{v.Properties, v.Attributes})
		if err != nil {
			return err
		}
		v.Sealed = sealed
	}
	return nil
}

func (l *Ledger) open(r *Resource) error {
	for _, v := range r.versions() {
		var s secrets
		if err := l.openJSON(v.Sealed, &s); err != nil {
			return err
		}
		v.Properties, v.Attributes = s.P, s.A
	}
	return nil
}

func (r *Resource) versions() []*Version {
	vs := make([]*Version, 1, 2+len(r.Discard))
	vs[0] = &r.Now
	if r.Former != nil {
		vs = append(vs, r.Former)
	}
	for i := range r.Discard {
		vs = append(vs, &r.Discard[i])
	}
	return vs
}
