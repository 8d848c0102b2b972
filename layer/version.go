package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"ouro/regex"
)

// Version is a version of a layer that is to be published.
type Version struct {
	Manifest
	Bucket, Key  string   // of the zip
	Accounts     []string // that may use it
	Organization string   // whose accounts may use it; empty for none
}

var (
	accountPattern      = regex.New(`^\d{12}$`)
	organizationPattern = regex.New(`^o-[a-z0-9]{10,32}$`)
	contentPattern      = regex.New(`^[0-9a-f]{64}$`)
)

// Check tells why there cannot be such a version.
func (v *Version) Check() error {
	if err := v.check(); err != nil {
		return err
	}
	if !contentPattern().MatchString(v.Content) {
		return fmt.Errorf("the content of layer %q has no SHA-256, but %q", v.Layer, v.Content)
	}
	for _, account := range v.Accounts {
		if !accountPattern().MatchString(account) {
			return fmt.Errorf("%q is no account, which has 12 digits", account)
		}
	}
	if v.Organization != "" && !organizationPattern().MatchString(v.Organization) {
		return fmt.Errorf("%q is no organization, such as o-a1b2c3d4e5", v.Organization)
	}
	return nil
}

// ContentKey is where the zip of a layer lies in the artifacts bucket.
func ContentKey(name, content string) string { return "layers/" + name + "/" + content + ".zip" }

// id is the end of the logical ids of all that belongs to this version. AWS
// replaces a version when any of its properties changes, so they all count.
// Where the zip lies does not.
func (v *Version) id() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %q %q %q %q", v.Layer, v.Content, v.Description, v.License, v.Runtimes, v.Architectures)
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// object is a part of a template in JSON, whose keys are written in order.
type object = map[string]any

// retained stays when a newer version takes its place in the template, and when
// the stack goes.
func retained(kind string, properties object) object {
	return object{"Type": kind, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": properties}
}

// Template is the template of a stack that publishes the version. Each content
// has logical ids of its own: the stack leaves the version before as it is, with
// those whom it is shared with, and makes a new one beside it.
func (v *Version) Template() ([]byte, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	id := v.id()
	version := object{"Ref": "Version" + id}
	properties := object{"LayerName": v.Layer, "Content": object{"S3Bucket": v.Bucket, "S3Key": v.Key}}
	for name, value := range map[string]string{"Description": v.Description, "LicenseInfo": v.License} {
		if value != "" {
			properties[name] = value
		}
	}
	for name, values := range map[string][]string{"CompatibleRuntimes": v.Runtimes, "CompatibleArchitectures": v.Architectures} {
		if len(values) > 0 {
			properties[name] = values
		}
	}
	resources := object{
		"Version" + id: retained("AWS::Lambda::LayerVersion", properties),
		"Number" + id: retained("AWS::SSM::Parameter", object{
			// The last part of the version's ARN is its number.
			"Name":        object{"Fn::Join": []any{"", []any{versionsPath(v.Layer), object{"Fn::Select": []any{7, object{"Fn::Split": []any{":", version}}}}}}},
			"Description": "ARN of this version of the Lambda layer " + v.Layer,
			"Type":        "String", "Value": version,
		}),
		"Latest": object{"Type": "AWS::SSM::Parameter", "Properties": object{
			"Name":        LatestParameter(v.Layer),
			"Description": "ARN of the newest version of the Lambda layer " + v.Layer,
			"Type":        "String", "Value": version,
		}},
	}
	for _, account := range slices.Sorted(slices.Values(v.Accounts)) {
		resources["Share"+id+"x"+account] = share(version, object{"Principal": account})
	}
	if v.Organization != "" {
		resources["Share"+id] = share(version, object{"Principal": "*", "OrganizationId": v.Organization})
	}
	return json.MarshalIndent(object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "The newest version of the Lambda layer " + v.Layer + " - content " + v.Content[:16] + ".",
		"Resources":                resources,
		"Outputs": object{
			"LayerVersionArn": object{"Description": "The newest version.", "Value": version},
			"Content":         object{"Description": "SHA-256 of what it holds.", "Value": v.Content},
		},
	}, "", "  ")
}

// share allows somebody to use a version.
func share(version object, who object) object {
	who["LayerVersionArn"], who["Action"] = version, "lambda:GetLayerVersion"
	return retained("AWS::Lambda::LayerVersionPermission", who)
}

// Who are the accounts and the organization that may use the version.
func (v *Version) Who() []string {
	who := slices.Clone(v.Accounts)
	if v.Organization != "" {
		who = append(who, v.Organization)
	}
	return who
}
