package codebuild_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// cached says what the cache brought, and grows it. more is added to the
// buildspec's cache.
func cached(more string) string {
	return `
version: 0.2
phases:
  build:
    commands:
      - echo "brought $(cat deps/list ~/.tool/state 2>/dev/null | tr '\n' ' ')."
      - mkdir -p deps ~/.tool; echo x >> deps/list; echo y >> ~/.tool/state; ln -sf list deps/inside; ln -sf /etc/passwd deps/outside
      - test -z "$FAIL"
cache:
  paths: ['deps/**/*', '/root/.tool/**/*', '/etc/hosts']
` + more
}

func TestCache(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	c := newCloud(t, state)
	s3 := c.bucket(t, "caches")
	create := func(name, more string, cache types.ProjectCache) {
		c.create(t, project(name, cached(more), func(in *api.CreateProjectInput) { in.Cache = &cache }))
	}
	brought := func(t *testing.T, name string, variables ...string) string {
		t.Helper()
		in := &api.StartBuildInput{ProjectName: &name}
		for _, v := range variables {
			k, v, _ := strings.Cut(v, "=")
			in.EnvironmentVariablesOverride = append(in.EnvironmentVariablesOverride, types.EnvironmentVariable{Name: &k, Value: &v})
		}
		b := c.wait(t, c.start(t, in))
		log := c.log(t, b)
		_, text, ok := strings.Cut(log, "\nbrought ")
		if want := types.StatusTypeSucceeded; !ok || b.BuildStatus != want && len(variables) == 0 {
			t.Errorf("status %s\n%s", b.BuildStatus, log)
		}
		text, _, _ = strings.Cut(text, ".\n")
		return strings.TrimSpace(text)
	}
	expect := func(t *testing.T, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("the cache brought %q, want %q", got, want)
		}
	}
	for name, cache := range map[string]types.ProjectCache{
		"local": {Type: types.CacheTypeLocal, Modes: []types.CacheMode{types.CacheModeLocalCustomCache, types.CacheModeLocalDockerLayerCache}},
		"s3":    {Type: types.CacheTypeS3, Location: aws.String("caches/plain")},
	} {
		t.Run(name, func(t *testing.T) {
			create(name, "", cache)
			create(name+"-other", "", cache)
			expect(t, brought(t, name), "")
			expect(t, brought(t, name, "FAIL=1"), "x y") // keeps nothing
			expect(t, brought(t, name), "x y")
			expect(t, brought(t, name+"-other"), "") // no other project's cache
			if _, err := c.builds.InvalidateProjectCache(t.Context(), &api.InvalidateProjectCacheInput{ProjectName: &name}); err != nil {
				t.Fatal(err)
			}
			expect(t, brought(t, name), "")
			expect(t, brought(t, name), "x y")
		})
	}
	t.Run("keys", func(t *testing.T) {
		shared := types.ProjectCache{Type: types.CacheTypeS3, Location: aws.String("caches"), CacheNamespace: aws.String("all")}
		create("first", "  key: a/$KEY\n  fallback-keys: [a/]\n", shared)
		create("second", "  key: a/$KEY\n  action: restore\n", shared)
		expect(t, brought(t, "first", "KEY=1"), "")
		expect(t, brought(t, "first", "KEY=2"), "x y") // by the fallback
		expect(t, brought(t, "first", "KEY=2"), "x x y y")
		expect(t, brought(t, "first", "KEY=2"), "x x y y") // what is kept stays
		expect(t, brought(t, "second", "KEY=1"), "x y")
		expect(t, brought(t, "second", "KEY=3"), "")
		expect(t, brought(t, "second", "KEY=3"), "") // it restores only
	})
	t.Run("levels", func(t *testing.T) {
		create("dots", "  key: ..\n", types.ProjectCache{Type: types.CacheTypeS3, Location: aws.String("caches/in/here"), CacheNamespace: aws.String("..")})
		expect(t, brought(t, "dots"), "")
		expect(t, brought(t, "dots"), "x y")
		if all := keys(t, s3, "caches"); !slices.ContainsFunc(all, func(key string) bool {
			return strings.HasPrefix(key, "in/here/%2E./") && strings.HasSuffix(key, "/%2E.")
		}) {
			t.Errorf("keys %q", all)
		}
	})
	t.Run("hostile", func(t *testing.T) {
		create("evil", "", types.ProjectCache{Type: types.CacheTypeS3, Location: aws.String("caches/evil")})
		brought(t, "evil")
		for _, key := range keys(t, s3, "caches") {
			if strings.HasPrefix(key, "evil/") {
				putObject(t, s3, "caches", key, zipped(t, entry{"state/env", "exit 1", 0o644}))
			}
		}
		expect(t, brought(t, "evil"), "")
	})
	if left, err := filepath.Glob(filepath.Join(state, "caches", "*", "*", "local", "*")); err != nil || len(left) != 1 {
		t.Errorf("caches of the local project: %v, %v", left, err)
	}
	_, err := c.builds.CreateProject(t.Context(), project("bad", "version: 0.2", func(in *api.CreateProjectInput) { in.Cache = &types.ProjectCache{Type: types.CacheTypeS3} }))
	if err == nil {
		t.Error("a cache in S3 without a location")
	}
}

// The program that makes cache keys is there, and tells contents apart.
func TestHashFiles(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	b := c.build(t, "hash", `
version: 0.2
phases:
  build:
    commands:
      - mkdir -p a/b; echo 1 > a/b/l.json; echo 2 > l.json
      - A=$(codebuild-hash-files '**/l.json'); B=$(cd a; codebuild-hash-files l.json 'a/*/l.json'); echo 3 > l.json; C=$(codebuild-hash-files '**/l.json')
      - test ${#A} = 64; test "$A" = "$B" && test "$A" != "$C"
`)
	if b.BuildStatus != types.StatusTypeSucceeded {
		t.Error(c.log(t, b))
	}
}
