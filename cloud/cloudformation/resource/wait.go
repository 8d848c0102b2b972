package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// waitHandleKind is the handle of a wait condition: a URL that signals are put
// to. Its Ref is the URL.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
func waitHandleKind() *Kind {
	return &Kind{
		Type: "AWS::CloudFormation::WaitConditionHandle", Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			address, err := r.Mail.address(ctx, waitSignals, r.Region, handleKey(r), handleValid)
			return Result{Physical: address}, err
		},
		Update: func(_ context.Context, r *Request) (Result, error) { return Result{Physical: r.Physical}, nil },
		Delete: func(ctx context.Context, r *Request) error {
			if key, ok := keyOf(r, r.Physical); ok {
				return r.Mail.drop(ctx, waitSignals, r.Region, key)
			}
			return nil
		},
	}
}

// handleValid is how long the URL of a handle can be used: the longest that S3 signs.
const handleValid = 7 * 24 * time.Hour

func handleKey(r *Request) string { return r.StackID + "/" + r.LogicalID }

// keyOf is where the signals to a handle lie. Handles of other accounts are
// none: all of a region share one bucket.
func keyOf(r *Request, handle string) (string, bool) {
	u, err := url.Parse(handle)
	if err != nil {
		return "", false
	}
	key, ok := strings.CutPrefix(strings.TrimPrefix(u.Path, "/"), bucketOf(waitSignals, r.Region)+"/")
	arn := strings.SplitN(key, ":", 6) // the key begins with the stack's id
	return key, ok && len(arn) == 6 && arn[4] == r.Account
}

// maxWait is the longest timeout, in seconds.
const maxWait = 43200

// waitConditionKind holds its stack up until enough signals came. Without a
// handle it is for a CreationPolicy, which the engine looks after.
func waitConditionKind() *Kind {
	return &Kind{
		Type: "AWS::CloudFormation::WaitCondition", Naming: &Naming{Max: 255}, Untagged: true,
		Create: awaitSignals,
		Update: func(_ context.Context, r *Request) (Result, error) {
			if document(r.Properties) != document(r.Former) && !r.Rollback {
				return Result{}, Sayf("Update to resource type %s is not supported.", r.Type)
			}
			return Result{Physical: r.Physical, Attributes: r.Attributes}, nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			r.Mail.end(ctx, r, waitName(r))
			return nil
		},
	}
}

func waitName(r *Request) string { return r.StackID + "/" + r.LogicalID + "/" + r.Name }

// waitSignal is what is put to a handle.
type waitSignal struct {
	Status, Reason string
	UniqueID       string `json:"UniqueId"`
	Data           any
}

func awaitSignals(ctx context.Context, r *Request) (Result, error) {
	r.Physical = r.StackID + "/" + r.LogicalID
	if r.Text("Handle") == "" {
		return Result{Physical: r.Physical, Attributes: map[string]any{"Data": "{}"}}, nil
	}
	key, ok := keyOf(r, r.Text("Handle"))
	if !ok {
		return Result{}, Sayf("Property Handle must be the URL of an AWS::CloudFormation::WaitConditionHandle.")
	}
	r.Physical = key
	count, timeout := 1, 0
	for name, into := range map[string]*int{"Count": &count, "Timeout": &timeout} {
		if given := r.Properties[name]; given != nil {
			n, err := strconv.Atoi(text(given))
			if err != nil {
				return Result{}, wrongType("/"+name, given, "an Integer")
			}
			*into = n
		}
	}
	switch {
	case timeout < 1 || timeout > maxWait:
		return Result{}, Sayf("Property Timeout must be a number of seconds between 1 and %d.", maxWait)
	case count < 1:
		return Result{}, Sayf("Property Count must be a positive number.")
	}
	e, err := r.Mail.begin(ctx, r, waitName(r), time.Duration(timeout)*time.Second)
	if err != nil {
		return Result{}, err
	}
	if err := r.Started(ctx, r.Physical); err != nil {
		return Result{}, err
	}
	signals := signals{r: r, key: key, data: map[string]any{}}
	late, err := Await(ctx, r.Mail.host.Now, e.Deadline, r.Cancelled, func() (bool, error) {
		err := signals.collect(ctx)
		return len(signals.data) >= count, err
	})
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	r.Mail.end(ctx, r, waitName(r))
	if late {
		err = Sayf("WaitCondition timed out. Received %d conditions when expecting %d", len(signals.data), count)
	}
	return Result{Physical: key, Attributes: map[string]any{"Data": document(signals.data)}}, err
}

// signals are those that came to a handle so far.
type signals struct {
	r    *Request
	key  string
	seen int
	data map[string]any // by UniqueId; one that comes again is the same signal
}

// collect reads what came since it was called last.
func (s *signals) collect(ctx context.Context) error {
	mail := s.r.Mail
	all, err := mail.versions(ctx, waitSignals, s.r.Region, s.key)
	if err != nil {
		return err
	}
	for _, v := range all[min(s.seen, len(all)):] {
		body, ok, err := mail.read(ctx, waitSignals, s.r.Region, s.key, v.VersionId)
		if err != nil || !ok {
			return err
		}
		s.seen++
		var got waitSignal
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if len(body) > maxAnswer || d.Decode(&got) != nil || got.UniqueID == "" || got.Status != "SUCCESS" && got.Status != "FAILURE" {
			return Sayf("Unparsable WaitCondition data")
		}
		if got.Status == "FAILURE" {
			return Sayf("WaitCondition received failed message: '%s' for uniqueId: %s", got.Reason, got.UniqueID)
		}
		if _, again := s.data[got.UniqueID]; !again {
			s.data[got.UniqueID] = got.Data
		}
	}
	return nil
}
