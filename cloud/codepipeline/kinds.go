package codepipeline

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// kind is an action type that AWS knows.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
type kind struct {
	category types.ActionCategory
	owner    types.ActionOwner
	provider string
	in, out  span       // how many artifacts
	config   []property // nil: AWS's table is not known here, and any configuration passes
	limit    time.Duration
	onlyV2   bool
	run      runner // nil: it does not run on the local cloud
	settings *types.ActionTypeSettings
	jobLimit time.Duration // of one job; 0: that of the action
}

type span struct{ least, most int32 }

// property is one configuration of an action type.
type property struct {
	name string
	flag flag
}

type flag uint8

const (
	required flag = 1 << iota
	secret
	isKey
	queryable
)

const (
	day = 24 * time.Hour
	// defaultLimit is how long an action may take if AWS tells no other default.
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
	defaultLimit = time.Hour
	customLimit  = day
)

// kinds are the action types. ListActionTypes gives them in this order.
var kinds = []kind{
	{category: "Source", owner: "AWS", provider: "CodeCommit", out: span{1, 1}, run: codeCommitSource{}, config: []property{
		{"RepositoryName", required | isKey}, {"BranchName", required | isKey}, {"PollForSourceChanges", 0}, {"OutputArtifactFormat", 0}}},
	{category: "Source", owner: "AWS", provider: "S3", out: span{1, 1}, run: s3Source{}, config: []property{
		{"S3Bucket", required | isKey}, {"S3ObjectKey", required | isKey}, {"PollForSourceChanges", 0}, {"AllowOverrideForS3ObjectKey", 0}}},
	{category: "Source", owner: "AWS", provider: "CodeStarSourceConnection", out: span{1, 1}, run: connectionSource{}, config: []property{
		{"ConnectionArn", required | isKey}, {"FullRepositoryId", required | isKey}, {"BranchName", required | isKey}, {"OutputArtifactFormat", 0}, {"DetectChanges", 0}}},
	{category: "Source", owner: "AWS", provider: "ECR", out: span{1, 1}, run: ecrSource{}, config: []property{
		{"RepositoryName", required | isKey}, {"ImageTag", 0}}},
	{category: "Source", owner: "ThirdParty", provider: "GitHub", out: span{1, 1}, run: gitHubSource{}, config: []property{
		{"Owner", required}, {"Repo", required}, {"Branch", required}, {"OAuthToken", required | secret}, {"PollForSourceChanges", 0}}},
	{category: "Build", owner: "AWS", provider: "CodeBuild", in: span{1, 5}, out: span{0, 5}, limit: 36 * time.Hour, run: codeBuild{}, config: codeBuildConfig},
	{category: "Test", owner: "AWS", provider: "CodeBuild", in: span{1, 5}, out: span{0, 5}, limit: 36 * time.Hour, run: codeBuild{}, config: codeBuildConfig},
	{category: "Build", owner: "AWS", provider: "ECRBuildAndPublish", in: span{1, 1}, out: span{0, 1}, onlyV2: true},
	{category: "Test", owner: "AWS", provider: "DeviceFarm", in: span{1, 1}, config: deviceFarmConfig},
	{category: "Deploy", owner: "AWS", provider: "CloudFormation", in: span{0, 10}, out: span{0, 1}, limit: 3 * day, run: cloudFormation{}, config: []property{
		{"ActionMode", required}, {"StackName", required | isKey}, {"ChangeSetName", 0}, {"TemplatePath", 0}, {"TemplateConfiguration", 0},
		{"ParameterOverrides", 0}, {"Capabilities", 0}, {"RoleArn", 0}, {"OutputFileName", 0}}},
	{category: "Deploy", owner: "AWS", provider: "CloudFormationStackSet", in: span{1, 3}, limit: 3 * day, run: stackSet{}, config: []property{
		{"StackSetName", required | isKey}, {"TemplatePath", required}, {"Description", 0}, {"Parameters", 0}, {"Capabilities", 0},
		{"PermissionModel", 0}, {"AdministrationRoleArn", 0}, {"ExecutionRoleName", 0}, {"OrganizationsAutoDeployment", 0},
		{"DeploymentTargets", 0}, {"Regions", 0}, {"FailureTolerancePercentage", 0}, {"MaxConcurrentPercentage", 0}}},
	{category: "Deploy", owner: "AWS", provider: "CloudFormationStackInstances", in: span{0, 2}, limit: 3 * day, run: stackInstances{}, config: []property{
		{"StackSetName", required | isKey}, {"DeploymentTargets", required}, {"Regions", required}, {"ParameterOverrides", 0},
		{"FailureTolerancePercentage", 0}, {"MaxConcurrentPercentage", 0}}},
	{category: "Deploy", owner: "AWS", provider: "CodeDeploy", in: span{1, 1}, limit: 5 * day, run: codeDeploy{}, config: []property{
		{"ApplicationName", required | isKey}, {"DeploymentGroupName", required | isKey}}},
	{category: "Deploy", owner: "AWS", provider: "CodeDeployToECS", in: span{1, 5}, limit: 5 * day, run: codeDeployToECS{}, config: []property{
		{"ApplicationName", required | isKey}, {"DeploymentGroupName", required | isKey},
		{"TaskDefinitionTemplateArtifact", required}, {"AppSpecTemplateArtifact", required}, {"TaskDefinitionTemplatePath", 0}, {"AppSpecTemplatePath", 0},
		{"Image1ArtifactName", 0}, {"Image1ContainerName", 0}, {"Image2ArtifactName", 0}, {"Image2ContainerName", 0},
		{"Image3ArtifactName", 0}, {"Image3ContainerName", 0}, {"Image4ArtifactName", 0}, {"Image4ContainerName", 0}}},
	{category: "Deploy", owner: "AWS", provider: "S3", in: span{1, 1}, limit: 90 * time.Minute, run: s3Deploy{}, config: []property{
		{"BucketName", required}, {"Extract", required}, {"ObjectKey", 0}, {"KMSEncryptionKeyARN", 0}, {"CannedACL", 0}, {"CacheControl", 0}}},
	{category: "Deploy", owner: "AWS", provider: "ECS", in: span{1, 1}, run: ecsDeploy{}, config: []property{
		{"ClusterName", required}, {"ServiceName", required}, {"FileName", 0}, {"DeploymentTimeout", 0}}},
	{category: "Deploy", owner: "AWS", provider: "ElasticBeanstalk", in: span{1, 1}, config: []property{
		{"ApplicationName", required}, {"EnvironmentName", required}}},
	{category: "Deploy", owner: "AWS", provider: "ServiceCatalog", in: span{1, 1}, config: []property{
		{"TemplateFilePath", 0}, {"ProductVersionName", 0}, {"ProductType", 0}, {"ProductVersionDescription", 0}, {"ProductId", required}, {"ConfigurationFilePath", 0}}},
	{category: "Deploy", owner: "AWS", provider: "AppConfig", in: span{1, 1}, config: []property{
		{"Application", required | isKey}, {"Environment", required | isKey}, {"ConfigurationProfile", required | isKey},
		{"InputArtifactConfigurationPath", required}, {"DeploymentStrategy", 0}}},
	{category: "Deploy", owner: "AWS", provider: "OpsWorks", in: span{1, 1}, config: []property{
		{"Stack", required | isKey}, {"Layer", 0}, {"App", required | isKey}}},
	{category: "Deploy", owner: "AWS", provider: "EC2", in: span{1, 1}, onlyV2: true},
	{category: "Deploy", owner: "AWS", provider: "EKS", in: span{1, 1}, onlyV2: true},
	{category: "Deploy", owner: "AWS", provider: "Lambda", in: span{1, 1}, onlyV2: true},
	{category: "Deploy", owner: "ThirdParty", provider: "AlexaSkillsKit", in: span{1, 2}, config: []property{
		{"ClientId", required}, {"ClientSecret", required | secret}, {"RefreshToken", required | secret}, {"SkillId", required}}},
	{category: "Invoke", owner: "AWS", provider: "Lambda", in: span{0, 5}, out: span{0, 5}, limit: day, run: lambdaInvoke{}, config: []property{
		{"FunctionName", required | isKey}, {"UserParameters", 0}}},
	{category: "Invoke", owner: "AWS", provider: "StepFunctions", in: span{0, 1}, out: span{0, 1}, limit: 7 * day, config: []property{
		{"StateMachineArn", required}, {"ExecutionNamePrefix", 0}, {"InputType", 0}, {"Input", 0}}},
	{category: "Invoke", owner: "AWS", provider: "InspectorScan", in: span{1, 1}, out: span{0, 5}, onlyV2: true},
	{category: "Invoke", owner: "AWS", provider: "CodePipeline", onlyV2: true, limit: 7 * day, run: pipelineInvoke{}, config: []property{
		{"PipelineName", required | isKey}, {"SourceRevisions", 0}, {"Variables", 0}}},
	{category: "Invoke", owner: "ThirdParty", provider: "Snyk", in: span{1, 1}, out: span{1, 1}, limit: customLimit, run: jobWorker{}},
	{category: "Approval", owner: "AWS", provider: "Manual", limit: 7 * day, run: manualApproval{}, config: []property{
		{"NotificationArn", 0}, {"CustomData", 0}, {"ExternalEntityLink", 0}}},
	{category: "Compute", owner: "AWS", provider: "Commands", in: span{1, 10}, out: span{0, 1}, onlyV2: true, run: commands{}, config: []property{}},
}

