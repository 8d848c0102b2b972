package codedeploy

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// instance is an on-premises instance. One that was deregistered stays known.
type instance struct {
	Info types.InstanceInfo
	Last map[string]string // id of a group → revision that it deployed last, see revisionKey
}

func (i instance) registered() bool { return i.Info.DeregisterTime == nil }

func (i instance) iam() string {
	return aws.ToString(i.Info.IamUserArn) + aws.ToString(i.Info.IamSessionArn) // it has one of them
}

const maxInstances = 100 // in one request about tags

// root is the folder that is an instance's root folder.
func (s *Service) root(scope store.Scope, name string) string {
	return filepath.Join(s.host.Store().Dir("instances"), scope.Account, scope.Region, name)
}

func instanceName(name *string) (string, error) {
	n := aws.ToString(name)
	if n == "" {
		return "", refuse("InstanceNameRequired", "An on-premises instance name must be specified")
	}
	if !instancePattern().MatchString(n) || strings.HasPrefix(n, "i-") || strings.HasPrefix(n, "mi-") {
		return "", refuse("InvalidInstanceName", "The on-premises instance name %q is not valid: on the local cloud it names a folder, so that it has 1 to 100 letters, numbers and characters of . _ -; and it does not begin with a dot, i- or mi-", n)
	}
	return n, nil
}

// RegisterOnPremisesInstance makes an instance known, and its folder.
func (s *Service) RegisterOnPremisesInstance(ctx context.Context, in *codedeploy.RegisterOnPremisesInstanceInput) (*codedeploy.RegisterOnPremisesInstanceOutput, error) {
	name, err := instanceName(in.InstanceName)
	if err != nil {
		return nil, err
	}
	if err := checkIAM(in); err != nil {
		return nil, err
	}
	c := door.CallerFrom(ctx)
	made := instance{Info: types.InstanceInfo{
		InstanceName: &name, IamUserArn: in.IamUserArn, IamSessionArn: in.IamSessionArn, RegisterTime: s.now(),
		InstanceArn: aws.String(c.ResourceARN("codedeploy", "instance/"+name)), Tags: []types.Tag{},
	}}
	return &codedeploy.RegisterOnPremisesInstanceOutput{}, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		all, err := s.instances.List(ctx, c.Scope(), store.Query{})
		if err != nil {
			return err
		}
		for _, e := range all {
			if !e.Value.registered() {
				continue
			}
			if e.ID == name {
				return refuse("InstanceNameAlreadyRegistered", "The on-premises instance name %s is already registered", name)
			}
			if arn := aws.ToString(in.IamUserArn); arn != "" && arn == aws.ToString(e.Value.Info.IamUserArn) {
				return refuse("IamUserArnAlreadyRegistered", "The IAM user ARN %s is already registered with the on-premises instance %s", arn, e.ID)
			}
			if arn := aws.ToString(in.IamSessionArn); arn != "" && arn == aws.ToString(e.Value.Info.IamSessionArn) {
				return refuse("IamSessionArnAlreadyRegistered", "The IAM session ARN %s is already registered with the on-premises instance %s", arn, e.ID)
			}
		}
		if err := os.MkdirAll(s.root(c.Scope(), name), 0o755); err != nil {
			return err
		}
		return s.instances.Put(ctx, c.Scope(), name, made)
	})
}

func checkIAM(in *codedeploy.RegisterOnPremisesInstanceInput) error {
	user, session := aws.ToString(in.IamUserArn), aws.ToString(in.IamSessionArn)
	switch {
	case user == "" && session == "":
		return refuse("IamArnRequired", "No IAM ARN was included in the request. You must use an IAM session ARN or IAM user ARN in the request")
	case user != "" && session != "":
		return refuse("MultipleIamArnsProvided", "Both an IAM user ARN and an IAM session ARN were included in the request. Use only one ARN type")
	case user != "" && !(strings.HasPrefix(user, "arn:") && strings.Contains(user, ":user/")):
		return refuse("InvalidIamUserArn", "The IAM user ARN %q is not valid", user)
	case session != "" && !(strings.HasPrefix(session, "arn:") && strings.Contains(session, ":assumed-role/")):
		return refuse("InvalidIamSessionArn", "The IAM session ARN %q is not valid", session)
	}
	return nil
}

