package cloudcontrol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudcontrol"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/spec"
)

// records is what a cloud records that runs buckets.
func records(name string) bool { return name != "AWS::S3::Bucket" }

func newDoor(t testing.TB) *door.Door {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	if err := d.Register("cloudcontrol", cloudcontrol.New(d.Host("cloudcontrol"), records)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

var root = door.Caller{Account: "123456789012", Region: "eu-west-1"}

func newClient(t testing.TB) *sdk.Client { return sdk.NewFromConfig(newDoor(t).As(root)) }

// create makes a resource and gives its identifier and its model.
func create(t testing.TB, c *sdk.Client, typeName, properties string) (string, map[string]any) {
	t.Helper()
	out, err := c.CreateResource(t.Context(), &sdk.CreateResourceInput{TypeName: &typeName, DesiredState: &properties})
	if err != nil {
		t.Fatalf("creating %s: %v", typeName, err)
	}
	if out.ProgressEvent.OperationStatus != types.OperationStatusSuccess {
		t.Fatalf("creating %s: %+v", typeName, out.ProgressEvent)
	}
	return *out.ProgressEvent.Identifier, decode(t, out.ProgressEvent.ResourceModel)
}

func decode(t testing.TB, model *string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(model)), &m); err != nil {
		t.Fatalf("model %q: %v", aws.ToString(model), err)
	}
	return m
}

func read(t testing.TB, c *sdk.Client, typeName, id string) map[string]any {
	t.Helper()
	out, err := c.GetResource(t.Context(), &sdk.GetResourceInput{TypeName: &typeName, Identifier: &id})
	if err != nil {
		t.Fatalf("reading %s %q: %v", typeName, id, err)
	}
	return decode(t, out.ResourceDescription.Properties)
}

