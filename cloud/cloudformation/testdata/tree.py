# The life of a tree of stacks as boto3 sees it: created by a change set,
# changed, changed in vain, deleted. It fails when a step ends otherwise.
import sys
import time

import boto3
from botocore.exceptions import ClientError

endpoint, url = sys.argv[1:]
cfn = boto3.client(
    "cloudformation", endpoint_url=endpoint, region_name="us-east-1",
    aws_access_key_id="000000000000", aws_secret_access_key="test")

ROOT = """
Parameters: {Value: {Type: String}}
Resources:
  Leaf: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "%s", Parameters: {Value: !Ref Value, Name: python}}}
  %s
"""
GOOD, BAD = ROOT % (url, ""), ROOT % (url, "Bad: {Type: AWS::S3::Bucket, DependsOn: Leaf, Properties: {BucketName: Not_A_Bucket}}")


def ends(name, want):
    for _ in range(400):
        stack = cfn.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    assert stack["StackStatus"] == want, stack
    return stack


def value(v):
    return [{"ParameterKey": "Value", "ParameterValue": v}]


made = cfn.create_change_set(StackName="python", ChangeSetName="make", ChangeSetType="CREATE", TemplateBody=GOOD, Parameters=value("1"), IncludeNestedStacks=True)
cfn.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"])
changes = cfn.describe_change_set(ChangeSetName=made["Id"])["Changes"]
assert [c["ResourceChange"]["Action"] for c in changes] == ["Add"], changes
cfn.execute_change_set(ChangeSetName=made["Id"])
root = ends("python", "CREATE_COMPLETE")

cfn.create_change_set(StackName="python", ChangeSetName="change", TemplateBody=GOOD, Parameters=value("2"))
told = cfn.describe_change_set(StackName="python", ChangeSetName="change", IncludePropertyValues=True)["Changes"][0]["ResourceChange"]
target = told["Details"][0]["Target"]
assert (target["Path"], target["BeforeValue"], target["AfterValue"]) == ("/Properties/Parameters/Value", "1", "2"), told
cfn.execute_change_set(StackName="python", ChangeSetName="change")
ends("python", "UPDATE_COMPLETE")

cfn.update_stack(StackName="python", TemplateBody=BAD, Parameters=value("3"))
ends("python", "UPDATE_ROLLBACK_COMPLETE")
leaf = cfn.describe_stack_resource(StackName="python", LogicalResourceId="Leaf")["StackResourceDetail"]["PhysicalResourceId"]
assert {p["ParameterKey"]: p["ParameterValue"] for p in ends(leaf, "UPDATE_ROLLBACK_COMPLETE")["Parameters"]}["Value"] == "2"
reasons = [e.get("ResourceStatusReason", "") for page in cfn.get_paginator("describe_stack_events").paginate(StackName="python") for e in page["StackEvents"]]
assert any("The following resource(s) failed to create: [Bad]" in r for r in reasons), reasons

try:
    cfn.update_stack(StackName="python", TemplateBody=GOOD, Parameters=value("2"))
    raise AssertionError("an update of nothing was taken")
except ClientError as e:
    assert e.response["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": "No updates are to be performed."}, e.response

cfn.delete_stack(StackName="python")
ends(root["StackId"], "DELETE_COMPLETE")
ends(leaf, "DELETE_COMPLETE")
