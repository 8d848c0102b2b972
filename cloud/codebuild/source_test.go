package codebuild_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	ccapi "github.com/aws/aws-sdk-go-v2/service/codecommit"
	cc "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	smapi "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	ssmapi "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

func TestCodeCommit(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	client := ccapi.NewFromConfig(c.As(owner))
	made, err := client.CreateRepository(t.Context(), &ccapi.CreateRepositoryInput{RepositoryName: aws.String("repo")})
	if err != nil {
		t.Fatal(err)
	}
	spec := "version: 0.2\nphases:\n  build: {commands: ['echo at $CODEBUILD_RESOLVED_SOURCE_VERSION; git log --oneline | wc -l']}"
	commit, err := client.CreateCommit(t.Context(), &ccapi.CreateCommitInput{RepositoryName: aws.String("repo"), BranchName: aws.String("main"),
		PutFiles: []cc.PutFileEntry{{FilePath: aws.String("buildspec.yml"), FileContent: []byte(spec)}}})
	if err != nil {
		t.Fatal(err)
	}
	c.create(t, project("cloned", "", func(in *api.CreateProjectInput) {
		in.Source = &types.ProjectSource{Type: types.SourceTypeCodecommit, Location: made.RepositoryMetadata.CloneUrlHttp}
	}))
	for _, version := range []string{"", "main", "refs/heads/main", *commit.CommitId, "refs/heads/main^{" + *commit.CommitId + "}"} {
		b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("cloned"), SourceVersion: aws.String(version)}))
		if log := c.log(t, b); b.BuildStatus != types.StatusTypeSucceeded || !strings.Contains(log, "\nat "+*commit.CommitId+"\n1\n") || aws.ToString(b.ResolvedSourceVersion) != *commit.CommitId {
			t.Errorf("version %q: status %s\n%s", version, b.BuildStatus, log)
		}
	}
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("cloned"), SourceVersion: aws.String("nosuch")}))
	if p := phase(t, b, types.BuildPhaseTypeDownloadSource); p.PhaseStatus != types.StatusTypeFailed || !strings.Contains(*p.Contexts[0].Message, "nosuch") {
		t.Errorf("phases %s, %+v", phases(b), p.Contexts)
	}
}

// Each case is a source in S3 that is refused, and the words for that.
func TestRefusedSources(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "refused")
	good := entry{"buildspec.yml", "version: 0.2\nphases: {}", 0o644}
	cases := map[string]struct {
		body []byte
		want string
	}{
		"traversal":     {zipped(t, good, entry{"../evil", "x", 0o644}), "outside of its folder"},
		"absolute":      {zipped(t, good, entry{"/tmp/evil", "x", 0o644}), "outside of its folder"},
		"link out":      {zipped(t, good, entry{"a/link", "../../..", 0o120777}), "leads out of the archive"},
		"through links": {zipped(t, entry{"d", "e", 0o120777}, entry{"d/x", "x", 0o644}, good), `unpacking "d"`},
		"twice":         {zipped(t, good, good), `unpacking "buildspec.yml"`},
		"device":        {zipped(t, entry{"dev", "", 0o020666}), "neither file, directory nor symbolic link"},
		"no zip":        {[]byte("text"), "no zip archive"},
		"no buildspec":  {zipped(t, entry{"a", "b", 0o644}), "no such file or directory"},
		"spec is link":  {zipped(t, entry{"buildspec.yml", "a", 0o120777}), "no such file or directory"},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			putObject(t, store, "refused", name, want.body)
			id := strings.ReplaceAll(name, " ", "-")
			c.create(t, project(id, "", func(in *api.CreateProjectInput) {
				in.Source = &types.ProjectSource{Type: types.SourceTypeS3, Location: aws.String("refused/" + name)}
			}))
			b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: &id}))
			p := phase(t, b, types.BuildPhaseTypeDownloadSource)
			if b.BuildStatus != types.StatusTypeFailed || !strings.Contains(*p.Contexts[0].Message, want.want) {
				t.Errorf("status %s: %s", b.BuildStatus, *p.Contexts[0].Message)
			}
		})
	}
}

func TestUnknownSource(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	c.create(t, project("hub", "", func(in *api.CreateProjectInput) {
		in.Source = &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String("http://host/o/r")}
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("hub")}))
	p := phase(t, b, types.BuildPhaseTypeDownloadSource)
	if b.BuildStatus != types.StatusTypeFailed || !strings.HasPrefix(*p.Contexts[0].Message, "source location http://host/o/r: ") {
		t.Errorf("status %s: %s", b.BuildStatus, *p.Contexts[0].Message)
	}
}

