package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func iamKinds() []*Kind {
	return []*Kind{
		{
			Type: "AWS::IAM::Role", NameProperty: "RoleName", Naming: &Naming{Max: 64}, Replace: []string{"RoleName", "Path"}, Capability: true,
			Create: createRole, Update: updateRole, Delete: deleteRole,
		},
		{
			Type: "AWS::IAM::User", NameProperty: "UserName", Naming: &Naming{Max: 64}, Replace: []string{"UserName"}, Capability: true,
			Create: createUser, Update: updateUser, Delete: deleteUser,
		},
		{
			Type: "AWS::IAM::Group", NameProperty: "GroupName", Naming: &Naming{Max: 128}, Replace: []string{"GroupName"}, Capability: true, Untagged: true,
			Create: createGroup, Update: updateGroup, Delete: deleteGroup,
		},
		{
			Type: "AWS::IAM::InstanceProfile", NameProperty: "InstanceProfileName", Naming: &Naming{Max: 128},
			Replace: []string{"InstanceProfileName", "Path"}, Capability: true, Untagged: true,
			Create: createProfile, Update: updateProfile, Delete: deleteProfile,
		},
		{
			Type: "AWS::IAM::ManagedPolicy", NameProperty: "ManagedPolicyName", Naming: &Naming{Max: 128},
			Replace: []string{"ManagedPolicyName", "Path", "Description"}, Capability: true, Untagged: true,
			Create: createManagedPolicy, Update: updateManagedPolicy, Delete: deleteManagedPolicy,
		},
		// The physical id of an inline policy is made of the beginnings of both names.
		{
			Type: "AWS::IAM::Policy", Naming: &Naming{Max: 128, Stack: 5, ID: 5}, Capability: true, Untagged: true,
			Create: putPolicy, Update: putPolicy, Delete: deletePolicy,
		},
	}
}

func iamTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

func createRole(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreateRoleInput{}
	if err := Bind(r.Properties, in, "ManagedPolicyArns", "Policies", "Tags"); err != nil {
		return Result{}, err
	}
	in.RoleName, in.Tags = &r.Name, iamTags(r.allTags())
	client := Client(r.Clients, iam.NewFromConfig)
	if _, err := client.CreateRole(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	if err := rolePrincipal(client, r.Name).set(ctx, r.Former, r.Properties); err != nil {
		return Result{}, err
	}
	return roleResult(ctx, client, r.Name)
}

func updateRole(ctx context.Context, r *Request) (Result, error) {
	// Everything that Create takes, for the check on unsupported properties.
	if err := Bind(r.Properties, &iam.CreateRoleInput{}, "ManagedPolicyArns", "Policies", "Tags"); err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, iam.NewFromConfig)
	if doc := document(r.Properties["AssumeRolePolicyDocument"]); doc != document(r.Former["AssumeRolePolicyDocument"]) {
		if _, err := client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &r.Name, PolicyDocument: &doc}); err != nil {
			return Result{}, err
		}
	}
	if r.Text("Description") != text(r.Former["Description"]) || r.Text("MaxSessionDuration") != text(r.Former["MaxSessionDuration"]) {
		in := &iam.UpdateRoleInput{RoleName: &r.Name, Description: aws.String(r.Text("Description")), MaxSessionDuration: aws.Int32(3600)}
		if v := r.Properties["MaxSessionDuration"]; v != nil {
			if err := Bind(map[string]any{"MaxSessionDuration": v}, in); err != nil {
				return Result{}, err
			}
		}
		if _, err := client.UpdateRole(ctx, in); err != nil {
			return Result{}, err
		}
	}
	if b := r.Text("PermissionsBoundary"); b != text(r.Former["PermissionsBoundary"]) {
		var err error
		if b == "" {
			_, err = client.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &r.Name})
		} else {
			_, err = client.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &r.Name, PermissionsBoundary: &b})
		}
		if err != nil {
			return Result{}, err
		}
	}
	if err := rolePrincipal(client, r.Name).set(ctx, r.Former, r.Properties); err != nil {
		return Result{}, err
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &r.Name, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagRole(ctx, &iam.TagRoleInput{RoleName: &r.Name, Tags: iamTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return roleResult(ctx, client, r.Name)
}

func roleResult(ctx context.Context, client *iam.Client, name string) (Result, error) {
	out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: name, Attributes: map[string]any{"Arn": aws.ToString(out.Role.Arn), "RoleId": aws.ToString(out.Role.RoleId)}}, nil
}

func deleteRole(ctx context.Context, r *Request) error {
	client := Client(r.Clients, iam.NewFromConfig)
	if err := rolePrincipal(client, r.Physical).clear(ctx, r.Properties); err != nil {
		return err
	}
	_, err := client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &r.Physical})
	return gone(err)
}

