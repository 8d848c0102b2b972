package library_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ouro/buildspec"
	"ouro/library"
)

// stubs stand in for the programs of a build, as functions of the shell. They
// note what they are asked, and know the images that were pushed.
var stubs = map[string]string{
	"docker": `echo "docker $*" >> "$HOME/log"
if [ "$1" = push ]; then touch "$HOME/images/${2##*:}"; fi`,
	"aws": `case "$1 $2" in
"ecr describe-images")
	for tag; do case $tag in imageTag=*) tag=${tag#imageTag=}; break;; esac; done
	[ -e "$HOME/images/$tag" ] && echo "sha256:$tag" || return 254;;
"cloudformation package") echo "aws $*" >> "$HOME/log";;
"s3 cp") echo "aws $*" >> "$HOME/log"; return 1;;
esac`,
	"ouro": `echo "ouro $*" >> "$HOME/log"`,
	"jq":   `echo "$*"`,
}

// TestImage runs what the docker-image pipeline builds with.
func TestImage(t *testing.T) {
	t.Parallel()
	const here, upstream = "1.dkr.ecr.eu-west-1.amazonaws.com/app", "2.dkr.ecr.eu-west-2.amazonaws.com/app"
	for name, c := range map[string]struct {
		env    values
		images []string // that are here
		want   string   // what was done besides logging in
		image  string   // "" for a failure
	}{
		"built": {
			want: "docker build --pull --tag " + here + ":c0ffee --file Dockerfile .\ndocker push " + here + ":c0ffee\nouro publish", image: "c0ffee",
		},
		"there already": {images: []string{"c0ffee"}, want: "ouro publish", image: "c0ffee"},
		"promoted": {
			env:  values{"UPSTREAM": upstream},
			want: "docker pull " + upstream + ":c0ffee\ndocker tag " + upstream + ":c0ffee " + here + ":c0ffee\ndocker push " + here + ":c0ffee\nouro publish", image: "c0ffee",
		},
		"promoted by name": {
			env: values{"UPSTREAM": upstream, "IMAGE_TAG": "v1"}, images: []string{"c0ffee"},
			want: "docker pull " + upstream + ":v1\ndocker tag " + upstream + ":v1 " + here + ":v1\ndocker push " + here + ":v1\nouro publish", image: "v1",
		},
		"one from before":     {env: values{"IMAGE_TAG": "v0"}, images: []string{"v0"}, want: "ouro publish", image: "v0"},
		"none from before":    {env: values{"IMAGE_TAG": "v0"}},
		"without its program": {env: values{"OURO_BINARY": "_ouro/x/ouro"}, images: []string{"c0ffee"}, want: "aws s3 cp --quiet s3://bucket/_ouro/x/ouro /tmp/ouro"},
		"without ouro": {
			env: values{"WITHOUT": "ouro"}, images: []string{"c0ffee"}, image: "c0ffee",
			want: "aws cloudformation package --template-file app.yaml --s3-bucket bucket --s3-prefix _published --use-json --output-template-file out/app.json",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, out, err := runImage(t, values{
				"REPOSITORY": here, "REPOSITORY_NAME": "app", "UPSTREAM": "", "DOCKERFILE": "Dockerfile", "CONTEXT": ".", "IMAGE_TAG": "commit",
				"CODEBUILD_RESOLVED_SOURCE_VERSION": "c0ffee", "BUCKET": "bucket", "ENTRYPOINT": "app.yaml", "OUTPUT": "out/app.json",
				"IMAGE_PARAMETER": "Image", "CONFIGURATION": "app.json", "OURO_BINARY": "",
			}.with(c.env), c.images)
			if (err == nil) != (c.image != "") {
				t.Fatalf("%v\n%s", err, out)
			}
			log, _ := os.ReadFile(filepath.Join(home, "log")) // none when nothing was done
			var did []string
			for line := range strings.Lines(string(log)) {
				if !strings.HasPrefix(line, "docker login") {
					did = append(did, line)
				}
			}
			if got := strings.TrimSpace(strings.Join(did, "")); got != c.want {
				t.Errorf("did\n%s\nwant\n%s", got, c.want)
			}
			given, _ := os.ReadFile(filepath.Join(home, "out", "configuration.json"))
			if want := "--arg image " + here + "@sha256:" + c.image + " "; c.image != "" && !strings.Contains(string(given), want) {
				t.Errorf("the configuration was made with %s, want %s", given, want)
			}
		})
	}
}

// runImage runs the commands of the image's build with stubs, in a home of
// their own.
func runImage(t *testing.T, env values, images []string) (home, out string, err error) {
	t.Helper()
	tpl, err := library.Open("pipeline/docker-image.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := tpl.Parsed.Resource("Image")
	spec, err := buildspec.Parse("image", []byte(r.Properties.Get("Source").Get("BuildSpec").Scalar()))
	if err != nil {
		t.Fatal(err)
	}
	home = t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tag := range images {
		if err := os.WriteFile(filepath.Join(home, "images", tag), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	script := "set -e\n"
	for _, name := range slices.Sorted(maps.Keys(stubs)) {
		if env["WITHOUT"] != name {
			script += name + "() {\n" + stubs[name] + "\n}\n"
		}
	}
	for _, phase := range spec.Phases {
		for _, command := range phase.Commands {
			script += command.Text + "\n"
		}
	}
	c := exec.Command("/bin/sh", "-c", script)
	c.Dir = home
	c.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin"}
	for k, v := range env {
		c.Env = append(c.Env, k+"="+v)
	}
	output, err := c.CombinedOutput()
	return home, string(output), err
}
