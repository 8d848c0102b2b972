package image_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"ouro/image"
)

// site writes a directory whose files are of different modes and owners' masks.
func site(t *testing.T, umask os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bin/serve": "#!/bin/sh\n", "web/index.html": "hello", "web/css/a.css": "a", "web/notes.md": "n", "web/.git/config": "secret", ".ouro/state.db": "state", "go.mod": "module m", "main.go": "package m",
		".dockerignore": "# what no image needs\n**/.git\nweb/*.md\n!web/readme.md\n",
	} {
		mode := 0o666 &^ umask
		if strings.HasPrefix(name, "bin/") {
			mode = 0o777 &^ umask
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777&^umask); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "web", "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("index.html", filepath.Join(dir, "web", "start.html")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func build(t *testing.T, dir, dockerfile string) (v1.Image, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Dockerfile")
	if err := os.WriteFile(file, []byte(dockerfile), 0o600); err != nil {
		t.Fatal(err)
	}
	return image.Build(t.Context(), image.Options{Dir: dir, File: file, Platform: "linux/amd64"})
}

// contents lists the files of an image.
func contents(t *testing.T, img v1.Image) (files []string) {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, strings.TrimSpace(fmt.Sprintf("%04o %d:%d %s %s%s", h.Mode, h.Uid, h.Gid, h.Name, text, h.Linkname)))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

const dockerfile = `# A site.
ARG VERSION=1.2
FROM scratch AS site

ENV HOME=/srv GREETING="hello world" \
    # a comment between
    VERSION=${VERSION:-none}
ENV PLAIN a b
WORKDIR $HOME
COPY web ./web/
COPY --chown=1000:100 --chmod=0500 bin/serve /bin/serve-$VERSION
COPY ["go.mod", "main.go", "src/"]
ADD *.mod /
LABEL version="$VERSION" single='$VERSION'
USER 1000
EXPOSE 8080 53/udp
VOLUME /data
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/serve-1.2", "$HOME"]
CMD --port 8080
`

