package resource

import (
	"maps"
	"slices"
)

// allTags are the tags that the resource gets: the stack's, and over them its own.
func (r *Request) allTags() map[string]string {
	return merge(r.Tags, tagMap(r.Properties["Tags"]))
}

// AllTags are the stack's tags and over them the resource's own.
func (r *Request) AllTags() map[string]string { return r.allTags() }

// TagKeys are the keys of AllTags, sorted.
func (r *Request) TagKeys() []string { return slices.Sorted(maps.Keys(r.allTags())) }

// tagChanges compares the tags in force with those wanted.
func (r *Request) tagChanges() (set map[string]string, drop []string) {
	before, after := merge(r.FormerTags, tagMap(r.Former["Tags"])), r.allTags()
	set = map[string]string{}
	for k, v := range after {
		if old, ok := before[k]; !ok || old != v {
			set[k] = v
		}
	}
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[k]; !ok {
			drop = append(drop, k)
		}
	}
	return set, drop
}

func merge(under, over map[string]string) map[string]string {
	out := make(map[string]string, len(under)+len(over))
	maps.Copy(out, under)
	maps.Copy(out, over)
	return out
}

// tagMap reads both ways in which types take tags: a list of Key and Value, or an object.
func tagMap(v any) map[string]string {
	out := map[string]string{}
	for k, value := range object(v) {
		out[k] = text(value)
	}
	if items, ok := v.([]any); ok {
		for _, item := range items {
			tag := object(item)
			out[text(tag["Key"])] = text(tag["Value"])
		}
	}
	return out
}

// tagList makes a service's own tag values, sorted by key.
func tagList[T any](tags map[string]string, tag func(key, value *string) T) []T {
	var out []T
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		out = append(out, tag(&k, &v))
	}
	return out
}
