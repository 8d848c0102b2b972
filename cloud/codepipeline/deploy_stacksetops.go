package codepipeline

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// setTemplate is what a stack set is made from.
type setTemplate struct {
	templateInput
	model              cftypes.PermissionModels
	admin, role, about *string
	auto               *cftypes.AutoDeployment
}

func (d *setDeployment) setTemplate(ctx context.Context) (*setTemplate, error) {
	t := &setTemplate{
		model: cftypes.PermissionModels(d.config["PermissionModel"]), about: optional(d.config["Description"]),
		admin: optional(d.config["AdministrationRoleArn"]), role: optional(d.config["ExecutionRoleName"]),
	}
	for _, c := range commaList(d.config["Capabilities"]) {
		t.capabilities = append(t.capabilities, cftypes.Capability(c))
	}
	if mode := d.config["OrganizationsAutoDeployment"]; mode != "" {
		t.auto = &cftypes.AutoDeployment{Enabled: aws.Bool(mode != "Disabled")}
		if *t.auto.Enabled {
			t.auto.RetainStacksOnAccountRemoval = aws.Bool(mode == "EnabledWithStackRetention")
		}
	}
	if err := d.templateBody(ctx, &t.templateInput); err != nil {
		return nil, err
	}
	var err error
	t.parameters, err = d.parameterList(ctx, "Parameters")
	return t, err
}

func (d *setDeployment) createSet(ctx context.Context) (string, error) {
	t, err := d.setTemplate(ctx)
	if err != nil {
		return "", err
	}
	if err := d.save(ctx, func(a *action) { a.Summary = "Stack set " + d.stack + " " + madeHere }); err != nil {
		return "", err
	}
	out, err := d.client.CreateStackSet(ctx, &cloudformation.CreateStackSetInput{
		StackSetName: &d.stack, Description: t.about, TemplateBody: t.body, TemplateURL: t.url, Parameters: t.parameters, Capabilities: t.capabilities,
		PermissionModel: t.model, AdministrationRoleARN: t.admin, ExecutionRoleName: t.role, AutoDeployment: t.auto, ClientRequestToken: &d.record.ID,
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.StackSetId), nil
}

func (d *setDeployment) updateSet(ctx context.Context) error {
	t, err := d.setTemplate(ctx)
	if err != nil {
		return err
	}
	return d.operate(ctx, "update", func(id *string) error {
		_, err := d.client.UpdateStackSet(ctx, &cloudformation.UpdateStackSetInput{
			StackSetName: &d.stack, Description: t.about, TemplateBody: t.body, TemplateURL: t.url, Parameters: t.parameters, Capabilities: t.capabilities,
			PermissionModel: t.model, AdministrationRoleARN: t.admin, ExecutionRoleName: t.role, AutoDeployment: t.auto,
			Accounts: d.accounts, DeploymentTargets: d.targets, Regions: d.regions, OperationPreferences: d.preferences, OperationId: id,
		})
		return err
	})
}

// spread are instances of a stack set: a region's accounts, or an
// organization's units.
type spread struct {
	accounts, regions []string
}

// instances tells which of the targets have no instance yet, and which have.
// What an organization's units have is not known: instances are made there, as
// CloudFormation takes for granted that some exist.
func (d *setDeployment) instances(ctx context.Context) (missing, found []spread, err error) {
	if len(d.regions) == 0 || len(d.accounts) == 0 && d.targets == nil {
		return nil, nil, nil
	}
	if d.targets != nil {
		return []spread{{nil, d.regions}}, nil, nil
	}
	there := map[string]bool{}
	pages := cloudformation.NewListStackInstancesPaginator(d.client, &cloudformation.ListStackInstancesInput{StackSetName: &d.stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range page.Summaries {
			there[aws.ToString(i.Region)+"/"+aws.ToString(i.Account)] = true
		}
	}
	for _, region := range d.regions {
		var has, hasNot []string
		for _, account := range d.accounts {
			if there[region+"/"+account] {
				has = append(has, account)
			} else {
				hasNot = append(hasNot, account)
			}
		}
		missing, found = extend(missing, hasNot, region), extend(found, has, region)
	}
	return missing, found, nil
}

// extend adds a region's accounts, to the spread of the region before if that
// has the same.
func extend(list []spread, accounts []string, region string) []spread {
	if len(accounts) == 0 {
		return list
	}
	if n := len(list); n > 0 && slices.Equal(list[n-1].accounts, accounts) {
		list[n-1].regions = append(list[n-1].regions, region)
		return list
	}
	return append(list, spread{accounts, []string{region}})
}

func (d *setDeployment) createInstances(ctx context.Context, list []spread) error {
	for _, s := range list {
		err := d.operate(ctx, "create-"+s.regions[0], func(id *string) error {
			_, err := d.client.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{
				StackSetName: &d.stack, Accounts: s.accounts, DeploymentTargets: d.targets, Regions: s.regions,
				ParameterOverrides: d.overrides, OperationPreferences: d.preferences, OperationId: id,
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *setDeployment) updateInstances(ctx context.Context, list []spread) error {
	for _, s := range list {
		err := d.operate(ctx, "update-"+s.regions[0], func(id *string) error {
			_, err := d.client.UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{
				StackSetName: &d.stack, Accounts: s.accounts, Regions: s.regions,
				ParameterOverrides: d.overrides, OperationPreferences: d.preferences, OperationId: id,
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
