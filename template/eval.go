package template

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Env is the world in which a template is evaluated. A nil function is one
// that the caller has no answer for: using it is an error, except Dynamic,
// without which dynamic references stay as they are (as AWS leaves them in
// outputs).
type Env struct {
	Account, Region, StackName, StackID string
	NotificationARNs                    []string
	// Parameters are string or []string, as ResolveParameters gives them.
	Parameters map[string]any
	// Conditions are as EvalConditions gives them.
	Conditions map[string]bool
	// Ref and GetAtt answer for resources.
	Ref    func(logicalID string) (any, error)
	GetAtt func(logicalID, attribute string) (any, error)
	// Import answers Fn::ImportValue.
	Import func(export string) (string, error)
	// StackOutput answers Fn::GetStackOutput; role is "" for the stack's own.
	StackOutput func(stack, output, region, role string) (string, error)
	// ValueOf answers Fn::ValueOf and Fn::ValueOfAll in rules: an attribute of
	// what a parameter of an AWS type names, such as the VpcId of a subnet.
	ValueOf func(parameterType, value, attribute string) (string, error)
	// AZs are the names of a region's availability zones.
	AZs func(region string) []string
	// Dynamic answers {{resolve:service:reference}}; service is ssm,
	// ssm-secure or secretsmanager, reference is everything behind it.
	Dynamic func(service, reference string) (string, error)
}

// EvalError is a value that cannot be evaluated. Message is what
// CloudFormation says; Err is the caller's own error when a function of Env
// refused.
type EvalError struct {
	Pos     Pos
	Message string
	Err     error
}

// Error is CloudFormation's message without the position, since it goes to
// its clients.
func (e *EvalError) Error() string { return e.Message }

func (e *EvalError) Unwrap() error { return e.Err }

func evalError(n *Node, format string, args ...any) error {
	return &EvalError{Pos: n.Pos, Message: fmt.Sprintf(format, args...)}
}

// refused wraps an error of a function of Env, keeping its words.
func refused(n *Node, err error) error {
	return &EvalError{Pos: n.Pos, Message: err.Error(), Err: err}
}

// noValue is what AWS::NoValue stands for: the member that holds it is left out.
type noValue struct{}

// Eval evaluates n: string, bool, json.Number, []any, map[string]any or nil
// come out. Members whose value is AWS::NoValue are left out; when n itself
// is, the result is nil. Dynamic references are resolved when env.Dynamic is
// there.
func (t *Template) Eval(n *Node, env *Env) (any, error) {
	e := &evaluator{t: t, env: env, table: functions}
	v, err := e.value(n)
	if err != nil {
		return nil, err
	}
	if _, none := v.(noValue); none {
		return nil, nil
	}
	if env.Dynamic != nil {
		return resolveDynamic(n, v, env.Dynamic)
	}
	return v, nil
}

type evaluator struct {
	t     *Template
	env   *Env
	table map[string]function
	// conditions is set while the Conditions section itself is evaluated.
	conditions *conditionSet
	// values and bytes are what has been made so far.
	values, bytes int
}

// Bounds on what one evaluation makes: functions can repeat a parameter or a
// mapping without end.
const (
	maxValues = 2 * MaxNodes
	maxBytes  = 4 * MaxSize
)

// spend counts values and text that are made at n.
func (e *evaluator) spend(n *Node, values, bytes int) error {
	e.values += values
	e.bytes += bytes
	if e.values > maxValues || e.bytes > maxBytes {
		return evalError(n, "Template error: the value is too large to be evaluated")
	}
	return nil
}

func (e *evaluator) value(n *Node) (any, error) {
	if n == nil {
		return nil, nil
	}
	if err := e.spend(n, 1, 0); err != nil {
		return nil, err
	}
	switch n.Kind {
	case String:
		return n.Text, nil
	case Number:
		return json.Number(n.Text), nil
	case Bool:
		return n.Text == "true", nil
	case List:
		return e.list(n)
	case Map:
		if name, arg := n.Function(); name != "" {
			f, ok := e.table[name]
			if !ok {
				return nil, evalError(n, "Template error: %s is not a function that can be evaluated", name)
			}
			if message := f.args(arg); message != "" {
				return nil, evalError(n, "%s", message)
			}
			return f.eval(e, arg)
		}
		return e.object(n)
	}
	return nil, nil
}

