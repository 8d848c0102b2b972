package iam

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"ouro/cloud/door"
	"ouro/regex"
)

// allows is the document of a policy that allows the actions everywhere.
func allows(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

// documentsOfAWS are the documents of those of AWS's policies whose whole sense
// is a list of actions, by path and name.
func documentsOfAWS() map[string]string {
	return map[string]string{
		"/AdministratorAccess":                      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"/AmazonS3FullAccess":                       allows("s3:*", "s3-object-lambda:*"),
		"/AmazonS3ReadOnlyAccess":                   allows("s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"),
		"/CloudWatchLogsFullAccess":                 allows("logs:*", "cloudwatch:GenerateQuery"),
		"/IAMFullAccess":                            allows("iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization", "organizations:DescribeOrganizationalUnit", "organizations:DescribePolicy", "organizations:ListChildren", "organizations:ListParents", "organizations:ListPoliciesForTarget", "organizations:ListRoots", "organizations:ListPolicies", "organizations:ListTargetsForPolicy"),
		"/service-role/AWSLambdaBasicExecutionRole": allows("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
	}
}

// nameOfAWS is what follows "policy" in the ARN of a policy of AWS.
var nameOfAWS = regex.New(`^(/|/[\w+=,.@/-]+/)([\w+=,.@-]{1,128})$`)

// policyOfAWS gives the policy of AWS with that ARN; ok is false for the ARN of
// anything else.
func policyOfAWS(caller door.Caller, policyARN string) (managed, bool) {
	path, ok := strings.CutPrefix(policyARN, "arn:"+caller.Partition()+":iam::aws:policy")
	parts := nameOfAWS().FindStringSubmatch(path)
	if !ok || parts == nil {
		return managed{}, false
	}
	sum := sha256.Sum256([]byte(path))
	// The day IAM began. When AWS made its policies is not known here.
	day := time.Date(2011, 5, 3, 0, 0, 0, 0, time.UTC)
	return managed{
		Name: parts[2], Path: parts[1], ID: "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17],
		Versions: []version{{ID: "v1", Document: documentsOfAWS()[path], Created: day}},
		Default:  "v1", Last: 1, Created: day, Updated: day, ofAWS: true,
	}, true
}

// policiesOfAWS are those whose documents are known, and those in use.
func policiesOfAWS(caller door.Caller, uses map[string][]use) []managed {
	prefix := "arn:" + caller.Partition() + ":iam::aws:policy"
	paths := map[string]bool{}
	for path := range documentsOfAWS() {
		paths[prefix+path] = true
	}
	for policyARN := range uses {
		paths[policyARN] = true
	}
	var list []managed
	for policyARN := range paths {
		if p, ok := policyOfAWS(caller, policyARN); ok {
			list = append(list, p)
		}
	}
	return list
}
