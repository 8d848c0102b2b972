package executeapi

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/door"
)

// Tagged finds what an ARN means: arn:aws:apigateway:REGION::/KIND/API, or with
// /stages/NAME behind it.
func Tagged(kind string, arn *string) (id, stage string, err error) {
	_, path, ok := strings.Cut(aws.ToString(arn), "::/")
	parts := strings.Split(path, "/")
	switch {
	case ok && len(parts) == 2 && parts[0] == kind:
		return parts[1], "", nil
	case ok && len(parts) == 4 && parts[0] == kind && parts[2] == "stages":
		return parts[1], parts[3], nil
	}
	return "", "", badRequest("Invalid ARN specified in the request: %s", aws.ToString(arn))
}

// CheckTags refuses tags that only AWS may give.
func CheckTags(tags map[string]string) error {
	for key := range tags {
		if door.SystemTag(key) {
			return badRequest("Invalid tag key. Tag keys cannot start with 'aws:' (case insensitive)")
		}
	}
	return nil
}

// Retag sets tags and takes others away, and never gives nil.
func Retag(have, set map[string]string, away []string) map[string]string {
	tags := maps.Clone(have)
	Make(&tags)
	maps.Copy(tags, set)
	for _, key := range away {
		delete(tags, key)
	}
	return tags
}
