package door

import "strings"

// SystemTag tells a tag that AWS alone gives to resources. Those of
// CloudFormation pass: it gives them through the same operations as everybody.
func SystemTag(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "aws:") && !strings.HasPrefix(key, "aws:cloudformation:")
}
