package resource_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"

	"ouro/cloud/cloudcontrol"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/spec"
)

// recorder is a cloud that has nothing but Cloud Control.
func recorder(t testing.TB) aws.Config {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	if err := d.Register("cloudcontrol", cloudcontrol.New(d.Host("cloudcontrol"), resource.NewTable().Records)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return d.As(door.Caller{Account: "123456789012", Region: "eu-west-1"})
}

// recorded is a resource of a recorded type on its way through a stack.
type recorded struct {
	t    testing.TB
	kind *resource.Kind
	r    *resource.Request
}

func record(t testing.TB, cfg aws.Config, typeName, logical string, properties map[string]any) recorded {
	t.Helper()
	kind, err := resource.NewTable().Find(typeName)
	if err != nil {
		t.Fatal(err)
	}
	x := recorded{t, kind, &resource.Request{
		Clients: &resource.Clients{Config: cfg}, Account: "123456789012", Region: "eu-west-1", Partition: "aws", StackName: "s", LogicalID: logical, Type: typeName,
		Properties: properties, Token: "op-" + logical, Tags: map[string]string{"team": "blue", "aws:cloudformation:stack-name": "s"},
	}}
	x.r.Name, _ = kind.NameFor("s", logical, "ABCDEF123456", properties)
	return x
}

func (x recorded) create() {
	x.t.Helper()
	made, err := x.kind.Create(x.t.Context(), x.r)
	if err != nil {
		x.t.Fatalf("creating %s: %v", x.r.Type, err)
	}
	x.r.Physical, x.r.Attributes = made.Physical, made.Attributes
}

func (x recorded) update(properties map[string]any) {
	x.t.Helper()
	x.r.Former, x.r.FormerTags, x.r.Properties = x.r.Properties, x.r.Tags, properties
	made, err := x.kind.Update(x.t.Context(), x.r)
	if err != nil || made.Physical != x.r.Physical {
		x.t.Fatalf("updating %s %q: %q, %v", x.r.Type, x.r.Physical, made.Physical, err)
	}
	x.r.Attributes = made.Attributes
}

// model is the resource as Cloud Control lists it, the only one of its type.
func (x recorded) model() map[string]any {
	x.t.Helper()
	out, err := resource.Client(x.r.Clients, sdk.NewFromConfig).ListResources(x.t.Context(), &sdk.ListResourcesInput{TypeName: &x.r.Type})
	if err != nil || len(out.ResourceDescriptions) != 1 {
		x.t.Fatalf("listing %s: %+v, %v", x.r.Type, out, err)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(*out.ResourceDescriptions[0].Properties), &m); err != nil {
		x.t.Fatal(err)
	}
	return m
}

// TestRecordedAnswers looks at what Ref and Fn::GetAtt of recorded types answer.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	cfg := recorder(t)
	for i, c := range []struct {
		kind, attribute, want string
		properties            map[string]any
	}{
		{"AWS::EC2::VPC", "", `vpc-0[0-9a-f]{16}`, nil},
		{"AWS::EC2::VPC", "DefaultSecurityGroup", `sg-0[0-9a-f]{16}`, nil},
		{"AWS::EC2::VPC", "CidrBlock", `10\.0\.0\.0/16`, map[string]any{"CidrBlock": "10.0.0.0/16"}},
		{"AWS::EC2::VPC", "Nothing", "none", nil},
		{"AWS::EC2::SecurityGroup", "", `sg-0[0-9a-f]{16}`, map[string]any{"GroupDescription": "x"}},
		{"AWS::EC2::EIP", "", `203\.0\.113\.\d+`, nil},
		{"AWS::EC2::EIP", "AllocationId", `eipalloc-0[0-9a-f]{16}`, nil},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", "", `arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/s-X\d+-ABCDEF123456/[0-9a-f]{16}`, nil},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", "DNSName", `s-X\d+-ABCDEF123456-\d{9}\.eu-west-1\.elb\.amazonaws\.com`, nil},
		{"AWS::SQS::Queue", "", `https://sqs\.eu-west-1\.amazonaws\.com/123456789012/s-X\d+-ABCDEF123456`, nil},
		{"AWS::SQS::Queue", "QueueName", `s-X\d+-ABCDEF123456`, nil},
		{"AWS::Route53::HostedZone", "", `Z[0-9A-Z]{20}`, nil},
		{"AWS::DynamoDB::Table", "", `orders`, map[string]any{"TableName": "orders", "KeySchema": []any{}}},
		{"AWS::DynamoDB::Table", "Arn", `arn:aws:dynamodb:eu-west-1:123456789012:table/s-X\d+-ABCDEF123456`, map[string]any{"KeySchema": []any{}}},
		{"AWS::RDS::DBInstance", "", `s-x\d+-abcdef123456`, nil},
		{"AWS::RDS::DBInstance", "Endpoint.Port", `3306`, nil},
		{"AWS::ApiGatewayV2::VpcLink", "", `[a-z0-9]{6}`, map[string]any{"Name": "a", "SubnetIds": []any{"subnet-1"}}},
		{"AWS::WAFv2::WebACL", "", `w\|[-0-9a-f]{36}\|REGIONAL`, map[string]any{"Name": "w", "Scope": "REGIONAL", "DefaultAction": map[string]any{},
			"VisibilityConfig": map[string]any{"SampledRequestsEnabled": "true", "CloudWatchMetricsEnabled": "false", "MetricName": "m"}}},
	} {
		x := record(t, cfg, c.kind, fmt.Sprintf("X%d", i), c.properties)
		x.create()
		got := x.r.Physical
		if c.attribute != "" {
			v, ok := x.kind.Attribute(x.r, c.attribute)
			if got = fmt.Sprint(v); !ok {
				got = "none"
			}
		}
		if !regexp.MustCompile("^(" + c.want + ")$").MatchString(got) {
			t.Errorf("%s %s is %q, want %s", c.kind, c.attribute, got, c.want)
		}
		x.update(x.r.Properties)
		if err := x.kind.Delete(t.Context(), x.r); err != nil {
			t.Errorf("deleting %s: %v", c.kind, err)
		}
		if err := x.kind.Delete(t.Context(), x.r); err != nil {
			t.Errorf("deleting %s, which is gone: %v", c.kind, err)
		}
	}
}

