package sns

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/door"
)

// FuzzPolicies: whatever is set as a policy is refused or can be worked with.
func FuzzPolicies(f *testing.F) {
	for _, text := range []string{
		`{"Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":["1","*"]},"Action":["sns:*"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":["1"]}}}]}`,
		`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":"sns:Publish","NotResource":[]}}`, `{"Statement":null}`, `[]`, `{"Statement":[null]}`,
	} {
		f.Add(text, `{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":2,"numRetries":3}}`)
		f.Add(text, `{"http":{"defaultHealthyRetryPolicy":null,"defaultRequestPolicy":{"headerContentType":"a/b"}}}`)
	}
	f.Fuzz(func(t *testing.T, policy, delivery string) {
		tp := topic{Name: "t", ARN: "arn:aws:sns:us-east-1:000000000000:t", Owner: "000000000000"}
		if tp.set("Policy", policy) == nil {
			for _, c := range []door.Caller{{Account: "111122223333"}, {Account: "000000000000", Service: "events.amazonaws.com"}} {
				_ = tp.permit(c, "SNS:Publish")
			}
			if _, _, err := tp.statements(); err != nil {
				t.Fatalf("%q was taken as a policy: %v", policy, err)
			}
		}
		sub := subscription{Protocol: "http"}
		if tp.set("DeliveryPolicy", delivery) != nil || sub.set("DeliveryPolicy", delivery) != nil {
			return
		}
		retry := *effective(tp, sub).Retry
		for n := 1; ; n++ {
			pause, ok := retry.pause(n)
			if !ok {
				break
			}
			if pause < 0 || pause.Hours() > 1 || n > 100 {
				t.Fatalf("%q pauses for %v before retry %d", delivery, pause, n)
			}
		}
	})
}

// FuzzMessages: whatever is published is refused or sent, and filters see it.
func FuzzMessages(f *testing.F) {
	f.Add(`{"default":"a","http":"b"}`, "json", "Number", "1e3", `{"a":[{"numeric":[">",1]}]}`)
	f.Add(`{"a":[[1],{"b":null}]}`, "", "String.Array", `["x",1,true,null]`, `{"a":[{"anything-but":[1]}],"$or":[{"a":["x"]},{"b":["y"]}]}`)
	f.Fuzz(func(t *testing.T, text, structure, kind, value, policy string) {
		p := post{message: &text, structure: &structure, attributes: map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: aws.String(value)}}}
		if p.check(topic{}) != nil {
			return
		}
		sub := subscription{Protocol: "http", Attributes: map[string]string{}}
		if sub.set("FilterPolicy", policy) != nil {
			return
		}
		p.passes(sub)
		sub.Attributes["FilterPolicyScope"] = scopeBody
		p.passes(sub)
		e := envelope{Message: p.text("http"), MessageAttributes: shownAttributes(p.attributes)}
		if b, err := indented(e); err != nil || !json.Valid(b) {
			t.Fatalf("the envelope is %s, %v", b, err)
		}
		e.toSign()
	})
}
