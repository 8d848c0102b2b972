package spec

import (
	"slices"
	"strings"
)

// NameProperty is the property that names a resource and that may be left out,
// for types whose identifier is made of that name; "" for others. Services, or
// CloudFormation, make up a name then.
func (t *Type) NameProperty() string {
	if name, ok := otherNames[t.Name]; ok {
		return name
	}
	if len(t.Identifier) == 1 {
		if p := Find(t.Properties, t.Identifier[0]); p != nil {
			if p.Required || p.Value.Kind != String {
				return ""
			}
			return p.Name
		}
	}
	made := slices.ContainsFunc(t.Identifier, func(name string) bool {
		return strings.HasSuffix(strings.ToLower(name), "arn") || strings.HasSuffix(name, "Url")
	})
	for i := range t.Properties {
		if p := &t.Properties[i]; p.Value.Kind == String && !p.Required && t.Calls(p.Name, "Name") && (made || slices.Contains(t.Identifier, p.Name)) {
			return p.Name
		}
	}
	return ""
}

// otherNames are names that are not called so.
var otherNames = map[string]string{"AWS::ECS::TaskDefinition": "Family", "AWS::Lambda::LayerVersion": "LayerName"}

// Calls tells whether a property or attribute is the type's own Name, Id or
// Arn, whichever suffix says: TopicName, QueueName and Name are the name of a
// topic and of a queue.
func (t *Type) Calls(property, suffix string) bool {
	own := strings.ToLower(t.Name[strings.LastIndex(t.Name, ":")+1:] + suffix)
	property = strings.ToLower(property)
	return strings.HasSuffix(own, property) && strings.HasSuffix(property, strings.ToLower(suffix))
}