// TestRecordedLife follows a resource through Cloud Control.
func TestRecordedLife(t *testing.T) {
	t.Parallel()
	cfg := recorder(t)
	x := record(t, cfg, "AWS::SQS::Queue", "Queue", map[string]any{"DelaySeconds": "5", "FifoQueue": "True", "KmsMasterKeyId": json.Number("12")})
	x.create()
	x.create() // by a process that begins again where another died
	got := x.model()
	if got["DelaySeconds"] != 5.0 || got["FifoQueue"] != true || got["KmsMasterKeyId"] != "12" || fmt.Sprint(got["Tags"]) != "[map[Key:team Value:blue]]" {
		t.Errorf("made as %v", got)
	}
	x.update(map[string]any{"DelaySeconds": "6", "FifoQueue": true, "Tags": []any{map[string]any{"Key": "team", "Value": "red"}}})
	got = x.model()
	if _, stays := got["KmsMasterKeyId"]; stays || got["DelaySeconds"] != 6.0 || fmt.Sprint(got["Tags"]) != "[map[Key:team Value:red]]" || got["Arn"] == nil {
		t.Errorf("updated to %v", got)
	}
	if v, ok := x.kind.Attribute(x.r, "Arn"); !ok || v != got["Arn"] {
		t.Errorf("Arn is %v, %v", v, ok)
	}
	if err := x.kind.Delete(t.Context(), x.r); err != nil {
		t.Error(err)
	}
	x.r.Former, x.r.FormerTags = x.r.Properties, x.r.Tags
	_, err := x.kind.Update(t.Context(), x.r)
	if err != nil {
		t.Errorf("an update that changes nothing: %v", err)
	}
	x.r.Former = nil
	if _, err = x.kind.Update(t.Context(), x.r); err == nil || !strings.Contains(err.Error(), "was not found.\" (RequestToken: ") || !strings.HasSuffix(err.Error(), "HandlerErrorCode: NotFound)") {
		t.Errorf("updating what is gone: %v", err)
	}
}

