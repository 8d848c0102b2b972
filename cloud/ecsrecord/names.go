package ecsrecord

import "unicode"

// asGiven are members whose keys are the user's own words.
var asGiven = map[string]bool{"options": true, "dockerLabels": true, "driverOpts": true, "labels": true}

// renamed are members that a record writes otherwise than with a capital, some
// of them in one member only.
var renamed = map[string]string{
	"efsVolumeConfiguration":                  "EFSVolumeConfiguration",
	"fsxWindowsFileServerVolumeConfiguration": "FSxWindowsFileServerVolumeConfiguration",
	"efsVolumeConfiguration/fileSystemId":     "FilesystemId",
	"authorizationConfig/iam":                 "IAM",
}

// maxDepth bounds the nesting of what comes from outside.
const maxDepth = 32

// Properties names members as a record does, whose names begin with a capital;
// in ECS's API they begin with a small letter.
func Properties(members map[string]any) map[string]any {
	out, _ := capitals(members, "", 0).(map[string]any)
	return out
}

func capitals(v any, in string, depth int) any {
	if depth > maxDepth {
		return v
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = capitals(v[i], in, depth+1)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if !asGiven[name] {
				value = capitals(value, name, depth+1)
			}
			out[property(in, name)] = value
		}
		return out
	}
	return v
}

func property(in, name string) string {
	for _, key := range []string{in + "/" + name, name} {
		if other, ok := renamed[key]; ok {
			return other
		}
	}
	letters := []rune(name)
	if len(letters) > 0 {
		letters[0] = unicode.ToUpper(letters[0])
	}
	return string(letters)
}
