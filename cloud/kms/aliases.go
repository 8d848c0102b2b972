package kms

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
	"ouro/regex"
)

// alias is another name for a key.
type alias struct {
	Target           string // a key's id
	Created, Updated time.Time
}

var aliasName = regex.New(`^alias/[a-zA-Z0-9/_-]{1,250}$`)

// awsAliases are the services of AWS that have keys of their own.
var awsAliases = []string{
	"acm", "backup", "codeartifact", "codecommit", "dynamodb", "ebs", "ecr", "elasticfilesystem", "es", "fsx", "glue", "kinesis", "kinesisvideo",
	"lambda", "rds", "redshift", "s3", "secretsmanager", "sns", "sqs", "ssm", "xray",
}

func checkAlias(name string) error {
	switch {
	case !strings.HasPrefix(name, "alias/"):
		return validation("Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case strings.HasPrefix(name, "alias/aws/"):
		return &wire.Error{Code: "NotAuthorizedException", Message: "Alias names that begin with alias/aws/ are reserved for AWS managed keys.", Status: 400}
	case !aliasName().MatchString(name):
		return &types.InvalidAliasNameException{Message: aws.String("Alias name must have 1 to 250 characters after alias/, of letters, digits, forward slashes, underscores and dashes.")}
	}
	return nil
}

// target gives the key of the caller's that an alias is to stand for.
func (s *Service) target(ctx context.Context, id *string) (key, error) {
	if strings.Contains(aws.ToString(id), "alias/") {
		return key{}, validation("Aliases must refer to keys. Not aliases")
	}
	k, err := s.find(ctx, id)
	if err != nil {
		return k, err
	}
	if k.scope() != door.CallerFrom(ctx).Scope() {
		return k, notFound("Key '%s' does not exist", k.ARN)
	}
	if !k.Deletion.IsZero() {
		return k, k.pending()
	}
	return k, k.manageable(ctx, "CreateAlias")
}

// CreateAlias gives a key another name.
func (s *Service) CreateAlias(ctx context.Context, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.AliasName)
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	k, err := s.target(ctx, in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	now := s.host.Now()
	err = s.aliases.Insert(ctx, caller.Scope(), name, alias{Target: k.ID, Created: now, Updated: now})
	if errors.Is(err, store.ErrExists) {
		err = &types.AlreadyExistsException{Message: aws.String("An alias with the name " + aliasARN(caller, place{caller.Scope(), name}) + " already exists")}
	}
	return &kms.CreateAliasOutput{}, err
}

// UpdateAlias has an alias stand for another key of the same kind.
func (s *Service) UpdateAlias(ctx context.Context, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.AliasName)
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	old, err := s.aliased(ctx, place{caller.Scope(), name})
	if err != nil {
		return nil, err
	}
	k, err := s.target(ctx, in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	if old.Usage != k.Usage || (old.Spec == types.KeySpecSymmetricDefault) != (k.Spec == types.KeySpecSymmetricDefault) {
		return nil, validation("Alias %s cannot be changed from key %s to key %s, which have different usages or types", name, old.ARN, k.ARN)
	}
	_, err = s.aliases.Update(ctx, caller.Scope(), name, func(a *alias) error {
		a.Target, a.Updated = k.ID, s.host.Now()
		return nil
	})
	return &kms.UpdateAliasOutput{}, err
}

// DeleteAlias takes a name away; the key stays.
func (s *Service) DeleteAlias(ctx context.Context, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.AliasName)
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	err := s.aliases.Delete(ctx, caller.Scope(), name)
	if errors.Is(err, store.ErrNotFound) {
		err = notFound("Alias %s is not found.", aliasARN(caller, place{caller.Scope(), name}))
	}
	return &kms.DeleteAliasOutput{}, err
}

// ListAliases lists the aliases, or those of one key.
func (s *Service) ListAliases(ctx context.Context, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	caller := door.CallerFrom(ctx)
	var of string
	if in.KeyId != nil {
		if strings.Contains(*in.KeyId, "alias/") {
			return nil, &types.InvalidArnException{Message: aws.String("Invalid arn " + *in.KeyId)}
		}
		k, err := s.find(ctx, in.KeyId)
		if err != nil {
			return nil, err
		}
		of = k.ID
	}
	entries, err := s.aliases.List(ctx, caller.Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	list := []types.AliasListEntry{}
	for _, e := range entries {
		if of != "" && e.Value.Target != of {
			continue
		}
		a := e.Value
		list = append(list, types.AliasListEntry{
			AliasName: aws.String(e.ID), AliasArn: aws.String(aliasARN(caller, place{caller.Scope(), e.ID})),
			TargetKeyId: &a.Target, CreationDate: &a.Created, LastUpdatedDate: &a.Updated,
		})
	}
	list, next, err := page(list, func(a types.AliasListEntry) string { return *a.AliasName }, in.Marker, in.Limit, 50, 100)
	return &kms.ListAliasesOutput{Aliases: list, NextMarker: next, Truncated: next != nil}, err
}

// createManaged makes the key of one of AWS's services, with its alias.
func (s *Service) createManaged(ctx context.Context, at store.Scope, service string) (key, error) {
	caller, now := door.CallerFrom(ctx), s.host.Now()
	k := key{
		ID: s.host.NewID(), Account: at.Account, Created: now, Spec: types.KeySpecSymmetricDefault,
		Usage: types.KeyUsageTypeEncryptDecrypt, Manager: types.KeyManagerTypeAws,
		Description: "Default key that protects my resources of " + service + " when no other key is defined",
		Rotation:    rotation{Enabled: true, Days: 365, Next: now.AddDate(1, 0, 0)},
	}
	k.ARN = keyARN(caller, at, k.ID)
	k.Policy = managedPolicy(k, service)
	if err := s.addMaterial(&k, false); err != nil {
		return k, err
	}
	name := "alias/aws/" + service
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.aliases.Insert(ctx, at, name, alias{Target: k.ID, Created: now, Updated: now}); err != nil {
			return err
		}
		return s.keys.Insert(ctx, at, k.ID, k)
	})
	if errors.Is(err, store.ErrExists) { // somebody else was quicker
		return s.aliased(ctx, place{at, name})
	}
	return k, err
}
