package sts

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
)

// Durations of sessions, in seconds.
const (
	hour           = 3600
	shortest       = 900
	longestRole    = 12 * hour
	longestSession = 36 * hour
)

// AssumeRole gives credentials of a role to whom its trust policy names. A role
// that does not exist is denied as one that does not trust the caller is.
func (s *Service) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	caller := door.CallerFrom(ctx)
	if err := checkAssumeRole(in); err != nil {
		return nil, err
	}
	name, err := roleName(*in.RoleArn)
	if err != nil {
		return nil, err
	}
	role, err := s.role(ctx, caller, *in.RoleArn, name)
	if err != nil {
		return nil, err
	}
	if role == nil || !trusts(role, request{caller, in}) {
		return nil, denied(caller, "AssumeRole", *in.RoleArn)
	}
	lasting, err := roleDuration(caller, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	at, err := arn.Parse(*role.Arn)
	if err != nil {
		return nil, err
	}
	v := session{
		Account: at.AccountID,
		// A session's ARN leaves out the path of its role.
		ARN:            "arn:" + at.Partition + ":sts::" + at.AccountID + ":assumed-role/" + *role.RoleName + "/" + *in.RoleSessionName,
		UserID:         *role.RoleId + ":" + *in.RoleSessionName,
		SourceIdentity: aws.ToString(in.SourceIdentity),
		Tags:           tags(in.Tags),
	}
	credentials, err := s.issue(ctx, v, lasting)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{
		Credentials:     credentials,
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(v.ARN), AssumedRoleId: aws.String(v.UserID)},
		//lint:ignore SA1019 what replaces it is newer than most clients
		PackedPolicySize: packed(in),
		SourceIdentity:   in.SourceIdentity,
	}, nil
}

