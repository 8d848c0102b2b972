package ecr_test

import (
	"flag"
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"

	"ouro/cloud/cloudtest"
	"ouro/cloud/ecr"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"BatchGetImage":                    "manifests come as they were pushed, whatever `acceptedMediaTypes` says",
	"CreateRepository":                 "how it encrypts is kept; files of this machine are not encrypted by it",
	"DescribeImageScanFindings":        "there are none: `ScanNotFoundException`",
	"DescribeRegistry":                 "it replicates nowhere",
	"PutImageScanningConfiguration":    "kept; nothing is scanned",
	"PutLifecyclePolicy":               "archives (`transition`, `sinceImageTransitioned`) are refused",
	"PutRegistryPolicy":                "kept; what it allows, replication and pull-through caches, is not there",
	"PutRegistryScanningConfiguration": "kept; nothing is scanned",
	"PutReplicationConfiguration":      "rules are refused",
	"StartImageScan":                   "refused: there is no list of vulnerabilities",
	"StartLifecyclePolicyPreview":      "as PutLifecyclePolicy",
}

// TestPage keeps docs/ecr.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	rows := cloudtest.Operations(t, reflect.TypeFor[*ecr.Service](), reflect.TypeFor[*sdk.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/ecr.md", docsIntroduction+rows, *update)
}

const docsIntroduction = `# ECR on the local cloud

Repositories of images by the same API as on AWS, and a registry behind them that ` + "`docker`, `podman`, `crane`" + ` and everything else that speaks the
[OCI's distribution protocol](https://github.com/opencontainers/distribution-spec) pushes to and pulls from.

` + "`go test ./cloud/ecr -run TestPage -update`" + ` writes this page.

` + "```sh" + `
export AWS_ENDPOINT_URL=http://127.0.0.1:4566
uri=$(aws ecr create-repository --repository-name shop --query repository.repositoryUri --output text)   # 127.0.0.1:4566/shop
aws ecr get-login-password | docker login --username AWS --password-stdin "${uri%%/*}"
docker tag shop:latest "$uri:v1" && docker push "$uri:v1"
aws ecr describe-images --repository-name shop
` + "```" + `

## Addresses

On AWS a registry is ` + "`ACCOUNT.dkr.ecr.REGION.amazonaws.com`" + `. Here it is the local cloud's own host and port: Docker, go-containerregistry and their like speak
plain HTTP to loopback addresses, and to no other name without being told. (Podman wants ` + "`--tls-verify=false`" + `.) So ` + "`repositoryUri`" + ` is ` + "`127.0.0.1:4566/NAME`" + `, what comes before
the first slash is where to log in, what comes after is the repository's name, and ` + "`proxyEndpoint`" + ` of an authorization token is the local cloud's URL.

The address does not say whose repository of that name is meant, and in which region: the password does. It stands for the caller of
` + "`GetAuthorizationToken`" + ` in the region of the call, for 12 hours. Where names below ` + "`localhost`" + ` lead to this machine, a registry also has an address that says it,
` + "`ACCOUNT.dkr.ecr.REGION.localhost:4566`" + `; pull from another account's registry by that one. The repository's policy has to allow it, as on AWS; of the own account
everybody may do what no statement denies.

Whoever writes a registry's address by hand, as ` + "`${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com`" + `, sends Docker to AWS. Take ` + "`!GetAtt Repository.RepositoryUri`" + `,
` + "`describe-repositories`" + `, or the token's ` + "`proxyEndpoint`" + `: they are right on both. [` + "`ouro image push`" + `](images.md) understands either address, and needs no Docker.

## The registry

Uploads at once, in one stream or in chunks; digests (SHA-256) checked; Docker's and the OCI's manifests and indexes, of which every layer and image has to be there;
ranges; tags, the catalogue and referrers in pages. As on AWS, images are deleted by the API alone, pushing a tag that does not move fails also with the same
image, and a layer is taken from another repository only where the account sets ` + "`BLOB_MOUNTING`" + `. A layer has at most 52,000 MiB, a manifest 4 MiB and 1,000 layers
or images.

Layers and manifests are files below ` + "`STATE/ecr/sha256`" + `, each once, however many repositories hold it. A file gets its name when all of it is there and its digest is
right; what a client or a local cloud that died left half-written is never seen. Layers stay for a day after the last image that needs them.

## Lifecycle policies

Rules are evaluated by AWS's semantics, with previews. A policy is applied when it is set, after each push, and every hour (AWS: within 24 hours).

## Events

EventBridge hears ` + "`ECR Image Action`" + ` of pushes and deletions, those by lifecycle policies too, also when the local cloud died in between.

## CloudFormation

` + "`AWS::ECR::Repository`" + ` (with ` + "`EmptyOnDelete`" + `), ` + "`AWS::ECR::RegistryPolicy`" + ` and ` + "`AWS::ECR::RegistryScanningConfiguration`" + ` make the real thing.

## Operations

| operation | |
|---|---|
`
