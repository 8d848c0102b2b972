package sam_test

import (
	"testing"

	"ouro/template"
	"ouro/template/sam"
)

// TestPositions: what the transform makes is said to be where its maker is,
// and what it passes on stays where it was.
func TestPositions(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("template.yaml", []byte(`Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: x
      Events:
        Hourly:
          Type: Schedule
          Properties: {Schedule: rate(1 hour)}
`))
	if err != nil {
		t.Fatal(err)
	}
	out, err := sam.Transform(parsed, sam.Options{})
	if err != nil {
		t.Fatal(err)
	}
	resources := out.Root.Get("Resources")
	for _, c := range []struct {
		node *template.Node
		want string
	}{
		{resources.Get("Worker"), "template.yaml:4:5"},
		{resources.Get("Worker").Get("Properties").Get("Handler"), "template.yaml:7:16"},
		{resources.Get("WorkerRole"), "template.yaml:4:5"},
		{resources.Get("WorkerRole").Get("Properties").Get("ManagedPolicyArns"), "template.yaml:4:5"},
		{resources.Get("WorkerHourly").Get("Properties").Get("ScheduleExpression"), "template.yaml:12:34"},
		{resources.Get("WorkerHourly").Get("Properties").Get("Targets"), "template.yaml:11:11"},
	} {
		if got := c.node.Pos.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
