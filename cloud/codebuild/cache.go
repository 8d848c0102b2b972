package codebuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/buildspec"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/unzip"
)

// cacheStore is where the cache of a build lies, one archive a name
// (https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html).
type cacheStore interface {
	// open gives the archive of that name, or, if like is set, the newest
	// whose name begins so; nil for none.
	open(ctx context.Context, name string, like bool) (*os.File, error)
	// keep takes an archive in place of an older one of that name.
	keep(ctx context.Context, name string, archive *os.File) error
}

// cache is the build's cache, the archive with its name and those that do in
// its place.
type cache struct {
	store     cacheStore
	paths     []string // patterns below the workspace
	name      string
	fallbacks []string // beginnings of names
	once      bool     // an archive that is there already stays
	action    string
}

// needless are the modes that this machine makes needless, and why.
var needless = map[types.CacheMode]string{
	types.CacheModeLocalDockerLayerCache: "this machine's container engine keeps the layers of images by itself",
	types.CacheModeLocalSourceCache:      "sources are cloned from repositories on this machine",
}

// openCache finds out what the project and the buildspec want cached; nil for
// nothing.
func (r *run) openCache(ctx context.Context) (*cache, error) {
	c, spec := r.rec.Project.Cache, r.spec.Cache
	local := c.Type == types.CacheTypeLocal
	for _, m := range c.Modes {
		if needless[m] != "" && local {
			r.log.say("Cache: %s does nothing, %s", m, needless[m])
		}
	}
	switch {
	case spec == nil || len(spec.Paths) == 0:
		if c.Type != types.CacheTypeNoCache {
			r.log.say("Cache is not defined in the buildspec")
		}
		return nil, nil
	case c.Type == types.CacheTypeNoCache, local && !slices.Contains(c.Modes, types.CacheModeLocalCustomCache):
		r.log.say("Cache: the buildspec has paths, the project keeps none")
		return nil, nil
	}
	out := &cache{action: spec.Action, name: "cache"}
	out.paths = r.cachePaths(ctx, spec)
	id, err := r.cacheID(ctx)
	if err != nil {
		return nil, err
	}
	if local {
		out.store = localCache(filepath.Join(r.localCaches(), id))
		return out, nil
	}
	bucket, prefix := bucketAndKey(aws.ToString(c.Location))
	out.store = &s3Cache{r: r, bucket: bucket, prefix: path.Join(prefix, id)}
	if spec.Key == "" {
		return out, nil
	}
	if namespace := aws.ToString(c.CacheNamespace); namespace != "" { // shared by all projects that name it
		out.store = &s3Cache{r: r, bucket: bucket, prefix: path.Join(prefix, escapeKey(namespace))}
	}
	return out, out.byKey(ctx, r, spec)
}

// byKey names archives by the buildspec's keys. Caches of other paths are
// other caches, even under the same key.
func (c *cache) byKey(ctx context.Context, r *run, spec *buildspec.Cache) error {
	version := sha256.Sum256([]byte(strings.Join(spec.Paths, "\n")))
	name := func(key string) (string, error) {
		text, err := r.shell.expand(ctx, key)
		return hex.EncodeToString(version[:8]) + "/" + escapeKey(text), err
	}
	var err error
	if c.name, err = name(spec.Key); err != nil {
		return failf("CLIENT_ERROR", "cache key %s: %v", spec.Key, err)
	}
	c.once = true
	for _, key := range spec.FallbackKeys {
		fallback, err := name(key)
		if err != nil {
			return failf("CLIENT_ERROR", "fallback key %s: %v", key, err)
		}
		c.fallbacks = append(c.fallbacks, fallback)
	}
	return nil
}

// escapeKey keeps a key in one level of S3's names, and its beginning a
// beginning. A dot in front may be that of a level above.
func escapeKey(key string) string {
	key = strings.NewReplacer("%", "%25", "/", "%2F").Replace(key)
	if strings.HasPrefix(key, ".") {
		key = "%2E" + key[1:]
	}
	return key
}

// cacheID names the cache of the build's project: another after the cache was
// invalidated, and for a project that was made anew.
func (r *run) cacheID(ctx context.Context) (string, error) {
	resets, err := r.s.resets.Get(ctx, r.rec.Caller.Scope(), *r.rec.Project.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", *r.rec.Project.Arn, aws.ToTime(r.rec.Project.Created).UnixMilli(), resets))
	return hex.EncodeToString(sum[:16]), nil
}

// cachePaths are the paths below the workspace. Builds on AWS run as root,
// whose home is here the build's.
func (r *run) cachePaths(ctx context.Context, spec *buildspec.Cache) []string {
	var out []string
	for _, text := range spec.Paths {
		at, err := r.shell.expand(ctx, text)
		if err != nil {
			r.log.say("Cache: path %s: %v", text, err)
			continue
		}
		for _, home := range []string{"~", "/root"} {
			if rest, ok := strings.CutPrefix(at, home); ok && (rest == "" || rest[0] == '/') {
				at = r.work.home + rest
			}
		}
		if !filepath.IsAbs(at) {
			at = filepath.Join(r.work.src, at)
		}
		below, err := filepath.Rel(r.work.root, at)
		if err != nil || !cacheable(filepath.ToSlash(below)) {
			r.log.say("Cache: path %s lies outside of the build's folder, it is not kept", text)
			continue
		}
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			below = filepath.Join(below, "**", "*")
		}
		out = append(out, below)
	}
	return out
}

