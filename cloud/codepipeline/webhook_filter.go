package codepipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/ohler55/ojg/jp"

	"ouro/regex"
)

// maxNesting bounds how deep a delivery's body may be nested: a descent (..) in
// a filter visits a value once for each level above it.
const maxNesting = 20

// placeholder is a property of the action's configuration in a filter's value.
var placeholder = regex.New(`\{([A-Za-z0-9]+)\}`)

// readPayload reads the body of a delivery.
func readPayload(body []byte) (any, error) {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return nil, fmt.Errorf("it is nested more than %d levels deep", maxNesting)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	var payload any
	err := json.Unmarshal(body, &payload)
	return payload, err
}

// selects tells whether the filter's path selects a value that is as the filter
// wants it; one of several will do. Without such a wish any value will do. A
// path that selects several may also be compared with their list, as JSON.
func selects(f types.WebhookFilterRule, payload any, a *types.ActionDeclaration) bool {
	path, err := jp.ParseString(aws.ToString(f.JsonPath))
	if err != nil { // it was checked
		return false
	}
	found := path.Get(payload)
	if f.MatchEquals == nil {
		return len(found) > 0
	}
	want := fillIn(*f.MatchEquals, a)
	isJSON := strings.HasPrefix(want, "{") || strings.HasPrefix(want, "[") // only then whole branches are written out
	return slices.ContainsFunc(append(found, any(found)), func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return isJSON && scalar(v) == want
		}
		return scalar(v) == want
	})
}

// fillIn puts the action's configuration into {Property}. Secrets stay out.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_WebhookFilterRule.html
func fillIn(text string, a *types.ActionDeclaration) string {
	configuration := maskedConfiguration(a.ActionTypeId, a.Configuration)
	return placeholder().ReplaceAllStringFunc(text, func(p string) string {
		if v, ok := configuration[p[1:len(p)-1]]; ok {
			return v
		}
		return p
	})
}

// scalar is a value as text: a string as it is, anything else as JSON.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}
