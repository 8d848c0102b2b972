package cloudformation_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

// TestEventBus takes a bus and a rule on it through the life of a stack.
func TestEventBus(t *testing.T) {
	t.Parallel()
	w, body := newWorld(t), func(description string) string {
		return fmt.Sprintf(`{"Resources":{
			"Bus":{"Type":"AWS::Events::EventBus","Properties":{"Name":"orders","Description":%q}},
			"Rule":{"Type":"AWS::Events::Rule","Properties":{"EventBusName":{"Ref":"Bus"},"EventPattern":{"source":["shop"]}}}},
			"Outputs":{"Arn":{"Value":{"Fn::GetAtt":["Bus","Arn"]}}}}`, description)
	}
	s := w.create("s", body("one"))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	client := eventbridge.NewFromConfig(w.Config)
	describe := func() *eventbridge.DescribeEventBusOutput {
		t.Helper()
		out, err := client.DescribeEventBus(t.Context(), &eventbridge.DescribeEventBusInput{Name: aws.String(w.physical("s", "Bus"))})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if b := describe(); *b.Description != "one" || *b.Arn != outputs(s)["Arn"] {
		t.Errorf("the bus is %q of %s, the output %s", *b.Description, *b.Arn, outputs(s)["Arn"])
	}
	if s := w.update("s", body("two")); s.StackStatus != types.StackStatusUpdateComplete || *describe().Description != "two" {
		t.Errorf("%s, %q\n%s", s.StackStatus, *describe().Description, w.story("s"))
	}
	w.delete("s")
	if left, err := client.ListEventBuses(t.Context(), &eventbridge.ListEventBusesInput{}); err != nil || len(left.EventBuses) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}
