package s3

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	allUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// canned are the grants of AWS's ready-made ACLs, besides the owner's own.
var canned = map[string][]types.Grant{
	"private":                   {},
	"bucket-owner-full-control": {},
	"bucket-owner-read":         {},
	"aws-exec-read":             {},
	"log-delivery-write":        {toGroup("http://acs.amazonaws.com/groups/s3/LogDelivery", types.PermissionWrite), toGroup("http://acs.amazonaws.com/groups/s3/LogDelivery", types.PermissionReadAcp)},
	"public-read":               {toGroup(allUsers, types.PermissionRead)},
	"public-read-write":         {toGroup(allUsers, types.PermissionRead), toGroup(allUsers, types.PermissionWrite)},
	"authenticated-read":        {toGroup(authenticatedUsers, types.PermissionRead)},
}

func toGroup(uri string, p types.Permission) types.Grant {
	return types.Grant{Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String(uri)}, Permission: p}
}

func toAccount(id string, p types.Permission) types.Grant {
	return types.Grant{Grantee: &types.Grantee{Type: types.TypeCanonicalUser, ID: aws.String(id)}, Permission: p}
}

// grantHeaders are the x-amz-grant- headers of a request.
type grantHeaders struct{ fullControl, read, readACP, write, writeACP *string }

func (h grantHeaders) grants() ([]types.Grant, error) {
	var grants []types.Grant
	for _, g := range []struct {
		header     *string
		permission types.Permission
	}{
		{h.fullControl, types.PermissionFullControl}, {h.read, types.PermissionRead}, {h.readACP, types.PermissionReadAcp},
		{h.write, types.PermissionWrite}, {h.writeACP, types.PermissionWriteAcp},
	} {
		if g.header == nil {
			continue
		}
		for who := range strings.SplitSeq(*g.header, ",") {
			kind, value, ok := strings.Cut(strings.TrimSpace(who), "=")
			value = strings.Trim(value, `"`)
			switch {
			case ok && kind == "id":
				grants = append(grants, toAccount(value, g.permission))
			case ok && kind == "uri":
				grants = append(grants, toGroup(value, g.permission))
			default:
				return nil, invalidArgument("Argument format not recognized", "x-amz-grant", who)
			}
		}
	}
	return grants, nil
}

// grantsOf is what a request grants by a canned ACL or grant headers; nil when
// it says nothing of grants. Where the bucket's owner owns everything, ACLs are
// refused, save the one that says just that.
func grantsOf(b bucket, owner, acl string, headers grantHeaders) ([]types.Grant, error) {
	grants, err := headers.grants()
	if err != nil || acl == "" && grants == nil {
		return nil, err
	}
	if acl != "" && grants != nil {
		return nil, invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
	}
	if b.Ownership == types.ObjectOwnershipBucketOwnerEnforced {
		if acl == "bucket-owner-full-control" || acl == "private" && len(grants) == 0 {
			return nil, nil
		}
		return nil, aclsNotAllowed()
	}
	if acl == "" {
		return grants, nil
	}
	more, ok := canned[acl]
	if !ok {
		return nil, invalidArgument("", "x-amz-acl", acl)
	}
	return append(ownerGrants(owner), more...), nil
}

func ownerGrants(account string) []types.Grant {
	return []types.Grant{toAccount(canonicalID(account), types.PermissionFullControl)}
}

// grantsOfPolicy is grantsOf for a request that may bring a whole ACL.
func grantsOfPolicy(b bucket, owner, acl string, headers grantHeaders, policy *types.AccessControlPolicy) ([]types.Grant, error) {
	if policy == nil {
		grants, err := grantsOf(b, owner, acl, headers)
		if err == nil && grants == nil && acl == "" {
			err = badRequest("MissingSecurityHeader", "Your request was missing a required header", "MissingHeaderName", "x-amz-acl")
		}
		return grants, err
	}
	ownersOnly := len(policy.Grants) == 1 && policy.Grants[0].Permission == types.PermissionFullControl &&
		policy.Grants[0].Grantee != nil && aws.ToString(policy.Grants[0].Grantee.ID) == canonicalID(owner)
	if b.Ownership == types.ObjectOwnershipBucketOwnerEnforced && !ownersOnly {
		return nil, aclsNotAllowed()
	}
	for _, g := range policy.Grants {
		if g.Grantee == nil || !slices.Contains(g.Permission.Values(), g.Permission) {
			return nil, badRequest("MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema")
		}
	}
	return policy.Grants, nil
}

// PutBucketAcl keeps the bucket's ACL.
func (s *Service) PutBucketAcl(ctx context.Context, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	return &s3.PutBucketAclOutput{}, s.changeBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(ctx context.Context, b *bucket) error {
		headers := grantHeaders{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP}
		grants, err := grantsOfPolicy(*b, b.Owner, string(in.ACL), headers, in.AccessControlPolicy)
		if err != nil || grants == nil {
			return err
		}
		return bucketACL.write(ctx, s, b.Name, types.AccessControlPolicy{Owner: b.owner(), Grants: grants})
	})
}

// GetBucketAcl gives the bucket's ACL.
func (s *Service) GetBucketAcl(ctx context.Context, in *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketAclOutput{Owner: b.owner(), Grants: ownerGrants(b.Owner)}
	if b.Ownership == types.ObjectOwnershipBucketOwnerEnforced {
		return out, nil
	}
	acl, err := bucketACL.read(ctx, s, b.Name)
	if err != nil {
		return nil, err
	}
	if acl.Grants != nil {
		out.Grants = acl.Grants
	}
	return out, nil
}

// PutObjectAcl keeps a version's ACL.
func (s *Service) PutObjectAcl(ctx context.Context, in *s3.PutObjectAclInput) (*s3.PutObjectAclOutput, error) {
	_, err := s.changeVersion(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, func(b bucket, o *object) error {
		headers := grantHeaders{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP}
		grants, err := grantsOfPolicy(b, b.Owner, string(in.ACL), headers, in.AccessControlPolicy)
		if err == nil && grants != nil {
			o.Grants = grants
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectAclOutput{}, nil
}

// GetObjectAcl gives a version's ACL.
func (s *Service) GetObjectAcl(ctx context.Context, in *s3.GetObjectAclInput) (*s3.GetObjectAclOutput, error) {
	b, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, "GET")
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectAclOutput{Owner: b.owner(), Grants: o.Grants}
	if out.Grants == nil || b.Ownership == types.ObjectOwnershipBucketOwnerEnforced {
		out.Grants = ownerGrants(b.Owner)
	}
	return out, nil
}
