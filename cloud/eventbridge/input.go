package eventbridge

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/pattern"
	"ouro/regex"
)

// maxVariables is how many paths an input transformer may have.
const maxVariables = 100

var (
	variableName = regex.New(`^[A-Za-z0-9_-]+$`)
	placeholder  = regex.New(`^<([A-Za-z0-9_.-]+)>`)
)

// input is what the target gets: the event, a part of it, a constant, or what
// a transformer makes of it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
func (d delivery) input() (string, error) {
	t := d.Target
	switch {
	case t.Input != nil:
		return *t.Input, nil
	case t.InputPath != nil:
		v, ok, err := d.at(*t.InputPath)
		if err != nil || !ok {
			return "null", err
		}
		return encode(v)
	case t.InputTransformer != nil:
		return d.transform(*t.InputTransformer)
	}
	return d.Event, nil
}

func (d delivery) at(path string) (any, bool, error) {
	steps, err := parsePath(path)
	if err != nil {
		return nil, false, err
	}
	event, err := pattern.Decode(d.Event)
	if err != nil {
		return nil, false, err
	}
	v, ok := follow(event, steps)
	return v, ok, nil
}

func checkTransformer(t types.InputTransformer) error {
	if len(t.InputPathsMap) > maxVariables {
		return fmt.Errorf("InputPathsMap has more than %d entries", maxVariables)
	}
	for _, name := range sortedKeys(t.InputPathsMap) {
		if !variableName().MatchString(name) || strings.HasPrefix(strings.ToUpper(name), "AWS") {
			return fmt.Errorf("the variable name %q is not valid", name)
		}
		if _, err := parsePath(t.InputPathsMap[name]); err != nil {
			return err
		}
	}
	if aws.ToString(t.InputTemplate) == "" {
		return fmt.Errorf("InputTemplate is empty")
	}
	return nil
}

// transform fills a template in. Within quotes a value is put in as text,
// outside of them as JSON; what the event does not have is nothing within
// quotes and null outside. Angle brackets that name no variable stay.
func (d delivery) transform(t types.InputTransformer) (string, error) {
	values, err := d.variables(t.InputPathsMap)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	text, quoted := aws.ToString(t.InputTemplate), false
	for i := 0; i < len(text); i++ {
		if m := placeholder().FindStringSubmatch(text[i:]); m != nil {
			if v, ok := values[m[1]]; ok {
				put, err := fill(v, quoted)
				if err != nil {
					return "", err
				}
				b.WriteString(put)
				i += len(m[0]) - 1
				continue
			}
		}
		if text[i] == '\\' && quoted && i+1 < len(text) {
			b.WriteByte(text[i])
			i++
		} else if text[i] == '"' {
			quoted = !quoted
		}
		b.WriteByte(text[i])
	}
	return b.String(), nil
}

// variables are those of the paths map and AWS's own ones.
func (d delivery) variables(paths map[string]string) (map[string]any, error) {
	event, err := pattern.Decode(d.Event)
	if err != nil {
		return nil, err
	}
	withoutDetail := map[string]any{}
	if object, ok := event.(map[string]any); ok {
		for k, v := range object {
			if k != "detail" {
				withoutDetail[k] = v
			}
		}
	}
	values := map[string]any{
		"aws.events.rule-arn":             d.RuleARN,
		"aws.events.rule-name":            d.RuleName,
		"aws.events.event.ingestion-time": d.Accepted.UTC().Format(time.RFC3339),
		"aws.events.event":                withoutDetail,
		"aws.events.event.json":           event,
	}
	for name, path := range paths {
		steps, err := parsePath(path)
		if err != nil {
			return nil, err
		}
		v, _ := follow(event, steps)
		values[name] = v
	}
	return values, nil
}

func fill(v any, quoted bool) (string, error) {
	if v == nil && quoted {
		return "", nil
	}
	text, err := encode(v)
	if err != nil || !quoted {
		return text, err
	}
	if _, ok := v.(string); !ok {
		if text, err = encode(text); err != nil {
			return "", err
		}
	}
	return text[1 : len(text)-1], nil
}
