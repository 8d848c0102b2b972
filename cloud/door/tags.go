package door

import "strings"

// ReservedTag is what is said to somebody who gives a [SystemTag], by services that
// have no words of their own for it.
const ReservedTag = "aws: prefixed tag key names are not allowed for external use."

// SystemTag tells a tag that AWS alone gives to resources. Those of
// CloudFormation pass: it gives them through the same operations as everybody.
func SystemTag(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "aws:") && !strings.HasPrefix(key, "aws:cloudformation:")
}
