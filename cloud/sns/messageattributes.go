package sns

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/pattern"
	"ouro/regex"
)

var attributeName = regex.New(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// baseType is String, String.Array, Number or Binary; behind it a type may
// carry a label of its author's.
func baseType(a types.MessageAttributeValue) string {
	name := aws.ToString(a.DataType)
	if name == "String.Array" {
		return name
	}
	base, _, _ := strings.Cut(name, ".")
	return base
}

// checkAttributes is what AWS asks of message attributes.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
func checkAttributes(attributes map[string]types.MessageAttributeValue) error {
	for name, a := range attributes {
		if !attributeName().MatchString(name) || len(name) > 256 || hasPrefixFold(name, "aws.") || hasPrefixFold(name, "amazon.") {
			return invalidValue("The message attribute name '%s' is invalid: it can contain A-Z, a-z, 0-9, underscore, hyphen and single periods, up to 256 of them, and does not begin with AWS. or Amazon.", name)
		}
		base := baseType(a)
		empty := aws.ToString(a.StringValue) == ""
		switch base {
		case "String", "String.Array":
		case "Number":
			if _, err := json.Number(aws.ToString(a.StringValue)).Float64(); err != nil && !empty {
				return invalidValue("Could not cast message attribute '%s' value to number.", name)
			}
		case "Binary":
			empty = len(a.BinaryValue) == 0
		case "":
			return invalidValue("The message attribute '%s' must contain non-empty message attribute type.", name)
		default:
			return invalidValue("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		}
		if empty {
			return invalidValue("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, aws.ToString(a.DataType))
		}
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// passes tells whether a subscription's filter lets the message through. A
// body that is no JSON object passes no filter on bodies.
func (p post) passes(sub subscription) bool {
	text := sub.Attributes["FilterPolicy"]
	if text == "" {
		return true
	}
	filter, err := compileFilter(text)
	if err != nil {
		return false // it was checked when it was set
	}
	if sub.Attributes["FilterPolicyScope"] != scopeBody {
		return filter.Matches(p.filtered())
	}
	body, _ := pattern.Decode(p.text(sub.Protocol))
	object, ok := body.(map[string]any)
	return ok && filter.Matches(object)
}

// filtered is the attributes as an object; binary ones are not filtered by.
func (p post) filtered() map[string]any {
	out := map[string]any{}
	for name, a := range p.attributes {
		switch text := aws.ToString(a.StringValue); baseType(a) {
		case "String":
			out[name] = text
		case "Number":
			out[name] = json.Number(text)
		case "String.Array":
			v, _ := pattern.Decode(text)
			if list, ok := v.([]any); ok {
				out[name] = list
			}
		}
	}
	return out
}
