package codedeploy_test

import (
	"flag"
	"reflect"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"

	"ouro/cloud/cloudtest"
	"ouro/cloud/codedeploy"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"ContinueDeployment":                 "for deployments of ECS: those to instances do not wait",
	"CreateDeployment":                   "to on-premises instances, of Lambda's aliases and to recorded services of ECS; blue/green and load balancers for instances are refused, see above",
	"CreateDeploymentConfig":             "zonal configurations are refused",
	"CreateDeploymentGroup":              "EC2 tags, Auto Scaling groups and load balancers of instances are kept, and find nothing",
	"DeleteGitHubAccountToken":           "finds none",
	"DeleteResourcesByExternalId":        "has nothing to delete",
	"ListGitHubAccountTokenNames":        "an empty list",
	"RegisterOnPremisesInstance":         "the name is that of a folder",
	"SkipWaitTimeForInstanceTermination": "for deployments of ECS: no others terminate anything",
	"UpdateDeploymentGroup":              "as CreateDeploymentGroup",
}

// TestPage keeps docs/codedeploy.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	operations := cloudtest.Operations(t, reflect.TypeFor[*codedeploy.Service](), reflect.TypeFor[*api.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/codedeploy.md", docsIntroduction+operations, *update)
}

const docsIntroduction = `# CodeDeploy on the local cloud

Applications, deployment groups, configurations, revisions and on-premises instances, by the same API as on AWS. Deployments to on-premises instances and
of Lambda's aliases are real; those to services of ECS change records, since the local cloud runs no tasks.

` + "`go test ./cloud/codedeploy -run TestPage -update`" + ` writes this page.

## Instances

An on-premises instance is a folder of this machine. Registering one makes the folder, and its name finds it:

` + "```" + `
STATE/instances/ACCOUNT/REGION/NAME/
` + "```" + `

The folder is the instance's root: the destination ` + "`/srv/site`" + ` of an appspec file is ` + "`srv/site`" + ` in it. AWS's agent keeps its files below
` + "`/opt/codedeploy-agent/deployment-root`" + `, and so does the local cloud, in that folder: revisions in ` + "`GROUP-ID/DEPLOYMENT-ID/deployment-archive`" + `, the log in
` + "`GROUP-ID/DEPLOYMENT-ID/logs/scripts.log`" + `. The newest five revisions of a group stay.

` + "```sh" + `
aws deploy create-application --application-name site
aws deploy register-on-premises-instance --instance-name one --iam-user-arn arn:aws:iam::000000000000:user/one
aws deploy add-tags-to-on-premises-instances --instance-names one --tags Key=tier,Value=web
aws deploy create-deployment-group --application-name site --deployment-group-name web \
  --service-role-arn arn:aws:iam::000000000000:role/deploy --on-premises-instance-tag-filters Key=tier,Value=web,Type=KEY_AND_VALUE
aws deploy push --application-name site --s3-location s3://revisions/site.zip --source .
aws deploy create-deployment --application-name site --deployment-group-name web --s3-location bucket=revisions,key=site.zip,bundleType=zip
` + "```" + `

A revision is a zip, tar or tgz in S3, or a commit of ` + "`OWNER/NAME`" + ` on GitHub: the local cloud looks for a repository of that name behind the
connections of the account and region, and does not ask GitHub itself.

### Hooks

Events come in the order of AWS's, without those of load balancers: ApplicationStop (of the revision that was deployed last), DownloadBundle, BeforeInstall,
Install, AfterInstall, ApplicationStart, ValidateService. Scripts are processes of this machine:

- They begin in the instance's folder and find its path in ` + "`OURO_INSTANCE_ROOT`" + `, besides AWS's variables. ` + "`cd \"${OURO_INSTANCE_ROOT:-/}\"`" + ` is the root
  folder here and on AWS. Absolute paths are those of this machine: nothing is a container.
- A script is over when it has ended and nobody holds its outputs, as with AWS's agent: redirect those of a server that is to go on. What a script that
  succeeded leaves running goes on, also when the local cloud ends; what one that failed or took too long has started is killed.
- ` + "`runas`" + ` and owners in permissions need a local cloud that is root's; access control lists and contexts are noted in the log and not applied.
- When the local cloud ends during an event, the event has failed, and its script is killed, however suddenly the end comes. The deployment goes on from
  there when the local cloud is started again.

` + "`minimumHealthyHosts`" + ` counts the instances of the deployment that it has not failed on; how an instance fared before does not count.

## Functions

A Lambda deployment reads its appspec from ` + "`AppSpecContent`" + ` or from S3, with the group's service role. It shifts the alias's weights at once, in a canary or
linearly, by the minutes of its configuration, and invokes the hooks BeforeAllowTraffic and AfterAllowTraffic, which answer with
` + "`put-lifecycle-event-hook-execution-status`" + ` within an hour. A rollback brings the alias back to the version that the deployment found. A deployment that the end
of the local cloud interrupts goes on where it was; a hook that had not answered is invoked again.

## Services of ECS

The local cloud records services, task definitions, target groups and listeners (made by CloudFormation or Cloud Control), and runs no tasks. A deployment
to a service whose deployment controller is CODE_DEPLOY goes through all that CodeDeploy does on AWS, upon these records, with the group's service role:

| event | what happens |
|---|---|
| Install | the task definition must be there, and have the container and port of the appspec |
| AllowTestTraffic | the test listener forwards to the other target group; without a test listener this event and AfterAllowTestTraffic are left out |
| BeforeAllowTraffic | comes when the wait of ` + "`deploymentReadyOption`" + ` is over: ` + "`continue-deployment`" + ` ends it, its timeout stops the deployment |
| AllowTraffic | the listener, and those of its rules that forward to one of the two target groups, shift by weight, at once, in a canary or linearly; then the service has the task definition, target group, platform version, network and capacity providers of the appspec |
| after the events | the original task set waits for its termination, which ` + "`continue-deployment --deployment-wait-type TERMINATION_WAIT`" + ` hastens |

The other events are hooks, functions as above. The diagnostics of Install and AllowTraffic say that the service is recorded; task sets have their desired
count, and none that runs. A rollback brings traffic and service back to the task set that the deployment found. What the end of the local cloud
interrupts goes on where it was, with what is left of its wait or interval. As on AWS, the change shows as drift of the stack that made the service.

## Alarms

The alarms of a group, or those that a deployment gives in their place, are watched from before its first event until it is over, every second, with the
group's service role: [CloudWatch](cloudwatch.md) alarms of both kinds. One in the state ALARM stops the deployment, ` + "`ALARM_ACTIVE`" + `, also if it rang before; lifecycle
events under way come to their end first. ` + "`DEPLOYMENT_STOP_ON_ALARM`" + ` then rolls it back; what rolls back is not stopped by alarms. Where the alarms cannot be asked for, or one
is not there, the deployment is stopped too, unless ` + "`ignorePollAlarmFailure`" + ` is set. Rehearse it with
` + "`aws cloudwatch set-alarm-state`" + `. The end of the local cloud interrupts the watching, and its start takes it up.

## Rollback, events, triggers

Failed and stopped deployments are rolled back by the automatic rollback configuration of the group or the deployment, to the revision of the last
deployment that succeeded. EventBridge hears of deployments and instances ("CodeDeploy Deployment State-change Notification", "CodeDeploy Instance
State-change Notification"), and the group's triggers publish to SNS, as the group's service role.

## What is refused

| what | why |
|---|---|
| blue/green deployments to instances | it makes no instances |
| ` + "`WITH_TRAFFIC_CONTROL`" + ` for instances | it has no load balancers |
| zonal configurations | it has no Availability Zones |

EC2 tags and Auto Scaling groups are kept in groups and find no instances.

## Operations

| operation | |
|---|---|
`
