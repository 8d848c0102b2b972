package cloudformation_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

func (w *world) bucket(name string) {
	w.t.Helper()
	if _, err := s3.NewFromConfig(w.Config).CreateBucket(w.t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) hasBucket(name string) bool {
	_, err := s3.NewFromConfig(w.Config).HeadBucket(w.t.Context(), &s3.HeadBucketInput{Bucket: &name})
	return err == nil
}

func bucketNamed(name string, policy string) map[string]any {
	res := map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": name}}
	if policy != "" {
		res["DeletionPolicy"] = policy
	}
	return res
}

func taking(id, resourceType string, identifier map[string]string) func(*cloudformation.CreateChangeSetInput) {
	return func(in *cloudformation.CreateChangeSetInput) {
		in.ResourcesToImport = append(in.ResourcesToImport, types.ResourceToImport{LogicalResourceId: &id, ResourceType: &resourceType, ResourceIdentifier: identifier})
	}
}

// TestImport takes resources over into a new stack and one that is there.
func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bucket("mine")
	if _, err := ssm.NewFromConfig(w.Config).PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("p"), Value: aws.String("there"), Type: "String"}); err != nil {
		t.Fatal(err)
	}
	one := map[string]any{"B": bucketNamed("mine", "Retain")}
	cs := w.changeSet("s", "take", types.ChangeSetTypeImport, template(t, one), taking("B", "AWS::S3::Bucket", map[string]string{"BucketName": "mine"}))
	if diff := cmp.Diff([]string{"Import B "}, summary(cs)); diff != "" || cs.Status != types.ChangeSetStatusCreateComplete {
		t.Fatalf("%s %s: changes (-want +got):\n%s", cs.Status, aws.ToString(cs.StatusReason), diff)
	}
	if s := w.execute("s", "take"); s.StackStatus != types.StackStatusImportComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	const want = `s REVIEW_IN_PROGRESS: User Initiated
s IMPORT_IN_PROGRESS: User Initiated
B IMPORT_IN_PROGRESS: Resource import started.
B IMPORT_COMPLETE: Resource import completed.
B UPDATE_IN_PROGRESS: Apply stack-level tags to imported resource if applicable.
B UPDATE_COMPLETE
s IMPORT_COMPLETE`
	if diff := cmp.Diff(want, w.story("s")); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}

	// Into the stack that is there, whose resources are its own from then on.
	two := map[string]any{"B": one["B"], "P": parameter("there", "Name", "p", "!DeletionPolicy", "Delete")}
	w.changeSet("s", "more", types.ChangeSetTypeImport, template(t, two), taking("P", "AWS::SSM::Parameter", map[string]string{"Name": "p"}))
	if s := w.execute("s", "more"); s.StackStatus != types.StackStatusImportComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	two["P"] = parameter("changed", "Name", "p")
	if s := w.update("s", template(t, two)); s.StackStatus != types.StackStatusUpdateComplete || w.parameters()["p"] != "changed" {
		t.Errorf("%s: %v", s.StackStatus, w.parameters())
	}
	if s := w.delete("s"); s.StackStatus != types.StackStatusDeleteComplete || !w.hasBucket("mine") || len(w.parameters()) != 0 {
		t.Errorf("%s: bucket %v, parameters %v", s.StackStatus, w.hasBucket("mine"), w.parameters())
	}
}

