package resource

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func deployKinds() []*Kind {
	return []*Kind{
		{
			Type: "AWS::CodeDeploy::Application", NameProperty: "ApplicationName", Naming: &Naming{Max: 100}, Replace: []string{"ApplicationName", "ComputePlatform"},
			Create: createApplication, Update: updateApplication,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, codedeploy.NewFromConfig).DeleteApplication(ctx, &codedeploy.DeleteApplicationInput{ApplicationName: &r.Physical})
				return gone(err)
			},
		},
		{
			Type: "AWS::CodeDeploy::DeploymentConfig", NameProperty: "DeploymentConfigName", Naming: &Naming{Max: 100}, Untagged: true,
			Replace: []string{"DeploymentConfigName", "ComputePlatform", "MinimumHealthyHosts", "TrafficRoutingConfig", "ZonalConfig"},
			Create:  createDeploymentConfig,
			Update:  func(_ context.Context, r *Request) (Result, error) { return Result{Physical: r.Physical}, nil },
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, codedeploy.NewFromConfig).DeleteDeploymentConfig(ctx, &codedeploy.DeleteDeploymentConfigInput{DeploymentConfigName: &r.Physical})
				return gone(err)
			},
		},
		{
			Type: "AWS::CodeDeploy::DeploymentGroup", NameProperty: "DeploymentGroupName", Naming: &Naming{Max: 100}, Replace: []string{"ApplicationName"},
			Create: createDeploymentGroup, Update: updateDeploymentGroup,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, codedeploy.NewFromConfig).DeleteDeploymentGroup(ctx, &codedeploy.DeleteDeploymentGroupInput{
					ApplicationName: aws.String(r.Text("ApplicationName")), DeploymentGroupName: &r.Physical})
				return gone(err)
			},
		},
	}
}

