package pipeline

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Binary is this program as the builds of a pipeline run it.
type Binary struct {
	File string
	Key  string // in the artifacts bucket, by content
	Size int64
}

// binaryParameter is the pipeline template's parameter that takes the key.
const binaryParameter = "OuroBinary"

// TakesBinary tells whether the pipeline's template has a use for a Binary.
func (p *Project) TakesBinary() bool {
	_, ok := p.Template.Parameter(binaryParameter)
	return ok
}

// binaryPrefix is where the keys begin: no project is called so, and what lies
// below a project's name expires.
const binaryPrefix = "_ouro/"

// FindBinary finds the program for a platform such as linux-amd64: the file, if
// one is given; this program, if that is its platform; or else what can be
// built from its source.
func FindBinary(ctx context.Context, file, platform string) (*Binary, error) {
	var err error
	switch {
	case file != "":
		err = checkBinary(file, platform)
	case platform == runtime.GOOS+"-"+runtime.GOARCH:
		file, err = os.Executable()
	default:
		file, err = crossBuild(ctx, platform)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the program for the builds: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err != nil {
		return nil, fmt.Errorf("reading the program for the builds: %w", err)
	}
	return &Binary{File: file, Size: size, Key: binaryPrefix + platform + "/" + hex.EncodeToString(hash.Sum(nil)) + "/ouro"}, nil
}

// FunctionProgram gives this program as the code of functions, for Linux: the
// file, if one is given; this program, if that is for Linux; or else what can be
// built from its source. Functions run on what this machine is, or the file is for.
func FunctionProgram(file string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		switch {
		case file != "":
			err := checkBinary(file, "linux-amd64")
			if err != nil && checkBinary(file, "linux-arm64") == nil {
				err = nil
			}
			return file, err
		case runtime.GOOS == "linux":
			return os.Executable()
		}
		return crossBuild(ctx, "linux-"+runtime.GOARCH)
	}
}

// machines are the platforms that CodeBuild has, as ELF calls them.
var machines = map[string]elf.Machine{"linux-amd64": elf.EM_X86_64, "linux-arm64": elf.EM_AARCH64}

// checkBinary tells why a file is not this program for that platform.
func checkBinary(file, platform string) error {
	f, err := elf.Open(file)
	if err != nil {
		return fmt.Errorf("the program for %s, %q, is none for Linux: %w", platform, file, err)
	}
	defer f.Close()
	if f.Machine != machines[platform] {
		return fmt.Errorf("the program for %s, %q, is for %s", platform, file, f.Machine)
	}
	if info, err := buildinfo.ReadFile(file); err != nil || info.Main.Path != module {
		return fmt.Errorf("the program for %s, %q, is not ouro", platform, file)
	}
	return nil
}

const module = "ouro"

// crossBuild builds this program for another platform, if its source is there.
func crossBuild(ctx context.Context, platform string) (string, error) {
	source := sourceDir()
	_, err := exec.LookPath("go")
	if source == "" || err != nil {
		return "", fmt.Errorf("ouro for %s is needed, and this one is for %s-%s: give one with --binary FILE for builds, with --function-binary FILE for functions", platform, runtime.GOOS, runtime.GOARCH)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("building ouro for %s: %w", platform, err)
	}
	file := filepath.Join(cache, "ouro", platform, "ouro")
	goos, goarch, _ := strings.Cut(platform, "-")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", file, ".")
	cmd.Dir, cmd.Env = source, append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building ouro for %s in %q: %w: %s", platform, source, err, strings.TrimSpace(string(said)))
	}
	return file, nil
}

// sourceDir is where this program was built from, if that is still there.
func sourceDir() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "" // built with -trimpath
	}
	dir := filepath.Dir(filepath.Dir(file))
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module "+module+"\n") {
		return ""
	}
	return dir
}

// upload puts the program into the bucket, if it is not there.
func (b *Binary) upload(ctx context.Context, api *s3.Client, bucket string, begin func()) error {
	_, err := api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &b.Key})
	if err == nil {
		return nil
	}
	if none := (*s3types.NotFound)(nil); !errors.As(err, &none) {
		return fmt.Errorf("looking for %s in bucket %q: %w", b.Key, bucket, err)
	}
	begin()
	f, err := os.Open(b.File)
	if err != nil {
		return fmt.Errorf("reading the program for the builds: %w", err)
	}
	defer f.Close()
	if _, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &b.Key, Body: f, ContentLength: &b.Size}); err != nil {
		return fmt.Errorf("putting the program for the builds into bucket %q: %w", bucket, err)
	}
	return nil
}

// binaryKey is the key of the program in the artifacts bucket; empty if the
// template has no use for it.
func (u *Up) binaryKey() string {
	if !u.Project.TakesBinary() || u.Binary == nil {
		return ""
	}
	return u.Binary.Key
}

// uploadBinary puts the program into the artifacts bucket, if that is there by
// now.
func (u *Up) uploadBinary(ctx context.Context) error {
	if u.binaryKey() == "" {
		return nil
	}
	there, err := u.physical(ctx, u.Project.StackName())
	if err != nil {
		return err
	}
	bucket := there(u.Facts.Bucket)
	if bucket == "" {
		return nil
	}
	return u.Binary.upload(ctx, u.Clients.Buckets, bucket, func() {
		u.Observer.Step(fmt.Sprintf("This program for the builds, %d MB", u.Binary.Size>>20))
	})
}