// failed checks the code and the message of an error.
func failed(t testing.TB, what string, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("%s: %v, want %s: %s", what, err, code, message)
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const arn = "arn:aws:"
	here := ":eu-west-1:123456789012:"
	for _, tt := range []struct {
		typeName, properties, identifier string
		attributes                       map[string]string // path → expression
	}{
		{"AWS::EC2::VPC", `{"CidrBlock":"10.0.0.0/16"}`, `vpc-0[0-9a-f]{16}`,
			map[string]string{"VpcId": `vpc-0[0-9a-f]{16}`, "DefaultSecurityGroup": `sg-0[0-9a-f]{16}`, "CidrBlock": `10\.0\.0\.0/16`, "Ipv6CidrBlocks": `\[2600:1f18:[0-9a-f]{4}:[0-9a-f]{2}00::/56\]`}},
		{"AWS::EC2::SecurityGroup", `{"GroupDescription":"x"}`, `sg-0[0-9a-f]{16}`, map[string]string{"GroupId": `sg-0[0-9a-f]{16}`, "Id": `sg-0[0-9a-f]{16}`}},
		{"AWS::EC2::Subnet", `{"VpcId":"vpc-1"}`, `subnet-0[0-9a-f]{16}`, map[string]string{"AvailabilityZone": "eu-west-1a", "VpcId": "vpc-1"}},
		{"AWS::EC2::EIP", `{}`, `203\.0\.113\.\d+\|eipalloc-0[0-9a-f]{16}`, nil},
		{"AWS::EC2::VPCGatewayAttachment", `{"VpcId":"vpc-1","InternetGatewayId":"igw-1"}`, `IGW\|vpc-1`, nil},
		{"AWS::EC2::Route", `{"RouteTableId":"rtb-1","DestinationCidrBlock":"0.0.0.0/0"}`, `rtb-1\|0\.0\.0\.0/0`, nil},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", `{"Name":"front"}`, arn + `elasticloadbalancing` + here + `loadbalancer/app/front/[0-9a-f]{16}`,
			map[string]string{"DNSName": `front-\d{9}\.eu-west-1\.elb\.amazonaws\.com`, "LoadBalancerFullName": `app/front/[0-9a-f]{16}`, "LoadBalancerName": "front"}},
		{"AWS::ElasticLoadBalancingV2::Listener", `{"LoadBalancerArn":"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/1","DefaultActions":[]}`,
			arn + `elasticloadbalancing` + here + `listener/app/front/1/[0-9a-f]{16}`, nil},
		{"AWS::SQS::Queue", `{"QueueName":"jobs"}`, `https://sqs\.eu-west-1\.amazonaws\.com/123456789012/jobs`, map[string]string{"Arn": arn + "sqs" + here + "jobs"}},
		{"AWS::Route53::HostedZone", `{"Name":"example.com."}`, `Z[0-9A-Z]{20}`, map[string]string{"NameServers": `\[ns-\d+\.awsdns-\d+\.com .*\]`}},
		{"AWS::DynamoDB::Table", `{"TableName":"t","KeySchema":[]}`, `t`, map[string]string{"Arn": arn + "dynamodb" + here + "table/t", "StreamArn": "<nil>"}},
		{"AWS::DynamoDB::Table", `{"TableName":"s","KeySchema":[],"StreamSpecification":{"StreamViewType":"KEYS_ONLY"}}`, `s`,
			map[string]string{"StreamArn": arn + "dynamodb" + here + `table/s/stream/\d{4}-\d\d-\d\dT.*`}},
		{"AWS::RDS::DBInstance", `{"DBInstanceIdentifier":"db","Engine":"postgres"}`, `db`,
			map[string]string{"Endpoint.Address": `db\.[a-z0-9]{12}\.eu-west-1\.rds\.amazonaws\.com`, "Endpoint.Port": "5432", "DBInstanceArn": arn + "rds" + here + "db:db"}},
		{"AWS::ECR::Repository", `{"RepositoryName":"app"}`, `app`, map[string]string{"RepositoryUri": `123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com/app`, "Arn": arn + "ecr" + here + "repository/app"}},
		{"AWS::KMS::Key", `{}`, `[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`, map[string]string{"Arn": arn + "kms" + here + `key/[-0-9a-f]{36}`}},
		{"AWS::Cognito::UserPool", `{}`, `eu-west-1_[0-9A-Z]{9}`, map[string]string{"ProviderName": `cognito-idp\.eu-west-1\.amazonaws\.com/eu-west-1_[0-9A-Z]{9}`}},
		{"AWS::CloudFront::Distribution", `{"DistributionConfig":{"Enabled":true,"DefaultCacheBehavior":{"TargetOriginId":"o","ViewerProtocolPolicy":"allow-all"}}}`, `E[0-9A-Z]{13}`, map[string]string{"DomainName": `d[a-z0-9]{13}\.cloudfront\.net`}},
		{"AWS::Lambda::Function", `{"FunctionName":"f","Code":{},"Role":"r"}`, `f`, map[string]string{"Arn": arn + "lambda" + here + "function:f"}},
		{"AWS::ECS::Service", `{"ServiceName":"web","Cluster":"main"}`, arn + "ecs" + here + `service/main/web\|main`, nil},
		{"AWS::EC2::VPCEndpoint", `{"VpcId":"vpc-1","ServiceName":"s"}`, `vpce-0[0-9a-f]{16}`,
			map[string]string{"NetworkInterfaceIds": `\[eni-0[0-9a-f]{16} eni-0[0-9a-f]{16}\]`, "DnsEntries": `\[Z[0-9A-Z]{13}:vpce-0[0-9a-f]{16}-[a-z0-9]{8}\.s\.vpce\.amazonaws\.com\]`}},
		{"AWS::DirectoryService::SimpleAD", `{"Name":"x.local","Size":"Small","VpcSettings":{"VpcId":"vpc-1","SubnetIds":["a","b"]}}`, `d-\d{10}`,
			map[string]string{"DnsIpAddresses": `\[10\.0\.\d+\.\d+ 10\.0\.\d+\.\d+\]`}},
		{"AWS::EC2::NetworkInterface", `{"SubnetId":"subnet-1"}`, `eni-0[0-9a-f]{16}`, map[string]string{"SecondaryPrivateIpAddresses": `\[10\..* 10\..*\]`}},
		{"AWS::CloudFront::Function", `{"Name":"f","FunctionCode":"c","FunctionConfig":{"Comment":"","Runtime":"cloudfront-js-2.0"},"AutoPublish":true}`, arn + `cloudfront::123456789012:function/f`,
			map[string]string{"FunctionMetadata.FunctionARN": arn + `cloudfront::123456789012:function/f`}},
		{"AWS::Redshift::Cluster", `{"ClusterIdentifier":"c","ClusterType":"single-node","DBName":"d","MasterUsername":"u","NodeType":"ra3.large"}`, `c`,
			map[string]string{"Endpoint.Address": `c\.[a-z0-9]{12}\.eu-west-1\.redshift\.amazonaws\.com`, "Endpoint.Port": "5439"}},
		{"AWS::Logs::MetricFilter", `{"LogGroupName":"g","FilterPattern":"","MetricTransformations":[]}`, `g\|metricfilter-[a-z0-9]{12}`, nil},
		{"AWS::StepFunctions::StateMachine", `{"RoleArn":"r","StateMachineName":"m"}`, arn + "states" + here + "stateMachine:m", map[string]string{"Name": "m"}},
	} {
		id, model := create(t, c, tt.typeName, tt.properties)
		whole(t, tt.typeName, tt.identifier, id)
		for path, want := range tt.attributes {
			var v any = model
			for part := range strings.SplitSeq(path, ".") {
				inner, _ := v.(map[string]any)
				v = inner[part]
			}
			whole(t, tt.typeName+" "+path, want, fmt.Sprint(v))
		}
		if again := read(t, c, tt.typeName, id); fmt.Sprint(again) != fmt.Sprint(model) {
			t.Errorf("%s reads as %v\nand was made as %v", tt.typeName, again, model)
		}
	}
}

