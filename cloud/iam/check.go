package iam

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/policy"
	"ouro/regex"
)

var (
	namePattern = regex.New(`^[\w+=,.@-]+$`)
	pathPattern = regex.New(`^(/|/[\x21-\x7e]+/)$`)
)

// checkName checks the name of anything; member is what the request calls it.
func checkName(member string, name *string, longest int) error {
	switch {
	case name == nil:
		return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
	case *name == "":
		return violated(member, "", "have length greater than or equal to 1")
	case len(*name) > longest:
		return violated(member, *name, "have length less than or equal to "+strconv.Itoa(longest))
	case !namePattern().MatchString(*name):
		return invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	return nil
}

// checkPath gives the path, which is / when it was left out.
func checkPath(member string, path *string) (string, error) {
	if path == nil {
		return "/", nil
	}
	if len(*path) > 512 || !pathPattern().MatchString(*path) {
		return "", invalid("The specified value for %s is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.", member)
	}
	return *path, nil
}

// checkDocument checks a policy document and how long it is without white
// space. quota names the bound in the error.
func checkDocument(document *string, kind policy.Kind, longest int, quota string) error {
	text := aws.ToString(document)
	if text == "" {
		return violated("policyDocument", "", "have length greater than or equal to 1")
	}
	if err := policy.Check(text, kind); err != nil {
		return &types.MalformedPolicyDocumentException{Message: aws.String(err.Error())}
	}
	if size(text) > longest {
		return limit("Cannot exceed quota for %s: %d", quota, longest)
	}
	return nil
}

// size is the length of a document as IAM's quotas count it.
func size(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// encode is a document as IAM gives it back: percent-encoded.
func encode(document string) *string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(document) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return aws.String(b.String())
}
