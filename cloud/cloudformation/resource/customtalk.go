package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// customRequest is what a custom resource is asked.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
type customRequest struct {
	RequestType           string
	ServiceToken          string
	ResponseURL           string
	StackID               string `json:"StackId"`
	RequestID             string `json:"RequestId"`
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId,omitempty"`
	ResourceType          string
	ResourceProperties    map[string]any
	OldResourceProperties map[string]any `json:",omitempty"`
}

// send asks the function or topic that ServiceToken names.
func send(ctx context.Context, r *Request, what, id string, properties, former map[string]any) error {
	token := text(properties["ServiceToken"])
	if token == "" {
		return Sayf("Property ServiceToken cannot be empty.")
	}
	url, err := r.Mail.address(ctx, customAnswers, r.Region, customKey(r, id), addressValid)
	if err != nil {
		return err
	}
	q := customRequest{RequestType: what, ServiceToken: token, ResponseURL: url, StackID: r.StackID, RequestID: id, LogicalResourceID: r.LogicalID,
		PhysicalResourceID: r.Physical, ResourceType: r.Type, ResourceProperties: spelled(properties)}
	if former != nil {
		q.OldResourceProperties = spelled(former)
	}
	parts := strings.SplitN(token, ":", 6)
	switch {
	case len(parts) == 6 && parts[2] == "lambda":
		_, err = lambda.NewFromConfig(r.configIn(parts[3])).Invoke(ctx, &lambda.InvokeInput{
			FunctionName: &token, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(document(q))})
	case len(parts) == 6 && parts[2] == "sns":
		_, err = Client(r.Clients, sns.NewFromConfig).Publish(ctx, &sns.PublishInput{
			TopicArn: &token, Subject: aws.String("AWS CloudFormation custom resource request"), Message: aws.String(document(q))})
	default:
		err = Sayf("Invalid service token.")
	}
	return err
}

// spelled is a value of properties as custom resources get it: numbers and
// booleans travel as strings.
func spelled(properties map[string]any) map[string]any {
	out := make(map[string]any, len(properties))
	for k, v := range properties {
		out[k] = spell(v)
	}
	return out
}

func spell(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return spelled(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = spell(item)
		}
		return out
	case nil:
		return nil
	}
	return text(v)
}

// customAnswer is what a custom resource answers.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
type customAnswer struct {
	Status             string
	Reason             string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	NoEcho             any
	Data               map[string]any
}

// maxPhysical is the size in bytes of a physical id.
const maxPhysical = 1024

func readAnswer(body []byte) (customAnswer, error) {
	var a customAnswer
	if len(body) > maxAnswer {
		return a, Sayf("Response object is too long.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&a); err != nil {
		return a, Sayf("Invalid response object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return a, Sayf("Invalid response object: more follows after its end")
	}
	return a, nil
}

// answered judges an answer. The physical id is taken from one that tells of a
// failure too, since what was made halfway has to be deleted by it.
func answered(r *Request, what, id string, body []byte) (Result, error) {
	a, err := readAnswer(body)
	if err != nil {
		return Result{}, err
	}
	given := a.PhysicalResourceID
	if what == "Create" && given != "" && len(given) <= maxPhysical {
		r.Physical = given
	}
	switch {
	case a.Status == "FAILED" && a.Reason == "":
		return Result{}, Sayf("Invalid response object: Value of property Reason is required when Status is FAILED")
	case a.Status == "FAILED":
		return Result{}, Sayf("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", a.Reason, id)
	case a.Status != "SUCCESS":
		return Result{}, Sayf("Invalid response object: Value of property Status must be SUCCESS or FAILED, found: %s", document(a.Status))
	case a.StackID != r.StackID || a.RequestID != id || a.LogicalResourceID != r.LogicalID:
		return Result{}, Sayf("Invalid response object: StackId, RequestId and LogicalResourceId must be those of the request")
	case what == "Delete":
		return Result{}, nil
	case given == "" || len(given) > maxPhysical:
		return Result{}, Sayf("Invalid PhysicalResourceId")
	}
	if a.Data == nil {
		a.Data = map[string]any{}
	}
	hidden := a.NoEcho == true || a.NoEcho == "true"
	return Result{Physical: given, Attributes: a.Data, Hidden: hidden}, nil
}
