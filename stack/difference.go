package stack

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// leaves takes a property whose values are JSON apart, into the parts that
// differ; others stay as they are.
func (p Property) leaves() []Property {
	var before, after any
	if p.Before == nil || p.After == nil || !structure(*p.Before, &before) || !structure(*p.After, &after) {
		return []Property{p}
	}
	var out []Property
	differ(p.Path, before, after, func(path string, before, after *string) {
		out = append(out, Property{Path: path, Before: before, After: after, Replaces: p.Replaces})
	})
	return out
}

// structure reads text that is a JSON object or array.
func structure(text string, into *any) bool {
	return text != "" && (text[0] == '{' || text[0] == '[') && json.Unmarshal([]byte(text), into) == nil
}

// missing is what stands for a member that is not there.
type missing struct{}

// differ calls found for each smallest part in which two JSON values differ.
func differ(path string, before, after any, found func(path string, before, after *string)) {
	if reflect.DeepEqual(before, after) {
		return
	}
	switch a := before.(type) {
	case map[string]any:
		if b, ok := after.(map[string]any); ok {
			differMaps(path, a, b, found)
			return
		}
	case []any:
		if b, ok := after.([]any); ok {
			differLists(path, a, b, found)
			return
		}
	}
	found(path, leaf(before), leaf(after))
}

func differMaps(path string, before, after map[string]any, found func(path string, before, after *string)) {
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := any(missing{}), any(missing{})
		if v, ok := before[name]; ok {
			a = v
		}
		if v, ok := after[name]; ok {
			b = v
		}
		differ(path+"/"+name, a, b, found)
	}
}

// differLists compares what is left between the common beginning and the
// common end, so that an item put in or taken out is the only difference.
func differLists(path string, before, after []any, found func(path string, before, after *string)) {
	first, last := 0, 0
	for n := min(len(before), len(after)); first < n && reflect.DeepEqual(before[first], after[first]); {
		first++
	}
	for n := min(len(before), len(after)) - first; last < n && reflect.DeepEqual(before[len(before)-1-last], after[len(after)-1-last]); {
		last++
	}
	for i := first; i < max(len(before), len(after))-last; i++ {
		a, b := any(missing{}), any(missing{})
		if i < len(before)-last {
			a = before[i]
		}
		if i < len(after)-last {
			b = after[i]
		}
		differ(path+"/"+strconv.Itoa(i), a, b, found)
	}
}

// leaf is a value as text: strings as they are, all others as JSON.
func leaf(v any) *string {
	switch v := v.(type) {
	case missing:
		return nil
	case string:
		return &v
	}
	text, err := json.Marshal(v)
	if err != nil { // what was read from JSON can be written
		return nil
	}
	return aws.String(string(text))
}
