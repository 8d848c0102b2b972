package ecsrecord_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ouro/cloud/ecsrecord"
	"ouro/spec"
)

// A task definition as ECS's API has it becomes the properties of the type.
func TestProperties(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"family": "web", "containerDefinitions": [{"name": "app", "dockerLabels": {"own.word": "x"}}]}`:                                                                                   `{"ContainerDefinitions":[{"DockerLabels":{"own.word":"x"},"Name":"app"}],"Family":"web"}`,
		`{"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED", "authorizationConfig": {"iam": "ENABLED", "accessPointId": "a"}}}]}`: `{"Volumes":[{"EFSVolumeConfiguration":{"AuthorizationConfig":{"AccessPointId":"a","IAM":"ENABLED"},"FilesystemId":"fs-1","TransitEncryption":"ENABLED"},"Name":"v"}]}`,
		`{"volumes": [{"fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1"}}]}`:                                                                                              `{"Volumes":[{"FSxWindowsFileServerVolumeConfiguration":{"FileSystemId":"fs-1"}}]}`,
		`{"": {"Already": 1}}`: `{"":{"Already":1}}`,
	} {
		var members map[string]any
		if err := json.Unmarshal([]byte(in), &members); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(ecsrecord.Properties(members))
		if err != nil || string(got) != want {
			t.Errorf("%s becomes %s, %v", in, got, err)
		}
	}
	task, _ := spec.Lookup(ecsrecord.TaskDefinition)
	volume := spec.Find(task.Properties, "Volumes").Value.Element.Properties()
	for _, name := range []string{"EFSVolumeConfiguration/FilesystemId", "EFSVolumeConfiguration/AuthorizationConfig/IAM", "FSxWindowsFileServerVolumeConfiguration/FileSystemId"} {
		at := volume
		for part := range strings.SplitSeq(name, "/") {
			p := spec.Find(at, part)
			if p == nil {
				t.Fatalf("the specification has no %s of %s", part, name)
			}
			at = p.Value.Properties()
		}
	}
}
