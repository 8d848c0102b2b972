package function

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/layer"
	"ouro/pipeline"
)

// templated are the parameters of layer.template. Who may use the layer is said
// there, and not in what was built: that is for whoever writes the pipeline.
type templated struct {
	Layer        string   `json:"layer"`
	Path         string   `json:"path"` // of the build's files in the artifact
	Accounts     []string `json:"accounts"`
	Organization string   `json:"organization"`
}

// layerTemplate reads what a build of a layer made, puts the layer's zip by its
// content into the artifacts bucket, and writes the template that publishes it.
func layerTemplate(ctx context.Context, j *job, p *templated) (done, error) {
	built, err := j.input(ctx)
	if err != nil {
		return done{}, err
	}
	defer built.Close() //nolint:errcheck // in the directory for what is temporary
	text, err := built.read(path.Join(p.Path, layer.ManifestFile), 1<<20)
	if err != nil {
		return done{}, err
	}
	m, err := layer.ReadManifest(text)
	if err != nil {
		return done{}, err
	}
	if m.Layer != p.Layer {
		return done{}, fmt.Errorf("what was built is layer %q, and the pipeline is for layer %q", m.Layer, p.Layer)
	}
	if len(j.Data.OutputArtifacts) == 0 {
		return done{}, errors.New("the action has no output artifact")
	}
	v := layer.Version{
		Manifest: m, Accounts: accounts(p.Accounts), Organization: p.Organization,
		Bucket: j.Data.OutputArtifacts[0].Location.S3.Bucket, Key: layer.ContentKey(m.Layer, m.Content),
	}
	body, err := v.Template()
	if err != nil {
		return done{}, err
	}
	if err := j.keep(ctx, built, path.Join(p.Path, layer.ZipFile), &v); err != nil {
		return done{}, err
	}
	return done{Summary: fmt.Sprintf("Layer %s, content %s", m.Layer, m.Content), Variables: map[string]string{"Content": m.Content}},
		j.output(ctx, member{"template.json", body})
}

// accounts are those of a list that are not empty, which a list is that was
// made of an empty text.
func accounts(list []string) []string {
	var out []string
	for _, a := range list {
		if a != "" {
			out = append(out, a)
		}
	}
	return out
}

// keep puts a layer's zip to where its version takes it from, once it is what
// its manifest says.
func (j *job) keep(ctx context.Context, built *opened, name string, v *layer.Version) (err error) {
	in, err := built.Open(name)
	if err != nil {
		return fmt.Errorf("the artifact has no %q", name)
	}
	defer in.Close() //nolint:errcheck // only read from
	f, err := os.CreateTemp("", "layer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	n, err := io.Copy(f, io.LimitReader(in, layer.MaxSize+1))
	if err == nil && n > layer.MaxSize {
		err = errors.New("it has more than 250 MB")
	}
	var z *zip.Reader
	if err == nil {
		z, err = zip.NewReader(f, n)
	}
	if err != nil {
		return fmt.Errorf("reading %q of the artifact: %w", name, err)
	}
	if err := layer.CheckZip(z, v.Manifest); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = pipeline.NewBuckets(j.cfg).PutObject(ctx, &s3.PutObjectInput{Bucket: &v.Bucket, Key: &v.Key, Body: f, ContentLength: &n})
	if err != nil {
		return fmt.Errorf("putting the layer to s3://%s/%s: %w", v.Bucket, v.Key, err)
	}
	return nil
}
