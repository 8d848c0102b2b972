package resource

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// holders are the properties by which policies name what they hang on.
var holders = []struct {
	property string
	of       func(*iam.Client, string) principal
}{{"Roles", rolePrincipal}, {"Users", userPrincipal}, {"Groups", groupPrincipal}}

// putPolicy writes an inline policy to everything that it is to hang on, and
// takes it from what it no longer belongs to.
func putPolicy(ctx context.Context, r *Request) (Result, error) {
	for name := range r.Properties {
		if !slices.Contains([]string{"PolicyName", "PolicyDocument", "Roles", "Users", "Groups"}, name) {
			return Result{}, Sayf("Encountered unsupported property %s", name)
		}
	}
	name, was := r.Text("PolicyName"), text(r.Former["PolicyName"])
	doc := document(r.Properties["PolicyDocument"])
	client, held := Client(r.Clients, iam.NewFromConfig), 0
	for _, h := range holders {
		now, former := texts(r.Properties[h.property]), texts(r.Former[h.property])
		held += len(now)
		for _, holder := range now {
			if err := h.of(client, holder).put(ctx, &name, &doc); err != nil {
				return Result{}, err
			}
			r.Physical = r.Name
		}
		for _, holder := range former {
			if name == was && slices.Contains(now, holder) {
				continue
			}
			if err := h.of(client, holder).drop(ctx, &was); err != nil {
				return Result{}, err
			}
		}
	}
	if held == 0 {
		return Result{}, Sayf("At least one of [Groups,Roles,Users] must be non-empty.")
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Id": r.Name}}, nil
}

func deletePolicy(ctx context.Context, r *Request) error {
	name, client := r.Text("PolicyName"), Client(r.Clients, iam.NewFromConfig)
	for _, h := range holders {
		for _, holder := range texts(r.Properties[h.property]) {
			if err := h.of(client, holder).drop(ctx, &name); err != nil {
				return err
			}
		}
	}
	return nil
}

func managedPolicyARN(r *Request) string {
	path := r.Text("Path")
	if path == "" {
		path = "/"
	}
	return r.GlobalARN("iam", "policy"+path+r.Name)
}

func createManagedPolicy(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreatePolicyInput{}
	if err := Bind(r.Properties, in, "ManagedPolicyName", "Roles", "Users", "Groups", "Tags"); err != nil {
		return Result{}, err
	}
	in.PolicyName = &r.Name
	client := Client(r.Clients, iam.NewFromConfig)
	if _, err := client.CreatePolicy(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = managedPolicyARN(r)
	return finishManagedPolicy(ctx, client, r, r.Physical)
}

func updateManagedPolicy(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, iam.NewFromConfig)
	doc := document(r.Properties["PolicyDocument"])
	if doc != document(r.Former["PolicyDocument"]) {
		if err := dropOldestVersion(ctx, client, r.Physical); err != nil {
			return Result{}, err
		}
		if _, err := client.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &r.Physical, PolicyDocument: &doc, SetAsDefault: true}); err != nil {
			return Result{}, err
		}
	}
	return finishManagedPolicy(ctx, client, r, r.Physical)
}

// maxPolicyVersions is how many versions IAM keeps of a managed policy.
const maxPolicyVersions = 5

func dropOldestVersion(ctx context.Context, client *iam.Client, arn string) error {
	out, err := client.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	if err != nil || len(out.Versions) < maxPolicyVersions {
		return err
	}
	var oldest *types.PolicyVersion
	for i, v := range out.Versions {
		if !v.IsDefaultVersion && (oldest == nil || aws.ToTime(v.CreateDate).Before(aws.ToTime(oldest.CreateDate))) {
			oldest = &out.Versions[i]
		}
	}
	_, err = client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: oldest.VersionId})
	return err
}

func finishManagedPolicy(ctx context.Context, client *iam.Client, r *Request, arn string) (Result, error) {
	for _, h := range holders {
		add, drop := changes(texts(r.Former[h.property]), texts(r.Properties[h.property]))
		for _, holder := range add {
			if err := h.of(client, holder).attach(ctx, &arn); err != nil {
				return Result{}, err
			}
		}
		for _, holder := range drop {
			if err := h.of(client, holder).detach(ctx, &arn); err != nil {
				return Result{}, err
			}
		}
	}
	out, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: arn, Attributes: map[string]any{"PolicyArn": arn, "PolicyId": aws.ToString(out.Policy.PolicyId)}}, nil
}

func deleteManagedPolicy(ctx context.Context, r *Request) error {
	client := Client(r.Clients, iam.NewFromConfig)
	for _, h := range holders {
		for _, holder := range texts(r.Properties[h.property]) {
			if err := h.of(client, holder).detach(ctx, &r.Physical); err != nil {
				return err
			}
		}
	}
	out, err := client.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &r.Physical})
	if err != nil {
		return gone(err)
	}
	for _, v := range out.Versions {
		if v.IsDefaultVersion {
			continue
		}
		if _, err := client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &r.Physical, VersionId: v.VersionId}); gone(err) != nil {
			return err
		}
	}
	_, err = client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &r.Physical})
	return gone(err)
}

func createProfile(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreateInstanceProfileInput{}
	if err := Bind(r.Properties, in, "Roles"); err != nil {
		return Result{}, err
	}
	in.InstanceProfileName = &r.Name
	client := Client(r.Clients, iam.NewFromConfig)
	if _, err := client.CreateInstanceProfile(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return updateProfile(ctx, r)
}

func updateProfile(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, iam.NewFromConfig)
	add, drop := changes(texts(r.Former["Roles"]), texts(r.Properties["Roles"]))
	for _, role := range drop {
		if _, err := client.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &r.Name, RoleName: &role}); gone(err) != nil {
			return Result{}, err
		}
	}
	for _, role := range add {
		if _, err := client.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &r.Name, RoleName: &role}); err != nil && !(r.Retry && code(err) == "LimitExceeded") {
			return Result{}, err
		}
	}
	out, err := client.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &r.Name})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Arn": aws.ToString(out.InstanceProfile.Arn)}}, nil
}

func deleteProfile(ctx context.Context, r *Request) error {
	client := Client(r.Clients, iam.NewFromConfig)
	for _, role := range texts(r.Properties["Roles"]) {
		if _, err := client.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &r.Physical, RoleName: &role}); gone(err) != nil {
			return err
		}
	}
	_, err := client.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &r.Physical})
	return gone(err)
}