var codeBuildConfig = []property{
	{"ProjectName", required | isKey}, {"PrimarySource", 0}, {"EnvironmentVariables", 0},
	{"BatchEnabled", 0}, {"CombineArtifacts", 0}, {"BuildBatchCombineArtifacts", 0},
}

// deviceFarmConfig is in the order of AWS's own page.
var deviceFarmConfig = []property{
	{"AppType", required}, {"ProjectId", required | isKey}, {"App", required}, {"DevicePoolArn", required}, {"TestType", required}, {"AppiumVersion", 0},
	{"RadioBluetoothEnabled", 0}, {"RecordAppPerformanceData", 0}, {"RecordVideo", 0}, {"RadioWifiEnabled", 0}, {"RadioNfcEnabled", 0}, {"RadioGpsEnabled", 0},
	{"Test", 0}, {"FuzzEventCount", 0}, {"FuzzEventThrottle", 0}, {"FuzzRandomizerSeed", 0}, {"CustomHostMachineArtifacts", 0}, {"CustomDeviceArtifacts", 0},
	{"UnmeteredDevicesOnly", 0}, {"TimeoutMinutes", 0}, {"Latitude", 0}, {"Longitude", 0},
}

// kindOf finds AWS's own kind of an action, or of a rule, or nil. An account's
// custom ones are found by Service.kind.
func kindOf(id *types.ActionTypeId) *kind {
	if id != nil && id.Category == ruleCategory {
		return ruleKindOf(id)
	}
	for i, k := range kinds {
		if id != nil && k.category == id.Category && k.owner == id.Owner && k.provider == aws.ToString(id.Provider) && aws.ToString(id.Version) == "1" {
			return &kinds[i]
		}
	}
	return nil
}

