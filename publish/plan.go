package publish

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"

	"ouro/template"
)

// maxTemplate is the largest template that CloudFormation fetches from S3
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const maxTemplate = 1 << 20

// maxObject is the largest object that one PutObject sends.
const maxObject = 5 << 30

// Object is a file as it is published.
type Object struct {
	Path   string // from the project's root
	Key    string
	URL    string
	SHA256 string // of the content, hexadecimal
	Size   int64

	body []byte // nil for a file that is sent as it is on disk
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
	objects := make([]Object, len(t.files))
	index := make(map[string]int, len(t.files))
	for i, f := range t.files {
		index[f.path] = i
	}
	for _, level := range levels(t.files, index) {
		parallel(len(level), runtime.GOMAXPROCS(0), func(i int) {
			f := t.files[level[i]]
			body := f.finish(func(target string) string { return objects[index[target]].URL })
			objects[level[i]] = object(f, body, l.Prefix, base)
		})
	}
	for i, o := range objects {
		switch {
		case t.files[i].isTemplate && o.Size > maxTemplate:
			return nil, fmt.Errorf("template %q has %d bytes, CloudFormation takes at most %d", o.Path, o.Size, maxTemplate)
		case o.Size > maxObject:
			return nil, fmt.Errorf("file %q has %d bytes, at most %d can be published", o.Path, o.Size, int64(maxObject))
		}
	}
	last := len(objects) - 1
	return &Plan{Location: l, Objects: objects[:last:last], Entrypoint: objects[last], root: t.Root}, nil
}

// levels groups files so that each level refers to earlier ones only.
func levels(files []*file, index map[string]int) [][]int {
	height := make([]int, len(files))
	var out [][]int
	for i, f := range files {
		for _, h := range f.holes {
			height[i] = max(height[i], height[index[h.target]]+1)
		}
		for len(out) <= height[i] {
			out = append(out, nil)
		}
		out[height[i]] = append(out[height[i]], i)
	}
	return out
}

// finish is the template with the URLs of what it refers to; nil for other files.
func (f *file) finish(url func(target string) string) []byte {
	if !f.isTemplate || len(f.holes) == 0 {
		return f.body
	}
	out := make([]byte, 0, len(f.body)+160*len(f.holes))
	from := 0
	for _, h := range f.holes {
		out = append(out, f.body[from:h.at]...)
		out = template.AppendString(out, url(h.target))
		from = h.at
	}
	return append(out, f.body[from:]...)
}

func object(f *file, body []byte, prefix, base string) Object {
	o := Object{Path: f.path, SHA256: f.hash, Size: f.size, body: body}
	if f.isTemplate {
		o.SHA256, o.Size = template.Hash(body), int64(len(body))
	}
	o.Key = prefix + f.path + "/" + o.SHA256
	o.URL = base + "/" + escapeKey(o.Key)
	return o
}

// content opens what is sent for o.
func (p *Plan) content(o Object) (io.ReadSeekCloser, error) {
	if o.body != nil {
		return inMemory{bytes.NewReader(o.body)}, nil
	}
	return os.OpenInRoot(p.root, o.Path)
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