// TestImportRecorded takes over what Cloud Control keeps.
func TestImportRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := cloudcontrol.NewFromConfig(w.Config)
	made, err := client.CreateResource(t.Context(), &cloudcontrol.CreateResourceInput{TypeName: aws.String("AWS::SQS::Queue"), DesiredState: aws.String(`{"QueueName": "q"}`)})
	if err != nil {
		t.Fatal(err)
	}
	url := *made.ProgressEvent.Identifier
	queue := map[string]any{"Type": "AWS::SQS::Queue", "DeletionPolicy": "Delete", "Properties": map[string]any{"QueueName": "q"}}
	resources := map[string]any{"Q": queue}
	w.changeSet("s", "take", types.ChangeSetTypeImport, template(t, resources), taking("Q", "AWS::SQS::Queue", map[string]string{"QueueUrl": url}))
	if s := w.execute("s", "take"); s.StackStatus != types.StackStatusImportComplete || w.physical("s", "Q") != url {
		t.Fatalf("%s %s\n%s", s.StackStatus, w.physical("s", "Q"), w.story("s"))
	}
	resources["P"] = parameter(map[string]any{"Fn::GetAtt": []string{"Q", "Arn"}}, "Name", "p")
	if s := w.update("s", template(t, resources)); s.StackStatus != types.StackStatusUpdateComplete || w.parameters()["p"] != "arn:aws:sqs:us-east-1:000000000000:q" {
		t.Errorf("%s: %v\n%s", s.StackStatus, w.parameters(), w.story("s"))
	}
	w.delete("s")
	if _, err := client.GetResource(t.Context(), &cloudcontrol.GetResourceInput{TypeName: aws.String("AWS::SQS::Queue"), Identifier: &url}); err == nil {
		t.Error("the queue outlives its stack")
	}
}

// TestImportRollback loses a resource between the change set and its execution.
func TestImportRollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bucket("mine")
	w.bucket("other")
	resources := map[string]any{"P": parameter("1", "Name", "p")}
	w.create("s", template(t, resources))
	resources["A"], resources["B"] = bucketNamed("mine", "Delete"), bucketNamed("other", "Delete")
	resources["B"].(map[string]any)["DependsOn"] = "A"
	w.changeSet("s", "take", types.ChangeSetTypeImport, template(t, resources), taking("A", "AWS::S3::Bucket", map[string]string{"BucketName": "mine"}),
		taking("B", "AWS::S3::Bucket", map[string]string{"BucketName": "other"}))
	if _, err := s3.NewFromConfig(w.Config).DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("other")}); err != nil {
		t.Fatal(err)
	}
	s := w.execute("s", "take")
	story := w.story("s")
	for _, want := range []string{"B IMPORT_FAILED: Resource of type 'AWS::S3::Bucket' with identifier 'other' was not found.",
		"s IMPORT_ROLLBACK_IN_PROGRESS: The following resource(s) failed to import: [B].", "A IMPORT_ROLLBACK_COMPLETE"} {
		if !strings.Contains(story, want) {
			t.Errorf("no %q in\n%s", want, story)
		}
	}
	rows, err := w.cfn.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: aws.String("s")})
	if err != nil || len(rows.StackResourceSummaries) != 1 || s.StackStatus != types.StackStatusImportRollbackComplete || !w.hasBucket("mine") {
		t.Errorf("%s: resources %v, %v", s.StackStatus, rows, err)
	}
	if s := w.update("s", template(t, map[string]any{"P": parameter("2", "Name", "p")})); s.StackStatus != types.StackStatusUpdateComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
}

// TestImportExisting makes what is not there and takes over what is.
func TestImportExisting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bucket("mine")
	existing := func(in *cloudformation.CreateChangeSetInput) { in.ImportExistingResources = aws.Bool(true) }
	cs := w.changeSet("s", "unkept", types.ChangeSetTypeCreate, template(t, map[string]any{"B": bucketNamed("mine", "")}), existing)
	want := "CloudFormation is attempting to import some resources because they already exist in your account. The resources must have the DeletionPolicy attribute set to 'Retain' or " +
		"'RetainExceptOnCreate' in the template for successful import. The affected resources are B ({BucketName=mine})"
	if cs.Status != types.ChangeSetStatusFailed || aws.ToString(cs.StatusReason) != want {
		t.Errorf("%s: %s", cs.Status, aws.ToString(cs.StatusReason))
	}
	both := map[string]any{"B": bucketNamed("mine", "Retain"), "P": parameter("1", "Name", "p")}
	cs = w.changeSet("s", "take", types.ChangeSetTypeCreate, template(t, both), existing)
	if diff := cmp.Diff([]string{"Import B ", "Add P "}, summary(cs)); diff != "" || !aws.ToBool(cs.ImportExistingResources) {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if s := w.execute("s", "take"); s.StackStatus != types.StackStatusCreateComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
	// Taken over by an update that fails, it stays where it was.
	w.bucket("other")
	both["C"], both["Bad"] = bucketNamed("other", "Retain"), broken("C")
	w.changeSet("s", "fail", "", template(t, both), existing)
	if s := w.execute("s", "fail"); s.StackStatus != types.StackStatusUpdateRollbackComplete || !w.hasBucket("other") {
		t.Errorf("%s, bucket %v\n%s", s.StackStatus, w.hasBucket("other"), w.story("s"))
	}
}