// The log of a build that says much arrives whole and in order, in CloudWatch
// Logs and in S3.
func TestLongLog(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "logs")
	c.create(t, project("talk", "version: 0.2\nphases:\n  build: {commands: ['seq 1 20000', 'head -c 300000 /dev/zero | tr \"\\0\" x; echo']}", func(in *api.CreateProjectInput) {
		in.LogsConfig = &types.LogsConfig{S3Logs: &types.S3LogsConfig{Status: types.LogsConfigStatusTypeEnabled, Location: aws.String("logs/builds")}}
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("talk")}))
	_, uuid, _ := strings.Cut(*b.Id, ":")
	packed, err := gzip.NewReader(bytes.NewReader(getObject(t, store, "logs", "builds/"+uuid+".gz")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	var numbers strings.Builder
	for i := range 20000 {
		fmt.Fprintln(&numbers, i+1)
	}
	if b.BuildStatus != types.StatusTypeSucceeded || !strings.Contains(string(text), "\n"+numbers.String()+"[Container]") || !strings.Contains(string(text), "\n"+strings.Repeat("x", 300000)+"\n") {
		t.Errorf("status %s, %d bytes in S3", b.BuildStatus, len(text))
	}
	client := cloudwatchlogs.NewFromConfig(c.As(owner))
	var all strings.Builder
	pages := cloudwatchlogs.NewGetLogEventsPaginator(client, &cloudwatchlogs.GetLogEventsInput{LogGroupName: b.Logs.GroupName, LogStreamName: b.Logs.StreamName, StartFromHead: aws.Bool(true)},
		func(o *cloudwatchlogs.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			all.WriteString(*e.Message)
		}
	}
	if all.String() != string(text) {
		t.Errorf("CloudWatch Logs has %d bytes, S3 %d", all.Len(), len(text))
	}
}

func TestFolderSource(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "folder")
	putObject(t, store, "folder", "src/a/b.txt", []byte("b\n"))
	putObject(t, store, "folder", "specs/build.yml", []byte("version: 0.2\nphases:\n  build: {commands: [cat a/b.txt]}"))
	c.create(t, project("folder", "", func(in *api.CreateProjectInput) {
		in.Source = &types.ProjectSource{Type: types.SourceTypeS3, Location: aws.String("folder/src/"), Buildspec: aws.String("arn:aws:s3:::folder/specs/build.yml")}
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("folder")}))
	if log := c.log(t, b); b.BuildStatus != types.StatusTypeSucceeded || !strings.Contains(log, "\nb\n") {
		t.Errorf("status %s\n%s", b.BuildStatus, log)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	if _, err := ssmapi.NewFromConfig(c.As(owner)).PutParameter(t.Context(), &ssmapi.PutParameterInput{Name: aws.String("/dev/token"), Value: aws.String("t0p-s3cret"), Type: ssmtypes.ParameterTypeSecureString}); err != nil {
		t.Fatal(err)
	}
	secret, err := smapi.NewFromConfig(c.As(owner)).CreateSecret(t.Context(), &smapi.CreateSecretInput{Name: aws.String("db"), SecretString: aws.String(`{"user":"root","port":5432,"key":"line-one\nline-two"}`)})
	if err != nil {
		t.Fatal(err)
	}
	b := c.build(t, "secrets", `
version: 0.2
env:
  variables: {STAGE: dev, TOKEN: plain}
  parameter-store: {TOKEN: /$STAGE/token}
  secrets-manager:
    PORT: db:port
    KEY: `+*secret.ARN+`:key:AWSCURRENT
  exported-variables: [TOKEN]
phases:
  build:
    commands:
      - echo "$TOKEN|$PORT|${#TOKEN}"; echo "$KEY"
      - 'exit 3 # t0p-s3cret'
`)
	log := c.log(t, b)
	if !strings.Contains(log, "\n***|***|10\n***\n***\n") || strings.Contains(log, "s3cret") || strings.Contains(log, "line-") {
		t.Errorf("log:\n%s", log)
	}
	if p := phase(t, b, types.BuildPhaseTypeBuild); !strings.HasSuffix(*p.Contexts[0].Message, "exit 3 # ***. Reason: exit status 3") {
		t.Errorf("message %s", *p.Contexts[0].Message)
	}
	if got := *b.ExportedEnvironmentVariables[0].Value; got != "***" {
		t.Errorf("exported %s", got)
	}
	for spec, want := range map[string]string{
		"parameter-store: {X: /no/such}":    "Decrypted Variables Error: parameter does not exist: /no/such",
		"secrets-manager: {X: 'db:nosuch'}": "Secrets Manager Error Message: secret db has no key nosuch",
	} {
		name := "missing-" + spec[:3]
		b := c.build(t, name, "version: 0.2\nenv:\n  "+spec+"\nphases: {}")
		if p := phase(t, b, types.BuildPhaseTypeDownloadSource); *p.Contexts[0].StatusCode+": "+*p.Contexts[0].Message != want {
			t.Errorf("%s: %s", *p.Contexts[0].StatusCode, *p.Contexts[0].Message)
		}
	}
}

// Each case is an artifacts section and the zip, or the message, that comes
// of it.
func TestArtifacts(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "made")
	const make = `version: 0.2
phases:
  build:
    commands:
      - mkdir -p dist1/sub dist2 && echo a > dist1/a.js && echo b > dist1/sub/b.js && echo c > dist1/sub/.hidden && echo d > dist2/d.txt && chmod +x dist1/a.js
      - ln -s a.js dist1/link.js && ln -s sub dist1/dir && ln -s /etc/nosuch dist1/broken
artifacts:
`
	cases := map[string]struct {
		section string
		want    map[string]string
		why     string
	}{
		"all":      {"files: '**/*'\n  base-directory: dist1", map[string]string{"a.js": "-rwxr-xr-x a\n", "link.js": "-rwxr-xr-x a\n", "sub/b.js": "-rw-r--r-- b\n", "sub/.hidden": "-rw-r--r-- c\n"}, ""},
		"star":     {"files: ['dist1/*', dist2/d.txt]", map[string]string{"dist1/a.js": "-rwxr-xr-x a\n", "dist1/link.js": "-rwxr-xr-x a\n", "dist2/d.txt": "-rw-r--r-- d\n"}, ""},
		"globs":    {"files: ['**/*.{js,txt}']\n  base-directory: 'dist*'\n  exclude-paths: [sub/**, link.js]", map[string]string{"a.js": "-rwxr-xr-x a\n", "d.txt": "-rw-r--r-- d\n"}, ""},
		"flat":     {"files: [dist1/sub/*.js, dist2/*]\n  discard-paths: yes", map[string]string{"b.js": "-rw-r--r-- b\n", "d.txt": "-rw-r--r-- d\n"}, ""},
		"symlinks": {"files: ['link.js', 'dir']\n  base-directory: dist1\n  enable-symlinks: yes", map[string]string{"link.js": "Lrwxrwxrwx a.js", "dir": "Lrwxrwxrwx sub"}, ""},
		"nothing":  {"files: ['*.nosuch']", nil, "CLIENT_ERROR: no matching artifact paths found"},
		"no-base":  {"files: ['*']\n  base-directory: nosuch", nil, "no matching base directory path found for"},
		"clash":    {"files: ['**/*']\n  base-directory: dist1\n  discard-paths: yes\n  exclude-paths: []", map[string]string{"a.js": "-rwxr-xr-x a\n", "link.js": "-rwxr-xr-x a\n", "b.js": "-rw-r--r-- b\n", ".hidden": "-rw-r--r-- c\n"}, ""},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.create(t, project("a-"+name, make+"  "+want.section, func(in *api.CreateProjectInput) {
				in.Artifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("made"), Name: &name, Packaging: types.ArtifactPackagingZip}
			}))
			b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("a-" + name)}))
			p := phase(t, b, types.BuildPhaseTypeUploadArtifacts)
			if why := strings.TrimPrefix(*p.Contexts[0].StatusCode+": "+*p.Contexts[0].Message, ": "); !strings.Contains(why, want.why) || why != "" && want.why == "" {
				t.Fatalf("message %q\n%s", why, c.log(t, b))
			}
			if want.want != nil {
				if diff := cmp.Diff(want.want, unzipped(t, getObject(t, store, "made", name))); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestArtifactsUnpacked(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "loose")
	c.create(t, project("loose", "version: 0.2\nphases:\n  build: {commands: ['mkdir d; echo x > d/x; N=v1']}\nartifacts: {files: ['**/*'], name: 'out-$N-$(echo y)', s3-prefix: pre}", func(in *api.CreateProjectInput) {
		in.Artifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("loose"), NamespaceType: types.ArtifactNamespaceBuildId, OverrideArtifactName: aws.Bool(true)}
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("loose")}))
	_, uuid, _ := strings.Cut(*b.Id, ":")
	if diff := cmp.Diff([]string{"pre/" + uuid + "/out-v1-y/d/x"}, keys(t, store, "loose")); diff != "" {
		t.Errorf("%s\n%s", diff, c.log(t, b))
	}
	if *b.Artifacts.Location != "arn:aws:s3:::loose/pre/"+uuid+"/out-v1-y" {
		t.Error(*b.Artifacts.Location)
	}
}
