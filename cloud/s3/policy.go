package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const maxPolicy = 20 << 10 // bytes

// bucketPolicy is the policy as it was put, byte for byte.
var bucketPolicy = document[string]{name: "policy",
	missing: "NoSuchBucketPolicy", message: "The bucket policy does not exist"}

// oneOrMore is a member of a policy that may be a string or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		*o = make(oneOrMore, 1)
		return json.Unmarshal(b, &(*o)[0])
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// statement is what is read of a statement of a policy.
type statement struct {
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       oneOrMore
	NotAction    oneOrMore
	Resource     oneOrMore
	NotResource  oneOrMore
	Condition    map[string]map[string]json.RawMessage
}

type policy struct{ Statement []statement }

func malformedPolicy(message string) error { return badRequest("MalformedPolicy", message) }

// readPolicy reads and checks a bucket policy as far as its form goes.
func readPolicy(text, bucketARN string) (*policy, error) {
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	var head struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &head); err != nil || len(head.Statement) == 0 {
		return nil, malformedPolicy("Missing required field Statement")
	}
	if head.Statement[0] == '{' {
		head.Statement = slices.Concat([]byte{'['}, head.Statement, []byte{']'})
	}
	p := new(policy)
	if err := json.Unmarshal(head.Statement, &p.Statement); err != nil {
		return nil, malformedPolicy("Policy has invalid statement")
	}
	for _, st := range p.Statement {
		if err := st.check(bucketARN); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (st statement) check(bucketARN string) error {
	switch {
	case st.Effect == "":
		return malformedPolicy("Missing required field Effect")
	case st.Effect != "Allow" && st.Effect != "Deny":
		return malformedPolicy("Invalid effect : " + st.Effect)
	case len(st.Principal) == 0 && len(st.NotPrincipal) == 0:
		return malformedPolicy("Missing required field Principal")
	case len(st.Action) == 0 && len(st.NotAction) == 0:
		return malformedPolicy("Missing required field Action")
	case len(st.Resource) == 0 && len(st.NotResource) == 0:
		return malformedPolicy("Missing required field Resource")
	}
	for _, a := range slices.Concat(st.Action, st.NotAction) {
		if a != "*" && !strings.HasPrefix(strings.ToLower(a), "s3:") {
			return malformedPolicy("Policy has invalid action")
		}
	}
	for _, r := range slices.Concat(st.Resource, st.NotResource) {
		of, _, _ := strings.Cut(r, "/")
		if r != "*" && !strings.ContainsAny(of, "*?$") && of != bucketARN {
			return malformedPolicy("Policy has invalid resource")
		}
	}
	return nil
}

// fixedConditions are the condition keys that make a statement for everybody
// not public when they name something fixed:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
var fixedConditions = []string{
	"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:userid",
	"aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount",
	"s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
}

// public tells whether the policy lets everybody in.
func (p *policy) public() bool {
	return slices.ContainsFunc(p.Statement, func(st statement) bool {
		return st.Effect == "Allow" && (len(st.NotPrincipal) > 0 || everybody(st.Principal)) && !st.fixed()
	})
}

func everybody(principal json.RawMessage) bool {
	var one string
	if json.Unmarshal(principal, &one) == nil {
		return one == "*"
	}
	var kinds map[string]oneOrMore
	return json.Unmarshal(principal, &kinds) == nil && slices.Contains(kinds["AWS"], "*")
}

func (st statement) fixed() bool {
	for operator, keys := range st.Condition {
		if strings.Contains(operator, "Not") || strings.HasSuffix(operator, "IfExists") {
			continue
		}
		for key, value := range keys {
			open := bytes.ContainsAny(value, "*?$") || bytes.Contains(value, []byte("/0"))
			if slices.Contains(fixedConditions, strings.ToLower(key)) && !open {
				return true
			}
		}
	}
	return false
}

// PutBucketPolicy keeps a policy that is well formed. A public one is refused
// while the bucket blocks public policies, as new buckets do.
func (s *Service) PutBucketPolicy(ctx context.Context, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(aws.ToString(in.Policy)) > maxPolicy {
		return nil, badRequest("PolicyTooLarge", "Policy exceeds the maximum allowed document size")
	}
	p, err := readPolicy(aws.ToString(in.Policy), b.arn())
	if err != nil {
		return nil, err
	}
	if p.public() {
		block, err := publicAccessBlock.read(ctx, s, b.Name)
		if err == nil && aws.ToBool(block.BlockPublicPolicy) {
			return nil, problem(http.StatusForbidden, "AccessDenied",
				"User is not authorized to perform: s3:PutBucketPolicy on resource: "+b.arn()+" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
		}
	}
	return putDocument[string, s3.PutBucketPolicyOutput](ctx, s, bucketPolicy, in.Bucket, in.ExpectedBucketOwner, in.Policy)
}

// GetBucketPolicy gives the policy as it was put.
func (s *Service) GetBucketPolicy(ctx context.Context, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	return getDocument(ctx, s, bucketPolicy, in.Bucket, in.ExpectedBucketOwner, func(text string) *s3.GetBucketPolicyOutput {
		return &s3.GetBucketPolicyOutput{Policy: &text}
	})
}

// DeleteBucketPolicy removes the policy.
func (s *Service) DeleteBucketPolicy(ctx context.Context, in *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error) {
	return deleteDocument[string, s3.DeleteBucketPolicyOutput](ctx, s, bucketPolicy, in.Bucket, in.ExpectedBucketOwner)
}

// GetBucketPolicyStatus tells whether the policy lets everybody in.
func (s *Service) GetBucketPolicyStatus(ctx context.Context, in *s3.GetBucketPolicyStatusInput) (*s3.GetBucketPolicyStatusOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	text, err := bucketPolicy.read(ctx, s, b.Name)
	if err != nil {
		return nil, err
	}
	p, err := readPolicy(text, b.arn())
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &types.PolicyStatus{IsPublic: aws.Bool(p.public())}}, nil
}
