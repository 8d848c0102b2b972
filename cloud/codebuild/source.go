package codebuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"golang.org/x/sync/errgroup"

	"ouro/buildspec"
)

// download is the phase DOWNLOAD_SOURCE: sources, buildspec, environment.
func (r *run) download(ctx context.Context) error {
	r.log.say("Phase is DOWNLOAD_SOURCE")
	r.tellUnhonoured()
	if err := r.fetchAll(ctx); err != nil {
		return err
	}
	r.log.say("CODEBUILD_SRC_DIR=%s", r.work.src)
	for _, s := range r.rec.Project.SecondarySources {
		id := aws.ToString(s.SourceIdentifier)
		r.log.say("CODEBUILD_SRC_DIR_%s=%s", id, filepath.Join(r.work.more, id))
	}
	var err error
	if r.spec, err = r.readSpec(ctx); err != nil {
		return err
	}
	if r.spec.Proxy != (buildspec.Proxy{}) {
		r.log.say("proxy: logs and artifacts stay on this machine and need none")
	}
	r.log.say("Processing environment variables")
	environ, err := r.environ(ctx)
	if err != nil {
		return err
	}
	path, err := r.shellPath(r.spec.Env.Shell)
	if err != nil {
		return err
	}
	r.shell = &shell{
		path: path, work: r.work, marker: r.marker(), out: r.log.in, grace: r.s.options.Grace,
		lasting: r.spec.Version != "0.1", succeeding: true,
	}
	if err := r.shell.begin(environ); err != nil {
		return err
	}
	r.log.say("Moving to directory %s", r.work.src)
	if err := r.restoreCache(ctx); err != nil {
		return err
	}
	r.log.say("Phases found in YAML: %d", len(r.spec.Phases))
	for _, p := range r.spec.Phases {
		r.log.say(" %s: %d commands", strings.ToUpper(p.Name), len(p.Commands))
	}
	return nil
}

// fetchAll brings all sources, at the same time.
func (r *run) fetchAll(ctx context.Context) error {
	together, ctx := errgroup.WithContext(ctx)
	p := &r.rec.Project
	r.resolved = make([]string, len(p.SecondarySources))
	together.Go(func() error {
		resolved, err := r.fetch(ctx, p.Source, aws.ToString(p.SourceVersion), r.work.src)
		if err == nil && resolved != "" && !r.rec.Pipeline {
			r.change(func(b *types.Build) { b.ResolvedSourceVersion = &resolved })
		}
		return err
	})
	for i := range p.SecondarySources {
		s := &p.SecondarySources[i]
		id := aws.ToString(s.SourceIdentifier)
		together.Go(func() error {
			dir := filepath.Join(r.work.more, id)
			if filepath.Base(dir) != id {
				return failf("CLIENT_ERROR", "invalid source identifier %q", id)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			var err error
			r.resolved[i], err = r.fetch(ctx, s, secondaryVersion(p, id), dir)
			return err
		})
	}
	return together.Wait()
}

func secondaryVersion(p *types.Project, id string) string {
	at := slices.IndexFunc(p.SecondarySourceVersions, func(v types.ProjectSourceVersion) bool { return aws.ToString(v.SourceIdentifier) == id })
	if at < 0 {
		return ""
	}
	return aws.ToString(p.SecondarySourceVersions[at].SourceVersion)
}

// fetch brings one source into dir, which exists and is empty, and tells the
// version that it has brought.
func (r *run) fetch(ctx context.Context, s *types.ProjectSource, version, dir string) (resolved string, err error) {
	switch s.Type {
	case types.SourceTypeNoSource:
		return "", nil
	case types.SourceTypeS3:
		if r.rec.Pipeline {
			version = "" // it is the revision of the pipeline's source, not of the object
		}
		resolved, err = r.fetchS3(ctx, aws.ToString(s.Location), version, dir)
	default:
		resolved, err = r.clone(ctx, s, version, dir)
	}
	var f *failure
	if err != nil && !errors.As(err, &f) && ctx.Err() == nil {
		err = failf("CLIENT_ERROR", "fetching the %s source %s: %v", s.Type, aws.ToString(s.Location), err)
	}
	return resolved, err
}

// isInline tells a buildspec from the path of one.
func isInline(spec string) bool {
	spec = strings.TrimSpace(spec)
	return strings.ContainsAny(spec, "\n{") || strings.HasPrefix(spec, "version:")
}

// readSpec finds and reads the buildspec.
func (r *run) readSpec(ctx context.Context) (*buildspec.Spec, error) {
	given := aws.ToString(r.rec.Project.Source.Buildspec)
	name, body := "buildspec.yml", []byte(given)
	switch {
	case isInline(given):
		r.log.say("YAML location is the project's buildspec")
	case isARN(given):
		name = given
		r.log.say("YAML location is %s", given)
		var err error
		if body, err = r.readObject(ctx, given, buildspec.MaxSize); err != nil {
			return nil, failf("YAML_FILE_ERROR", "reading the buildspec %s: %v", given, err)
		}
	default:
		if given != "" {
			name = given
		}
		path := filepath.Join(r.work.src, filepath.FromSlash(name))
		r.log.say("YAML location is %s", path)
		if r.rec.Project.Source.Type == types.SourceTypeNoSource {
			return nil, failf("YAML_FILE_ERROR", "stat %s: no such file or directory: a build without a source needs the buildspec's text", path)
		}
		var err error
		if body, err = readInside(r.work.src, name); err != nil {
			return nil, &failure{code: "YAML_FILE_ERROR", message: err.Error()}
		}
	}
	spec, err := buildspec.Parse(name, body)
	if err != nil {
		return nil, &failure{code: "YAML_FILE_ERROR", message: err.Error()}
	}
	return spec, nil
}

// readInside reads a buildspec below root; a link does not lead out of it.
func readInside(root, name string) ([]byte, error) {
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err // stat PATH: no such file or directory
	}
	if info.Size() > buildspec.MaxSize {
		return nil, fmt.Errorf("the buildspec %s has %d bytes, more than %d", name, info.Size(), buildspec.MaxSize)
	}
	in, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return in.ReadFile(filepath.Clean(filepath.FromSlash(name)))
}