// cacheable tells whether a name below the workspace is one of the build's
// files.
func cacheable(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return fs.ValidPath(name) && slices.Contains([]string{"src", "secondary", "home"}, top)
}

// restoreCache brings the cache back. A build does without one that cannot be
// had.
func (r *run) restoreCache(ctx context.Context) error {
	c, err := r.openCache(ctx)
	if c == nil || err != nil {
		return err
	}
	r.cache = c
	if c.action == "save" {
		return nil
	}
	archive, err := c.find(ctx)
	if archive != nil {
		defer archive.Close()
		err = r.unpackCache(ctx, archive)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		r.log.say("Unable to download cache: %v", err)
	case archive == nil:
		r.log.say("Cache: none is there yet")
	default:
		r.log.say("Cache: restored")
	}
	return nil
}

// find gives the archive of the cache's name, else of the first fallback that
// there is one for; nil for none.
func (c *cache) find(ctx context.Context) (*os.File, error) {
	archive, err := c.store.open(ctx, c.name, false)
	for _, name := range c.fallbacks {
		if archive != nil || err != nil {
			break
		}
		archive, err = c.store.open(ctx, name, true)
	}
	return archive, err
}

// unpackCache unpacks the archive beside the build's files and moves it among
// them, over those of the same names.
func (r *run) unpackCache(ctx context.Context, archive *os.File) error {
	info, err := archive.Stat()
	if err != nil {
		return err
	}
	dir := filepath.Join(r.work.state, "cache")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer removeTree(dir)
	if _, err := unzip.Into(ctx, archive, info.Size(), dir, maxUnpacked); err != nil {
		return err
	}
	into, err := os.OpenRoot(r.work.root)
	if err != nil {
		return err
	}
	defer into.Close()
	return filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, at)
		if err = errors.Join(err, relErr); err != nil || name == "." {
			return err
		}
		switch {
		case !cacheable(filepath.ToSlash(name)):
			return fmt.Errorf("the cache has %s, which is no file of a build", name)
		case d.IsDir():
			return into.MkdirAll(name, 0o755)
		}
		return into.Rename(filepath.Join("state", "cache", name), name)
	})
}

// saveCache keeps the cache of a build that went well.
func (r *run) saveCache(ctx context.Context) {
	c := r.cache
	if c == nil || c.action == "restore" || r.status != types.StatusTypeSucceeded {
		return
	}
	if err := r.packCache(ctx, c); err != nil && ctx.Err() == nil {
		r.log.say("Unable to upload cache: %v", err)
	}
}

func (r *run) packCache(ctx context.Context, c *cache) error {
	if c.once {
		if there, err := c.store.open(ctx, c.name, false); err != nil || there != nil {
			r.log.say("Cache: there is one with this key already, which stays")
			return errors.Join(err, closeFile(there))
		}
	}
	m := matcher{dir: r.work.root, links: true}
	var files []file
	for _, pattern := range c.paths {
		found, err := m.find(ctx, pattern)
		if err != nil {
			return fmt.Errorf("finding the files of %s: %w", pattern, err)
		}
		files = append(files, found...)
	}
	files = slices.DeleteFunc(files, func(f file) bool { return f.link && leadsOut(f) })
	files, err := distinct(files)
	if err != nil || len(files) == 0 {
		return err
	}
	archive, err := os.CreateTemp(r.work.state, "cache-")
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := writeZip(ctx, archive, files); err != nil {
		return err
	}
	r.log.say("Cache: keeping %d file(s)", len(files))
	return c.store.keep(ctx, c.name, archive)
}

func closeFile(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// leadsOut tells of a symbolic link that no archive would be unpacked with.
func leadsOut(f file) bool {
	to, err := os.Readlink(f.path)
	return err != nil || path.IsAbs(to) || !fs.ValidPath(path.Join(path.Dir(f.name), filepath.ToSlash(to)))
}

// InvalidateProjectCache has the project's next build start without a cache.
func (s *Service) InvalidateProjectCache(ctx context.Context, in *api.InvalidateProjectCacheInput) (*api.InvalidateProjectCacheOutput, error) {
	p, err := s.project(ctx, aws.ToString(in.ProjectName))
	if err != nil {
		return nil, err
	}
	scope, name := door.CallerFrom(ctx).Scope(), *p.Project.Name
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		n, err := s.resets.Get(ctx, scope, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return s.resets.Put(ctx, scope, name, n+1)
	})
	if err != nil {
		return nil, err
	}
	return &api.InvalidateProjectCacheOutput{}, nil
}
