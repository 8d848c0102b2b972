package cloudcontrol

import (
	"testing"
	"time"

	"ouro/cloud/door"
	"ouro/spec"
)

// FuzzResources: whatever is desired of whatever type, and patched, it is
// refused or becomes a resource that can be shown.
func FuzzResources(f *testing.F) {
	for _, seed := range [][3]string{
		{"AWS::SQS::Queue", `{"QueueName":"q","Tags":[{"Key":"a","Value":"b"}]}`, `[{"op":"replace","path":"/Tags/0/Value","value":"c"}]`},
		{"AWS::RDS::DBInstance", `{"MasterUserPassword":"x","Endpoint":{"Port":"1"}}`, `[{"op":"remove","path":"/Endpoint"},{"op":"add","path":"/Port","value":"2"}]`},
		{"AWS::EMR::InstanceGroupConfig", `{"InstanceCount":1,"InstanceRole":"r","InstanceType":"t","JobFlowId":"j","Configurations":[{"Configurations":[{}]}]}`, `[]`},
		{"AWS::IoTTwinMaker::Entity", `{"EntityName":"e","WorkspaceId":"w","Components":{"a":{"Properties":{"p":{"Value":{"ListValue":[{"ListValue":[]}]}}}}}}`, `[{"op":"test","path":"","value":null}]`},
		{"AWS::EC2::VPC", `null`, `[{"op":"add","path":"","value":[]}]`},
		{"AWS::ECS::TaskDefinition", `{"Family":"arn:","ContainerDefinitions":[null]}`, `[{"op":"copy","from":"","path":"/x"}]`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	caller := door.Caller{Account: "123456789012", Region: "eu-west-1"}
	f.Fuzz(func(t *testing.T, typeName, state, patched string) {
		ty, ok := spec.Lookup(typeName)
		var properties document
		var ops []operation
		if !ok || parse("s", &state, &properties) != nil || parse("p", &patched, &ops) != nil || deeper(map[string]any(properties), maxNesting) {
			return
		}
		if check(ty, properties) != nil {
			return
		}
		r := resource{Type: typeName, Seed: "s", Created: time.Unix(0, 0), Properties: withoutSecrets(properties)}
		shape(ty, caller, &r)
		if r.Identifier == "" {
			t.Fatalf("%s %s has no identifier", typeName, state)
		}
		if err := r.change(ty, caller, ops); err != nil {
			return
		}
		if _, err := r.model(); err != nil {
			t.Fatal(err)
		}
		if d, err := r.describe(); err != nil || parse("model", d.Properties, &properties) != nil && len(*d.Properties) <= maxDocument {
			t.Fatalf("%s %s cannot be read: %v", typeName, state, err)
		}
	})
}