// TestImportRefusals asks for imports that cannot be.
func TestImportRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bucket("mine")
	w.create("owner", template(t, map[string]any{"B": bucketNamed("owned", "")}))
	id := func(name string) map[string]string { return map[string]string{"BucketName": name} }
	const bucket = "AWS::S3::Bucket"
	for name, c := range map[string]struct {
		kind      types.ChangeSetType
		resources map[string]any
		take      func(*cloudformation.CreateChangeSetInput)
		outputs   map[string]any
		code      string // empty: the change set fails
		message   string
	}{
		"no policy": {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("mine", "")}, taking("B", bucket, id("mine")), nil, "ValidationError",
			"The following resources to import [B] must have DeletionPolicy attribute specified in the template."},
		"not in the template": {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("mine", "Retain")}, taking("C", bucket, id("mine")), nil, "ValidationError", "[C] must be in the template"},
		"a wrong identifier": {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("mine", "Retain")}, taking("B", bucket, map[string]string{"Name": "mine"}), nil, "ValidationError",
			"must be identified by [BucketName]"},
		"nothing to import":  {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("mine", "Retain")}, func(*cloudformation.CreateChangeSetInput) {}, nil, "ValidationError", "ResourcesToImport must be specified"},
		"not to be imported": {types.ChangeSetTypeCreate, map[string]any{"B": bucketNamed("mine", "Retain")}, taking("B", bucket, id("mine")), nil, "ValidationError", "only be specified for change sets of type IMPORT"},
		"something else": {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("mine", "Retain"), "P": parameter("1")}, taking("B", bucket, id("mine")), nil, "",
			"You have modified resources [P] in your template that are not being imported. Update, create or delete operations cannot be executed during import operations."},
		"outputs": {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("mine", "Retain")}, taking("B", bucket, id("mine")), map[string]any{"O": map[string]any{"Value": "1"}}, "",
			"As part of the import operation, you cannot modify or add [Outputs]"},
		"what is not there": {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("none", "Retain")}, taking("B", bucket, id("none")), nil, "", "identifier 'none' was not found"},
		"what is owned":     {types.ChangeSetTypeImport, map[string]any{"B": bucketNamed("owned", "Retain")}, taking("B", bucket, id("owned")), nil, "", "owned already exists in stack arn:aws:cloudformation:"},
	} {
		t.Run(name, func(t *testing.T) {
			set := strings.ReplaceAll(name, " ", "-")
			body := template(t, c.resources)
			if c.outputs != nil {
				body = template(t, c.resources, "Outputs", c.outputs)
			}
			create := func(ctx context.Context) error {
				in := &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: &set, ChangeSetType: c.kind, TemplateBody: &body}
				c.take(in)
				_, err := w.cfn.CreateChangeSet(ctx, in)
				return err
			}
			err := create(t.Context())
			if c.code != "" {
				refused(t, err, c.code, c.message)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			cs, err := w.cfn.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: &set})
			if err != nil || cs.Status != types.ChangeSetStatusFailed || !strings.Contains(aws.ToString(cs.StatusReason), c.message) {
				t.Errorf("%v, %v", cs, err)
			}
		})
	}
}