// TestBuild packs the same site from directories of different modes.
func TestBuild(t *testing.T) {
	t.Parallel()
	img, err := build(t, site(t, 0o022), dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0755 0:0 srv/web/css/", "0644 0:0 srv/web/css/a.css a", "0755 0:0 srv/web/empty/", "0644 0:0 srv/web/index.html hello", "0777 0:0 srv/web/start.html index.html",
		"0500 1000:100 bin/serve-1.2 #!/bin/sh", "0644 0:0 srv/src/go.mod module m", "0644 0:0 srv/src/main.go package m", "0644 0:0 go.mod module m",
	}
	if diff := cmp.Diff(want, contents(t, img)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v1.Config{
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/srv", "GREETING=hello world", "VERSION=1.2", "PLAIN=a b"},
		WorkingDir: "/srv", User: "1000", StopSignal: "SIGINT", Labels: map[string]string{"version": "1.2", "single": "$VERSION"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "53/udp": {}}, Volumes: map[string]struct{}{"/data": {}},
		Entrypoint: []string{"/bin/serve-1.2", "$HOME"}, Cmd: []string{"/bin/sh", "-c", "--port 8080"},
	}, config.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if config.OS != "linux" || config.Architecture != "amd64" || !config.Created.IsZero() && config.Created.Unix() != 0 || len(config.History) != 14 {
		t.Errorf("%s/%s of %v with %d steps", config.OS, config.Architecture, config.Created, len(config.History))
	}
	first := digest(t, img)
	again, err := build(t, site(t, 0o077), dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	if d := digest(t, again); d != first {
		t.Errorf("the same site is %s, and then %s", first, d)
	}
}

func digest(t *testing.T, img v1.Image) string {
	t.Helper()
	h, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// TestBase puts files on top of an image.
func TestBase(t *testing.T) {
	t.Parallel()
	base, err := random.Image(64, 2)
	if err != nil {
		t.Fatal(err)
	}
	base, err = mutate.Config(base, v1.Config{Env: []string{"PATH=/bin", "A=1"}, Entrypoint: []string{"/entry"}, Cmd: []string{"run"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := site(t, 0o022)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM --platform=linux/arm64 base:1\nENV A=${A}2\nCOPY go.mod /\nENTRYPOINT [\"/own\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := image.Build(t.Context(), image.Options{Dir: dir, Base: func(_ context.Context, ref name.Reference, platform v1.Platform) (v1.Image, error) {
		if ref.String() != "base:1" || platform.Architecture != "arm64" {
			t.Errorf("the base is %s for %s", ref, platform)
		}
		return base, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Layers) != 3 || m.Layers[2].MediaType != types.DockerLayer || m.MediaType != types.DockerManifestSchema2 {
		t.Errorf("the manifest is %+v", m)
	}
	if diff := cmp.Diff(v1.Config{Env: []string{"PATH=/bin", "A=12"}, Entrypoint: []string{"/own"}}, config.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// TestRefused are Dockerfiles that cannot be followed.
func TestRefused(t *testing.T) {
	t.Parallel()
	dir := site(t, 0o022)
	if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"FROM scratch\nCOPY go.mod /\nRUN make":               "Dockerfile:3: RUN: refused: it needs a container engine, such as docker build; copy in what was built before",
		"":                                                    "there is no FROM",
		"COPY a b":                                            "it comes before FROM",
		"FROM scratch\nFROM scratch":                          "a second stage needs a container engine",
		"FROM scratch\nCOPY --from=build a b":                 "the option --from needs a container engine",
		"FROM scratch\nCOPY --chown=www a b":                  `the owner "www" is known to the image alone`,
		"FROM scratch\nCOPY --chmod=u+x a b":                  "is not octal",
		"FROM scratch\nCOPY go.mod":                           "is not of the form SOURCE … DESTINATION",
		"FROM scratch\nCOPY none /":                           `there is no "none"`,
		"FROM scratch\nCOPY ../x /":                           `"../x" is outside of the directory`,
		"FROM scratch\nCOPY out/passwd /":                     "out/passwd",
		"FROM scratch\nCOPY web/.git /":                       `there is no "web/.git"`,
		"FROM scratch\nCOPY go.mod main.go /x":                "end its name with /",
		"FROM scratch\nCOPY <<EOF /x\nEOF":                    "here-documents are not supported",
		"FROM scratch\nADD https://example.com/x /":           "would be downloaded or unpacked",
		"FROM scratch\nADD x.tar.gz /":                        "would be downloaded or unpacked",
		"FROM scratch\nENV A":                                 `"A" has no value`,
		"FROM scratch\nENV A=\"b":                             "a quote has no end",
		"FROM scratch\nENV A='b":                              "a quote has no end",
		"FROM scratch\nENV A=${B":                             "has no end",
		"FROM scratch\nENV A=${B%x}":                          "is not understood",
		"FROM scratch\nEXPOSE web":                            "is not of the form PORT",
		"FROM scratch\nCMD []":                                "the command is empty",
		"FROM scratch\nHEALTHCHECK NONE":                      "images of the OCI have none",
		"FROM scratch\nMAKE x":                                "MAKE: there is no such instruction",
		"FROM scratch\nUSER":                                  "it says nothing",
		"FROM a b c d":                                        "is not of the form IMAGE [AS NAME]",
		"FROM --platform=nowhere scratch":                     "is not of the form OS/ARCHITECTURE",
		"FROM UPPER":                                          "Dockerfile:1: FROM: could not parse reference: UPPER",
		"FROM busybox":                                        "no way to get busybox",
		"# escape=`\nFROM scratch":                            "only \\ is understood",
		"FROM scratch\n#" + strings.Repeat("x", 1<<20):        "has more than 1048576 bytes",
		"FROM scratch\nLABEL a=b c":                           `"c" is not of the form KEY=VALUE`,
		"FROM scratch\nWORKDIR '":                             "a quote has no end",
		"FROM scratch\nCOPY --chown=99999999999999999999 a b": "out of range",
	} {
		if _, err := build(t, dir, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}