func createApplication(ctx context.Context, r *Request) (Result, error) {
	in := &codedeploy.CreateApplicationInput{}
	if err := Bind(r.Properties, in, "Tags"); err != nil {
		return Result{}, err
	}
	in.ApplicationName, in.Tags = &r.Name, deployTags(r.allTags())
	if _, err := Client(r.Clients, codedeploy.NewFromConfig).CreateApplication(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	return Result{Physical: r.Name}, nil
}

func updateApplication(ctx context.Context, r *Request) (Result, error) {
	return Result{Physical: r.Physical}, changeDeployTags(ctx, r, "application:"+r.Physical)
}

func changeDeployTags(ctx context.Context, r *Request, name string) error {
	arn, client := r.ARN("codedeploy", name), Client(r.Clients, codedeploy.NewFromConfig)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &codedeploy.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := client.TagResource(ctx, &codedeploy.TagResourceInput{ResourceArn: &arn, Tags: deployTags(set)})
	return err
}

// deployTags are the tags without CloudFormation's own, which the service
// does not take.
func deployTags(tags map[string]string) []types.Tag {
	out := []types.Tag{}
	for k, v := range tags {
		if !strings.HasPrefix(k, "aws:") {
			out = append(out, types.Tag{Key: &k, Value: &v})
		}
	}
	return out
}

func createDeploymentConfig(ctx context.Context, r *Request) (Result, error) {
	in := &codedeploy.CreateDeploymentConfigInput{}
	if err := Bind(r.Properties, in); err != nil {
		return Result{}, err
	}
	in.DeploymentConfigName = &r.Name
	if _, err := Client(r.Clients, codedeploy.NewFromConfig).CreateDeploymentConfig(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	return Result{Physical: r.Name}, nil
}

// groupElsewhere are the properties of a group that the service takes in
// another form, or in another call.
var groupElsewhere = []string{"Deployment", "Tags", "OnPremisesTagSet", "Ec2TagSet"}

func createDeploymentGroup(ctx context.Context, r *Request) (Result, error) {
	in := &codedeploy.CreateDeploymentGroupInput{}
	if err := Bind(r.Properties, in, groupElsewhere...); err != nil {
		return Result{}, err
	}
	var err error
	if in.OnPremisesTagSet, in.Ec2TagSet, err = tagSets(r.Properties); err != nil {
		return Result{}, err
	}
	in.DeploymentGroupName, in.Tags = &r.Name, deployTags(r.allTags())
	if _, err := Client(r.Clients, codedeploy.NewFromConfig).CreateDeploymentGroup(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return Result{Physical: r.Name}, deployRevision(ctx, r)
}

// tagSets reads the sets of tag groups, which a template has one level deeper.
func tagSets(properties map[string]any) (*types.OnPremisesTagSet, *types.EC2TagSet, error) {
	groups := func(set, group string) []any {
		out := []any{}
		list, _ := object(properties[set])[set+"List"].([]any)
		for _, item := range list {
			out = append(out, object(item)[group])
		}
		return out
	}
	var premises *types.OnPremisesTagSet
	var ec2 *types.EC2TagSet
	if properties["OnPremisesTagSet"] != nil {
		premises = &types.OnPremisesTagSet{}
		if err := Bind(map[string]any{"OnPremisesTagSetList": groups("OnPremisesTagSet", "OnPremisesTagGroup")}, premises); err != nil {
			return nil, nil, err
		}
	}
	if properties["Ec2TagSet"] != nil {
		ec2 = &types.EC2TagSet{}
		if err := Bind(map[string]any{"Ec2TagSetList": groups("Ec2TagSet", "Ec2TagGroup")}, ec2); err != nil {
			return nil, nil, err
		}
	}
	return premises, ec2, nil
}

// groupAsTemplate are the properties of a group that a template has in another
// form than the service.
func groupAsTemplate(g *types.DeploymentGroupInfo) map[string]any {
	m := map[string]any{}
	if g.OnPremisesTagSet != nil {
		groups := []any{}
		for _, filters := range g.OnPremisesTagSet.OnPremisesTagSetList {
			groups = append(groups, map[string]any{"OnPremisesTagGroup": filters})
		}
		m["OnPremisesTagSet"] = map[string]any{"OnPremisesTagSetList": groups}
	}
	if g.Ec2TagSet != nil {
		groups := []any{}
		for _, filters := range g.Ec2TagSet.Ec2TagSetList {
			groups = append(groups, map[string]any{"Ec2TagGroup": filters})
		}
		m["Ec2TagSet"] = map[string]any{"Ec2TagSetList": groups}
	}
	if g.AutoScalingGroups != nil {
		names := []any{}
		for _, a := range g.AutoScalingGroups {
			names = append(names, aws.ToString(a.Name))
		}
		m["AutoScalingGroups"] = names
	}
	return m
}

func updateDeploymentGroup(ctx context.Context, r *Request) (Result, error) {
	in := &codedeploy.UpdateDeploymentGroupInput{}
	except := append([]string{"DeploymentGroupName"}, groupElsewhere...)
	if err := Bind(r.Properties, in, except...); err != nil {
		return Result{}, err
	}
	Clear(in, r.Former, r.Properties, except...)
	var err error
	if in.OnPremisesTagSet, in.Ec2TagSet, err = tagSets(r.Properties); err != nil {
		return Result{}, err
	}
	in.CurrentDeploymentGroupName = &r.Physical
	name := r.Physical
	if wanted := r.Text("DeploymentGroupName"); wanted != "" {
		in.NewDeploymentGroupName, name = &wanted, wanted
	}
	if _, err := Client(r.Clients, codedeploy.NewFromConfig).UpdateDeploymentGroup(ctx, in); err != nil {
		return Result{}, err
	}
	r.Physical = name
	if err := changeDeployTags(ctx, r, "deploymentgroup:"+r.Text("ApplicationName")+"/"+name); err != nil {
		return Result{}, err
	}
	if document(r.Properties["Deployment"]) == document(r.Former["Deployment"]) {
		return Result{Physical: name}, nil
	}
	return Result{Physical: name}, deployRevision(ctx, r)
}

// deployRevision deploys what the group's property Deployment names, and waits
// for the end.
func deployRevision(ctx context.Context, r *Request) error {
	wanted := object(r.Properties["Deployment"])
	if len(wanted) == 0 {
		return nil
	}
	in := &codedeploy.CreateDeploymentInput{}
	if err := Bind(wanted, in); err != nil {
		return err
	}
	in.ApplicationName, in.DeploymentGroupName = aws.String(r.Text("ApplicationName")), &r.Physical
	client := Client(r.Clients, codedeploy.NewFromConfig)
	out, err := client.CreateDeployment(ctx, in)
	if err != nil {
		return err
	}
	const pause = 200 * time.Millisecond
	for {
		got, err := client.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: out.DeploymentId})
		if err != nil {
			return err
		}
		switch d := got.DeploymentInfo; d.Status {
		case types.DeploymentStatusSucceeded:
			return nil
		case types.DeploymentStatusFailed, types.DeploymentStatusStopped:
			why := string(d.Status)
			if d.ErrorInformation != nil {
				why = aws.ToString(d.ErrorInformation.Message)
			}
			return Sayf("Deployment %s did not succeed: %s", *out.DeploymentId, why)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-r.Cancelled:
			return ErrCancelled
		case <-time.After(pause):
		}
	}
}
