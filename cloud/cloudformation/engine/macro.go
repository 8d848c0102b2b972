package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/template"
)

// macro is a macro of an account and region.
type macro struct {
	Function string // name or ARN
	StackID  string // of the stack that registered it
}

func (e *Engine) macros() store.Table[macro] {
	return store.NewTable[macro](e.ledger.Store, "cloudformation", "macro")
}

// macroKind registers a function as a macro, under the name by which
// templates call it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
func (e *Engine) macroKind() *resource.Kind {
	put := func(ctx context.Context, r *resource.Request, write func(scope store.Scope, m macro) error) (resource.Result, error) {
		if r.Text("Name") == "" || r.Text("FunctionName") == "" {
			return resource.Result{}, resource.Sayf("Properties validation failed: #: required keys [Name, FunctionName] not found")
		}
		err := write(store.Scope{Account: r.Account, Region: r.Region}, macro{Function: r.Text("FunctionName"), StackID: r.StackID})
		return resource.Result{Physical: r.Name}, err
	}
	return &resource.Kind{
		Type: "AWS::CloudFormation::Macro", NameProperty: "Name", Replace: []string{"Name"}, Untagged: true,
		Create: func(ctx context.Context, r *resource.Request) (resource.Result, error) {
			return put(ctx, r, func(scope store.Scope, m macro) error {
				err := e.macros().Insert(ctx, scope, r.Name, m)
				if !errors.Is(err, store.ErrExists) {
					return err
				}
				if have, err := e.macros().Get(ctx, scope, r.Name); err != nil || r.Retry && have.StackID == r.StackID {
					return err
				}
				return resource.Sayf("%s::%s already exists", r.Account, r.Name)
			})
		},
		Update: func(ctx context.Context, r *resource.Request) (resource.Result, error) {
			return put(ctx, r, func(scope store.Scope, m macro) error { return e.macros().Put(ctx, scope, r.Name, m) })
		},
		Delete: func(ctx context.Context, r *resource.Request) error {
			err := e.macros().Delete(ctx, store.Scope{Account: r.Account, Region: r.Region}, r.Physical)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			return err
		},
	}
}

// macroRequest is what a macro's function gets.
type macroRequest struct {
	Region      string          `json:"region"`
	AccountID   string          `json:"accountId"`
	Fragment    json.RawMessage `json:"fragment"`
	TransformID string          `json:"transformId"`
	Params      map[string]any  `json:"params"`
	RequestID   string          `json:"requestId"`
	Values      map[string]any  `json:"templateParameterValues"`
}

// macroAnswer is what it gives back.
type macroAnswer struct {
	RequestID string          `json:"requestId"`
	Status    string          `json:"status"`
	Fragment  json.RawMessage `json:"fragment"`
	Message   string          `json:"errorMessage"`
}

// maxFragment is the size in bytes of what Lambda takes and gives at once.
const maxFragment = 6 << 20

// Macro has a macro of the account rewrite a template, or a part of it: its
// function is called, with the caller's permissions, and waited for. A name
// that nobody registered is template.ErrNoTransform.
func (e *Engine) Macro(ctx context.Context, caller door.Caller, call template.MacroCall) (*template.Node, error) {
	name := call.Name
	if account, own, ok := strings.Cut(name, "::"); ok && account == caller.Account {
		name = own
	}
	m, err := e.macros().Get(ctx, caller.Scope(), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, template.ErrNoTransform
	}
	if err != nil {
		return nil, err
	}
	q := macroRequest{Region: caller.Region, AccountID: caller.Account, Fragment: template.Canonical(call.Fragment), TransformID: caller.Account + "::" + name,
		Params: call.Params, RequestID: e.host.NewID(), Values: map[string]any{}}
	if q.Params == nil {
		q.Params = map[string]any{}
	}
	if call.Env != nil && call.Env.Parameters != nil {
		q.Values = call.Env.Parameters
	}
	cfg := e.host.As(caller)
	if parts := strings.SplitN(m.Function, ":", 6); len(parts) == 6 {
		cfg.Region = parts[3]
	}
	out, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &m.Function, InvocationType: lambdatypes.InvocationTypeRequestResponse, Payload: canonical(q)})
	if err != nil {
		return nil, err
	}
	return readMacro(q, out)
}

// readMacro judges what a macro's function gave back.
func readMacro(q macroRequest, out *lambda.InvokeOutput) (*template.Node, error) {
	var a macroAnswer
	d := json.NewDecoder(bytes.NewReader(out.Payload))
	malformed := &template.TransformError{Message: "Received malformed response from transform " + q.TransformID}
	if out.FunctionError != nil || len(out.Payload) > maxFragment || d.Decode(&a) != nil || a.RequestID != q.RequestID || a.Status == "" {
		return nil, malformed
	}
	switch {
	case !strings.EqualFold(a.Status, "success") && a.Message == "":
		return nil, &template.TransformError{Message: "Transform " + q.TransformID + " failed without an error message."}
	case !strings.EqualFold(a.Status, "success"):
		return nil, resource.Sayf("%s", a.Message)
	case len(a.Fragment) == 0:
		return nil, malformed
	}
	return template.ParseFragment("", a.Fragment)
}
