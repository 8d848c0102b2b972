package codedeploy

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/regex"
)

var (
	namePattern       = regex.New(`^[a-zA-Z0-9.+=,@_-]{1,100}$`)
	deploymentPattern = regex.New(`^d-[A-Z0-9]{9}$`)
	instancePattern   = regex.New(`^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99}$`)
)

// nameOf reads a required name of what: an Application, a DeploymentGroup or
// a DeploymentConfig.
func nameOf(what string, name *string) (string, error) {
	n := aws.ToString(name)
	if n == "" {
		return "", refuse(what+"NameRequired", "The %s name must be specified", spoken[what])
	}
	if !namePattern().MatchString(n) {
		return "", refuse("Invalid"+what+"Name", "The %s name %q is not valid: it must have 1 to 100 letters, numbers and characters of . _ + = , @ -", spoken[what], n)
	}
	return n, nil
}

var spoken = map[string]string{"Application": "application", "DeploymentGroup": "deployment group", "DeploymentConfig": "deployment configuration"}

func deploymentID(id *string) (string, error) {
	if aws.ToString(id) == "" {
		return "", refuse("DeploymentIdRequired", "At least one deployment ID must be specified")
	}
	if !deploymentPattern().MatchString(*id) {
		return "", refuse("InvalidDeploymentId", "Deployment ID %q is not valid", *id)
	}
	return *id, nil
}

// newDeploymentID is d- and nine letters and digits.
func newDeploymentID() string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	b := make([]byte, 9)
	rand.Read(b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return "d-" + string(b)
}

const (
	pageSize = 100 // names in one answer of a list
	maxBatch = 100 // names in one request of a batch
	maxTags  = 50
)

// page cuts a list that is sorted: what comes after the token, and the token
// of the rest.
func page(names []string, token *string) ([]string, *string, error) {
	if aws.ToString(token) != "" {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		at := slices.Index(names, string(last))
		if err != nil || at < 0 {
			return nil, nil, refuse("InvalidNextToken", "The next token is not valid")
		}
		names = names[at+1:]
	}
	if len(names) <= pageSize {
		return names, nil, nil
	}
	names = names[:pageSize]
	return names, aws.String(base64.RawURLEncoding.EncodeToString([]byte(names[pageSize-1]))), nil
}

func batch(n int) error {
	if n > maxBatch {
		return refuse("BatchLimitExceeded", "The maximum number of names or IDs allowed for this request (%d) was exceeded", maxBatch)
	}
	return nil
}

func millis(n int64) *time.Time {
	t := time.UnixMilli(n).UTC()
	return &t
}
