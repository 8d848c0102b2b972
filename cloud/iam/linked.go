package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// linkedNames are the names of service-linked roles that do not follow from
// their service's principal.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
func linkedName(service string) string {
	names := map[string]string{
		"apigateway": "APIGateway", "application-autoscaling": "ApplicationAutoScaling", "autoscaling": "AutoScaling",
		"codestar-connections": "CodeStarConnections", "codestar-notifications": "CodeStarNotifications",
		"ecs": "ECS", "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService", "eks": "AmazonEKS",
		"elasticache": "ElastiCache", "elasticloadbalancing": "ElasticLoadBalancing", "events": "CloudWatchEvents",
		"member.org.stacksets.cloudformation": "CloudFormationStackSetsOrgMember", "ops.apigateway": "APIGateway",
		"rds": "RDS", "spot": "EC2Spot", "ssm": "AmazonSSM", "wafv2": "WAFV2Logging",
	}
	if name, ok := names[service]; ok {
		return "AWSServiceRoleFor" + name
	}
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(service, func(r rune) bool { return r == '.' || r == '-' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return "AWSServiceRoleFor" + b.String()
}

// deletion is the deletion of a service-linked role, which is done at once.
type deletion struct{ Role string }

// CreateServiceLinkedRole makes the role that a service has in the account.
func (s *Service) CreateServiceLinkedRole(ctx context.Context, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	principal := aws.ToString(in.AWSServiceName)
	service, ok := strings.CutSuffix(principal, ".amazonaws.com")
	if !ok || service == "" {
		return nil, badInput("Service name %s is not valid.", principal)
	}
	name := linkedName(service)
	if in.CustomSuffix != nil {
		name += "_" + *in.CustomSuffix
	}
	e, err := s.fresh(s.roles, &name, aws.String(linkedPath+principal+"/"))
	if err != nil {
		return nil, err
	}
	e.Trust = fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`, principal)
	e.Description, e.MaxSession = aws.ToString(in.Description), usualSession
	err = s.insert(ctx, s.roles, e)
	if _, ok := err.(*types.EntityAlreadyExistsException); ok {
		err = badInput("Service role name %s has been taken in this account, please try a different suffix.", name)
	}
	if err != nil {
		return nil, err
	}
	role := s.role(door.CallerFrom(ctx), e)
	return &iam.CreateServiceLinkedRoleOutput{Role: &role}, nil
}

// DeleteServiceLinkedRole deletes a service-linked role. No service holds on to
// its role here, so that it is gone when this returns.
func (s *Service) DeleteServiceLinkedRole(ctx context.Context, in *iam.DeleteServiceLinkedRoleInput) (*iam.DeleteServiceLinkedRoleOutput, error) {
	scope := door.CallerFrom(ctx).GlobalScope()
	task := ""
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		e, err := s.roles.get(ctx, in.RoleName)
		if err != nil {
			return err
		}
		if protected(e) == nil {
			return badInput("Role %s is not a service-linked role.", e.Name)
		}
		task = "task" + e.Path + e.Name + "/" + s.host.NewID()
		if err := s.tasks.Insert(ctx, scope, task, deletion{Role: e.Name}); err != nil {
			return err
		}
		return s.roles.table.Delete(ctx, scope, id(e.Name))
	})
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: &task}, err
}

// GetServiceLinkedRoleDeletionStatus tells how a deletion went.
func (s *Service) GetServiceLinkedRoleDeletionStatus(ctx context.Context, in *iam.GetServiceLinkedRoleDeletionStatusInput) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	_, err := s.tasks.Get(ctx, door.CallerFrom(ctx).GlobalScope(), aws.ToString(in.DeletionTaskId))
	if err == store.ErrNotFound {
		err = noSuch("Deletion task %s cannot be found.", aws.ToString(in.DeletionTaskId))
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, err
}
