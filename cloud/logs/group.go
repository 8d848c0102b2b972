package logs

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// retentions are the days that AWS lets one choose from.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
func retentions() []int32 {
	return []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

// CreateLogGroup makes a log group without streams.
func (s *Service) CreateLogGroup(ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if in.LogGroupClass != "" && !slices.Contains(in.LogGroupClass.Values(), in.LogGroupClass) {
		return nil, violated("logGroupClass", in.LogGroupClass, fmt.Sprintf("satisfy enum value set: %v", in.LogGroupClass.Values()))
	}
	if err := checkTags(nil, in.Tags); err != nil {
		return nil, err
	}
	g := group{
		Created: s.now(), KMSKey: aws.ToString(in.KmsKeyId), Class: string(in.LogGroupClass), Tags: in.Tags,
		Protected: aws.ToBool(in.DeletionProtectionEnabled),
	}
	err = s.groups.Insert(ctx, door.CallerFrom(ctx).Scope(), name, g)
	return &cloudwatchlogs.CreateLogGroupOutput{}, exists(err, "log group")
}

// DeleteLogGroup deletes a log group with its streams and events.
func (s *Service) DeleteLogGroup(ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		g, err := s.group(ctx, name)
		if err != nil {
			return err
		}
		if g.Protected {
			return &types.ValidationException{Message: aws.String("The specified log group has deletion protection enabled.")}
		}
		streams, err := s.streams.List(ctx, scope, store.Query{Prefix: streamID(name, "")})
		if err != nil {
			return err
		}
		for _, e := range streams {
			if err := s.deleteStream(ctx, e.ID); err != nil {
				return err
			}
		}
		return s.groups.Delete(ctx, scope, name)
	})
	return &cloudwatchlogs.DeleteLogGroupOutput{}, err
}

// PutLogGroupDeletionProtection sets whether a log group may be deleted.
func (s *Service) PutLogGroupDeletionProtection(ctx context.Context, in *cloudwatchlogs.PutLogGroupDeletionProtectionInput) (*cloudwatchlogs.PutLogGroupDeletionProtectionOutput, error) {
	name, err := groupName(nil, in.LogGroupIdentifier)
	if err == nil {
		err = s.updateGroup(ctx, name, func(g *group) { g.Protected = aws.ToBool(in.DeletionProtectionEnabled) })
	}
	return &cloudwatchlogs.PutLogGroupDeletionProtectionOutput{}, err
}

// DescribeLogGroups lists log groups by name.
func (s *Service) DescribeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	most, err := checkLimit(in.Limit, 50)
	if err != nil {
		return nil, err
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	found, err := s.groups.List(ctx, caller.Scope(), store.Query{Prefix: aws.ToString(in.LogGroupNamePrefix), After: after})
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	for _, e := range found {
		if !wanted(in, e) {
			continue
		}
		if len(out.LogGroups) == most {
			out.NextToken = writeToken(*out.LogGroups[most-1].LogGroupName)
			break
		}
		g, err := s.describeGroup(ctx, caller, e)
		if err != nil {
			return nil, err
		}
		out.LogGroups = append(out.LogGroups, g)
	}
	return out, nil
}

// wanted tells whether the request asks for the group.
func wanted(in *cloudwatchlogs.DescribeLogGroupsInput, e store.Entry[group]) bool {
	if !strings.Contains(e.ID, aws.ToString(in.LogGroupNamePattern)) {
		return false
	}
	if in.LogGroupClass != "" && string(in.LogGroupClass) != class(e.Value) {
		return false
	}
	return len(in.LogGroupIdentifiers) == 0 ||
		slices.ContainsFunc(in.LogGroupIdentifiers, func(identifier string) bool { return nameOf(identifier) == e.ID })
}

func class(g group) string { return cmp.Or(g.Class, string(types.LogGroupClassStandard)) }

func (s *Service) describeGroup(ctx context.Context, caller door.Caller, e store.Entry[group]) (types.LogGroup, error) {
	streams, err := s.streams.List(ctx, caller.Scope(), store.Query{Prefix: streamID(e.ID, "")})
	if err != nil {
		return types.LogGroup{}, err
	}
	var stored int64
	for _, st := range streams {
		stored += st.Value.Bytes
	}
	g := types.LogGroup{
		Arn: aws.String(*groupARN(caller, e.ID) + ":*"), LogGroupArn: groupARN(caller, e.ID), LogGroupName: aws.String(e.ID),
		CreationTime: aws.Int64(e.Value.Created), LogGroupClass: types.LogGroupClass(class(e.Value)),
		MetricFilterCount: aws.Int32(0), StoredBytes: aws.Int64(stored),
		DeletionProtectionEnabled: aws.Bool(e.Value.Protected),
	}
	if e.Value.Retention > 0 {
		g.RetentionInDays = aws.Int32(e.Value.Retention)
	}
	if e.Value.KMSKey != "" {
		g.KmsKeyId = aws.String(e.Value.KMSKey)
	}
	return g, nil
}

// PutRetentionPolicy sets for how many days events are kept.
func (s *Service) PutRetentionPolicy(ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	days := aws.ToInt32(in.RetentionInDays)
	if !slices.Contains(retentions(), days) {
		return nil, violated("retentionInDays", days, "satisfy enum value set: "+strings.ReplaceAll(fmt.Sprint(retentions()), " ", ", "))
	}
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, s.updateGroup(ctx, name, func(g *group) { g.Retention = days })
}

// DeleteRetentionPolicy has events kept for ever.
func (s *Service) DeleteRetentionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err == nil {
		err = s.updateGroup(ctx, name, func(g *group) { g.Retention = 0 })
	}
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, err
}

// AssociateKmsKey notes the key that the group is to be encrypted with. The
// local cloud's state is not encrypted.
func (s *Service) AssociateKmsKey(ctx context.Context, in *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	if in.KmsKeyId == nil {
		return nil, null("kmsKeyId")
	}
	name, err := groupName(in.LogGroupName, in.ResourceIdentifier)
	if err == nil {
		err = s.updateGroup(ctx, name, func(g *group) { g.KMSKey = *in.KmsKeyId })
	}
	return &cloudwatchlogs.AssociateKmsKeyOutput{}, err
}

// DisassociateKmsKey forgets the group's key.
func (s *Service) DisassociateKmsKey(ctx context.Context, in *cloudwatchlogs.DisassociateKmsKeyInput) (*cloudwatchlogs.DisassociateKmsKeyOutput, error) {
	name, err := groupName(in.LogGroupName, in.ResourceIdentifier)
	if err == nil {
		err = s.updateGroup(ctx, name, func(g *group) { g.KMSKey = "" })
	}
	return &cloudwatchlogs.DisassociateKmsKeyOutput{}, err
}

// readToken is what a list's token holds: the last name of the page before.
func readToken(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	b, err := base64.URLEncoding.DecodeString(*token)
	if err != nil {
		return "", badToken()
	}
	return string(b), nil
}

func badToken() error { return invalid("The specified nextToken is invalid.") }

func writeToken(last string) *string {
	return aws.String(base64.URLEncoding.EncodeToString([]byte(last)))
}