// DeregisterOnPremisesInstance forgets an instance; its folder stays.
func (s *Service) DeregisterOnPremisesInstance(ctx context.Context, in *codedeploy.DeregisterOnPremisesInstanceInput) (*codedeploy.DeregisterOnPremisesInstanceOutput, error) {
	name, err := instanceName(in.InstanceName)
	if err != nil {
		return nil, err
	}
	_, err = s.instances.Update(ctx, door.CallerFrom(ctx).Scope(), name, func(i *instance) error {
		if i.registered() {
			i.Info.DeregisterTime = s.now()
		}
		return nil
	})
	return &codedeploy.DeregisterOnPremisesInstanceOutput{}, missing(err, nil)
}

// GetOnPremisesInstance gives an instance.
func (s *Service) GetOnPremisesInstance(ctx context.Context, in *codedeploy.GetOnPremisesInstanceInput) (*codedeploy.GetOnPremisesInstanceOutput, error) {
	name, err := instanceName(in.InstanceName)
	if err != nil {
		return nil, err
	}
	i, err := s.instances.Get(ctx, door.CallerFrom(ctx).Scope(), name)
	if err != nil {
		return nil, missing(err, notRegistered(name))
	}
	return &codedeploy.GetOnPremisesInstanceOutput{InstanceInfo: &i.Info}, nil
}

func notRegistered(name string) error {
	return refuse("InstanceNotRegistered", "The on-premises instance %s is not registered", name)
}

// BatchGetOnPremisesInstances gives instances, without those that are not there.
func (s *Service) BatchGetOnPremisesInstances(ctx context.Context, in *codedeploy.BatchGetOnPremisesInstancesInput) (*codedeploy.BatchGetOnPremisesInstancesOutput, error) {
	if err := batch(len(in.InstanceNames)); err != nil {
		return nil, err
	}
	if len(in.InstanceNames) == 0 {
		_, err := instanceName(nil)
		return nil, err
	}
	out := &codedeploy.BatchGetOnPremisesInstancesOutput{InstanceInfos: []types.InstanceInfo{}}
	for _, name := range in.InstanceNames {
		i, err := s.instances.Get(ctx, door.CallerFrom(ctx).Scope(), name)
		if err == nil {
			out.InstanceInfos = append(out.InstanceInfos, i.Info)
		} else if missing(err, nil) != nil {
			return nil, err
		}
	}
	return out, nil
}

// ListOnPremisesInstances gives the names of instances.
func (s *Service) ListOnPremisesInstances(ctx context.Context, in *codedeploy.ListOnPremisesInstancesInput) (*codedeploy.ListOnPremisesInstancesOutput, error) {
	if in.RegistrationStatus != "" && !slices.Contains(in.RegistrationStatus.Values(), in.RegistrationStatus) {
		return nil, refuse("InvalidRegistrationStatus", "The registration status %q is not valid", in.RegistrationStatus)
	}
	if err := checkFilters("InvalidTagFilter", in.TagFilters); err != nil {
		return nil, err
	}
	all, err := s.instances.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, e := range all {
		status := types.RegistrationStatusRegistered
		if !e.Value.registered() {
			status = types.RegistrationStatusDeregistered
		}
		if (in.RegistrationStatus == "" || in.RegistrationStatus == status) && (len(in.TagFilters) == 0 || matchesAny(in.TagFilters, e.Value.Info.Tags)) {
			names = append(names, e.ID)
		}
	}
	names, next, err := page(names, in.NextToken)
	return &codedeploy.ListOnPremisesInstancesOutput{InstanceNames: names, NextToken: next}, err
}