func whole(t testing.TB, what, expression, got string) {
	t.Helper()
	if !regexp.MustCompile("^(" + expression + ")$").MatchString(got) {
		t.Errorf("%s is %q, want %s", what, got, expression)
	}
}

// TestEveryType makes one resource of every type, by what it requires.
func TestEveryType(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, name := range spec.Names() {
		typ, _ := spec.Lookup(name)
		if typ.Transform != "" || !records(name) {
			continue
		}
		properties, err := json.Marshal(least(typ.Properties, 0))
		if err != nil {
			t.Fatal(err)
		}
		id, _ := create(t, c, name, string(properties))
		if id == "" {
			t.Errorf("%s has no identifier", name)
		}
		read(t, c, name, id)
	}
}

// least is the smallest object that has all that is required.
func least(properties []spec.Property, depth int) map[string]any {
	out := map[string]any{}
	for _, p := range properties {
		if p.Required && depth < 30 {
			out[p.Name] = sample(p.Value, depth)
		}
	}
	return out
}

func sample(v spec.Value, depth int) any {
	switch v.Kind {
	case spec.Number, spec.Integer:
		if v.Allowed != nil {
			return json.Number(v.Allowed[0])
		}
		return 1
	case spec.Boolean:
		return true
	case spec.List:
		return []any{}
	case spec.Map, spec.JSON:
		return map[string]any{}
	case spec.Object:
		return least(v.Properties(), depth+1)
	case spec.Union:
		return sample(v.Any[0], depth)
	}
	if v.Allowed != nil {
		return v.Allowed[0]
	}
	return "x"
}

