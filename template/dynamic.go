package template

import "strings"

const dynamicOpen = "{{resolve:"

// resolveDynamic replaces dynamic references in the strings of an evaluated
// value (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
// It runs after the functions, since a reference may be put together by them.
func resolveDynamic(at *Node, v any, resolve func(service, reference string) (string, error)) (any, error) {
	switch v := v.(type) {
	case string:
		return dynamicText(at, v, resolve)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			item, err := resolveDynamic(at, v[i], resolve)
			if err != nil {
				return nil, err
			}
			out[i] = item
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			item, err := resolveDynamic(at, v[k], resolve)
			if err != nil {
				return nil, err
			}
			out[k] = item
		}
		return out, nil
	}
	return v, nil
}

// dynamicText resolves each reference once; what comes out is not looked at
// again, so that a secret that looks like a reference stays a secret.
func dynamicText(at *Node, s string, resolve func(service, reference string) (string, error)) (string, error) {
	if !strings.Contains(s, dynamicOpen) {
		return s, nil
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, dynamicOpen)
		inside, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			out.WriteString(s)
			return out.String(), nil
		}
		service, reference, ok := strings.Cut(inside, ":")
		if message := dynamicShape(service, reference, ok); message != "" {
			return "", evalError(at, "%s", message)
		}
		v, err := resolve(service, reference)
		if err != nil {
			return "", refused(at, err)
		}
		out.WriteString(before)
		out.WriteString(v)
		s = after
	}
}

// dynamicShape gives CloudFormation's complaint about a reference, or "". A
// version is a number: labels are not taken.
func dynamicShape(service, reference string, ok bool) string {
	switch service {
	case "ssm", "ssm-secure":
		name, version, versioned := strings.Cut(reference, ":")
		if !ok || name == "" || versioned && (version == "" || strings.Trim(version, "0123456789") != "") {
			return "Incorrect format is used in the following SSM reference: [{{resolve:" + service + ":" + reference + "}}]"
		}
		return ""
	case "secretsmanager":
		if !ok || !secretReference(reference) {
			return "Incorrect format is used in the following SecretsManager reference: [{{resolve:" + service + ":" + reference + "}}]"
		}
		return ""
	}
	return "Dynamic reference [{{resolve:" + service + ":" + reference + "}}] names a service that is not supported"
}

// secretReference tells whether a reference is a secret's name or ARN with,
// behind it, :SecretString:json-key:version-stage:version-id, as far as given
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html).
func secretReference(reference string) bool {
	parts := strings.Split(reference, ":")
	if parts[0] == "arn" {
		if len(parts) < 7 {
			return false
		}
		parts = parts[6:]
	}
	switch {
	case parts[0] == "" || len(parts) > 5:
		return false
	case len(parts) > 1 && parts[1] != "" && parts[1] != "SecretString":
		return false
	}
	return len(parts) < 5 || parts[3] == "" || parts[4] == "" // a stage or an id
}
