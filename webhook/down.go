package webhook

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/gitsource"
	"ouro/pipeline"
	"ouro/stack"
)

// Doomed is what Down deletes.
type Doomed struct {
	*Deployed
	Token string // the secret that was made for the token; empty for none
	Code  string // the bucket with the functions' code, which no other webhook needs; empty if one does
	last  bool
}

// Empty tells whether there is nothing to delete.
func (d *Doomed) Empty() bool { return d.Status == "" && d.Token == "" && d.Code == "" }

// Retained tells whether the buckets stay.
func (d *Doomed) Retained() bool { return d.Parameters["RetainBuckets"] == "true" }

// Doom finds what there is of a webhook.
func Doom(ctx context.Context, c *pipeline.Clients, d *Deployed) (*Doomed, error) {
	token, err := d.keptToken(ctx, c.Secrets)
	if err != nil {
		return nil, err
	}
	doomed := &Doomed{Deployed: d, Token: token, last: true}
	pages := cloudformation.NewDescribeStacksPaginator(c.Stacks, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the stacks: %w", err)
		}
		for _, s := range page.Stacks {
			name := aws.ToString(s.StackName)
			tagged := slices.ContainsFunc(s.Tags, func(t types.Tag) bool { return aws.ToString(t.Key) == Tag })
			if name == CodeStack {
				doomed.Code = codeBucket(&s)
			} else if tagged && name != d.Stack && aws.ToString(s.ParentId) == "" {
				doomed.last = false
			}
		}
	}
	if !doomed.last {
		doomed.Code = ""
	}
	return doomed, nil
}

// CodeBucket is the bucket for the functions' code; empty if it is not there.
func CodeBucket(ctx context.Context, c *pipeline.Clients) (string, error) {
	s, err := stack.Describe(ctx, c.Stacks, CodeStack)
	if err != nil || s == nil {
		return "", err
	}
	return codeBucket(s), nil
}

// CodeParameters are the parameters of the stack with that bucket; empty if it is
// not there.
func CodeParameters(ctx context.Context, c *pipeline.Clients) (map[string]string, error) {
	s, err := stack.Describe(ctx, c.Stacks, CodeStack)
	if err != nil || s == nil {
		return map[string]string{}, err
	}
	return parametersOf(s), nil
}

func codeBucket(s *types.Stack) string {
	for _, o := range s.Outputs {
		if aws.ToString(o.OutputKey) == "Bucket" {
			return aws.ToString(o.OutputValue)
		}
	}
	return ""
}

// Down takes the webhook away from the provider, if somebody may, and deletes the
// rest. deleted are the names of what is gone now, even when there is an error;
// finding and deleting again goes on from there.
func (d *Doomed) Down(ctx context.Context, c *pipeline.Clients, r *gitsource.Registrar, observer pipeline.Observer) (deleted []string, err error) {
	if r != nil && d.URL != "" {
		n, err := r.Unregister(ctx, d.Repository, d.URL)
		if err == nil && d.PublicKey != "" {
			_, err = r.RemoveKey(ctx, d.Repository, d.PublicKey)
		}
		if err != nil {
			return nil, err
		}
		if n > 0 {
			deleted = append(deleted, "webhook of "+d.Repository+" at "+d.Provider.Host)
		}
	}
	if d.Status != "" {
		observer.Step("Stack " + d.Stack)
		if err := stack.Delete(ctx, c.Stacks, d.Stack, observer.StackEvent); err != nil {
			return deleted, err
		}
		deleted = append(deleted, "stack "+d.Stack)
	}
	if d.Token != "" {
		if err := forget(ctx, c.Secrets, d.Token); err != nil {
			return deleted, err
		}
		deleted = append(deleted, "secret "+d.Token)
	}
	if d.Code == "" {
		return deleted, nil
	}
	observer.Step("Stack " + CodeStack)
	if err := pipeline.EmptyBucket(ctx, c.Buckets, d.Code); err != nil {
		return deleted, err
	}
	if err := stack.Delete(ctx, c.Stacks, CodeStack, observer.StackEvent); err != nil {
		return deleted, err
	}
	return append(deleted, "stack "+CodeStack), nil
}
