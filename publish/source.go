package publish

import "ouro/template"

// source is one thing that is published: where it lies, and in which form it
// goes out. The same path in two forms is two sources.
type source struct {
	library bool // path starts from the library's root, not from the project's
	form    form
	path    string // with slashes
}

// none tells of a source that a wrong reference could not name.
func (s source) none() bool { return s.path == "" }

// shown is the path as keys, positions and messages have it.
func (s source) shown() string {
	if s.library {
		return "ouro/" + s.path
	}
	return s.path
}

// form is how a path is published.
type form uint8

const (
	whole  form = iota // a template with its references replaced, another file as it is
	plain              // a file as it is, a template too
	either             // a directory zipped, a file as it is
	zipped             // a directory zipped, and so is a file that is no zip yet
)

// shape is what a reference becomes: the object's https URL when it is zero,
// an s3:// URI, or a map of bucket and key under these names; of one name alone,
// that without a map.
type shape struct {
	uri         bool
	bucket, key string
}

// append writes the address of o as canonical JSON.
func (s shape) append(out []byte, bucket string, o *Object) []byte {
	switch {
	case s.uri:
		return template.AppendString(out, "s3://"+bucket+"/"+o.Key)
	case s.key == "" && s.bucket == "":
		return template.AppendString(out, o.URL)
	case s.key == "":
		return template.AppendString(out, bucket)
	case s.bucket == "":
		return template.AppendString(out, o.Key)
	}
	out = template.AppendString(append(out, '{'), s.bucket)
	out = template.AppendString(append(out, ':'), bucket)
	out = template.AppendString(append(out, ','), s.key)
	out = template.AppendString(append(out, ':'), o.Key)
	return append(out, '}')
}
