package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// groupSize is how many templates a folder has: one that nests the others.
const groupSize = 50

// writeTemplates writes n templates of about 2 KB below dir, and the entrypoint
// "site.yaml" that nests them: groups, and in every group its services, half of
// them in YAML and half in JSON. The same n gives the same bytes.
func writeTemplates(dir string, n int) error {
	var groups []string
	for left, g := n, 0; left > 0; g++ {
		size := min(left, groupSize)
		group := fmt.Sprintf("group%03d", g)
		if err := writeGroup(filepath.Join(dir, group), group, size-1); err != nil {
			return err
		}
		groups = append(groups, group+"/group.yaml")
		left -= size
	}
	return os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(nesting("A site of many services", groups)), 0o644)
}

func writeGroup(dir, group string, services int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var names []string
	for i := range services {
		service := fmt.Sprintf("%s-service%02d", group, i)
		name, body := service+".yaml", []byte(fmt.Sprintf(serviceYAML, service))
		if i%2 == 1 {
			var err error
			if body, err = json.MarshalIndent(serviceTemplate(service), "", "  "); err != nil {
				return err
			}
			name = service + ".json"
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			return err
		}
		names = append(names, name)
	}
	return os.WriteFile(filepath.Join(dir, "group.yaml"), []byte(nesting("The services of "+group, names)), 0o644)
}

// nesting is a template that has a stack for each of the files.
func nesting(description string, files []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "AWSTemplateFormatVersion: \"2010-09-09\"\nDescription: %s\nResources:\n", description)
	if len(files) == 0 {
		b.WriteString("  Nothing:\n    Type: AWS::CloudFormation::WaitConditionHandle\n")
	}
	for i, file := range files {
		fmt.Fprintf(&b, "  Part%02d:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: %s\n", i, file)
	}
	return b.String()
}

const serviceYAML = `AWSTemplateFormatVersion: "2010-09-09"
Description: The queue, the log and the rights of %[1]s
Parameters:
  RetentionInDays:
    Type: Number
    Default: 30
    AllowedValues: [1, 7, 14, 30, 90, 180, 365]
  AlarmThreshold:
    Type: Number
    Default: 100
Conditions:
  Alarmed: !Not [!Equals [!Ref AlarmThreshold, 0]]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-%[1]s
      SqsManagedSseEnabled: true
      VisibilityTimeout: 60
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt DeadLetters.Arn
        maxReceiveCount: 5
  DeadLetters:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: true
      MessageRetentionPeriod: 1209600
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /services/%[1]s/${AWS::Region}
      RetentionInDays: !Ref RetentionInDays
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: !Sub ecs-tasks.${AWS::URLSuffix}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: work
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: TakeMessages
                Effect: Allow
                Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility]
                Resource: !GetAtt Queue.Arn
              - Sid: WriteTheLog
                Effect: Allow
                Action: [logs:CreateLogStream, logs:PutLogEvents]
                Resource: !GetAtt Log.Arn
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Condition: Alarmed
    Properties:
      AlarmDescription: Messages of %[1]s wait
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions:
        - Name: QueueName
          Value: !GetAtt Queue.QueueName
      Statistic: Maximum
      Period: 300
      EvaluationPeriods: 2
      Threshold: !Ref AlarmThreshold
      ComparisonOperator: GreaterThanThreshold
Outputs:
  QueueUrl:
    Value: !Ref Queue
  RoleArn:
    Value: !GetAtt Role.Arn
`

type object = map[string]any

// serviceTemplate is another service, for JSON.
func serviceTemplate(service string) object {
	return object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "The table and the rights of " + service,
		"Parameters": object{
			"ReadCapacity":  object{"Type": "Number", "Default": 5, "MinValue": 1},
			"WriteCapacity": object{"Type": "Number", "Default": 5, "MinValue": 1},
		},
		"Resources": object{
			"Table": object{"Type": "AWS::DynamoDB::Table", "Properties": object{
				"AttributeDefinitions": []object{{"AttributeName": "id", "AttributeType": "S"}},
				"KeySchema":            []object{{"AttributeName": "id", "KeyType": "HASH"}},
				"ProvisionedThroughput": object{
					"ReadCapacityUnits":  object{"Ref": "ReadCapacity"},
					"WriteCapacityUnits": object{"Ref": "WriteCapacity"},
				},
				"SSESpecification": object{"SSEEnabled": true},
				"TableName":        object{"Fn::Sub": "${AWS::StackName}-" + service},
			}},
			"Name": object{"Type": "AWS::SSM::Parameter", "Properties": object{
				"Name": "/services/" + service + "/table", "Type": "String", "Value": object{"Ref": "Table"},
			}},
			"Policy": object{"Type": "AWS::IAM::ManagedPolicy", "Properties": object{
				"Description": "Work on the table of " + service,
				"PolicyDocument": object{"Version": "2012-10-17", "Statement": []object{{
					"Sid": "WorkOnTheTable", "Effect": "Allow",
					"Action":   []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
					"Resource": object{"Fn::GetAtt": []string{"Table", "Arn"}},
				}}},
			}},
		},
		"Outputs": object{
			"TableName": object{"Value": object{"Ref": "Table"}},
			"PolicyArn": object{"Value": object{"Ref": "Policy"}},
		},
	}
}
