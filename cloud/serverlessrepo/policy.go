package serverlessrepo

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"ouro/cloud/store"
	"ouro/regex"
)

// statement is one statement of an application's policy.
type statement struct {
	ID            string
	Principals    []string // accounts, or *
	Organizations []string `json:",omitempty"`
	Actions       []string
}

// grants are the operations that the actions of a policy allow besides the one
// that they are called after; Deploy allows all of them.
// https://docs.aws.amazon.com/serverlessrepo/latest/devguide/security_iam_resource-based-policy-examples.html
var grants = map[string][]string{
	"GetApplication":                {"GetApplication"},
	"CreateCloudFormationChangeSet": {"CreateCloudFormationChangeSet"},
	"CreateCloudFormationTemplate":  {"CreateCloudFormationTemplate", "GetCloudFormationTemplate"},
	"ListApplicationVersions":       {"ListApplicationVersions"},
	"ListApplicationDependencies":   {"ListApplicationDependencies"},
	"SearchApplications":            nil,
	"Deploy": {"GetApplication", "CreateCloudFormationChangeSet", "CreateCloudFormationTemplate", "GetCloudFormationTemplate",
		"ListApplicationVersions", "ListApplicationDependencies"},
	"UnshareApplication": nil,
}

// allows tells whether another account may do an operation.
func (a application) allows(account, operation string) bool {
	return slices.ContainsFunc(a.Statements, func(s statement) bool {
		// Who must be of an organization is so of none.
		if len(s.Organizations) > 0 || !slices.Contains(s.Principals, "*") && !slices.Contains(s.Principals, account) {
			return false
		}
		return slices.ContainsFunc(s.Actions, func(action string) bool { return slices.Contains(grants[action], operation) })
	})
}

var (
	accountPattern      = regex.New(`^(\d{12}|\*)$`)
	organizationPattern = regex.New(`^o-[a-z0-9]{10,32}$`)
)

// PutApplicationPolicy replaces an application's policy.
func (s *Service) PutApplicationPolicy(ctx context.Context, in *sar.PutApplicationPolicyInput) (*sar.PutApplicationPolicyOutput, error) {
	app, scope, err := s.own(ctx, in.ApplicationId, "PutApplicationPolicy")
	if err != nil {
		return nil, err
	}
	statements, err := s.statements(in.Statements)
	if err != nil {
		return nil, err
	}
	app, err = s.applications.Update(ctx, scope, app.Name, func(a *application) error { a.Statements = statements; return nil })
	if err != nil {
		return nil, fmt.Errorf("writing the policy of application %q: %w", app.Name, err)
	}
	return &sar.PutApplicationPolicyOutput{Statements: app.policy()}, nil
}

func (s *Service) statements(given []types.ApplicationPolicyStatement) ([]statement, error) {
	var out []statement
	for _, g := range given {
		if len(g.Principals) == 0 || len(g.Actions) == 0 {
			return nil, invalid("A policy statement needs principals and actions")
		}
		for _, p := range g.Principals {
			if !accountPattern().MatchString(p) {
				return nil, invalid("The principal %q is neither an account nor *", p)
			}
		}
		for _, action := range g.Actions {
			if _, ok := grants[action]; !ok {
				return nil, invalid("The action %q cannot be granted", action)
			}
		}
		for _, o := range g.PrincipalOrgIDs {
			if !organizationPattern().MatchString(o) {
				return nil, invalid("%q is not the id of an organization", o)
			}
		}
		id := aws.ToString(g.StatementId)
		if id == "" {
			id = s.host.NewID()
		}
		if slices.ContainsFunc(out, func(o statement) bool { return o.ID == id }) {
			return nil, invalid("There are two policy statements with the id %q", id)
		}
		out = append(out, statement{ID: id, Principals: g.Principals, Organizations: g.PrincipalOrgIDs, Actions: g.Actions})
	}
	return out, nil
}

func (a application) policy() []types.ApplicationPolicyStatement {
	out := []types.ApplicationPolicyStatement{}
	for _, s := range a.Statements {
		out = append(out, types.ApplicationPolicyStatement{StatementId: aws.String(s.ID), Principals: s.Principals, PrincipalOrgIDs: s.Organizations, Actions: s.Actions})
	}
	return out
}

// GetApplicationPolicy gives an application's policy.
func (s *Service) GetApplicationPolicy(ctx context.Context, in *sar.GetApplicationPolicyInput) (*sar.GetApplicationPolicyOutput, error) {
	app, _, err := s.own(ctx, in.ApplicationId, "GetApplicationPolicy")
	if err != nil {
		return nil, err
	}
	return &sar.GetApplicationPolicyOutput{Statements: app.policy()}, nil
}

// UnshareApplication takes an application from an organization. On AWS that
// is for the organization's management account; here, where there is none, it
// is for the application's own.
func (s *Service) UnshareApplication(ctx context.Context, in *sar.UnshareApplicationInput) (*sar.UnshareApplicationOutput, error) {
	app, scope, err := s.own(ctx, in.ApplicationId, "UnshareApplication")
	if err != nil {
		return nil, err
	}
	organization := aws.ToString(in.OrganizationId)
	_, err = s.applications.Update(ctx, scope, app.Name, func(a *application) error {
		before := len(a.Statements)
		a.Statements = slices.DeleteFunc(a.Statements, func(s statement) bool { return slices.Contains(s.Organizations, organization) })
		if len(a.Statements) == before {
			return missing("Application with id %s is not shared with organization %s", a.ID, organization)
		}
		return nil
	})
	return &sar.UnshareApplicationOutput{}, err
}

// page cuts at most limit entries out of all, after the one whose id token is,
// and gives the token of the next page, if there is one.
func page[T any](all []store.Entry[T], token *string, limit *int32) ([]store.Entry[T], *string, error) {
	if n := aws.ToInt32(limit); limit != nil && (n < 1 || n > maxPage) {
		return nil, nil, invalid("maxItems must be from 1 to %d", maxPage)
	}
	if aws.ToString(token) != "" {
		at := slices.IndexFunc(all, func(e store.Entry[T]) bool { return e.ID == *token })
		if at < 0 {
			return nil, nil, invalid("The nextToken %q is not valid", *token)
		}
		all = all[at+1:]
	}
	size := maxPage
	if limit != nil {
		size = int(*limit)
	}
	if len(all) <= size {
		return all, nil, nil
	}
	return all[:size], aws.String(all[size-1].ID), nil
}

// maxPage is how many items a page has at most.
const maxPage = 100