// TestRecordedImport takes a resource over that somebody made.
func TestRecordedImport(t *testing.T) {
	t.Parallel()
	cfg := recorder(t)
	properties := map[string]any{"ServiceName": "web", "Cluster": "main"}
	made := record(t, cfg, "AWS::ECS::Service", "Made", properties)
	made.create()
	x := record(t, cfg, "AWS::ECS::Service", "X", properties)
	x.r.Physical, x.r.Former, x.r.FormerTags = made.r.Physical+"|main", properties, x.r.Tags
	got, err := x.kind.Update(t.Context(), x.r)
	if err != nil || got.Physical != made.r.Physical || got.Attributes["ServiceArn"] != made.r.Physical {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRecordedRefusals(t *testing.T) {
	t.Parallel()
	cfg := recorder(t)
	for _, c := range []struct {
		kind       string
		properties map[string]any
		want       string
	}{
		{"AWS::SQS::Queue", map[string]any{"Foo": "1", "DelaySeconds": "soon"},
			"Properties validation failed for resource X with message:\n#/DelaySeconds: expected type: Integer, found: String\n#: extraneous key [Foo] is not permitted"},
		{"AWS::EC2::Subnet", nil, "Properties validation failed for resource X with message:\n#: required key [VpcId] not found"},
	} {
		x := record(t, cfg, c.kind, "X", c.properties)
		if _, err := x.kind.Create(t.Context(), x.r); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.kind, err, c.want)
		}
	}
	for i := range 2 {
		x := record(t, cfg, "AWS::SQS::Queue", fmt.Sprintf("Q%d", i), map[string]any{"QueueName": "jobs"})
		_, err := x.kind.Create(t.Context(), x.r)
		if (err == nil) != (i == 0) || err != nil && !strings.HasPrefix(err.Error(), `Resource handler returned message: "Resource of type 'AWS::SQS::Queue' with identifier '`) {
			t.Errorf("queue %d: %v", i, err)
		}
	}
}

func TestRecordedReplacement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     string
		path     []string
		was, now any
		want     spec.Replacement
	}{
		{"AWS::SQS::Queue", []string{"QueueName"}, "a", "b", spec.ReplaceAlways},
		{"AWS::SQS::Queue", []string{"DelaySeconds"}, "1", "2", spec.ReplaceNever},
		{"AWS::SQS::Queue", []string{"FifoQueue"}, "true", true, spec.ReplaceNever}, // the same
		{"AWS::SQS::Queue", []string{"FifoQueue"}, nil, true, spec.ReplaceAlways},
		{"AWS::SQS::Queue", []string{"Nothing", "Here"}, nil, true, spec.ReplaceNever},
		{"AWS::RedshiftServerless::Snapshot", []string{"Tags", "0", "Key"}, "a", "b", spec.ReplaceAlways},
		{"AWS::RedshiftServerless::Snapshot", []string{"Tags"}, nil, []any{map[string]any{"Key": "a"}}, spec.ReplaceAlways},
		{"AWS::S3::Bucket", []string{"BucketName"}, "a", "b", spec.ReplaceAlways}, // which runs
		{"AWS::S3::Bucket", []string{"Tags", "0", "Key"}, "a", "b", spec.ReplaceNever},
	} {
		kind, err := resource.NewTable().Find(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := kind.ReplacesAt(c.path, c.was, c.now); got != c.want {
			t.Errorf("%s %v: %d, want %d", c.kind, c.path, got, c.want)
		}
	}
}