func (e *evaluator) list(n *Node) (any, error) {
	out := make([]any, 0, len(n.Items))
	for _, item := range n.Items {
		v, err := e.value(item)
		if err != nil {
			return nil, err
		}
		if _, none := v.(noValue); !none {
			out = append(out, v)
		}
	}
	return out, nil
}

func (e *evaluator) object(n *Node) (any, error) {
	out := make(map[string]any, len(n.Keys))
	for i, k := range n.Keys {
		v, err := e.value(n.Items[i])
		if err != nil {
			return nil, err
		}
		if _, none := v.(noValue); !none {
			out[k.Text] = v
		}
	}
	return out, nil
}

// text evaluates n and wants a scalar; wrong is the message when it is none.
func (e *evaluator) text(n *Node, wrong string) (string, error) {
	v, err := e.value(n)
	if err != nil {
		return "", err
	}
	s, ok := scalarText(v)
	if !ok {
		return "", evalError(n, "%s", wrong)
	}
	return s, nil
}

func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// ref is the value of a name: pseudo parameter, parameter, resource.
func (e *evaluator) ref(n *Node, name string) (any, error) {
	if pseudo, ok := pseudoParameters[name]; ok {
		return pseudo(e.env), nil
	}
	if v, ok := e.env.Parameters[name]; ok {
		if list, ok := v.([]string); ok {
			return anyList(list), e.spend(n, len(list), 0)
		}
		return v, nil
	}
	if e.conditions != nil {
		return nil, evalError(n, "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", name)
	}
	if e.env.Ref == nil {
		return nil, evalError(n, "Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", name)
	}
	v, err := e.env.Ref(name)
	if err != nil {
		return nil, refused(n, err)
	}
	return v, nil
}

func (e *evaluator) getAtt(n *Node, id, attribute string) (any, error) {
	if e.conditions != nil {
		return nil, evalError(n, "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", id)
	}
	if e.env.GetAtt == nil {
		return nil, evalError(n, "Template error: instance of Fn::GetAtt references undefined resource %s", id)
	}
	v, err := e.env.GetAtt(id, attribute)
	if err != nil {
		return nil, refused(n, err)
	}
	return v, nil
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// pseudoParameters are the names that AWS predefines
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html).
var pseudoParameters = map[string]func(*Env) any{
	"AWS::AccountId": func(e *Env) any { return e.Account },
	"AWS::NoValue":   func(*Env) any { return noValue{} },
	"AWS::NotificationARNs": func(e *Env) any {
		return anyList(e.NotificationARNs)
	},
	"AWS::Partition": func(e *Env) any { return Partition(e.Region) },
	"AWS::Region":    func(e *Env) any { return e.Region },
	"AWS::StackId":   func(e *Env) any { return e.StackID },
	"AWS::StackName": func(e *Env) any { return e.StackName },
	"AWS::URLSuffix": func(e *Env) any { return partitionOf(e.Region).suffix },
}

// partition is one of AWS's worlds: its name in ARNs, and the domain of its
// services.
type partition struct{ regions, name, suffix string }

// partitions are those that do not have the name of the first; regions is what
// the names of their regions begin with
// (https://docs.aws.amazon.com/general/latest/gr/rande.html).
var partitions = []partition{
	{"cn-", "aws-cn", "amazonaws.com.cn"},
	{"us-gov-", "aws-us-gov", "amazonaws.com"},
	{"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
	{"us-iso-", "aws-iso", "c2s.ic.gov"},
	{"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
	{"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
	{"eusc-", "aws-eusc", "amazonaws.eu"},
}

// Partition is the name of a region's partition, such as aws.
func Partition(region string) string { return partitionOf(region).name }

func partitionOf(region string) partition {
	for _, p := range partitions {
		if strings.HasPrefix(strings.ToLower(region), p.regions) {
			return p
		}
	}
	return partition{name: "aws", suffix: "amazonaws.com"}
}
