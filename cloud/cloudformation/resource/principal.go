package resource

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// principal is a role, user or group seen as what policies hang on.
type principal struct {
	attach, detach func(ctx context.Context, arn *string) error
	put            func(ctx context.Context, name, doc *string) error
	drop           func(ctx context.Context, name *string) error
}

func rolePrincipal(c *iam.Client, role string) principal {
	return principal{
		attach: func(ctx context.Context, arn *string) error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: arn})
			return err
		},
		detach: func(ctx context.Context, arn *string) error {
			_, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: arn})
			return gone(err)
		},
		put: func(ctx context.Context, name, doc *string) error {
			_, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: name, PolicyDocument: doc})
			return err
		},
		drop: func(ctx context.Context, name *string) error {
			_, err := c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: name})
			return gone(err)
		},
	}
}

func userPrincipal(c *iam.Client, user string) principal {
	return principal{
		attach: func(ctx context.Context, arn *string) error {
			_, err := c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: arn})
			return err
		},
		detach: func(ctx context.Context, arn *string) error {
			_, err := c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &user, PolicyArn: arn})
			return gone(err)
		},
		put: func(ctx context.Context, name, doc *string) error {
			_, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &user, PolicyName: name, PolicyDocument: doc})
			return err
		},
		drop: func(ctx context.Context, name *string) error {
			_, err := c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &user, PolicyName: name})
			return gone(err)
		},
	}
}

func groupPrincipal(c *iam.Client, group string) principal {
	return principal{
		attach: func(ctx context.Context, arn *string) error {
			_, err := c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: arn})
			return err
		},
		detach: func(ctx context.Context, arn *string) error {
			_, err := c.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: &group, PolicyArn: arn})
			return gone(err)
		},
		put: func(ctx context.Context, name, doc *string) error {
			_, err := c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: &group, PolicyName: name, PolicyDocument: doc})
			return err
		},
		drop: func(ctx context.Context, name *string) error {
			_, err := c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: &group, PolicyName: name})
			return gone(err)
		},
	}
}

// set brings ManagedPolicyArns and Policies from former to now.
func (p principal) set(ctx context.Context, former, now map[string]any) error {
	add, drop := changes(texts(former["ManagedPolicyArns"]), texts(now["ManagedPolicyArns"]))
	for _, arn := range add {
		if err := p.attach(ctx, &arn); err != nil {
			return err
		}
	}
	for _, arn := range drop {
		if err := p.detach(ctx, &arn); err != nil {
			return err
		}
	}
	was, is := inline(former), inline(now)
	for name, doc := range is {
		if old, ok := was[name]; ok && old == doc {
			continue
		}
		if err := p.put(ctx, &name, &doc); err != nil {
			return err
		}
	}
	for name := range was {
		if _, kept := is[name]; !kept {
			if err := p.drop(ctx, &name); err != nil {
				return err
			}
		}
	}
	return nil
}

// clear takes away what the template gave, as IAM wants it before a deletion.
func (p principal) clear(ctx context.Context, properties map[string]any) error {
	return p.set(ctx, properties, nil)
}

// inline reads Policies: name → document.
func inline(properties map[string]any) map[string]string {
	out := map[string]string{}
	for _, item := range list(properties["Policies"]) {
		policy := object(item)
		out[text(policy["PolicyName"])] = document(policy["PolicyDocument"])
	}
	return out
}

// changes compares two sets: what is new, and what is gone.
func changes(former, now []string) (add, drop []string) {
	for _, s := range now {
		if !slices.Contains(former, s) {
			add = append(add, s)
		}
	}
	for _, s := range former {
		if !slices.Contains(now, s) {
			drop = append(drop, s)
		}
	}
	return add, drop
}
