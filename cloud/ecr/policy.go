package ecr

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"ouro/cloud/door"
	"ouro/cloud/policy"
	"ouro/cloud/store"
)

const maxPolicy = 10240 // characters

// checkPolicy tells what keeps a document from being the policy of a
// repository or of a registry.
func checkPolicy(text *string) (string, error) {
	t := aws.ToString(text)
	if t == "" || len(t) > maxPolicy {
		return "", badParameter("PolicyText", "a policy has 1 to %d characters", maxPolicy)
	}
	doc, err := policy.Parse(t)
	if err != nil {
		return "", badParameter("PolicyText", "Invalid repository policy provided: %s", err)
	}
	for _, st := range doc.Statements {
		switch {
		case st.Effect != "Allow" && st.Effect != "Deny":
			return "", badParameter("PolicyText", "Invalid repository policy provided: the effect of a statement is Allow or Deny")
		case st.Principals == nil && st.NotPrincipals == nil:
			return "", badParameter("PolicyText", "Invalid repository policy provided: a statement names principals")
		case len(st.Actions)+len(st.NotActions) == 0:
			return "", badParameter("PolicyText", "Invalid repository policy provided: a statement names actions")
		}
	}
	return t, nil
}

// permit tells whether the caller may do the action to a repository. Its own
// account may what no statement denies, others need one that allows.
// Conditions that cannot be judged here count for the caller.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
func (s *Service) permit(ctx context.Context, scope store.Scope, r repository, action string) error {
	c := door.CallerFrom(ctx)
	allowed := c.Account == scope.Account
	if r.Policy != "" {
		doc, err := policy.Parse(r.Policy)
		if err != nil {
			return err
		}
		for _, st := range doc.Statements {
			if !concerns(st, c, "ecr:"+action) {
				continue
			}
			if st.Effect == "Deny" {
				return refuse("AccessDenied", "User: %s is not authorized to perform: ecr:%s on resource: %s with an explicit deny in a resource-based policy", c.ARN, action, arnOf(scope, r.Name))
			}
			allowed = true
		}
	}
	if !allowed {
		return denied(ctx, action, arnOf(scope, r.Name))
	}
	return nil
}

// concerns tells whether a statement is about the caller's action.
func concerns(st policy.Statement, c door.Caller, action string) bool {
	who := policy.Principal{Account: c.Account, ARN: c.ARN, Service: c.Service}
	named := st.Principals != nil && st.Principals.Match(who) || st.NotPrincipals != nil && !st.NotPrincipals.Match(who)
	if !named || !st.AllowsAction(action) {
		return false
	}
	values := func(key string) ([]string, bool) {
		switch key {
		case "aws:principalarn":
			return []string{c.ARN}, true
		case "aws:principalaccount", "aws:sourceaccount":
			return []string{c.Account}, true
		}
		return nil, false
	}
	return !slices.ContainsFunc(st.Conditions, func(cond policy.Condition) bool {
		holds, known := cond.Holds(values)
		return known && !holds || !known && st.Effect == "Deny"
	})
}

func denied(ctx context.Context, action, arn string) error {
	return refuse("AccessDenied", "User: %s is not authorized to perform: ecr:%s on resource: %s because no resource-based policy allows the ecr:%s action",
		door.CallerFrom(ctx).ARN, action, arn, action)
}

// SetRepositoryPolicy sets a repository's policy.
func (s *Service) SetRepositoryPolicy(ctx context.Context, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	text, err := checkPolicy(in.PolicyText)
	if err != nil {
		return nil, err
	}
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "SetRepositoryPolicy")
	if err != nil {
		return nil, err
	}
	next := r
	next.Policy = text
	if s.permit(ctx, scope, next, "SetRepositoryPolicy") != nil && !in.Force {
		return nil, badParameter("PolicyText", "the policy would keep you from setting another one; force sets it all the same")
	}
	_, err = s.repositories.Update(ctx, scope, r.Name, func(r *repository) error {
		r.Policy = text
		return nil
	})
	return &ecr.SetRepositoryPolicyOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, PolicyText: &text}, err
}

func noPolicy(scope store.Scope, name string) error {
	return refuse("RepositoryPolicyNotFound", "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", name, scope.Account)
}

// GetRepositoryPolicy gives a repository's policy.
func (s *Service) GetRepositoryPolicy(ctx context.Context, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	scope, r, err := s.find(ctx, in.RegistryId, in.RepositoryName, "GetRepositoryPolicy")
	if err == nil && r.Policy == "" {
		err = noPolicy(scope, r.Name)
	}
	return &ecr.GetRepositoryPolicyOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, PolicyText: &r.Policy}, err
}

// DeleteRepositoryPolicy takes a repository's policy away.
func (s *Service) DeleteRepositoryPolicy(ctx context.Context, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	var was string
	scope, r, err := s.change(ctx, in.RegistryId, in.RepositoryName, "DeleteRepositoryPolicy", func(r *repository) error {
		if r.Policy == "" {
			return noPolicy(store.Scope{Account: door.CallerFrom(ctx).Account}, r.Name)
		}
		was, r.Policy = r.Policy, ""
		return nil
	})
	return &ecr.DeleteRepositoryPolicyOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, PolicyText: &was}, err
}

// PutRegistryPolicy sets the policy of the account's registry. What it allows,
// replication and pull-through caches, the local cloud does not have.
func (s *Service) PutRegistryPolicy(ctx context.Context, in *ecr.PutRegistryPolicyInput) (*ecr.PutRegistryPolicyOutput, error) {
	text, err := checkPolicy(in.PolicyText)
	if err != nil {
		return nil, err
	}
	err = s.set(ctx, func(r *registry) error {
		r.Policy = text
		return nil
	})
	return &ecr.PutRegistryPolicyOutput{RegistryId: aws.String(door.CallerFrom(ctx).Account), PolicyText: &text}, err
}

func noRegistryPolicy(ctx context.Context) error {
	return refuse("RegistryPolicyNotFound", "Registry policy does not exist in the registry with id '%s'", door.CallerFrom(ctx).Account)
}

// GetRegistryPolicy gives the registry's policy.
func (s *Service) GetRegistryPolicy(ctx context.Context, _ *ecr.GetRegistryPolicyInput) (*ecr.GetRegistryPolicyOutput, error) {
	r, err := s.registry(ctx)
	if err == nil && r.Policy == "" {
		err = noRegistryPolicy(ctx)
	}
	return &ecr.GetRegistryPolicyOutput{RegistryId: aws.String(door.CallerFrom(ctx).Account), PolicyText: &r.Policy}, err
}

// DeleteRegistryPolicy takes the registry's policy away.
func (s *Service) DeleteRegistryPolicy(ctx context.Context, _ *ecr.DeleteRegistryPolicyInput) (*ecr.DeleteRegistryPolicyOutput, error) {
	var was string
	err := s.set(ctx, func(r *registry) error {
		if r.Policy == "" {
			return noRegistryPolicy(ctx)
		}
		was, r.Policy = r.Policy, ""
		return nil
	})
	return &ecr.DeleteRegistryPolicyOutput{RegistryId: aws.String(door.CallerFrom(ctx).Account), PolicyText: &was}, err
}
