package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// request is what CloudFormation asks of a custom resource.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
type request struct {
	RequestType           string // Create, Update or Delete
	RequestID             string `json:"RequestId"`
	ResponseURL           string
	StackID               string `json:"StackId"`
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId"`
	ResourceProperties    map[string]any
	OldResourceProperties map[string]any
}

// answer is what a custom resource says to CloudFormation.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
type answer struct {
	Status             string // SUCCESS or FAILED
	Reason             string `json:",omitempty"`
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	Data               map[string]string
}

// resource is a kind of custom resource with properties P.
type resource[P any] struct {
	// check tells what is wrong with properties.
	check func(*P) error
	// id is the physical id, which follows from the properties: a request that
	// comes twice is about the same thing, and properties with another id are
	// about another thing, which CloudFormation replaces this one with.
	id func(*request, *P) string
	// put makes the thing as the properties say, whether it is there or not. old
	// are the properties before, nil for a creation. data are the attributes.
	put func(ctx context.Context, r *request, p, old *P) (data map[string]string, err error)
	// remove takes the thing away; one that is not there is no error.
	remove func(ctx context.Context, r *request, p *P) error
}

// unmade is the physical id of what could not even be named.
const unmade = "not-made"

// handle does what a request asks for, and answers it in any case. The error is
// of an answer that could not be given: Lambda asks again then.
func (k *resource[P]) handle(ctx context.Context, event json.RawMessage) (any, error) {
	var r request
	if err := json.Unmarshal(event, &r); err != nil || r.ResponseURL == "" {
		return nil, errors.New("the event is no request of a custom resource")
	}
	a := answer{Status: "SUCCESS", PhysicalResourceID: r.PhysicalResourceID, StackID: r.StackID, RequestID: r.RequestID, LogicalResourceID: r.LogicalResourceID}
	if a.PhysicalResourceID == "" {
		a.PhysicalResourceID = unmade
	}
	if p, err := properties[P](r.ResourceProperties); err == nil && k.check(p) == nil && r.RequestType != "Delete" {
		a.PhysicalResourceID = k.id(&r, p)
	}
	var err error
	if a.Data, err = within(ctx, func(ctx context.Context) (map[string]string, error) { return k.do(ctx, &r) }); err != nil {
		a.Status, a.Reason, a.Data = "FAILED", cut(err.Error(), maxReason), nil
	}
	return nil, a.give(ctx, r.ResponseURL)
}

func (k *resource[P]) do(ctx context.Context, r *request) (map[string]string, error) {
	p, err := properties[P](r.ResourceProperties)
	if err == nil {
		err = k.check(p)
	}
	switch {
	case r.RequestType == "Delete":
		if err != nil || k.id(r, p) != r.PhysicalResourceID {
			return nil, nil // there never was such a thing
		}
		return nil, k.remove(ctx, r, p)
	case err != nil:
		return nil, err
	case r.RequestType == "Create":
		return k.put(ctx, r, p, nil)
	case r.RequestType != "Update":
		return nil, fmt.Errorf("there is no request %q", r.RequestType)
	}
	old, err := properties[P](r.OldResourceProperties)
	if err != nil || k.check(old) != nil {
		old = nil // of a creation that failed
	}
	return k.put(ctx, r, p, old)
}

// common are properties of all custom resources, which are for CloudFormation.
var common = []string{"ServiceToken", "ServiceTimeout"}

// properties reads the properties of a resource; one that it does not know is an
// error. All values arrive as strings, or lists and objects of strings.
func properties[P any](given map[string]any) (*P, error) {
	own := map[string]any{}
	for name, value := range given {
		own[name] = value
	}
	for _, name := range common {
		delete(own, name)
	}
	body, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	p := new(P)
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("reading the properties: %w", err)
	}
	return p, nil
}

// maxAnswer is how many bytes CloudFormation takes as an answer, and maxReason how
// much of an error is in one at first.
const (
	maxAnswer = 4096
	maxReason = 2000
)

func cut(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// maxTries is how often an answer is given before the function ends in an error.
const maxTries = 6

// firstPause is how long the first pause between two tries is; each is twice as
// long as the one before. A variable for tests alone.
var firstPause = 200 * time.Millisecond

// give puts the answer to where CloudFormation waits for it. The address is a
// secret: who has it can answer.
func (a *answer) give(ctx context.Context, address string) error {
	body, err := json.Marshal(a)
	for err == nil && len(body) > maxAnswer && len(a.Reason) > 100 { // some bytes take six when they are written
		a.Reason = cut(a.Reason, len(a.Reason)/2)
		body, err = json.Marshal(a)
	}
	if err != nil {
		return err
	}
	pause := firstPause
	for try := 1; ; try++ {
		again, err := put(ctx, address, body)
		if err == nil || !again || try == maxTries {
			return err
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return err
		}
	}
}

// trying is how long one try to answer may take.
const trying = 4 * time.Second

// put sends an answer once; again tells whether another try makes sense.
func put(ctx context.Context, address string, body []byte) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, trying)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("answering: the address is no URL")
	}
	// The signature in the address is for no content type.
	r.Header["Content-Type"] = nil
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return true, fmt.Errorf("answering: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is read from it
	if response.StatusCode >= 300 {
		return response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests, fmt.Errorf("answering: %s", response.Status)
	}
	return false, nil
}
