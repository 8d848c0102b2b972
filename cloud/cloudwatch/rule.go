package cloudwatch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// rule is the rule of a composite alarm, or a part of it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
type rule struct {
	operator string // AND, OR, NOT, TRUE, FALSE, or the state that alarm has to be in
	alarm    string // its name
	parts    []rule
}

// Bounds on a rule.
const (
	maxElements = 500 // AWS's
	maxDepth    = 100
)

// holds evaluates the rule.
func (r rule) holds(state func(alarm string) types.StateValue) bool {
	switch r.operator {
	case "TRUE":
		return true
	case "FALSE":
		return false
	case "NOT":
		return !r.parts[0].holds(state)
	case "AND":
		return r.parts[0].holds(state) && r.parts[1].holds(state)
	case "OR":
		return r.parts[0].holds(state) || r.parts[1].holds(state)
	}
	return string(state(r.alarm)) == r.operator
}

// alarms are the names of the alarms in the rule, each once and sorted.
func (r rule) alarms() []string {
	var names []string
	if r.alarm != "" {
		names = []string{r.alarm}
	}
	for _, p := range r.parts {
		names = append(names, p.alarms()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ruleParser reads a rule: NOT binds the closest, then AND, then OR.
type ruleParser struct {
	rest     string
	elements int
}

func parseRule(text string) (rule, error) {
	p := &ruleParser{rest: text}
	r, err := p.either(0)
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("%q is not expected there", p.peek())
	}
	return r, err
}

// peek is the next word, sign, or quoted name; "" at the end.
func (p *ruleParser) peek() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	switch {
	case p.rest == "":
		return ""
	case p.rest[0] == '"':
		if end := strings.IndexByte(p.rest[1:], '"'); end >= 0 {
			return p.rest[:end+2]
		}
		return p.rest
	case p.rest[0] == '(' || p.rest[0] == ')':
		return p.rest[:1]
	}
	if end := strings.IndexAny(p.rest, " \t\r\n()\""); end > 0 {
		return p.rest[:end]
	}
	return p.rest
}

func (p *ruleParser) next() string {
	t := p.peek()
	p.rest = p.rest[len(t):]
	return t
}

func (p *ruleParser) expect(sign string) error {
	if got := p.next(); got != sign {
		return fmt.Errorf("%q is where %q should be", got, sign)
	}
	return nil
}

func (p *ruleParser) either(depth int) (rule, error) {
	return p.chain("OR", func() (rule, error) {
		return p.chain("AND", func() (rule, error) { return p.element(depth + 1) })
	})
}

// chain reads parts with an operator between them.
func (p *ruleParser) chain(operator string, part func() (rule, error)) (rule, error) {
	r, err := part()
	for err == nil && p.peek() == operator {
		p.next()
		var right rule
		right, err = part()
		r = rule{operator: operator, parts: []rule{r, right}}
	}
	return r, err
}

func (p *ruleParser) element(depth int) (rule, error) {
	if p.elements++; p.elements > maxElements || depth > maxDepth {
		return rule{}, fmt.Errorf("it has more than %d elements, or more than %d inside each other", maxElements, maxDepth)
	}
	switch word := p.next(); word {
	case "TRUE", "FALSE":
		return rule{operator: word}, nil
	case "NOT":
		r, err := p.element(depth + 1)
		return rule{operator: word, parts: []rule{r}}, err
	case "(":
		r, err := p.either(depth)
		if err == nil {
			err = p.expect(")")
		}
		return r, err
	case "ALARM", "OK", "INSUFFICIENT_DATA":
		if err := p.expect("("); err != nil {
			return rule{}, err
		}
		name := strings.Trim(p.next(), `"`)
		if name == "" || name == ")" || name == "(" {
			return rule{}, fmt.Errorf("%s has no alarm", word)
		}
		return rule{operator: word, alarm: alarmName(name)}, p.expect(")")
	case "AT_LEAST":
		return rule{}, fmt.Errorf("the local cloud does not have the function AT_LEAST")
	default:
		return rule{}, fmt.Errorf("%q is not expected there", word)
	}
}
