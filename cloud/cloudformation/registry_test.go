package cloudformation_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func TestDescribeType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out, err := w.cfn.DescribeType(t.Context(), &cloudformation.DescribeTypeInput{Type: types.RegistryTypeResource, TypeName: aws.String("AWS::EC2::Subnet")})
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		TypeName                                                              string
		Properties                                                            map[string]any
		Required, CreateOnlyProperties, ReadOnlyProperties, PrimaryIdentifier []string
	}
	if err := json.Unmarshal([]byte(*out.Schema), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.TypeName != "AWS::EC2::Subnet" || !slices.Contains(schema.Required, "VpcId") || !slices.Contains(schema.CreateOnlyProperties, "/properties/CidrBlock") ||
		!slices.Contains(schema.ReadOnlyProperties, "/properties/SubnetId") || !slices.Equal(schema.PrimaryIdentifier, []string{"/properties/SubnetId"}) {
		t.Errorf("schema is %+v", schema)
	}
	if *out.Arn != "arn:aws:cloudformation:us-east-1::type/resource/AWS-EC2-Subnet" || out.ProvisioningType != types.ProvisioningTypeFullyMutable {
		t.Errorf("described as %s, %s", *out.Arn, out.ProvisioningType)
	}
	again, err := w.cfn.DescribeType(t.Context(), &cloudformation.DescribeTypeInput{Arn: out.Arn})
	if err != nil || *again.Schema != *out.Schema {
		t.Errorf("by ARN: %v", err)
	}
	_, err = w.cfn.DescribeType(t.Context(), &cloudformation.DescribeTypeInput{Type: types.RegistryTypeResource, TypeName: aws.String("AWS::EC2::Nothing")})
	refused(t, err, "TypeNotFoundException", "The type 'AWS::EC2::Nothing' cannot be found.")
}

func TestListTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	pages := cloudformation.NewListTypesPaginator(w.cfn, &cloudformation.ListTypesInput{Visibility: types.VisibilityPublic,
		Filters: &types.TypeFilters{TypeNamePrefix: aws.String("AWS::EC2::")}, MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.TypeSummaries {
			names = append(names, *s.TypeName)
		}
	}
	if len(names) < 50 || !slices.IsSorted(names) || !slices.Contains(names, "AWS::EC2::VPC") || slices.ContainsFunc(names, func(n string) bool { return !strings.HasPrefix(n, "AWS::EC2::") }) {
		t.Errorf("types are %v", names)
	}
	own, err := w.cfn.ListTypes(t.Context(), &cloudformation.ListTypesInput{})
	if err != nil || len(own.TypeSummaries) != 0 {
		t.Errorf("types of one's own: %v, %v", own, err)
	}
}