// timeout is how long the action may take.
func (k *kind) timeout(decl types.ActionDeclaration) time.Duration {
	if decl.TimeoutInMinutes != nil {
		return time.Duration(*decl.TimeoutInMinutes) * time.Minute
	}
	return cmp.Or(k.limit, defaultLimit)
}

// property is the configuration of that name, or nil.
func (k *kind) property(name string) *property {
	for i, p := range k.config {
		if p.name == name {
			return &k.config[i]
		}
	}
	return nil
}

// describe is the kind as ListActionTypes tells it.
func (k *kind) describe() types.ActionType {
	t := types.ActionType{
		Id:                    &types.ActionTypeId{Category: k.category, Owner: k.owner, Provider: aws.String(k.provider), Version: aws.String("1")},
		InputArtifactDetails:  &types.ArtifactDetails{MinimumCount: k.in.least, MaximumCount: k.in.most},
		OutputArtifactDetails: &types.ArtifactDetails{MinimumCount: k.out.least, MaximumCount: k.out.most},
		Settings:              &types.ActionTypeSettings{},
	}
	for _, p := range k.config {
		t.ActionConfigurationProperties = append(t.ActionConfigurationProperties, types.ActionConfigurationProperty{
			Name: aws.String(p.name), Key: p.flag&isKey != 0, Required: p.flag&required != 0, Secret: p.flag&secret != 0, Queryable: p.flag&queryable != 0,
		})
	}
	return t
}
