package iam_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/door"
	service "ouro/cloud/iam"
	"ouro/cloud/store"
)

const (
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	admin    = "arn:aws:iam::aws:policy/AdministratorAccess"
)

type client struct {
	*iam.Client
	*testing.T
	ctx  context.Context
	host *door.Door
	impl *service.Service
}

func start(t *testing.T) client {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	t.Cleanup(func() { d.Close(); _ = st.Close() })
	impl := service.New(d)
	if err := d.Register("iam", impl); err != nil {
		t.Fatal(err)
	}
	return client{iam.NewFromConfig(d.As(door.Caller{Account: "000000000000", Region: "eu-west-1"})), t, t.Context(), d, impl}
}

func ok[T any](c client) func(v T, err error) T {
	return func(v T, err error) T {
		c.Helper()
		if err != nil {
			c.Fatal(err)
		}
		return v
	}
}

// done is for calls whose answer says nothing.
func (c client) done(_ any, err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c client) wantError(what string, err error, code, message string) {
	c.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		c.Errorf("%s: got %v, want %s: %s", what, err, code, message)
	}
}

func same(c client, what string, got, want any) {
	c.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func words(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

func (c client) role(name, path string) *types.Role {
	c.Helper()
	out := ok[*iam.CreateRoleOutput](c)(c.CreateRole(c.ctx, &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(trust)}))
	return out.Role
}

func plain(c client, encoded *string) string {
	c.Helper()
	if strings.ContainsAny(*encoded, `{"`) {
		c.Errorf("a document is not encoded: %s", *encoded)
	}
	return ok[string](c)(url.PathUnescape(*encoded))
}

func TestRole(t *testing.T) {
	t.Parallel()
	c := start(t)
	made := c.role("build", "/deep/path/")
	same(c, "ARN", *made.Arn, "arn:aws:iam::000000000000:role/deep/path/build")
	got := ok[*iam.GetRoleOutput](c)(c.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("build")})).Role
	same(c, "trust", plain(c, got.AssumeRolePolicyDocument), trust)
	same(c, "id and session", words(*got.RoleId == *made.RoleId, strings.HasPrefix(*got.RoleId, "AROA"), *got.MaxSessionDuration), "true true 3600")

	_, err := c.CreateRole(c.ctx, &iam.CreateRoleInput{RoleName: aws.String("Build"), AssumeRolePolicyDocument: aws.String(trust)})
	c.wantError("a name that differs in case", err, "EntityAlreadyExists", "Role with name Build already exists.")
	for _, test := range []struct {
		name          string
		in            iam.CreateRoleInput
		code, message string
	}{
		{"name", iam.CreateRoleInput{RoleName: aws.String("a b"), AssumeRolePolicyDocument: aws.String(trust)}, "ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{"long name", iam.CreateRoleInput{RoleName: aws.String(strings.Repeat("x", 65)), AssumeRolePolicyDocument: aws.String(trust)}, "ValidationError", "at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"path", iam.CreateRoleInput{RoleName: aws.String("a"), Path: aws.String("x"), AssumeRolePolicyDocument: aws.String(trust)}, "ValidationError", "The specified value for path is invalid. It must begin and end with /"},
		{"trust", iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String("{}")}, "MalformedPolicyDocument", "Syntax errors in policy."},
		{"long trust", iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String(strings.Replace(trust, "Version", `Id":"`+strings.Repeat("x", 2048)+`","Version`, 1))}, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"},
		{"session", iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String(trust), MaxSessionDuration: aws.Int32(60)}, "ValidationError", "Member must have value greater than or equal to 3600"},
		{"boundary", iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String(trust), PermissionsBoundary: aws.String("arn:aws:iam::000000000000:policy/none")}, "NoSuchEntity", "Scope ARN: arn:aws:iam::000000000000:policy/none does not exist or is not attachable."},
	} {
		_, err := c.CreateRole(c.ctx, &test.in)
		c.wantError(test.name, err, test.code, test.message)
	}

	c.done(c.UpdateRole(c.ctx, &iam.UpdateRoleInput{RoleName: aws.String("build"), Description: aws.String("builds"), MaxSessionDuration: aws.Int32(7200)}))
	other := strings.ReplaceAll(trust, "codebuild", "codepipeline")
	c.done(c.UpdateAssumeRolePolicy(c.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("build"), PolicyDocument: &other}))
	c.done(c.TagRole(c.ctx, &iam.TagRoleInput{RoleName: aws.String("build"), Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("2")}}}))
	c.done(c.UntagRole(c.ctx, &iam.UntagRoleInput{RoleName: aws.String("build"), TagKeys: []string{"b", "none"}}))
	got = ok[*iam.GetRoleOutput](c)(c.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("build")})).Role
	same(c, "updated", words(*got.Description, *got.MaxSessionDuration, plain(c, got.AssumeRolePolicyDocument) == other, len(got.Tags), *got.Tags[0].Key), "builds 7200 true 1 a")

	c.done(c.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: aws.String("build")}))
	_, err = c.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("build")})
	c.wantError("deleted", err, "NoSuchEntity", "The role with name build cannot be found.")
}

