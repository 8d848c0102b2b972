package kms_test

import (
	"flag"
	"reflect"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/kms"

	"ouro/cloud/cloudtest"
	"ouro/cloud/kms"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"CreateGrant":                         "recorded: nothing asks for grants",
	"CreateKey":                           "imported material, custom key stores, keys of several regions, key agreement and specs that Go's standard library lacks are refused",
	"Decrypt":                             "answers for enclaves are refused; grant tokens are not looked at",
	"GenerateDataKey":                     "as Decrypt",
	"GenerateDataKeyPair":                 "as Decrypt, and specs as CreateKey",
	"GenerateDataKeyPairWithoutPlaintext": "as GenerateDataKeyPair",
	"GenerateRandom":                      "as Decrypt",
	"PutKeyPolicy":                        "recorded: nothing asks for it",
	"Sign":                                "specs as CreateKey; messages of the type EXTERNAL_MU are refused",
	"Verify":                              "as Sign",
}

// TestPage keeps docs/kms.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	operations := cloudtest.Operations(t, reflect.TypeFor[*kms.Service](), reflect.TypeFor[*api.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/kms.md", docsIntroduction+operations, *update)
}

const docsIntroduction = `# KMS on the local cloud

` + "`go test ./cloud/kms -run TestPage -update`" + ` writes this page.

- *The cryptography is real*: what one key encrypted opens only with that key and the same encryption context. What AWS encrypted does not open here, nor
  the other way round: a key's material never leaves its cloud. Here it is sealed in the state directory.
- *Key policies and grants are kept, told as they are, and not enforced*, as the local cloud enforces no permissions of IAM: every caller of an account may
  use every key of it. A policy has to be one that can be read, and to have a statement.
- *AWS's own keys* (` + "`alias/aws/s3`" + `) appear when they are first used.
- *A deleted key* waits for 7 to 30 days, during which nothing can use it, and then is gone with its aliases and grants.
- *Rotation* gives a key further material, at its time or on demand; what older material encrypted still opens.

## Operations

Operations that are not there answer with AWS's error for an operation that is not known.

| operation | |
|---|---|
`
