package serverlessrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"ouro/cloud/store"
	"ouro/regex"
)

// version is one version of an application. It never changes.
type version struct {
	Version      string // by https://semver.org
	Created      time.Time
	Template     string // its URL
	Source       string `json:",omitempty"` // URL of a repository
	Archive      string `json:",omitempty"` // URL of a zip
	Parameters   []types.ParameterDefinition
	Capabilities []types.Capability
	Dependencies []types.ApplicationDependencySummary
}

func (v version) key(a application) string { return a.Name + "/" + v.Version }

// publication is what a version is made from.
type publication struct{ version, body, url, source, archive *string }

// semantic is a version as https://semver.org has it.
var semantic = regex.New(`^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?$`)

// newVersion reads, checks and keeps a template.
func (s *Service) newVersion(ctx context.Context, app application, p publication) (*version, error) {
	number := aws.ToString(p.version)
	if len(number) > 255 || !semantic().MatchString(number) {
		return nil, invalid("The semantic version %q is not of the form of https://semver.org", number)
	}
	body, err := s.text(ctx, "template", p.body, p.url, maxTemplate)
	if err != nil {
		return nil, err
	}
	if body == "" {
		return nil, invalid("A version needs a templateBody or a templateUrl")
	}
	v := &version{Version: number, Created: s.host.Now(), Source: aws.ToString(p.source), Archive: aws.ToString(p.archive)}
	if err := v.read(body); err != nil {
		return nil, err
	}
	v.Template, err = s.put(ctx, v.key(app)+"/template", body)
	return v, err
}

func (v version) describe(a application) types.Version {
	return types.Version{
		ApplicationId: &a.ID, SemanticVersion: &v.Version, CreationTime: clock(v.Created), TemplateUrl: &v.Template,
		SourceCodeUrl: optional(v.Source), SourceCodeArchiveUrl: optional(v.Archive), ResourcesSupported: aws.Bool(true),
		ParameterDefinitions: v.Parameters, RequiredCapabilities: v.Capabilities,
	}
}

// CreateApplicationVersion publishes a further version.
func (s *Service) CreateApplicationVersion(ctx context.Context, in *sar.CreateApplicationVersionInput) (*sar.CreateApplicationVersionOutput, error) {
	app, scope, err := s.own(ctx, in.ApplicationId, "CreateApplicationVersion")
	if err != nil {
		return nil, err
	}
	number := aws.ToString(in.SemanticVersion)
	there := exists("Application version %s already exists for application with id %s", number, app.ID)
	if _, err := s.versions.Get(ctx, scope, app.Name+"/"+number); err == nil {
		return nil, there
	}
	v, err := s.newVersion(ctx, app, publication{in.SemanticVersion, in.TemplateBody, in.TemplateUrl, in.SourceCodeUrl, in.SourceCodeArchiveUrl})
	if err != nil {
		return nil, err
	}
	if err := s.versions.Insert(ctx, scope, v.key(app), *v); errors.Is(err, store.ErrExists) {
		return nil, there
	} else if err != nil {
		return nil, fmt.Errorf("publishing version %s of application %q: %w", number, app.Name, err)
	}
	d := v.describe(app)
	return &sar.CreateApplicationVersionOutput{
		ApplicationId: d.ApplicationId, SemanticVersion: d.SemanticVersion, CreationTime: d.CreationTime, TemplateUrl: d.TemplateUrl,
		SourceCodeUrl: d.SourceCodeUrl, SourceCodeArchiveUrl: d.SourceCodeArchiveUrl, ResourcesSupported: d.ResourcesSupported,
		ParameterDefinitions: d.ParameterDefinitions, RequiredCapabilities: d.RequiredCapabilities,
	}, nil
}

// list are the versions of an application, the oldest first by precedence.
func (s *Service) list(ctx context.Context, scope store.Scope, app application) ([]store.Entry[version], error) {
	all, err := s.versions.List(ctx, scope, store.Query{Prefix: app.Name + "/"})
	if err != nil {
		return nil, fmt.Errorf("listing the versions of application %q: %w", app.Name, err)
	}
	slices.SortFunc(all, func(a, b store.Entry[version]) int { return precedence(a.Value.Version, b.Value.Version) })
	return all, nil
}

// pick is the version of that number, or the newest, which is nil if there is
// none.
func (s *Service) pick(ctx context.Context, scope store.Scope, app application, number *string) (*version, error) {
	if aws.ToString(number) != "" {
		v, err := s.versions.Get(ctx, scope, app.Name+"/"+*number)
		if errors.Is(err, store.ErrNotFound) {
			return nil, missing("Application with id %s has no version %s", app.ID, *number)
		}
		return &v, err
	}
	all, err := s.list(ctx, scope, app)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[len(all)-1].Value, nil
}

// ListApplicationVersions lists the versions of an application.
func (s *Service) ListApplicationVersions(ctx context.Context, in *sar.ListApplicationVersionsInput) (*sar.ListApplicationVersionsOutput, error) {
	app, scope, err := s.find(ctx, in.ApplicationId, "ListApplicationVersions")
	if err != nil {
		return nil, err
	}
	all, err := s.list(ctx, scope, app)
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, in.NextToken, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sar.ListApplicationVersionsOutput{NextToken: next, Versions: []types.VersionSummary{}}
	for _, e := range some {
		d := e.Value.describe(app)
		out.Versions = append(out.Versions, types.VersionSummary{
			ApplicationId: d.ApplicationId, SemanticVersion: d.SemanticVersion, CreationTime: d.CreationTime, SourceCodeUrl: d.SourceCodeUrl})
	}
	return out, nil
}

// precedence compares two versions by the rules of https://semver.org.
func precedence(a, b string) int {
	x, y := strings.SplitN(plain(a), "-", 2), strings.SplitN(plain(b), "-", 2)
	if c := byParts(x[0], y[0]); c != 0 || len(x) == 1 && len(y) == 1 {
		return cmp.Or(c, strings.Compare(a, b))
	}
	if len(x) != len(y) {
		return len(y) - len(x) // before a version come its pre-releases
	}
	return cmp.Or(byParts(x[1], y[1]), strings.Compare(a, b))
}

// plain is a version without its build metadata.
func plain(v string) string {
	v, _, _ = strings.Cut(v, "+")
	return v
}

func byParts(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, errX := strconv.Atoi(x)
		n, errY := strconv.Atoi(y)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(m, n)
		case errX == nil:
			return -1 // numbers come before words
		case errY == nil:
			return 1
		}
		return strings.Compare(x, y)
	})
}