func TestListRoles(t *testing.T) {
	t.Parallel()
	c := start(t)
	for i := range 5 {
		c.role(fmt.Sprintf("role-%d", i), map[bool]string{true: "/even/", false: "/"}[i%2 == 0])
	}
	list := func(in iam.ListRolesInput) string {
		var names []string
		for p := iam.NewListRolesPaginator(c, &in); p.HasMorePages(); {
			page := ok[*iam.ListRolesOutput](c)(p.NextPage(c.ctx))
			for _, role := range page.Roles {
				names = append(names, strings.TrimPrefix(*role.RoleName, "role-"))
			}
			names = append(names, "|")
		}
		return strings.Join(names, "")
	}
	same(c, "all", list(iam.ListRolesInput{}), "01234|")
	same(c, "by two", list(iam.ListRolesInput{MaxItems: aws.Int32(2)}), "01|23|4|")
	same(c, "by path", list(iam.ListRolesInput{PathPrefix: aws.String("/even/")}), "024|")
	_, err := c.ListRoles(c.ctx, &iam.ListRolesInput{MaxItems: aws.Int32(1001)})
	c.wantError("a large page", err, "ValidationError", "maxItems")
	_, err = c.ListRoles(c.ctx, &iam.ListRolesInput{Marker: aws.String("%")})
	c.wantError("a marker", err, "ValidationError", "Invalid Marker.")
}

