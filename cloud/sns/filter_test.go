package sns_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	b := start(t)
	topic := b.topic(t, "news", nil)
	text := func(s string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
	}
	num := func(s string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &s}
	}
	list := types.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: aws.String(`["red",7,null]`)}
	attributes := map[string]types.MessageAttributeValue{"store": text("Shop-12"), "price": num("100.0"), "tags": list, "ip": text("10.1.2.3")}
	const body = `{"store":"shop","deep":{"items":[{"sku":"a","n":1},{"sku":"b","n":2}]}}`
	cases := []struct {
		filter, scope string
		passes        bool
	}{
		{`{"store":["Shop-12"]}`, "", true},
		{`{"store":["other"]}`, "", false},
		{`{"store":[{"prefix":"Shop"}],"price":[{"numeric":[">",50,"<=",100]}]}`, "", true},
		{`{"price":[100]}`, "", true},
		{`{"price":[{"numeric":["=",99]}]}`, "", false},
		{`{"store":[{"anything-but":["a","b"]}]}`, "", true},
		{`{"store":[{"anything-but":{"prefix":"Shop"}}]}`, "", false},
		{`{"store":[{"suffix":"-12"}]}`, "", true},
		{`{"store":[{"equals-ignore-case":"SHOP-12"}]}`, "", true},
		{`{"store":[{"wildcard":"S*-*2"}]}`, "", true},
		{`{"tags":[7]}`, "", true},
		{`{"tags":["blue",null]}`, "", true},
		{`{"ip":[{"cidr":"10.0.0.0/8"}]}`, "", true},
		{`{"missing":[{"exists":false}],"store":[{"exists":true}]}`, "", true},
		{`{"missing":[{"exists":true}]}`, "", false},
		{`{"$or":[{"store":["x"]},{"price":[100]}]}`, "", true},
		{`{"deep":{"items":{"sku":["b"],"n":[2]}}}`, "MessageBody", true},
		{`{"deep":{"items":{"sku":["b"],"n":[1]}}}`, "MessageBody", false},
		{`{"store":["shop"]}`, "MessageBody", true},
	}
	want := map[string]bool{}
	for i, c := range cases {
		given := map[string]string{"FilterPolicy": c.filter}
		if c.scope != "" {
			given["FilterPolicyScope"] = c.scope
		}
		function := "arn:aws:lambda:us-east-1:000000000000:function:f" + string(rune('A'+i))
		b.subscribe(t, topic, "lambda", function, given)
		if c.passes {
			want[function] = true
		}
	}
	b.subscribe(t, topic, "lambda", "arn:aws:lambda:us-east-1:000000000000:function:all", nil)
	want["arn:aws:lambda:us-east-1:000000000000:function:all"] = true
	if _, err := b.Publish(t.Context(), &api.PublishInput{TopicArn: topic, Message: aws.String(body), MessageAttributes: attributes}); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for range want {
		got[*receive(t, b.functions.calls).in.FunctionName] = true
	}
	for i, c := range cases {
		if function := "arn:aws:lambda:us-east-1:000000000000:function:f" + string(rune('A'+i)); got[function] != c.passes {
			t.Errorf("%s of %s passes: %v, want %v", c.filter, c.scope, got[function], c.passes)
		}
	}
	for filter, why := range map[string]string{
		`[1]`:                         "Filter is not an object",
		`{"a":"b"}`:                   "must be an object or an array",
		`{"a":[]}`:                    "Empty arrays are not allowed",
		`{"a":[{"like":"x"}]}`:        "Unrecognized match type like",
		`{"a":[{"numeric":["~",1]}]}`: "Unrecognized numeric range operator: ~",
		`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`: "can not have more than 5 keys",
		`{"a":`: "failed to parse JSON",
		strings.Repeat(`{"a":`, 100) + `[1]` + strings.Repeat(`}`, 100): "too complex",
	} {
		_, err := b.Subscribe(t.Context(), &api.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:q"),
			Attributes: map[string]string{"FilterPolicy": filter}})
		if !strings.HasPrefix(code(err), "InvalidParameter: ") || !strings.Contains(code(err), why) {
			t.Errorf("filter %.60s: %v, want %q", filter, err, why)
		}
	}
}
