package publish

import (
	"fmt"
	"runtime"
	"strings"

	"ouro/template"
)

// maxTemplate is the largest template that CloudFormation fetches from S3
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const maxTemplate = 1 << 20

// maxObject is the largest object that is sent, which bounds the memory that
// one takes.
const maxObject = partSize * maxParts

// Kind is what an object is made of.
type Kind string

// A template is published with its references replaced, a file as it is, and
// an archive is a directory or file of the project, zipped.
const (
	KindTemplate Kind = "template"
	KindFile     Kind = "file"
	KindArchive  Kind = "archive"
)

// Object is a file as it is published.
type Object struct {
	Path string // from the project's root
	Kind Kind
	From []template.Pos // the places that refer to it, sorted
	Key  string
	URL  string
	// SHA256 is that of the bytes, in hexadecimal. An archive's is taken over
	// what it holds, and its Size is that of its files together, because the
	// bytes of a zip depend on who wrote it.
	SHA256 string
	Size   int64

	body    []byte   // of a template
	members []member // of an archive
	remote  bool     // only CloudFormation can judge it
	chain   []template.Pos
}

// Plan is a tree laid out for one location.
type Plan struct {
	Location Location
	// Objects are what the entrypoint needs, children before parents.
	Objects []Object
	// Entrypoint is the finished entrypoint; Upload does not send it unless
	// asked to.
	Entrypoint Object

	root string
}

// Body is the finished entrypoint in canonical JSON.
func (p *Plan) Body() []byte { return p.Entrypoint.body }

// Plan computes what publishing the tree to l takes. It needs no network.
func (t *Tree) Plan(l Location) (*Plan, error) {
	base, err := l.base()
	if err != nil {
		return nil, err
	}
	for _, f := range t.files {
		if f.members != nil && len(f.members) == 0 {
			return nil, errNoProgram
		}
	}
	objects := make([]Object, len(t.files))
	for _, level := range levels(t.files) {
		parallel(len(level), runtime.GOMAXPROCS(0), func(i int) {
			f := t.files[level[i]]
			objects[level[i]] = l.object(f, f.finish(l.Bucket, objects), base)
		})
	}
	for i, o := range objects {
		if err := o.check(); err != nil {
			return nil, err
		}
		for _, h := range t.files[i].holes {
			if key := objects[h.file.number].Key; h.shape.uri && strings.ContainsAny(key, "?#") {
				return nil, fmt.Errorf("the key %q has a ? or #, where the path in an s3:// URI ends; flat keys have none", key)
			}
		}
	}
	last := len(objects) - 1
	return &Plan{Location: l, Objects: objects[:last:last], Entrypoint: objects[last], root: t.Root}, nil
}

// levels groups files so that each level refers to earlier ones only.
func levels(files []*file) [][]int {
	height := make([]int, len(files))
	var out [][]int
	for i, f := range files {
		for _, h := range f.holes {
			height[i] = max(height[i], height[h.file.number]+1)
		}
		for len(out) <= height[i] {
			out = append(out, nil)
		}
		out[height[i]] = append(out[height[i]], i)
	}
	return out
}

// finish is the template with the addresses of what it refers to; nil for
// other files.
func (f *file) finish(bucket string, objects []Object) []byte {
	if !f.isTemplate || len(f.holes) == 0 {
		return f.body
	}
	out := make([]byte, 0, len(f.body)+160*len(f.holes))
	from := 0
	for _, h := range f.holes {
		out = append(out, f.body[from:h.at]...)
		out = h.shape.append(out, bucket, &objects[h.file.number])
		from = h.at
	}
	return append(out, f.body[from:]...)
}

func (f *file) kind() Kind {
	switch {
	case f.isTemplate:
		return KindTemplate
	case f.members != nil:
		return KindArchive
	}
	return KindFile
}

func (l Location) object(f *file, body []byte, base string) Object {
	o := Object{Path: f.path, Kind: f.kind(), From: f.from, chain: f.chain, SHA256: f.hash, Size: f.size, body: body, members: f.members}
	if f.isTemplate {
		o.remote, o.SHA256, o.Size = f.remote, template.Hash(body), int64(len(body))
	}
	o.Key = l.key(o)
	o.URL = base + "/" + escapeKey(o.Key)
	return o
}

// maxKey is how many bytes a key may have
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
const maxKey = 1024

// check tells why S3 or CloudFormation would not take o.
func (o Object) check() error {
	switch {
	case o.Kind == KindTemplate && o.Size > maxTemplate:
		return fmt.Errorf("template %q has %d bytes, CloudFormation takes at most %d", o.Path, o.Size, maxTemplate)
	case len(o.Key) > maxKey:
		return fmt.Errorf("%s %q would have a key of %d bytes, S3 takes at most %d; flat keys are short", o.Kind, o.Path, len(o.Key), maxKey)
	}
	return nil
}
