package codebuild

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/buildspec"
)

// buildArtifacts is what a build shows of where its artifacts go, nothing for
// those that have no place.
func buildArtifacts(a *types.ProjectArtifacts, uuid string) *types.BuildArtifacts {
	out := &types.BuildArtifacts{ArtifactIdentifier: a.ArtifactIdentifier, EncryptionDisabled: a.EncryptionDisabled, OverrideArtifactName: a.OverrideArtifactName}
	if a.Type == types.ArtifactsTypeS3 {
		bucket, key := artifactPlace(a, aws.ToString(a.Name), "", uuid)
		out.Location = aws.String("arn:aws:s3:::" + path.Join(bucket, key))
	} else {
		out.Location = aws.String("")
	}
	return out
}

// artifactPlace is the bucket and the key, or the prefix of keys, of
// artifacts with the given name. The buildspec's s3-prefix counts only before
// a build's id.
func artifactPlace(a *types.ProjectArtifacts, name, s3Prefix, uuid string) (bucket, key string) {
	bucket, prefix := bucketAndKey(aws.ToString(a.Location))
	parts := []string{prefix, strings.Trim(aws.ToString(a.Path), "/")}
	if a.NamespaceType == types.ArtifactNamespaceBuildId {
		parts = append(parts, strings.Trim(s3Prefix, "/"), uuid)
	}
	return bucket, path.Join(append(parts, strings.TrimPrefix(name, "/"))...)
}

// upload is the phase UPLOAD_ARTIFACTS. Reports come first: artifacts that are
// missing do not take them away.
func (r *run) upload(ctx context.Context) error {
	err := r.report(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err = errors.Join(err, r.uploadAll(ctx)); err == nil {
		r.saveCache(ctx)
	}
	return err
}

func (r *run) uploadAll(ctx context.Context) error {
	p := &r.rec.Project
	if p.Artifacts.Type == types.ArtifactsTypeS3 {
		done, err := r.uploadOne(ctx, p.Artifacts, r.spec.Artifacts)
		if err != nil {
			return err
		}
		r.change(func(b *types.Build) { b.Artifacts = done })
	}
	for i := range p.SecondaryArtifacts {
		a := &p.SecondaryArtifacts[i]
		id := aws.ToString(a.ArtifactIdentifier)
		if a.Type != types.ArtifactsTypeS3 {
			continue
		}
		done, err := r.uploadOne(ctx, a, secondaryArtifacts(r.spec, id))
		if err != nil {
			return err
		}
		r.change(func(b *types.Build) {
			b.SecondaryArtifacts = slices.Clone(b.SecondaryArtifacts)
			b.SecondaryArtifacts[i] = *done
		})
	}
	return nil
}

func secondaryArtifacts(spec *buildspec.Spec, id string) *buildspec.Artifacts {
	if spec.Artifacts != nil {
		for i := range spec.Artifacts.Secondary {
			if s := &spec.Artifacts.Secondary[i]; s.Identifier == id {
				return &s.Artifacts
			}
		}
	}
	return nil
}

// uploadOne uploads the files that the buildspec names to where the project
// wants them.
func (r *run) uploadOne(ctx context.Context, to *types.ProjectArtifacts, what *buildspec.Artifacts) (*types.BuildArtifacts, error) {
	if what == nil || len(what.Files) == 0 {
		if id := aws.ToString(to.ArtifactIdentifier); id != "" {
			return nil, failf("CLIENT_ERROR", "no definition for artifact %s in the buildspec", id)
		}
		return nil, failf("CLIENT_ERROR", "no artifacts section in the buildspec, and the project has artifacts of the type S3")
	}
	files, err := r.artifactFiles(ctx, what)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(to.Name)
	if aws.ToBool(to.OverrideArtifactName) && what.Name != "" {
		if name, err = r.shell.expand(ctx, what.Name); err != nil {
			return nil, failf("CLIENT_ERROR", "artifact name %s: %v", what.Name, err)
		}
	}
	done := buildArtifacts(to, r.uuid())
	place := destination{acl: ownerAccess[to.BucketOwnerAccess]}
	place.bucket, place.key = artifactPlace(to, name, what.S3Prefix, r.uuid())
	if !aws.ToBool(to.EncryptionDisabled) {
		place.kms = kmsKey(r.rec.Caller, r.rec.Project.EncryptionKey)
	}
	done.Location = aws.String("arn:" + r.rec.Caller.Partition() + ":s3:::" + path.Join(place.bucket, place.key))
	if to.Packaging == types.ArtifactPackagingZip {
		err = r.uploadZip(ctx, place, files, done)
	} else {
		err = r.uploadFiles(ctx, place, files)
	}
	if err != nil {
		return nil, err
	}
	return done, nil
}

// artifactFiles finds the files of artifacts, of which there must be some.
func (r *run) artifactFiles(ctx context.Context, what *buildspec.Artifacts) ([]file, error) {
	files, err := r.namedFiles(ctx, what)
	if err == nil && len(files) == 0 {
		err = failf("CLIENT_ERROR", "no matching artifact paths found")
	}
	return files, err
}

// namedFiles finds the files that a section of the buildspec names.
func (r *run) namedFiles(ctx context.Context, what *buildspec.Artifacts) ([]file, error) {
	base, err := r.shell.expand(ctx, what.BaseDirectory)
	if err != nil {
		return nil, failf("CLIENT_ERROR", "base-directory %s: %v", what.BaseDirectory, err)
	}
	if base == "" {
		base = "."
	}
	r.log.say("Expanding base directory path: %s", base)
	dirs, err := baseDirectories(r.work.src, base)
	if err != nil {
		return nil, &failure{code: "CLIENT_ERROR", message: err.Error()}
	}
	var files []file
	for _, dir := range dirs {
		r.log.say("Expanding file paths for base directory %s", dir)
		found, err := r.collect(ctx, dir, what)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if what.DiscardPaths {
		for i := range files {
			files[i].name = path.Base(files[i].name)
		}
	}
	files, err = distinct(files)
	if err != nil {
		return nil, err
	}
	r.log.say("Found %d file(s)", len(files))
	return files, nil
}

func (r *run) collect(ctx context.Context, dir string, what *buildspec.Artifacts) ([]file, error) {
	m := matcher{dir: dir, links: what.EnableSymlinks}
	for _, pattern := range what.ExcludePaths {
		expanded, err := r.shell.expand(ctx, pattern)
		if err != nil {
			return nil, failf("CLIENT_ERROR", "exclude-paths %s: %v", pattern, err)
		}
		m.exclude = append(m.exclude, filepath.ToSlash(filepath.Clean(expanded)))
	}
	var files []file
	for _, pattern := range what.Files {
		expanded, err := r.shell.expand(ctx, pattern)
		if err != nil {
			return nil, failf("CLIENT_ERROR", "files %s: %v", pattern, err)
		}
		r.log.say("Expanding %s", expanded)
		found, err := m.find(ctx, expanded)
		if err != nil {
			return nil, failf("CLIENT_ERROR", "expanding %s: %v", expanded, err)
		}
		files = append(files, found...)
	}
	return files, nil
}

// distinct sorts files by name and takes each once. Two files with the same
// name, which discard-paths makes, are an error: one of them would be lost.
func distinct(files []file) ([]file, error) {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	out := files[:0]
	for _, f := range files {
		if n := len(out); n > 0 && out[n-1].name == f.name {
			if out[n-1].path != f.path {
				return nil, failf("CLIENT_ERROR", "two artifact files have the name %s: %s and %s", f.name, out[n-1].path, f.path)
			}
			continue
		}
		out = append(out, f)
	}
	return out, nil
}
