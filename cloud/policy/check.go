package policy

import (
	"fmt"
	"strings"
)

// Kind is what a document is attached to; it decides which elements it must
// and must not have.
type Kind int

// The kinds of policies.
const (
	Inline  Kind = iota // of a user, group or role: no principals
	Managed             // the same, of the present version
	Trust               // of a role: no resources, actions of STS only
)

// Violation is what keeps a document from being a policy, in AWS's words.
type Violation string

func (v Violation) Error() string { return string(v) }

const (
	syntax       Violation = "Syntax errors in policy."
	oldVersion   Violation = "Policy document must be version 2012-10-17 or greater."
	sameSID      Violation = "Statement IDs (SID) in a single policy must be unique."
	noActions    Violation = "Policy statement must contain actions."
	noResources  Violation = "Policy statement must contain resources."
	noPrincipals Violation = "Missing required field Principal"
	noVendor     Violation = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	onlySTS      Violation = "AssumeRole policy may only specify STS AssumeRole actions."
)

// Check reads a document and tells what keeps it from being a policy of that
// kind, as a Violation; nil when nothing does.
func Check(document string, kind Kind) error {
	doc, err := Parse(document)
	if err != nil {
		return syntax
	}
	switch {
	case doc.Version != "" && doc.Version != "2008-10-17" && doc.Version != "2012-10-17":
		return syntax
	case kind == Managed && doc.Version != "2012-10-17":
		return oldVersion
	}
	seen := map[string]bool{}
	for _, s := range doc.Statements {
		if s.SID != "" && seen[s.SID] {
			return sameSID
		}
		seen[s.SID] = true
		if err := s.check(kind); err != nil {
			return err
		}
	}
	return nil
}

func (s Statement) check(kind Kind) error {
	actions := append(append([]string(nil), s.Actions...), s.NotActions...)
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return syntax
	case len(actions) == 0:
		return noActions
	}
	for _, action := range actions {
		vendor, _, ok := strings.Cut(action, ":")
		switch {
		case action == "*" && kind != Trust:
		case !ok || vendor == "":
			return noVendor
		case kind == Trust && !strings.EqualFold(vendor, "sts"):
			return onlySTS
		}
	}
	if kind == Trust {
		return s.checkTrust()
	}
	return s.checkIdentity()
}

func (s Statement) checkTrust() error {
	switch {
	case s.Resources != nil || s.NotResources != nil:
		return Violation("Has prohibited field Resource")
	case s.Principals == nil && s.NotPrincipals == nil:
		return noPrincipals
	case s.Principals == nil:
		return nil
	}
	for _, name := range s.Principals.ByType["Service"] {
		if !strings.Contains(name, ".") {
			return Violation(fmt.Sprintf("Invalid principal in policy: %q:%q", "SERVICE", name))
		}
	}
	for _, name := range s.Principals.ByType["AWS"] {
		if name != "*" && !isAccount(name) && !strings.HasPrefix(name, "arn:") && !isUniqueID(name) {
			return Violation(fmt.Sprintf("Invalid principal in policy: %q:%q", "AWS", name))
		}
	}
	return nil
}

func (s Statement) checkIdentity() error {
	if s.Principals != nil || s.NotPrincipals != nil {
		return Violation("Policy document should not specify a principal.")
	}
	resources := append(append([]string(nil), s.Resources...), s.NotResources...)
	if len(resources) == 0 {
		return noResources
	}
	for _, resource := range resources {
		if resource != "*" && (!strings.HasPrefix(resource, "arn:") || strings.Count(resource, ":") < 5) && !strings.HasPrefix(resource, "*") {
			return Violation(fmt.Sprintf(`Resource %s must be in ARN format or "*".`, resource))
		}
	}
	return nil
}

func isAccount(name string) bool {
	return len(name) == 12 && strings.Trim(name, "0123456789") == ""
}

// isUniqueID tells a role's or user's id, which AWS puts in the place of a
// principal that was deleted.
func isUniqueID(name string) bool {
	return len(name) >= 16 && (strings.HasPrefix(name, "AROA") || strings.HasPrefix(name, "AIDA"))
}