func TestValidation(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	model := func(lines ...string) string { return "Model validation failed (" + strings.Join(lines, "\n") + ")" }
	for _, tt := range []struct{ typeName, properties, code, message string }{
		{"AWS::SQS::Queue", `{"Foo":1}`, "ValidationException", model("#: extraneous key [Foo] is not permitted")},
		{"AWS::SQS::Queue", `{"Arn":"a"}`, "ValidationException", model("#: extraneous key [Arn] is not permitted")},
		{"AWS::SQS::Queue", `{"DelaySeconds":"2"}`, "ValidationException", model("#/DelaySeconds: expected type: Integer, found: String")},
		{"AWS::SQS::Queue", `{"DelaySeconds":1.5,"QueueName":["a"]}`, "ValidationException",
			model("#/DelaySeconds: expected type: Integer, found: Number", "#/QueueName: expected type: String, found: JSONArray")},
		{"AWS::EC2::Subnet", `{}`, "ValidationException", model("#: required key [VpcId] not found")},
		{"AWS::Lambda::Function", `{"Role":"r","Code":{},"PackageType":"Tar","Layers":[1]}`, "ValidationException",
			model("#/Layers/0: expected type: String, found: Integer", "#/PackageType: failed validation constraint for keyword [enum]")},
		{"AWS::ApiGateway::Model", `{"RestApiId":"a","Schema":1}`, "", ""},
		{"AWS::WAFv2::WebACL", `{"Scope":"REGIONAL","DefaultAction":{},"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"m"},
			"Rules":[{"Name":"r","Priority":1,"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"m"},
			"Statement":{"NotStatement":{"Statement":{"NotStatement":{"Statement":{"Foo":{}}}}}}}]}`, "ValidationException",
			model("#/Rules/0/Statement/NotStatement/Statement/NotStatement/Statement: extraneous key [Foo] is not permitted")},
		{"AWS::SQS::Queue", `[]`, "ValidationException", ""},
		{"AWS::SQS::Queue", `{`, "ValidationException", ""},
		{"AWS::SQS::Queue", `{"QueueName":"` + strings.Repeat("x", 262144) + `"}`, "ValidationException", ""},
		{"AWS::Nothing::Here", `{}`, "TypeNotFoundException", "The type 'AWS::Nothing::Here' cannot be found."},
		{"AWS::Serverless::Function", `{}`, "TypeNotFoundException", ""},
		{"AWS::S3::Bucket", `{}`, "UnsupportedActionException", ""},
	} {
		_, err := c.CreateResource(t.Context(), &sdk.CreateResourceInput{TypeName: &tt.typeName, DesiredState: &tt.properties})
		if tt.code == "" {
			if err != nil && !strings.Contains(err.Error(), "no subschema matched") {
				t.Errorf("%s %s: %v", tt.typeName, tt.properties, err)
			}
			continue
		}
		failed(t, tt.typeName+" "+cut(tt.properties), err, tt.code, tt.message)
	}
}

func cut(s string) string { return s[:min(len(s), 80)] }

func TestUpdateAndDelete(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	ctx := t.Context()
	queue := "AWS::SQS::Queue"
	id, made := create(t, c, queue, `{"QueueName":"jobs","DelaySeconds":1,"Tags":[{"Key":"a","Value":"1"}]}`)
	patch := func(doc string) (*sdk.UpdateResourceOutput, error) {
		return c.UpdateResource(ctx, &sdk.UpdateResourceInput{TypeName: &queue, Identifier: &id, PatchDocument: &doc})
	}
	if _, err := patch(`[{"op":"test","path":"/DelaySeconds","value":1},{"op":"replace","path":"/DelaySeconds","value":5},
		{"op":"add","path":"/Tags/-","value":{"Key":"b","Value":"2"}},{"op":"remove","path":"/Tags/0"},{"op":"add","path":"/KmsMasterKeyId","value":"k"},
		{"op":"copy","from":"/KmsMasterKeyId","path":"/RedrivePolicy"},{"op":"remove","path":"/RedrivePolicy"}]`); err != nil {
		t.Fatal(err)
	}
	got := read(t, c, queue, id)
	if got["DelaySeconds"] != 5.0 || fmt.Sprint(got["Tags"]) != "[map[Key:b Value:2]]" || got["KmsMasterKeyId"] != "k" || got["Arn"] != made["Arn"] {
		t.Errorf("updated to %v", got)
	}
	for _, tt := range []struct{ doc, code, message string }{
		{`[{"op":"replace","path":"/QueueName","value":"other"}]`, "NotUpdatableException", "Invalid patch update: createOnlyProperties [/properties/QueueName] cannot be updated"},
		{`[{"op":"replace","path":"/Arn","value":"other"}]`, "ValidationException", "Invalid patch update: readOnlyProperties [/properties/Arn] cannot be updated"},
		{`[{"op":"add","path":"/Foo","value":1}]`, "ValidationException", "Model validation failed (#: extraneous key [Foo] is not permitted)"},
		{`[{"op":"remove","path":"/VisibilityTimeout"}]`, "ValidationException", ""},
		{`[{"op":"test","path":"/DelaySeconds","value":6}]`, "ValidationException", ""},
		{`[{"op":"eat","path":"/DelaySeconds"}]`, "ValidationException", ""},
		{`[{"op":"add","path":"/Tags/7","value":{}}]`, "ValidationException", ""},
		{`[{"op":"add","path":"DelaySeconds","value":1}]`, "ValidationException", ""},
		{`{}`, "ValidationException", ""},
	} {
		_, err := patch(tt.doc)
		failed(t, tt.doc, err, tt.code, tt.message)
	}
	if now := read(t, c, queue, id); fmt.Sprint(now) != fmt.Sprint(got) {
		t.Errorf("refused updates left %v, want %v", now, got)
	}
	_, err := c.CreateResource(ctx, &sdk.CreateResourceInput{TypeName: &queue, DesiredState: aws.String(`{"QueueName":"jobs"}`)})
	failed(t, "a second one", err, "AlreadyExistsException", "Resource of type 'AWS::SQS::Queue' with identifier '"+id+"' already exists.")
	object := `{"QueueUrl":"` + id + `"}`
	out, err := c.DeleteResource(ctx, &sdk.DeleteResourceInput{TypeName: &queue, Identifier: &object})
	if err != nil || *out.ProgressEvent.Identifier != id || out.ProgressEvent.ResourceModel != nil {
		t.Errorf("deleting: %+v, %v", out, err)
	}
	_, err = c.GetResource(ctx, &sdk.GetResourceInput{TypeName: &queue, Identifier: &id})
	failed(t, "reading a deleted one", err, "ResourceNotFoundException", "Resource of type 'AWS::SQS::Queue' with identifier '"+id+"' was not found.")
	_, err = c.DeleteResource(ctx, &sdk.DeleteResourceInput{TypeName: &queue, Identifier: &id})
	failed(t, "deleting it again", err, "ResourceNotFoundException", "")
}