// AddTagsToOnPremisesInstances sets tags of instances.
func (s *Service) AddTagsToOnPremisesInstances(ctx context.Context, in *codedeploy.AddTagsToOnPremisesInstancesInput) (*codedeploy.AddTagsToOnPremisesInstancesOutput, error) {
	return &codedeploy.AddTagsToOnPremisesInstancesOutput{}, s.changeInstances(ctx, in.InstanceNames, in.Tags, func(old []types.Tag) ([]types.Tag, error) {
		tags, err := setTags(old, in.Tags)
		if err == nil && len(tags) > 10 { // https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
			err = refuse("TagLimitExceeded", "The maximum allowed number of tags of an on-premises instance (10) was exceeded")
		}
		return tags, err
	})
}

// RemoveTagsFromOnPremisesInstances takes tags of instances away.
func (s *Service) RemoveTagsFromOnPremisesInstances(ctx context.Context, in *codedeploy.RemoveTagsFromOnPremisesInstancesInput) (*codedeploy.RemoveTagsFromOnPremisesInstancesOutput, error) {
	return &codedeploy.RemoveTagsFromOnPremisesInstancesOutput{}, s.changeInstances(ctx, in.InstanceNames, in.Tags, func(old []types.Tag) ([]types.Tag, error) {
		return slices.DeleteFunc(old, func(t types.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(gone types.Tag) bool {
				return aws.ToString(gone.Key) == aws.ToString(t.Key) && (gone.Value == nil || *gone.Value == aws.ToString(t.Value))
			})
		}), nil
	})
}

func (s *Service) changeInstances(ctx context.Context, names []string, tags []types.Tag, change func([]types.Tag) ([]types.Tag, error)) error {
	switch {
	case len(names) == 0:
		return refuse("InstanceNameRequired", "An on-premises instance name must be specified")
	case len(names) > maxInstances:
		return refuse("InstanceLimitExceeded", "The maximum number of allowed on-premises instances in a single call was exceeded")
	case len(tags) == 0:
		return refuse("TagRequired", "A tag must be specified")
	}
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		for _, name := range names {
			_, err := s.instances.Update(ctx, door.CallerFrom(ctx).Scope(), name, func(i *instance) (err error) {
				if !i.registered() {
					return notRegistered(name)
				}
				i.Info.Tags, err = change(i.Info.Tags)
				return err
			})
			if err != nil {
				return missing(err, notRegistered(name))
			}
		}
		return nil
	})
}

// chosen are the names of the registered instances that a group's tags pick,
// sorted.
func (s *Service) chosen(ctx context.Context, scope store.Scope, g types.DeploymentGroupInfo) ([]string, error) {
	all, err := s.instances.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	sets := [][]types.TagFilter{g.OnPremisesInstanceTagFilters}
	if g.OnPremisesTagSet != nil {
		sets = g.OnPremisesTagSet.OnPremisesTagSetList
	}
	var names []string
	for _, e := range all {
		if e.Value.registered() && len(sets) > 0 && !slices.ContainsFunc(sets, func(set []types.TagFilter) bool { return !matchesAny(set, e.Value.Info.Tags) }) {
			names = append(names, e.ID)
		}
	}
	return names, nil
}

func matchesAny(filters []types.TagFilter, tags []types.Tag) bool {
	return slices.ContainsFunc(filters, func(f types.TagFilter) bool {
		return slices.ContainsFunc(tags, func(t types.Tag) bool {
			key, value := aws.ToString(f.Key) == aws.ToString(t.Key), aws.ToString(f.Value) == aws.ToString(t.Value)
			switch f.Type {
			case types.TagFilterTypeKeyOnly:
				return key
			case types.TagFilterTypeValueOnly:
				return value
			}
			return key && value
		})
	})
}

func checkFilters(code string, filters []types.TagFilter) error {
	for _, f := range filters {
		if f.Type != "" && !slices.Contains(f.Type.Values(), f.Type) {
			return refuse(code, "The type %q of a tag filter is not valid: it is KEY_ONLY, VALUE_ONLY or KEY_AND_VALUE", f.Type)
		}
	}
	return nil
}
