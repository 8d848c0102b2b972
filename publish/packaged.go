package publish

import "strings"

// use is a property that takes a path in the project.
type use struct {
	path     []string // of the property, below Properties; "*" is every key
	form     form
	shape    shape
	template bool // the path must be a template's
	folder   bool // without the property, the template's own folder is meant
}

var (
	s3URI      = shape{uri: true}
	bucketKey  = shape{bucket: "Bucket", key: "Key"}
	s3BucketS3 = shape{bucket: "S3Bucket", key: "S3Key"}
)

// packaged are the properties that take a path, by resource type: those of
// "aws cloudformation package" and "sam package". See
// https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html and
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-package.html.
//
// They zip any directory that they find; here a directory is refused where the
// service reads one file. They also take the template's folder for a Glue
// script that is not given, which no job could run; here that is left alone.
var packaged = map[string][]*use{
	"AWS::CloudFormation::Stack":    {nestedIn("TemplateURL")},
	"AWS::CloudFormation::StackSet": {nestedIn("TemplateURL")},
	"AWS::Serverless::Application":  {nestedIn("Location")},

	"AWS::Lambda::Function":                     {code("Code", s3BucketS3)},
	"AWS::Lambda::LayerVersion":                 {code("Content", s3BucketS3)},
	"AWS::Serverless::Function":                 {code("CodeUri", s3URI)},
	"AWS::Serverless::LayerVersion":             {code("ContentUri", s3URI)},
	"AWS::ElasticBeanstalk::ApplicationVersion": {{path: keys("SourceBundle"), form: either, shape: s3BucketS3, folder: true}},
	"AWS::CloudFormation::ModuleVersion":        {{path: keys("ModulePackage"), form: either, shape: s3URI, folder: true}},
	"AWS::CloudFormation::ResourceVersion":      {{path: keys("SchemaHandlerPackage"), form: either, shape: s3URI, folder: true}},
	"AWS::CodeCommit::Repository":               {{path: keys("Code.S3"), form: zipped, shape: bucketKey}},

	"AWS::Serverless::Api":                {document("DefinitionUri", s3URI)},
	"AWS::Serverless::HttpApi":            {document("DefinitionUri", s3URI)},
	"AWS::Serverless::StateMachine":       {document("DefinitionUri", bucketKey)},
	"AWS::StepFunctions::StateMachine":    {document("DefinitionS3Location", bucketKey)},
	"AWS::ApiGateway::RestApi":            {document("BodyS3Location", bucketKey)},
	"AWS::ApiGatewayV2::Api":              {document("BodyS3Location", bucketKey)},
	"AWS::Glue::Job":                      {document("Command.ScriptLocation", s3URI)},
	"AWS::AppSync::GraphQLSchema":         {document("DefinitionS3Location", s3URI)},
	"AWS::AppSync::Resolver":              resolver,
	"AWS::AppSync::FunctionConfiguration": resolver,
	"AWS::Serverless::GraphQLApi": {
		document("SchemaUri", s3URI), document("Functions.*.CodeUri", s3URI), document("Resolvers.*.*.CodeUri", s3URI),
	},
}

var resolver = []*use{
	document("RequestMappingTemplateS3Location", s3URI), document("ResponseMappingTemplateS3Location", s3URI), document("CodeS3Location", s3URI),
}

// packagedSections are the same outside of resources, from the template's root.
var packagedSections = []*use{
	document("Metadata.AWS::ServerlessRepo::Application.LicenseUrl", s3URI),
	document("Metadata.AWS::ServerlessRepo::Application.ReadmeUrl", s3URI),
	{path: keys("Globals.Function.CodeUri"), form: zipped, shape: s3URI},
	document("Globals.Api.DefinitionUri", s3URI),
}

// included is the Location of the transform AWS::Include.
var included = document("Parameters.Location", s3URI)

func nestedIn(property string) *use { return &use{path: keys(property), template: true} }

func code(property string, s shape) *use {
	return &use{path: keys(property), form: zipped, shape: s, folder: true}
}

func document(property string, s shape) *use {
	return &use{path: keys(property), form: plain, shape: s}
}

func keys(property string) []string { return strings.Split(property, ".") }