// TestChoices are what the service sets where nobody else did.
func TestChoices(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	db := "AWS::RDS::DBInstance"
	id, model := create(t, c, db, `{"Engine":"postgres"}`)
	if model["Port"] != "5432" {
		t.Errorf("port %v", model["Port"])
	}
	patch := `[{"op":"add","path":"/Port","value":"6000"}]`
	_, err := c.UpdateResource(t.Context(), &sdk.UpdateResourceInput{TypeName: &db, Identifier: &id, PatchDocument: &patch})
	failed(t, "another port", err, "NotUpdatableException", "Invalid patch update: createOnlyProperties [/properties/Port] cannot be updated")
}

func TestRequests(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	ctx := t.Context()
	vpc := "AWS::EC2::VPC"
	in := &sdk.CreateResourceInput{TypeName: &vpc, DesiredState: aws.String(`{"CidrBlock":"10.0.0.0/16"}`), ClientToken: aws.String("once")}
	first, err := c.CreateResource(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.CreateResource(ctx, in)
	if err != nil || *again.ProgressEvent.Identifier != *first.ProgressEvent.Identifier || *again.ProgressEvent.RequestToken != *first.ProgressEvent.RequestToken {
		t.Errorf("the same request again: %+v, %v", again, err)
	}
	in.DesiredState = aws.String(`{"CidrBlock":"10.1.0.0/16"}`)
	_, err = c.CreateResource(ctx, in)
	failed(t, "another with the same token", err, "ClientTokenConflictException", "")
	status, err := c.GetResourceRequestStatus(ctx, &sdk.GetResourceRequestStatusInput{RequestToken: first.ProgressEvent.RequestToken})
	if err != nil || *status.ProgressEvent.ResourceModel != *first.ProgressEvent.ResourceModel || status.ProgressEvent.Operation != types.OperationCreate {
		t.Errorf("status %+v, %v", status, err)
	}
	_, err = c.GetResourceRequestStatus(ctx, &sdk.GetResourceRequestStatusInput{RequestToken: aws.String("none")})
	failed(t, "an unknown token", err, "RequestTokenNotFoundException", "Request with token none was not found")
	_, err = c.CancelResourceRequest(ctx, &sdk.CancelResourceRequestInput{RequestToken: first.ProgressEvent.RequestToken})
	failed(t, "cancelling", err, "ValidationException", "")
	if _, err := c.DeleteResource(ctx, &sdk.DeleteResourceInput{TypeName: &vpc, Identifier: first.ProgressEvent.Identifier}); err != nil {
		t.Fatal(err)
	}
	create(t, c, vpc, `{"CidrBlock":"10.2.0.0/16"}`)
	operations := map[types.Operation]int{}
	pages := sdk.NewListResourceRequestsPaginator(c, &sdk.ListResourceRequestsInput{MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.ResourceRequestStatusSummaries {
			operations[r.Operation]++
		}
	}
	if operations[types.OperationCreate] != 2 || operations[types.OperationDelete] != 1 {
		t.Errorf("requests %v", operations)
	}
	none, err := c.ListResourceRequests(ctx, &sdk.ListResourceRequestsInput{ResourceRequestStatusFilter: &types.ResourceRequestStatusFilter{OperationStatuses: []types.OperationStatus{types.OperationStatusFailed}}})
	if err != nil || len(none.ResourceRequestStatusSummaries) != 0 {
		t.Errorf("failed requests: %+v, %v", none, err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := sdk.NewFromConfig(d.As(root))
	ctx := t.Context()
	subnet := "AWS::EC2::Subnet"
	for i := range 7 {
		create(t, c, subnet, fmt.Sprintf(`{"VpcId":"vpc-%d","CidrBlock":"10.0.%d.0/24"}`, i%2, i))
	}
	create(t, c, "AWS::EC2::SubnetCidrBlock", `{"SubnetId":"s"}`)
	count := func(model *string) int {
		n := 0
		pages := sdk.NewListResourcesPaginator(c, &sdk.ListResourcesInput{TypeName: &subnet, MaxResults: aws.Int32(2), ResourceModel: model})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.ResourceDescriptions)
		}
		return n
	}
	if n := count(nil); n != 7 {
		t.Errorf("%d subnets", n)
	}
	if n := count(aws.String(`{"VpcId":"vpc-1"}`)); n != 3 {
		t.Errorf("%d subnets of a VPC", n)
	}
	other := sdk.NewFromConfig(d.As(door.Caller{Account: "123456789012", Region: "us-east-1"}))
	if out, err := other.ListResources(ctx, &sdk.ListResourcesInput{TypeName: &subnet}); err != nil || len(out.ResourceDescriptions) != 0 {
		t.Errorf("in another region: %+v, %v", out, err)
	}
	_, err := c.ListResources(ctx, &sdk.ListResourcesInput{TypeName: aws.String("AWS::S3::Bucket")})
	failed(t, "listing a type that runs", err, "UnsupportedActionException", "")
}

// TestRevisions counts what is made under one name, deleted or not.
func TestRevisions(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	task := "AWS::ECS::TaskDefinition"
	for i, remove := range []bool{false, true, false} {
		id, _ := create(t, c, task, `{"Family":"web"}`)
		if want := fmt.Sprintf("task-definition/web:%d", i+1); !strings.HasSuffix(id, want) {
			t.Errorf("%s, want %s", id, want)
		}
		if remove {
			if _, err := c.DeleteResource(t.Context(), &sdk.DeleteResourceInput{TypeName: &task, Identifier: &id}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSecrets are not answered with, and need not be sent again.
func TestSecrets(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	db := "AWS::RDS::DBInstance"
	id, model := create(t, c, db, `{"MasterUserPassword":"hunter2","MasterUsername":"me"}`)
	if strings.Contains(fmt.Sprint(model, read(t, c, db, id)), "hunter2") || model["MasterUsername"] != "me" {
		t.Errorf("model %v", model)
	}
	patch := `[{"op":"add","path":"/MasterUserPassword","value":"hunter3"},{"op":"add","path":"/AllocatedStorage","value":"20"}]`
	if _, err := c.UpdateResource(t.Context(), &sdk.UpdateResourceInput{TypeName: &db, Identifier: &id, PatchDocument: &patch}); err != nil {
		t.Error(err)
	}
}

func BenchmarkCreate(b *testing.B) {
	c := newClient(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			create(b, c, "AWS::EC2::Subnet", `{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/24"}`)
		}
	})
}
