package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// makeStage makes the API's deployment and its stage, and gives the stage's
// logical id.
//
// CloudFormation deploys an API anew only for a new deployment resource, so its
// logical id ends in a hash of all that shall lead to one.
func (a *restAPI) makeStage() string {
	p := a.pos()
	id := a.id + "Deployment"
	props := p.obj("RestApiId", p.ref(a.id))
	if !truthy(a.get("OpenApiVersion")) {
		// Stands for itself: versions of OpenApi 2 get a stage named
		// Stage along with the one that was asked for.
		set(props, "StageName", p.text("Stage"))
	}
	if a.body.isTrue() {
		sum := sha1.Sum([]byte(a.deployedFor()))
		digest := hex.EncodeToString(sum[:])
		id += digest[:10]
		set(props, "Description", p.text("RestApi deployment id: "+digest))
	}
	a.add(a.resource, id, "AWS::ApiGateway::Deployment", props)

	stage := p.obj("RestApiId", p.ref(a.id), "DeploymentId", p.ref(id))
	copySet(stage, a.resource, "StageName", "CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings",
		"AccessLogSetting", "CanarySetting", "TracingEnabled")
	if tags := a.get("Tags"); tags != nil {
		set(stage, "Tags", p.node(tagList(tags)))
	}
	stageID := a.id + stageSuffix(a.get("StageName"))
	a.add(a.resource, stageID, "AWS::ApiGateway::Stage", stage)
	return stageID
}

// stageSuffix ends the logical id of a stage.
func stageSuffix(name *node) string {
	switch text := name.Scalar(); {
	case !isString(name) || text == "":
		return "Stage"
	case isAlphanumeric(text):
		return text + "Stage"
	default:
		return "Stage" + shortHash(text)
	}
}

// isAlphanumeric tells whether s is made of letters and digits, of any script.
func isAlphanumeric(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// deployedFor is the text whose hash changes when the API has to be deployed.
func (a *restAPI) deployedFor() string {
	if truthy(a.get("AlwaysDeploy")) {
		return strconv.FormatInt(a.options.now().Unix(), 10)
	}
	parts := []string{a.body.python()}
	if version := a.get("OpenApiVersion"); truthy(version) {
		parts = append(parts, versionText(fromNode(version)))
	}
	if a.domain.isTrue() {
		parts = append(parts, a.domain.json())
	}
	if names := a.apis.names[a.id]; names != "" {
		parts = append(parts, names)
	}
	return strings.Join(parts, "||")
}

// now is the time of the transform.
func (o Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}
