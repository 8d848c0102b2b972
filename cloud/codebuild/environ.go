package codebuild

import (
	"cmp"
	"context"
	"maps"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// kept are the machine's settings that builds share: how the network is
// reached and whom to trust.
var kept = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "TZ",
}

// lookupEnv is the value of a variable in environ, "" for none.
func lookupEnv(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// machine is what a build shares with the machine: the settings above and the
// PATH, behind the build's own folders of programs.
func (r *run) machine() []string {
	var out []string
	for _, name := range kept {
		if value := lookupEnv(r.s.options.Environ, name); value != "" {
			if strings.EqualFold(name, "NO_PROXY") {
				value += ",127.0.0.1,localhost"
			}
			out = append(out, name+"="+value)
		}
	}
	home := r.work.home
	var bins []string
	if tools, err := r.s.toolbox(); err == nil {
		bins = append(bins, filepath.Join(tools, "bin"))
	} else {
		r.s.host.Log().Warn("builds run without their tools", "error", err)
	}
	for _, dir := range []string{".local/bin", ".npm-global/bin", "go/bin", ".cargo/bin", ".gem/bin"} {
		bins = append(bins, filepath.Join(home, dir))
	}
	path := lookupEnv(r.s.options.Environ, "PATH")
	if c := r.work.container; c != nil {
		path = c.path
	}
	bins = append(bins, cmp.Or(path, "/usr/local/bin:/usr/bin:/bin"))
	return append(out, "PATH="+strings.Join(bins, string(filepath.ListSeparator)))
}

// own are the variables with which programs keep to the build's folder, call
// the local cloud, and act as the build's role.
func (r *run) own() []string {
	home, region := r.work.home, r.rec.Caller.Region
	c := r.role.credentials
	out := []string{
		"HOME=" + home,
		"TMPDIR=" + r.work.tmp,
		"LANG=C.UTF-8",
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"AWS_ENDPOINT_URL=" + r.s.host.Endpoint(),
		"AWS_ACCESS_KEY_ID=" + c.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey,
		"AWS_EC2_METADATA_DISABLED=true",
		// Global installs end up in the build's home.
		"NPM_CONFIG_PREFIX=" + filepath.Join(home, ".npm-global"),
		"GEM_HOME=" + filepath.Join(home, ".gem"),
		"PYTHONUSERBASE=" + filepath.Join(home, ".local"),
		"PIP_BREAK_SYSTEM_PACKAGES=1", // it is not the system's packages that pip touches
	}
	if c.SessionToken != "" {
		out = append(out, "AWS_SESSION_TOKEN="+c.SessionToken)
	}
	if tools, err := r.s.toolbox(); err == nil {
		out = append(out, "PYTHONPATH="+filepath.Join(tools, "python"))
	}
	if r.spec.Env.GitCredentialHelper {
		out = append(out, r.primary.helpers(anyName)...)
	}
	return out
}

// documented are CodeBuild's own variables
// (https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html).
func (r *run) documented() []string {
	rec := r.snapshot()
	b := &rec.Build
	out := []string{
		"CODEBUILD_CI=true",
		"CODEBUILD_BUILD_ARN=" + *b.Arn,
		"CODEBUILD_BUILD_ID=" + *b.Id,
		"CODEBUILD_BUILD_IMAGE=" + aws.ToString(b.Environment.Image),
		"CODEBUILD_BUILD_NUMBER=" + strconv.FormatInt(aws.ToInt64(b.BuildNumber), 10),
		"CODEBUILD_BUILD_SUCCEEDING=1",
		"CODEBUILD_INITIATOR=" + aws.ToString(b.Initiator),
		"CODEBUILD_KMS_KEY_ID=" + aws.ToString(b.EncryptionKey),
		"CODEBUILD_LOG_PATH=" + aws.ToString(b.Logs.StreamName),
		"CODEBUILD_PROJECT_ARN=" + aws.ToString(rec.Project.Arn),
		"CODEBUILD_RESOLVED_SOURCE_VERSION=" + aws.ToString(b.ResolvedSourceVersion),
		"CODEBUILD_SOURCE_REPO_URL=" + aws.ToString(b.Source.Location),
		"CODEBUILD_SOURCE_VERSION=" + aws.ToString(b.SourceVersion),
		"CODEBUILD_SRC_DIR=" + r.work.src,
		"CODEBUILD_START_TIME=" + strconv.FormatInt(b.StartTime.UnixMilli(), 10),
	}
	out = append(out, rec.Part.variables()...)
	out = append(out, rec.Origin.environ()...)
	if rec.Project.ProjectVisibility == types.ProjectVisibilityTypePublicRead {
		out = append(out, "CODEBUILD_PUBLIC_BUILD_URL="+aws.ToString(b.Logs.DeepLink))
	}
	for i, s := range rec.Project.SecondarySources {
		id := aws.ToString(s.SourceIdentifier)
		out = append(out, "CODEBUILD_SRC_DIR_"+id+"="+filepath.Join(r.work.more, id))
		asked := secondaryVersion(&rec.Project, id)
		if asked != "" {
			out = append(out, "CODEBUILD_SOURCE_VERSION_"+id+"="+asked)
		}
		if v := cmp.Or(r.resolved[i], asked); v != "" {
			out = append(out, "CODEBUILD_RESOLVED_SOURCE_VERSION_"+id+"="+v)
		}
	}
	return out
}

// environ is the environment of the build's first command. Of the user's
// variables those of the request win over those of the project, and these
// over the buildspec's; names that begin with CODEBUILD_ are CodeBuild's.
func (r *run) environ(ctx context.Context) ([]string, error) {
	plain, references := map[string]string{}, map[string]reference{}
	add := func(name, value string, kind types.EnvironmentVariableType) {
		delete(plain, name)
		delete(references, name)
		if strings.HasPrefix(name, "CODEBUILD_") {
			return
		}
		if kind == "" || kind == types.EnvironmentVariableTypePlaintext {
			plain[name] = value
		} else {
			references[name] = reference{kind: kind, of: value}
		}
	}
	for _, v := range r.spec.Env.Variables {
		add(v.Name, v.Value, "")
	}
	for _, v := range r.spec.Env.ParameterStore {
		add(v.Name, v.Value, types.EnvironmentVariableTypeParameterStore)
	}
	for _, v := range r.spec.Env.SecretsManager {
		add(v.Name, v.Value, types.EnvironmentVariableTypeSecretsManager)
	}
	for _, v := range r.rec.Build.Environment.EnvironmentVariables {
		add(aws.ToString(v.Name), aws.ToString(v.Value), v.Type)
	}
	out := slices.Concat(r.machine(), r.own(), r.documented())
	secrets, err := r.resolve(ctx, references, append(out, entries(plain)...))
	if err != nil {
		return nil, err
	}
	return slices.Concat(out, entries(plain), entries(secrets)), nil
}

func entries(variables map[string]string) []string {
	out := make([]string, 0, len(variables))
	for _, name := range sortedKeys(variables) {
		out = append(out, name+"="+variables[name])
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// shellPath is the program that runs the commands of a buildspec with the
// given env.shell.
func (r *run) shellPath(name string) (string, error) {
	if r.work.container != nil { // whether the image has it shows
		return cmp.Or(name, "/bin/sh"), nil
	}
	path := lookupEnv(r.s.options.Environ, "PATH")
	switch name {
	case "", "sh", "/bin/sh":
		return "/bin/sh", nil
	case "bash", "/bin/bash":
		for _, dir := range append([]string{"/bin"}, filepath.SplitList(path)...) {
			if found, err := exec.LookPath(filepath.Join(dir, "bash")); err == nil {
				return found, nil
			}
		}
	}
	return "", failf("CLIENT_ERROR", "the buildspec asks for the shell %s, which this machine does not have", name)
}

// isMe tells whether name is the user that the local cloud runs as.
func isMe(name string) bool {
	me, err := user.Current()
	return err == nil && (me.Username == name || me.Uid == name)
}