func checkAssumeRole(in *sts.AssumeRoleInput) error {
	session, external := aws.ToString(in.RoleSessionName), aws.ToString(in.ExternalId)
	complaints := []string{required("roleArn", in.RoleArn), required("roleSessionName", in.RoleSessionName)}
	if in.RoleArn != nil {
		complaints = append(complaints, minLength("roleArn", *in.RoleArn, 20), maxLength("roleArn", *in.RoleArn, 2048))
	}
	if in.RoleSessionName != nil {
		complaints = append(complaints, minLength("roleSessionName", session, 2), maxLength("roleSessionName", session, 64),
			pattern("roleSessionName", session, sessionName()))
	}
	if in.ExternalId != nil {
		complaints = append(complaints, minLength("externalId", external, 2), maxLength("externalId", external, 1224),
			pattern("externalId", external, externalID()))
	}
	complaints = append(complaints, within("durationSeconds", in.DurationSeconds, shortest, longestRole))
	if err := check(complaints...); err != nil {
		return err
	}
	if in.SerialNumber != nil || in.TokenCode != nil {
		// There are no MFA devices here, so that no code can be right.
		return refused("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
	}
	return checkSessionPolicy(in.Policy)
}

func checkSessionPolicy(document *string) error {
	if document == nil {
		return nil
	}
	if err := policy.Check(*document, policy.Inline); err != nil {
		return &types.MalformedPolicyDocumentException{Message: aws.String(err.Error())}
	}
	return nil
}

// roleName is the name in a role's ARN, without its path.
func roleName(roleARN string) (string, error) {
	at, err := arn.Parse(roleARN)
	if err != nil {
		return "", invalid(roleARN + " is invalid")
	}
	path, ok := strings.CutPrefix(at.Resource, "role/")
	if at.Service != "iam" || !ok || at.AccountID == "" {
		return "", invalid(roleARN + " is invalid")
	}
	return path[strings.LastIndexByte(path, '/')+1:], nil
}

// role asks IAM for the role; nil when there is none of that ARN.
func (s *Service) role(ctx context.Context, caller door.Caller, roleARN, name string) (*iamtypes.Role, error) {
	at, err := arn.Parse(roleARN)
	if err != nil {
		return nil, err
	}
	client := iam.NewFromConfig(s.host.As(door.Caller{Account: at.AccountID, Region: caller.Region, Service: "sts.amazonaws.com"}))
	out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	var none *iamtypes.NoSuchEntityException
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if aws.ToString(out.Role.Arn) != roleARN {
		return nil, nil // another path
	}
	return out.Role, nil
}

// roleDuration is how long a role's session lasts. A session that was itself
// got from a role may ask for an hour at most.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
func roleDuration(caller door.Caller, role *iamtypes.Role, seconds *int32) (time.Duration, error) {
	if seconds == nil {
		return hour * time.Second, nil
	}
	if isRoleSession(caller) && *seconds > hour {
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	if longest := aws.ToInt32(role.MaxSessionDuration); longest != 0 && *seconds > longest {
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return time.Duration(*seconds) * time.Second, nil
}

func isRoleSession(caller door.Caller) bool {
	return caller.Service == "" && strings.Contains(caller.ARN, ":assumed-role/")
}

// request is what conditions of a trust policy are about.
type request struct {
	caller door.Caller
	in     *sts.AssumeRoleInput
}

// trusts evaluates the role's trust policy: some statement allows it and none
// denies it.
func trusts(role *iamtypes.Role, r request) bool {
	text, err := url.PathUnescape(aws.ToString(role.AssumeRolePolicyDocument))
	if err != nil {
		return false
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return false
	}
	allowed := false
	for _, statement := range doc.Statements {
		if !statement.AllowsAction("sts:AssumeRole") || !r.isAmong(statement) || !r.meets(statement) {
			continue
		}
		if statement.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func (r request) isAmong(statement policy.Statement) bool {
	who := policy.Principal{Account: r.caller.Account, ARN: r.caller.ARN, Service: r.caller.Service}
	if statement.NotPrincipals != nil {
		return !statement.NotPrincipals.Match(who)
	}
	return statement.Principals != nil && statement.Principals.Match(who)
}

// meets tells whether the statement's conditions are met. One that cannot be
// judged here (aws:SourceArn, aws:SourceIp, …) does not keep a statement from
// allowing, nor lets it deny.
func (r request) meets(statement policy.Statement) bool {
	for _, condition := range statement.Conditions {
		holds, known := condition.Holds(r.values)
		if known && !holds || !known && statement.Effect == "Deny" {
			return false
		}
	}
	return true
}

// values gives what the request has for a condition's key.
func (r request) values(key string) ([]string, bool) {
	switch key {
	case "sts:externalid":
		return present(r.in.ExternalId), true
	case "sts:rolesessionname":
		return present(r.in.RoleSessionName), true
	case "sts:sourceidentity":
		return present(r.in.SourceIdentity), true
	case "aws:sourceaccount":
		if r.caller.Service == "" {
			return nil, true
		}
		return []string{r.caller.Account}, true
	case "aws:principalaccount":
		return []string{r.caller.Account}, true
	case "aws:principalarn":
		return []string{r.caller.ARN}, r.caller.Service == ""
	}
	return nil, false
}

func present(value *string) []string {
	if value == nil {
		return nil
	}
	return []string{*value}
}

func tags(given []types.Tag) map[string]string {
	if len(given) == 0 {
		return nil
	}
	m := make(map[string]string, len(given))
	for _, tag := range given {
		m[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return m
}

// packed is how much of the room for session policies and tags is used, in
// percent. AWS's packing is its own; this is by the policy's plain size.
func packed(in *sts.AssumeRoleInput) *int32 {
	if in.Policy == nil && len(in.PolicyArns) == 0 && len(in.Tags) == 0 {
		return nil
	}
	const room = 2048
	size := len(aws.ToString(in.Policy))
	for _, p := range in.PolicyArns {
		size += len(aws.ToString(p.Arn))
	}
	for _, t := range in.Tags {
		size += len(aws.ToString(t.Key)) + len(aws.ToString(t.Value))
	}
	return aws.Int32(int32(min(100, (size*100+room-1)/room)))
}