func TestRolePolicies(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.role("r", "/")
	role := aws.String("r")
	_, err := c.GetRolePolicy(c.ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: aws.String("p")})
	c.wantError("no policy", err, "NoSuchEntity", "The role policy with name p cannot be found.")
	_, err = c.PutRolePolicy(c.ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Statement":[{}]}`)})
	c.wantError("a bad policy", err, "MalformedPolicyDocument", "Syntax errors in policy.")
	long := strings.Replace(document, `"*"`, `["arn:aws:s3:::`+strings.Repeat("x", 10240)+`"]`, 1)
	_, err = c.PutRolePolicy(c.ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("p"), PolicyDocument: &long})
	c.wantError("a long policy", err, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r")
	c.done(c.PutRolePolicy(c.ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("p"), PolicyDocument: aws.String(document)}))
	got := ok[*iam.GetRolePolicyOutput](c)(c.GetRolePolicy(c.ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: aws.String("p")}))
	same(c, "inline", plain(c, got.PolicyDocument), document)
	same(c, "names", ok[*iam.ListRolePoliciesOutput](c)(c.ListRolePolicies(c.ctx, &iam.ListRolePoliciesInput{RoleName: role})).PolicyNames, []string{"p"})

	_, err = c.AttachRolePolicy(c.ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: aws.String("arn:aws:iam::000000000000:policy/none")})
	c.wantError("attaching nothing", err, "NoSuchEntity", "Policy arn:aws:iam::000000000000:policy/none does not exist or is not attachable.")
	for range 2 {
		c.done(c.AttachRolePolicy(c.ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: aws.String(admin)}))
	}
	attached := ok[*iam.ListAttachedRolePoliciesOutput](c)(c.ListAttachedRolePolicies(c.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})).AttachedPolicies
	same(c, "attached", words(len(attached), *attached[0].PolicyName, *attached[0].PolicyArn), "1 AdministratorAccess "+admin)
	policy := ok[*iam.GetPolicyOutput](c)(c.GetPolicy(c.ctx, &iam.GetPolicyInput{PolicyArn: aws.String(admin)})).Policy
	same(c, "AWS's policy", words(*policy.AttachmentCount, *policy.DefaultVersionId, *policy.Path), "1 v1 /")
	version := ok[*iam.GetPolicyVersionOutput](c)(c.GetPolicyVersion(c.ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(admin), VersionId: aws.String("v1")})).PolicyVersion
	same(c, "AWS's document", strings.Contains(plain(c, version.Document), `"Action":"*"`), true)

	_, err = c.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: role})
	c.wantError("deleting with an attachment", err, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	c.done(c.DetachRolePolicy(c.ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String(admin)}))
	_, err = c.DetachRolePolicy(c.ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String(admin)})
	c.wantError("detaching twice", err, "NoSuchEntity", "Policy "+admin+" was not found.")
	_, err = c.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: role})
	c.wantError("deleting with a policy", err, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	c.done(c.DeleteRolePolicy(c.ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String("p")}))

	profile := aws.String("profile")
	c.done(c.CreateInstanceProfile(c.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: profile}))
	c.done(c.AddRoleToInstanceProfile(c.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: profile, RoleName: role}))
	_, err = c.AddRoleToInstanceProfile(c.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: profile, RoleName: role})
	c.wantError("a second role", err, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	_, err = c.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: role})
	c.wantError("deleting from a profile", err, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	shown := ok[*iam.GetInstanceProfileOutput](c)(c.GetInstanceProfile(c.ctx, &iam.GetInstanceProfileInput{InstanceProfileName: profile})).InstanceProfile
	same(c, "profile", *shown.Arn+" "+*shown.Roles[0].RoleName, "arn:aws:iam::000000000000:instance-profile/profile r")
	c.done(c.RemoveRoleFromInstanceProfile(c.ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: profile, RoleName: role}))
	c.done(c.DeleteInstanceProfile(c.ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: profile}))
	c.done(c.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: role}))
}