func createUser(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreateUserInput{}
	if err := Bind(r.Properties, in, "ManagedPolicyArns", "Policies", "Groups", "Tags"); err != nil {
		return Result{}, err
	}
	in.UserName, in.Tags = &r.Name, iamTags(r.allTags())
	client := Client(r.Clients, iam.NewFromConfig)
	if _, err := client.CreateUser(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return finishUser(ctx, client, r)
}

func updateUser(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, iam.NewFromConfig)
	if path := r.Text("Path"); path != text(r.Former["Path"]) && path != "" {
		if _, err := client.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &r.Name, NewPath: &path}); err != nil {
			return Result{}, err
		}
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagUser(ctx, &iam.UntagUserInput{UserName: &r.Name, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagUser(ctx, &iam.TagUserInput{UserName: &r.Name, Tags: iamTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return finishUser(ctx, client, r)
}

// finishUser sets a user's policies and groups.
func finishUser(ctx context.Context, client *iam.Client, r *Request) (Result, error) {
	if err := userPrincipal(client, r.Name).set(ctx, r.Former, r.Properties); err != nil {
		return Result{}, err
	}
	add, drop := changes(texts(r.Former["Groups"]), texts(r.Properties["Groups"]))
	for _, g := range add {
		if _, err := client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &r.Name, GroupName: &g}); err != nil {
			return Result{}, err
		}
	}
	for _, g := range drop {
		if _, err := client.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &r.Name, GroupName: &g}); gone(err) != nil {
			return Result{}, err
		}
	}
	out, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &r.Name})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Arn": aws.ToString(out.User.Arn)}}, nil
}

func deleteUser(ctx context.Context, r *Request) error {
	client := Client(r.Clients, iam.NewFromConfig)
	if err := userPrincipal(client, r.Physical).clear(ctx, r.Properties); err != nil {
		return err
	}
	for _, g := range texts(r.Properties["Groups"]) {
		if _, err := client.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &r.Physical, GroupName: &g}); gone(err) != nil {
			return err
		}
	}
	_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &r.Physical})
	return gone(err)
}

func createGroup(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreateGroupInput{}
	if err := Bind(r.Properties, in, "ManagedPolicyArns", "Policies"); err != nil {
		return Result{}, err
	}
	in.GroupName = &r.Name
	client := Client(r.Clients, iam.NewFromConfig)
	if _, err := client.CreateGroup(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return updateGroup(ctx, r)
}

func updateGroup(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, iam.NewFromConfig)
	if err := groupPrincipal(client, r.Name).set(ctx, r.Former, r.Properties); err != nil {
		return Result{}, err
	}
	out, err := client.GetGroup(ctx, &iam.GetGroupInput{GroupName: &r.Name})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Arn": aws.ToString(out.Group.Arn)}}, nil
}

func deleteGroup(ctx context.Context, r *Request) error {
	client := Client(r.Clients, iam.NewFromConfig)
	if err := groupPrincipal(client, r.Physical).clear(ctx, r.Properties); err != nil {
		return err
	}
	_, err := client.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: &r.Physical})
	return gone(err)
}
