package lambda

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/regex"
)

var (
	sidPattern       = regex.New(`^(?:([a-zA-Z0-9-_]+))$`)
	actionPattern    = regex.New(`^(?:(lambda:[*]|lambda:[a-zA-Z]+|[*]))$`)
	principalPattern = regex.New(`^(?:[^\s]+)$`)
	accountPattern   = regex.New(`^(?:\d{12})$`)
	orgPattern       = regex.New(`^(?:o-[a-z0-9]{10,32})$`)
	tokenPattern     = regex.New(`^(?:[a-zA-Z0-9._\-]+)$`)
	arnPattern       = regex.New(`^(?:arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*))$`)
)

// permissions is the policy of one qualifier of a function, or of a layer's
// version.
type permissions struct {
	Statements []json.RawMessage
	Revision   string
}

// statement is a statement as Lambda writes it.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "" // documents of strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// document is the policy as it is told.
func (p permissions) document() string {
	return encode(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []json.RawMessage
	}{"2012-10-17", "default", p.Statements})
}

// index is where the statement of that id is, or -1.
func (p permissions) index(sid string) int {
	for i, raw := range p.Statements {
		var st struct{ Sid string }
		if json.Unmarshal(raw, &st) == nil && st.Sid == sid {
			return i
		}
	}
	return -1
}

// maxPolicy is the size in bytes of a function's policy.
const maxPolicy = 20480

func (p *permissions) add(st statement, revision string) error {
	if p.index(st.Sid) >= 0 {
		return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
	}
	p.Statements, p.Revision = append(p.Statements, json.RawMessage(encode(st))), revision
	if size := len(p.document()); size > maxPolicy {
		return &types.PolicyLengthExceededException{Type: aws.String(user), Message: aws.String("The final policy size (" + number(int64(size)) + ") is bigger than the limit (20480).")}
	}
	return nil
}

func (p *permissions) remove(sid, revision string) error {
	i := p.index(sid)
	if i < 0 {
		return notFound("Statement %s is not found in resource policy.", sid)
	}
	p.Statements, p.Revision = append(p.Statements[:i:i], p.Statements[i+1:]...), revision
	return nil
}

// principalOf is the Principal element for a request's principal.
func principalOf(c door.Caller, name string) (any, error) {
	switch {
	case name == "*":
		return "*", nil
	case accountPattern().MatchString(name):
		return map[string]string{"AWS": "arn:" + c.Partition() + ":iam::" + name + ":root"}, nil
	case strings.HasPrefix(name, "arn:") && (strings.Contains(name, ":iam:") || strings.Contains(name, ":sts:")):
		return map[string]string{"AWS": name}, nil
	case strings.HasSuffix(name, ".amazonaws.com") || strings.HasSuffix(name, ".amazon.com") || strings.HasSuffix(name, ".amazonaws.com.cn"):
		return map[string]string{"Service": name}, nil
	}
	return nil, invalid("The provided principal was invalid. Please check the principal and try again.")
}

func checkPermission(in *lambda.AddPermissionInput) error {
	var v violations
	v.present("statementId", in.StatementId != nil)
	v.present("action", in.Action != nil)
	v.present("principal", in.Principal != nil)
	v.text("statementId", in.StatementId, 1, 100, sidPattern())
	v.text("action", in.Action, 0, 256, actionPattern())
	v.text("principal", in.Principal, 0, 256, principalPattern())
	v.text("sourceArn", in.SourceArn, 0, 2048, arnPattern())
	v.text("sourceAccount", in.SourceAccount, 0, 12, accountPattern())
	v.text("principalOrgID", in.PrincipalOrgID, 12, 34, orgPattern())
	v.text("eventSourceToken", in.EventSourceToken, 0, 256, tokenPattern())
	among(&v, "functionUrlAuthType", in.FunctionUrlAuthType, in.FunctionUrlAuthType.Values())
	return v.err()
}

func conditionsOf(in *lambda.AddPermissionInput) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, c := range []struct {
		operator, key string
		value         string
	}{
		{"StringEquals", "lambda:FunctionUrlAuthType", string(in.FunctionUrlAuthType)},
		{"StringEquals", "aws:PrincipalOrgID", aws.ToString(in.PrincipalOrgID)},
		{"StringEquals", "AWS:SourceAccount", aws.ToString(in.SourceAccount)},
		{"StringEquals", "lambda:EventSourceToken", aws.ToString(in.EventSourceToken)},
		{"Bool", "lambda:InvokedViaFunctionUrl", map[bool]string{true: "true"}[aws.ToBool(in.InvokedViaFunctionUrl)]},
		{"ArnLike", "AWS:SourceArn", aws.ToString(in.SourceArn)},
	} {
		if c.value == "" {
			continue
		}
		if all[c.operator] == nil {
			all[c.operator] = map[string]string{}
		}
		all[c.operator][c.key] = c.value
	}
	return all
}

// AddPermission adds a statement to a function's policy.
func (s *Service) AddPermission(ctx context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	if err := checkPermission(in); err != nil {
		return nil, err
	}
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if t.qualifier == latest {
		return nil, invalid("We currently do not support adding policies for $LATEST.")
	}
	who, err := principalOf(door.CallerFrom(ctx), *in.Principal)
	if err != nil {
		return nil, err
	}
	st := statement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: t.qualified(), Condition: conditionsOf(in)}
	err = s.changePolicy(ctx, t, in.RevisionId, func(p *permissions) error { return p.add(st, s.host.NewID()) })
	return &lambda.AddPermissionOutput{Statement: aws.String(encode(st))}, err
}

// changePolicy changes the policy of a function's qualifier, which must exist.
func (s *Service) changePolicy(ctx context.Context, t target, revision *string, change func(*permissions) error) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if _, _, err := s.lookup(ctx, t); err != nil {
			return err
		}
		key := qualifiedKey(t.name, t.qualifier)
		p, err := s.policies.Get(ctx, t.scope, key)
		if err := missing(err, nil); err != nil {
			return err
		}
		if revision != nil && *revision != p.Revision {
			return stale("GetPolicy")
		}
		if err := change(&p); err != nil {
			return err
		}
		if len(p.Statements) == 0 {
			return s.policies.Delete(ctx, t.scope, key)
		}
		return s.policies.Put(ctx, t.scope, key, p)
	})
}

// RemovePermission takes a statement out of a function's policy.
func (s *Service) RemovePermission(ctx context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	err = s.changePolicy(ctx, t, in.RevisionId, func(p *permissions) error {
		if len(p.Statements) == 0 {
			return notFound("No policy is associated with the given resource.")
		}
		return p.remove(aws.ToString(in.StatementId), s.host.NewID())
	})
	return &lambda.RemovePermissionOutput{}, err
}

// GetPolicy gives a function's policy.
func (s *Service) GetPolicy(ctx context.Context, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.lookup(ctx, t); err != nil {
		return nil, err
	}
	p, err := s.policies.Get(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
	if err != nil {
		return nil, missing(err, nothing())
	}
	return &lambda.GetPolicyOutput{Policy: aws.String(p.document()), RevisionId: &p.Revision}, nil
}
