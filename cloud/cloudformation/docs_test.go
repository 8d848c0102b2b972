package cloudformation_test

import (
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"ouro/cloud/cloudformation"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/cloudtest"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"CreateStack":              "DeploymentConfig's mode EXPRESS is refused",
	"UpdateStack":              "as CreateStack; a failed update that was left as it is and then updated again rolls back to where the failed one had come, not further",
	"CreateChangeSet":          "as CreateStack; DeploymentMode REVERT_DRIFT is refused; a nested stack is among the changes only if it really changes",
	"ExecuteChangeSet":         "an imported resource of a type that runs is set to what the template says of it",
	"EstimateTemplateCost":     "checks the template; the address is that of AWS's calculator, which does not know the key",
	"DescribeEvents":           "there are no hooks and no validations to tell of",
	"DescribeAccountLimits":    "AWS's numbers; only those of templates are enforced",
	"DetectStackDrift":         "resources of some types are NOT_CHECKED, see above",
	"DetectStackSetDrift":      "as DetectStackDrift",
	"DetectStackResourceDrift": "some types are refused, see above",
	"CreateStackSet":           "self-managed permissions only; AutoDeployment is refused",
	"UpdateStackSet":           "as CreateStackSet",
	"CreateStackInstances":     "organizational units and AccountsUrl are refused; accounts are named one by one",
	"UpdateStackInstances":     "as CreateStackInstances",
	"DeleteStackInstances":     "as CreateStackInstances",
}

// drifting lists the types that run and take part in drift detection.
func drifting() string {
	var names []string
	for name, kind := range resource.NewTable() {
		if kind.Read != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return "`" + strings.Join(names, "`, `") + "`"
}

// TestPage keeps docs/cloudformation.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	rows := cloudtest.Operations(t, reflect.TypeFor[*cloudformation.Service](), reflect.TypeFor[*sdk.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/cloudformation.md", fmt.Sprintf(docsIntroduction, drifting())+rows, *update)
}

const docsIntroduction = `# CloudFormation on the local cloud

Stacks are made from the same templates as on AWS, by the same API, and end in the same states with the same words. Which resource types run and which
are recorded is in [resource-types.md](resource-types.md).

` + "`go test ./cloud/cloudformation -run TestPage -update`" + ` writes this page.

## What is worth knowing

- *Everything is answered at once.* Change sets are complete when CreateChangeSet answers. On AWS they take a moment, and clients wait for that; here they
  need not.
- *Templates with transforms* need CAPABILITY_AUTO_EXPAND unless a change set shows what comes out. AWS::LanguageExtensions, AWS::Include,
  AWS::Serverless-2016-10-31 and macros of the account run; GetTemplate gives both stages. A creation whose transform fails is rolled back, a change set
  ends FAILED with the reason, and an update is refused.
- *Change sets tell two stories*, as AWS's do: without IncludePropertyValues what may change, seen from the template; with it what will, with the value of
  every part before and after. Secrets are masked in both.
- *A nested stack is among the changes when its template or its parameters really changed.* AWS lists every nested stack of an update, because it does not
  look inside.
- *Imports* look for the resource through its service: types that run by their own API, recorded ones through Cloud Control. The resource is left behind
  when the import is rolled back.
- *Drift* is looked for in recorded types, through Cloud Control, and in these types that run: %s.
- *Rollback triggers* are looked at every second, with the stack's role, from before the first resource until the monitoring time is over: an alarm in the
  state ALARM, or one that is not there, takes the operation back. The monitoring time is waited for as on AWS, also without triggers, and goes on after a restart.
- *Stack sets* are self-managed: the administration role and the execution roles have to exist, as on AWS. What needs AWS Organizations is refused:
  service-managed permissions, automatic deployment, organizational units, delegated administrators.
- *Stack policies* bind updates, StackPolicyDuringUpdate for one of them. A policy without statements binds nothing.
- *Notifications* go to the stack's topics one by one in the order of the events, beside the operation. After a kill they go on where they had come; an
  event may then be told twice.
- *Tokens*: the request that began a stack's last operation, sent again with its token, has the same answer and does nothing. The same token for another
  operation is a TokenAlreadyExistsException.

## Operations

Operations that are not there answer with AWS's own error for an unknown one, InvalidAction.

| operation | |
|---|---|
`
