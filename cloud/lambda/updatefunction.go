package lambda

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/store"
)

// UpdateFunctionConfiguration changes settings of $LATEST.
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	var found violations
	checkSettings(&found, in)
	if err := found.err(); err != nil {
		return nil, err
	}
	if err := refuseSettings(in); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.checkRole(ctx, *in.Role); err != nil {
			return nil, err
		}
	}
	s.archives.keep.RLock() // for the layers
	defer s.archives.keep.RUnlock()
	v, err := s.update(ctx, in.FunctionName, in.RevisionId, false, func(ctx context.Context, v *version) error {
		return s.apply(ctx, v, in)
	})
	if err != nil {
		return nil, err
	}
	c, err := s.shown(v)
	return answer[lambda.UpdateFunctionConfigurationOutput](c), err
}

// update changes $LATEST of a function, and publishes it if asked to.
func (s *Service) update(ctx context.Context, name, revision *string, publish bool, change func(context.Context, *version) error) (version, error) {
	t, err := own(ctx, name, nil)
	if err != nil {
		return version{}, err
	}
	var v version
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		was, err := s.versions.Get(ctx, t.scope, versionKey(t.name, latest))
		if err != nil {
			return missing(err, noFunction(t.arn()))
		}
		if revision != nil && *revision != *was.Config.RevisionId {
			return stale("GetFunction/GetAlias")
		}
		v = was
		if err := change(ctx, &v); err != nil {
			return err
		}
		alike, err := s.same(was, v)
		if err != nil {
			return err
		}
		if !alike {
			v.Generation = s.host.NewID()
		}
		v.Config.LastModified, v.Config.RevisionId = aws.String(s.now()), aws.String(s.host.NewID())
		if err := s.versions.Put(ctx, t.scope, versionKey(t.name, latest), v); err != nil || !publish {
			return err
		}
		v, err = s.publish(ctx, t, v, nil)
		return err
	})
	return v, err
}

// UpdateFunctionCode gives $LATEST other code.
func (s *Service) UpdateFunctionCode(ctx context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	var found violations
	checkArchitectures(&found, in.Architectures)
	if err := found.err(); err != nil {
		return nil, err
	}
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	now, _, err := s.lookup(ctx, target{scope: t.scope, name: t.name})
	if err != nil {
		return nil, err
	}
	switch image := now.Config.PackageType == types.PackageTypeImage; {
	case image && in.ImageUri == nil:
		return nil, invalid("Please provide ImageUri when updating a function with packageType Image.")
	case !image && in.ImageUri != nil:
		return nil, invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	now, err = s.updateCode(ctx, in, now)
	s.clean(ctx) // of what was replaced, or refused
	if err != nil {
		return nil, err
	}
	c, err := s.shown(now)
	return answer[lambda.UpdateFunctionCodeOutput](c), err
}

// updateCode stores other code for $LATEST, now, and then has it used, unless
// that is only asked about.
func (s *Service) updateCode(ctx context.Context, in *lambda.UpdateFunctionCodeInput, now version) (version, error) {
	s.archives.keep.RLock()
	defer s.archives.keep.RUnlock()
	taken, err := s.take(ctx, source{in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion, in.ImageUri})
	if err != nil {
		return now, err
	}
	change := func(ctx context.Context, v *version) error {
		v.Code = taken
		v.hold()
		if len(in.Architectures) > 0 {
			v.Config.Architectures = in.Architectures
		}
		return s.checkSize(ctx, *v)
	}
	if !in.DryRun {
		return s.update(ctx, in.FunctionName, in.RevisionId, in.Publish, change)
	}
	if in.RevisionId != nil && *in.RevisionId != *now.Config.RevisionId {
		return now, stale("GetFunction/GetAlias")
	}
	return now, change(ctx, &now)
}

// DeleteFunction deletes a function with all that belongs to it, or one
// version.
func (s *Service) DeleteFunction(ctx context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	switch {
	case err != nil:
		return nil, err
	case t.qualifier == latest:
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	case t.qualifier != "" && !isVersion(t.qualifier):
		return nil, invalid("Deletion of aliases is not currently supported.")
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if _, err := s.find(ctx, t); err != nil {
			return err
		}
		if t.qualifier != "" {
			return s.deleteVersion(ctx, t)
		}
		return s.deleteAll(ctx, t)
	})
	if err != nil {
		return nil, err
	}
	s.retire(t)
	s.clean(ctx)
	return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
}

func (s *Service) deleteVersion(ctx context.Context, t target) error {
	aliases, err := s.aliasesOf(ctx, t)
	if err != nil {
		return err
	}
	uses := func(a alias) bool {
		_, weighs := a.Weights[t.qualifier]
		return weighs || a.Version == t.qualifier
	}
	if i := slices.IndexFunc(aliases, uses); i >= 0 {
		return conflict("You cannot delete version %s of the function while the alias %s points to it.", t.qualifier, aliases[i].Name)
	}
	err = s.versions.Delete(ctx, t.scope, versionKey(t.name, t.qualifier))
	return errors.Join(missing(err, nil), s.forget(ctx, t))
}

func (s *Service) deleteAll(ctx context.Context, t target) error {
	qualifiers := []string{latest}
	versions, err := s.versionsOf(ctx, t)
	if err != nil {
		return err
	}
	for _, v := range versions {
		qualifiers = append(qualifiers, v.number())
		if err := s.versions.Delete(ctx, t.scope, versionKey(t.name, v.number())); err != nil {
			return err
		}
	}
	aliases, err := s.aliasesOf(ctx, t)
	if err != nil {
		return err
	}
	for _, a := range aliases {
		qualifiers = append(qualifiers, a.Name)
		if err := s.aliases.Delete(ctx, t.scope, qualifiedKey(t.name, a.Name)); err != nil {
			return err
		}
	}
	for _, q := range qualifiers {
		t.qualifier = q
		if err := s.forget(ctx, t); err != nil {
			return err
		}
	}
	return s.functions.Delete(ctx, t.scope, t.name)
}

// forget deletes what belongs to one qualifier of a function.
func (s *Service) forget(ctx context.Context, t target) error {
	key := qualifiedKey(t.name, t.qualifier)
	if u, err := s.urls.Get(ctx, t.scope, key); err == nil {
		if err := s.addresses.Delete(ctx, store.Scope{}, u.ID); err != nil {
			return err
		}
	}
	for _, remove := range []func(context.Context, store.Scope, string) error{s.urls.Delete, s.policies.Delete, s.deliveries.Delete, s.provisioned.Delete} {
		if err := missing(remove(ctx, t.scope, key), nil); err != nil {
			return err
		}
	}
	return nil
}
