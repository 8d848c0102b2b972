package layer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Published is a version of a layer that is there.
type Published struct {
	Version       int64    `json:"version"`
	ARN           string   `json:"arn"`
	Created       string   `json:"created"`
	Description   string   `json:"description,omitempty"`
	License       string   `json:"license,omitempty"`
	Runtimes      []string `json:"runtimes,omitempty"`
	Architectures []string `json:"architectures,omitempty"`
	// What [Show] adds.
	Size     int64    `json:"size,omitempty"`     // of the zip
	SharedTo []string `json:"sharedTo,omitempty"` // accounts and organizations that may use it
	UsedBy   []string `json:"usedBy,omitempty"`   // functions of this account that do
	Latest   bool     `json:"latest,omitempty"`   // it is the one that the parameter names
}

// Summary is a layer of the account.
type Summary struct {
	Name   string    `json:"name"`
	Ours   bool      `json:"ours"` // there is a parameter of it
	Newest Published `json:"newest"`
}

// List are the layers of the account, by name.
func List(ctx context.Context, c *Clients) ([]Summary, error) {
	ours, err := latest(ctx, c)
	if err != nil {
		return nil, err
	}
	list := []Summary{}
	pages := lambda.NewListLayersPaginator(c.Functions, &lambda.ListLayersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the layers: %w", err)
		}
		for _, l := range page.Layers {
			name := aws.ToString(l.LayerName)
			s := Summary{Name: name, Ours: ours[name] != ""}
			if l.LatestMatchingVersion != nil {
				s.Newest = published(*l.LatestMatchingVersion)
			}
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Summary) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// latest are the newest versions' ARNs, by the layers' names, as the parameters
// tell them.
func latest(ctx context.Context, c *Clients) (map[string]string, error) {
	found := map[string]string{}
	err := c.eachParameter(ctx, Path, func(name, value string) {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(name, Path), "/latest"); ok && !strings.Contains(name, "/") {
			found[name] = value
		}
	})
	return found, err
}

func (c *Clients) eachParameter(ctx context.Context, path string, f func(name, value string)) error {
	pages := ssm.NewGetParametersByPathPaginator(c.Parameters, &ssm.GetParametersByPathInput{Path: aws.String(strings.TrimSuffix(path, "/")), Recursive: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the parameters below %s: %w", path, err)
		}
		for _, p := range page.Parameters {
			f(aws.ToString(p.Name), aws.ToString(p.Value))
		}
	}
	return nil
}

func published(v types.LayerVersionsListItem) Published {
	p := Published{
		Version: v.Version, ARN: aws.ToString(v.LayerVersionArn), Created: aws.ToString(v.CreatedDate),
		Description: aws.ToString(v.Description), License: aws.ToString(v.LicenseInfo),
	}
	for _, r := range v.CompatibleRuntimes {
		p.Runtimes = append(p.Runtimes, string(r))
	}
	for _, a := range v.CompatibleArchitectures {
		p.Architectures = append(p.Architectures, string(a))
	}
	return p
}

// Versions are the versions of a layer, the newest first.
func Versions(ctx context.Context, c *Clients, name string) ([]Published, error) {
	list := []Published{}
	pages := lambda.NewListLayerVersionsPaginator(c.Functions, &lambda.ListLayerVersionsInput{LayerName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if missing(err) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("listing the versions of layer %q: %w", name, err)
		}
		for _, v := range page.LayerVersions {
			list = append(list, published(v))
		}
	}
	slices.SortFunc(list, func(a, b Published) int { return cmp.Compare(b.Version, a.Version) })
	return list, nil
}

// missing tells whether err says that there is no such thing.
func missing(err error) bool {
	var none *types.ResourceNotFoundException
	return errors.As(err, &none)
}

// Show are the versions of a layer with all that is known of them.
func Show(ctx context.Context, c *Clients, name string) ([]Published, error) {
	versions, err := Versions(ctx, c, name)
	if err != nil || len(versions) == 0 {
		return versions, err
	}
	used, err := c.uses(ctx)
	if err != nil {
		return nil, err
	}
	latest, err := c.parameter(ctx, LatestParameter(name))
	if err != nil {
		return nil, err
	}
	for i := range versions {
		v := &versions[i]
		out, err := c.Functions.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: &name, VersionNumber: &v.Version})
		if err != nil {
			return nil, fmt.Errorf("reading version %d of layer %q: %w", v.Version, name, err)
		}
		if out.Content != nil {
			v.Size = out.Content.CodeSize
		}
		shares, err := c.shares(ctx, name, v.Version)
		if err != nil {
			return nil, err
		}
		for _, s := range shares {
			v.SharedTo = append(v.SharedTo, s.who)
		}
		slices.Sort(v.SharedTo)
		v.UsedBy, v.Latest = used[v.ARN], v.ARN == latest
	}
	return versions, nil
}

// uses are the functions that use versions of layers, by those versions' ARNs.
// All versions of functions count: an alias may lead to any.
func (c *Clients) uses(ctx context.Context) (map[string][]string, error) {
	found := map[string][]string{}
	pages := lambda.NewListFunctionsPaginator(c.Functions, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the functions: %w", err)
		}
		for _, f := range page.Functions {
			name := aws.ToString(f.FunctionName)
			if v := aws.ToString(f.Version); v != "" && v != "$LATEST" {
				name += ":" + v
			}
			for _, l := range f.Layers {
				found[aws.ToString(l.Arn)] = append(found[aws.ToString(l.Arn)], name)
			}
		}
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found, nil
}

// shared is a permission to use a version.
type shared struct{ statement, who string }

// shares are the permissions on a version.
func (c *Clients) shares(ctx context.Context, name string, version int64) ([]shared, error) {
	out, err := c.Functions.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: &name, VersionNumber: &version})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading who may use version %d of layer %q: %w", version, name, err)
	}
	var policy struct {
		Statement []struct {
			Sid       string
			Principal any
			Condition struct {
				StringEquals map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.Policy)), &policy); err != nil {
		return nil, fmt.Errorf("reading who may use version %d of layer %q: %w", version, name, err)
	}
	var list []shared
	for _, s := range policy.Statement {
		who := s.Condition.StringEquals["aws:PrincipalOrgID"]
		if who == "" {
			who = principal(s.Principal)
		}
		list = append(list, shared{s.Sid, who})
	}
	return list, nil
}

// principal is the account of a statement's principal, or * for all.
func principal(v any) string {
	if m, ok := v.(map[string]any); ok {
		v = m["AWS"]
	}
	text, _ := v.(string)
	if parts := strings.Split(text, ":"); len(parts) > 4 {
		return parts[4]
	}
	return text
}
