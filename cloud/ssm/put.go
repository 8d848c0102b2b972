package ssm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

const (
	maxVersions      = 100
	standardMaxValue = 4096
	advancedMaxValue = 8192
	defaultKey       = "alias/aws/ssm"
)

var imageID = regex.New(`^ami-[0-9a-f]{8,17}$`)

// PutParameter makes a parameter or, with Overwrite, its next version. What
// an overwrite leaves out (type, key, description, data type) stays.
func (s *Service) PutParameter(ctx context.Context, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	name := named(aws.ToString(in.Name))
	if err := checkPut(name, in); err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	var now version
	err = s.host.Store().Decided(ctx, func(ctx context.Context) error {
		old, err := s.parameters.Get(ctx, door.CallerFrom(ctx).Scope(), name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		exists := err == nil
		if exists && !aws.ToBool(in.Overwrite) {
			return &types.ParameterAlreadyExists{Message: aws.String("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")}
		}
		if now, err = s.nextVersion(ctx, name, old, in); err != nil {
			return err
		}
		p := parameter{Name: name, Tags: tags, Now: now}
		if exists {
			if err := s.makeRoom(ctx, old); err != nil {
				return err
			}
			p.Tags = old.Tags
			if err := s.keep(ctx, &p, old.Now); err != nil {
				return err
			}
		}
		return s.keep(ctx, &p, now)
	})
	if err != nil {
		return nil, err
	}
	return &ssm.PutParameterOutput{Version: now.Number, Tier: now.Tier}, nil
}

func checkPut(name string, in *ssm.PutParameterInput) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch {
	case aws.ToString(in.Value) == "":
		return validation("1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case aws.ToBool(in.Overwrite) && len(in.Tags) > 0:
		return validation("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case in.Type != "" && !slices.Contains(in.Type.Values(), in.Type):
		return validation("1 validation error detected: Value '%s' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]", in.Type)
	case in.Tier != "" && !slices.Contains(in.Tier.Values(), in.Tier):
		return validation("1 validation error detected: Value '%s' at 'tier' failed to satisfy constraint: Member must satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]", in.Tier)
	case in.KeyId != nil && in.Type != types.ParameterTypeSecureString:
		return validation("KeyId is required for SecureString type parameter only.")
	case aws.ToString(in.Policies) != "" && aws.ToString(in.Policies) != "[]":
		return &types.InvalidPolicyTypeException{Message: aws.String("Parameter policies are not supported by the local cloud.")}
	case strings.Contains(*in.Value, "{{") && strings.Contains(*in.Value, "}}"):
		return validation("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
	}
	return nil
}

// nextVersion is what the request asks for, on top of the parameter as it was.
func (s *Service) nextVersion(ctx context.Context, name string, old parameter, in *ssm.PutParameterInput) (version, error) {
	caller := door.CallerFrom(ctx)
	v := version{
		Number: old.Now.Number + 1, Type: in.Type, KeyID: aws.ToString(in.KeyId),
		Description: old.Now.Description, AllowedPattern: aws.ToString(in.AllowedPattern),
		DataType: aws.ToString(in.DataType), Modified: s.host.Now(), ModifiedBy: caller.ARN,
	}
	if in.Description != nil {
		v.Description = *in.Description
	}
	if v.Type == "" {
		v.Type = old.Now.Type
	}
	if v.DataType == "" {
		v.DataType = old.Now.DataType
	}
	if v.DataType == "" {
		v.DataType = "text"
	}
	if v.KeyID == "" && v.Type == types.ParameterTypeSecureString {
		v.KeyID = old.Now.KeyID
		if v.KeyID == "" {
			v.KeyID = defaultKey
		}
	}
	if err := checkVersion(v, old.Now, aws.ToString(in.Value)); err != nil {
		return v, err
	}
	var err error
	if v.Tier, err = tier(in.Tier, old.Now.Tier, len(*in.Value)); err != nil {
		return v, err
	}
	v.Value, err = s.seal(parameterARN(caller, name), v, *in.Value)
	return v, err
}

func checkVersion(v, old version, value string) error {
	switch {
	case v.Type == "":
		return validation("A parameter type is required when you create a parameter.")
	case old.Type != "" && old.Type != v.Type:
		return &types.HierarchyTypeMismatchException{Message: aws.String("Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")}
	case !slices.Contains([]string{"text", "aws:ec2:image", "aws:ssm:integration"}, v.DataType):
		return validation("The following data type is not supported: %s (Data type names are all lowercase.)", v.DataType)
	case v.DataType == "aws:ec2:image" && !imageID().MatchString(value):
		return validation("The value %q is not the id of an Amazon Machine Image, which the data type aws:ec2:image asks for.", value)
	}
	if v.AllowedPattern == "" {
		return nil
	}
	pattern, err := regexp.Compile(`^(?:` + v.AllowedPattern + `)$`)
	if err != nil {
		return &types.InvalidAllowedPatternException{Message: aws.String("The request doesn't meet the regular expression requirement.")}
	}
	if !pattern.MatchString(value) {
		return &types.ParameterPatternMismatchException{Message: aws.String("Parameter value, cannot be validated against allowedPattern: " + v.AllowedPattern)}
	}
	return nil
}

// tier is the tier that a value of that size gets. An advanced parameter stays
// one; intelligent tiering is advanced only for values that need it.
func tier(asked, old types.ParameterTier, size int) (types.ParameterTier, error) {
	const advanced, standard = types.ParameterTierAdvanced, types.ParameterTierStandard
	if size > advancedMaxValue {
		return "", validation("Advanced tier parameters support a maximum parameter value of %d characters.", advancedMaxValue)
	}
	if old == advanced && asked == standard {
		return "", validation("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	}
	needed := size > standardMaxValue
	if asked == advanced || old == advanced || (asked == types.ParameterTierIntelligentTiering && needed) {
		return advanced, nil
	}
	if needed {
		return "", validation("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html", standardMaxValue)
	}
	return standard, nil
}

// makeRoom deletes the oldest version when there are as many as AWS keeps,
// unless a label holds it.
func (s *Service) makeRoom(ctx context.Context, p parameter) error {
	versions, err := s.history(ctx, p)
	if err != nil || len(versions) < maxVersions {
		return err
	}
	oldest := versions[0]
	if len(oldest.Labels) > 0 {
		return &types.ParameterMaxVersionLimitExceeded{Message: aws.String(fmt.Sprintf("You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", p.Name, oldest.Number))}
	}
	return s.versions.Delete(ctx, door.CallerFrom(ctx).Scope(), versionID(p.Name, oldest.Number))
}

// DeleteParameter deletes a parameter with its history.
func (s *Service) DeleteParameter(ctx context.Context, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	p, err := s.find(ctx, aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	return &ssm.DeleteParameterOutput{}, s.remove(ctx, p.Name)
}

// DeleteParameters deletes those that are there and tells which are not.
func (s *Service) DeleteParameters(ctx context.Context, in *ssm.DeleteParametersInput) (*ssm.DeleteParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		p, err := s.find(ctx, name)
		if missing := (*types.ParameterNotFound)(nil); errors.As(err, &missing) {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		if err == nil {
			err = s.remove(ctx, p.Name)
		}
		if err != nil {
			return nil, err
		}
		out.DeletedParameters = append(out.DeletedParameters, name)
	}
	return out, nil
}

func (s *Service) remove(ctx context.Context, name string) error {
	scope := door.CallerFrom(ctx).Scope()
	return s.host.Store().Decided(ctx, func(ctx context.Context) error {
		p, err := s.parameters.Get(ctx, scope, name)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(name)
		}
		if err != nil {
			return err
		}
		versions, err := s.history(ctx, p)
		if err != nil {
			return err
		}
		for _, v := range versions[:len(versions)-1] {
			if err := s.versions.Delete(ctx, scope, versionID(name, v.Number)); err != nil {
				return err
			}
		}
		return s.parameters.Delete(ctx, scope, name)
	})
}