func TestManagedPolicy(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.role("r", "/")
	made := ok[*iam.CreatePolicyOutput](c)(c.CreatePolicy(c.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), Path: aws.String("/x/"), PolicyDocument: aws.String(document), Description: aws.String("d")})).Policy
	arn := made.Arn
	same(c, "ARN", *arn, "arn:aws:iam::000000000000:policy/x/p")
	_, err := c.CreatePolicy(c.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(document)})
	c.wantError("again", err, "EntityAlreadyExists", "A policy called p already exists. Duplicate names are not allowed.")
	_, err = c.GetPolicy(c.ctx, &iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::000000000000:policy/p")})
	c.wantError("without its path", err, "NoSuchEntity", "Policy arn:aws:iam::000000000000:policy/p was not found.")

	for i := 2; i <= 5; i++ {
		v := ok[*iam.CreatePolicyVersionOutput](c)(c.CreatePolicyVersion(c.ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(document), SetAsDefault: i == 2})).PolicyVersion
		same(c, "version", words(*v.VersionId, v.IsDefaultVersion), fmt.Sprintf("v%d %v", i, i == 2))
	}
	_, err = c.CreatePolicyVersion(c.ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(document)})
	c.wantError("a sixth version", err, "LimitExceeded", "A managed policy can have up to 5 versions.")
	_, err = c.DeletePolicyVersion(c.ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")})
	c.wantError("the default version", err, "DeleteConflict", "Cannot delete the default version of a policy.")
	for _, v := range []string{"v1", "v3", "v4"} {
		c.done(c.DeletePolicyVersion(c.ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &v}))
	}
	c.done(c.SetDefaultPolicyVersion(c.ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v5")}))
	versions := ok[*iam.ListPolicyVersionsOutput](c)(c.ListPolicyVersions(c.ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn})).Versions
	same(c, "versions", words(len(versions), *versions[0].VersionId, versions[0].IsDefaultVersion, *versions[1].VersionId), "2 v5 true v2")

	c.done(c.AttachRolePolicy(c.ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn}))
	c.done(c.PutRolePermissionsBoundary(c.ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("r"), PermissionsBoundary: arn}))
	got := ok[*iam.GetPolicyOutput](c)(c.GetPolicy(c.ctx, &iam.GetPolicyInput{PolicyArn: arn})).Policy
	same(c, "uses", words(*got.AttachmentCount, *got.PermissionsBoundaryUsageCount), "1 1")
	users := ok[*iam.ListEntitiesForPolicyOutput](c)(c.ListEntitiesForPolicy(c.ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn, PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}))
	same(c, "entities", words(len(users.PolicyRoles), *users.PolicyRoles[0].RoleName), "1 r")
	local := ok[*iam.ListPoliciesOutput](c)(c.ListPolicies(c.ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, OnlyAttached: true})).Policies
	same(c, "attached policies", words(len(local), *local[0].PolicyName), "1 p")
	_, err = c.DeletePolicy(c.ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	c.wantError("deleting what is attached", err, "DeleteConflict", "Cannot delete a policy attached to entities.")
	c.done(c.DetachRolePolicy(c.ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn}))
	c.done(c.DeleteRolePermissionsBoundary(c.ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("r")}))
	_, err = c.DeletePolicy(c.ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	c.wantError("deleting with versions", err, "DeleteConflict", "This policy has more than one version.")
	c.done(c.DeletePolicyVersion(c.ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))
	c.done(c.DeletePolicy(c.ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
	_, err = c.DeletePolicy(c.ctx, &iam.DeletePolicyInput{PolicyArn: aws.String(admin)})
	c.wantError("deleting AWS's", err, "UnmodifiableEntity", "is managed by AWS")
}

func TestUsersAndGroups(t *testing.T) {
	t.Parallel()
	c := start(t)
	user, group := aws.String("u"), aws.String("g")
	c.done(c.CreateUser(c.ctx, &iam.CreateUserInput{UserName: user, Path: aws.String("/team/")}))
	c.done(c.CreateGroup(c.ctx, &iam.CreateGroupInput{GroupName: group}))
	c.done(c.AddUserToGroup(c.ctx, &iam.AddUserToGroupInput{UserName: user, GroupName: group}))
	c.done(c.AttachUserPolicy(c.ctx, &iam.AttachUserPolicyInput{UserName: user, PolicyArn: aws.String(admin)}))
	c.done(c.UpdateUser(c.ctx, &iam.UpdateUserInput{UserName: user, NewUserName: aws.String("v")}))
	c.done(c.UpdateGroup(c.ctx, &iam.UpdateGroupInput{GroupName: group, NewGroupName: aws.String("h")}))
	user, group = aws.String("v"), aws.String("h")
	members := ok[*iam.GetGroupOutput](c)(c.GetGroup(c.ctx, &iam.GetGroupInput{GroupName: group})).Users
	same(c, "members", words(len(members), *members[0].Arn), "1 arn:aws:iam::000000000000:user/team/v")
	groups := ok[*iam.ListGroupsForUserOutput](c)(c.ListGroupsForUser(c.ctx, &iam.ListGroupsForUserInput{UserName: user})).Groups
	same(c, "groups", words(len(groups), *groups[0].GroupName), "1 h")
	uses := ok[*iam.ListEntitiesForPolicyOutput](c)(c.ListEntitiesForPolicy(c.ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(admin)}))
	same(c, "the renamed user's policy", words(len(uses.PolicyUsers), *uses.PolicyUsers[0].UserName), "1 v")

	key := ok[*iam.CreateAccessKeyOutput](c)(c.CreateAccessKey(c.ctx, &iam.CreateAccessKeyInput{UserName: user})).AccessKey
	c.done(c.CreateAccessKey(c.ctx, &iam.CreateAccessKeyInput{UserName: user}))
	_, err := c.CreateAccessKey(c.ctx, &iam.CreateAccessKeyInput{UserName: user})
	c.wantError("a third key", err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	caller, known, err := c.impl.Identify(c.ctx, *key.AccessKeyId)
	same(c, "the key's user", words(caller.ARN, known, err), "arn:aws:iam::000000000000:user/team/v true <nil>")
	caller.Region = "us-east-1"
	self := ok[*iam.GetUserOutput](c)(iam.NewFromConfig(c.host.As(caller)).GetUser(c.ctx, &iam.GetUserInput{})).User
	same(c, "the caller", *self.UserName, "v")
	c.done(c.UpdateAccessKey(c.ctx, &iam.UpdateAccessKeyInput{UserName: user, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}))
	_, _, err = c.impl.Identify(c.ctx, *key.AccessKeyId)
	c.wantError("an inactive key", err, "InvalidClientTokenId", "The security token included in the request is invalid.")
	summary := ok[*iam.GetAccountSummaryOutput](c)(c.GetAccountSummary(c.ctx, &iam.GetAccountSummaryInput{})).SummaryMap
	same(c, "summary", words(summary["Users"], summary["Groups"], summary["Roles"]), "1 1 0")

	_, err = c.DeleteGroup(c.ctx, &iam.DeleteGroupInput{GroupName: group})
	c.wantError("deleting a group", err, "DeleteConflict", "must remove users from group first")
	_, err = c.DeleteUser(c.ctx, &iam.DeleteUserInput{UserName: user})
	c.wantError("deleting a member", err, "DeleteConflict", "must remove users from group first")
	c.done(c.RemoveUserFromGroup(c.ctx, &iam.RemoveUserFromGroupInput{UserName: user, GroupName: group}))
	_, err = c.DeleteUser(c.ctx, &iam.DeleteUserInput{UserName: user})
	c.wantError("deleting with keys", err, "DeleteConflict", "must delete access keys first")
	for _, k := range ok[*iam.ListAccessKeysOutput](c)(c.ListAccessKeys(c.ctx, &iam.ListAccessKeysInput{UserName: user})).AccessKeyMetadata {
		c.done(c.DeleteAccessKey(c.ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: k.AccessKeyId}))
	}
	c.done(c.DetachUserPolicy(c.ctx, &iam.DetachUserPolicyInput{UserName: user, PolicyArn: aws.String(admin)}))
	c.done(c.DeleteUser(c.ctx, &iam.DeleteUserInput{UserName: user}))
	c.done(c.DeleteGroup(c.ctx, &iam.DeleteGroupInput{GroupName: group}))
}

func TestServiceLinkedRole(t *testing.T) {
	t.Parallel()
	c := start(t)
	in := &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")}
	role := ok[*iam.CreateServiceLinkedRoleOutput](c)(c.CreateServiceLinkedRole(c.ctx, in)).Role
	same(c, "ARN", *role.Arn, "arn:aws:iam::000000000000:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
	_, err := c.CreateServiceLinkedRole(c.ctx, in)
	c.wantError("again", err, "InvalidInput", "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix.")
	_, err = c.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: role.RoleName})
	c.wantError("deleting it", err, "UnmodifiableEntity", "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS")
	task := ok[*iam.DeleteServiceLinkedRoleOutput](c)(c.DeleteServiceLinkedRole(c.ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: role.RoleName})).DeletionTaskId
	status := ok[*iam.GetServiceLinkedRoleDeletionStatusOutput](c)(c.GetServiceLinkedRoleDeletionStatus(c.ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}))
	same(c, "status", status.Status, types.DeletionTaskStatusTypeSucceeded)
}

// Records of other accounts are not seen.
func TestAccounts(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.role("r", "/")
	other := iam.NewFromConfig(c.host.As(door.Caller{Account: "111111111111", Region: "eu-west-1"}))
	_, err := other.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("r")})
	c.wantError("from another account", err, "NoSuchEntity", "The role with name r cannot be found.")
	if d := time.Since(*ok[*iam.GetRoleOutput](c)(c.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("r")})).Role.CreateDate); d > time.Minute || d < 0 {
		t.Errorf("the role is %s old", d)
	}
}
