package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

var (
	layerPattern        = regex.New(`^(?:(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+)$`)
	layerVersionPattern = regex.New(`^(?:(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))$`)
)

// layer is a version of a layer.
type layer struct {
	Name, Description, License, Created string
	Version                             int64
	Code                                code
	Runtimes                            []types.Runtime
	Architectures                       []types.Architecture
}

// layerTarget is a layer, or a version of one, that a request is about.
type layerTarget struct {
	scope   store.Scope
	name    string
	version int64
}

func (t layerTarget) layerARN() string {
	return door.Caller{Account: t.scope.Account, Region: t.scope.Region}.ResourceARN("lambda", "layer:"+t.name)
}

func (t layerTarget) arn() string { return t.layerARN() + ":" + number(t.version) }

func (t layerTarget) key() string { return versionKey(t.name, number(t.version)) }

// policyKey names the policy of a version apart from those of functions.
func (t layerTarget) policyKey() string { return "layer:" + t.name + ":" + number(t.version) }

// locateLayer reads a LayerName, which may be an ARN.
func locateLayer(ctx context.Context, name *string) (layerTarget, error) {
	var v violations
	v.present("layerName", name != nil)
	v.text("layerName", name, 1, 140, layerPattern())
	if err := v.err(); err != nil {
		return layerTarget{}, err
	}
	c := door.CallerFrom(ctx)
	t := layerTarget{scope: c.Scope(), name: *name}
	if parts := strings.Split(*name, ":"); len(parts) == 7 {
		t = layerTarget{scope: store.Scope{Account: parts[4], Region: parts[3]}, name: parts[6]}
		if t.scope.Region != c.Region {
			return t, notFound("Layers from '%s' are not reachable in this region ('%s')", t.scope.Region, c.Region)
		}
	}
	return t, nil
}

func locateLayerVersion(ctx context.Context, name *string, version *int64) (layerTarget, error) {
	t, err := locateLayer(ctx, name)
	if t.version = aws.ToInt64(version); err == nil && t.version < 1 {
		err = invalid("Layer Version Cannot be less than 1")
	}
	return t, err
}

// readLayerARN reads the ARN of a layer's version.
func readLayerARN(arn string) (layerTarget, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 8 || !layerVersionPattern().MatchString(arn) {
		return layerTarget{}, false
	}
	n, err := strconv.ParseInt(parts[7], 10, 64)
	return layerTarget{store.Scope{Account: parts[4], Region: parts[3]}, parts[6], n}, err == nil
}

// reachLayer gives a version of a layer that the caller may use.
func (s *Service) reachLayer(ctx context.Context, t layerTarget, absent error) (layer, error) {
	c := door.CallerFrom(ctx)
	if c.Account != t.scope.Account {
		p, err := s.policies.Get(ctx, t.scope, t.policyKey())
		if err := missing(err, nil); err != nil {
			return layer{}, err
		}
		if !p.allow(c, "lambda:GetLayerVersion", nil) {
			return layer{}, denied(c, "lambda:GetLayerVersion", t.arn())
		}
	}
	l, err := s.layers.Get(ctx, t.scope, t.key())
	return l, missing(err, absent)
}

// maxLayers is how many layers a function may have.
const maxLayers = 5

// useLayers finds the layers that a function is to have.
func (s *Service) useLayers(ctx context.Context, arns []string) ([]types.Layer, error) {
	if len(arns) > maxLayers {
		return nil, invalid("Cannot reference more than 5 layers.")
	}
	var layers []types.Layer
	seen := map[string]string{}
	for _, arn := range arns {
		t, ok := readLayerARN(arn)
		switch {
		case !ok:
			return nil, validation("1 validation error detected: Value '[" + arn + "]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: " + shown(layerVersionPattern()) + ", Member must not be null]")
		case t.scope.Region != door.CallerFrom(ctx).Region:
			return nil, invalid("Layers are not in the same region as the function. Layers are expected to be in region %s.", door.CallerFrom(ctx).Region)
		case seen[t.layerARN()] != "":
			return nil, invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s are versions of the same layer.", seen[t.layerARN()], arn)
		}
		seen[t.layerARN()] = arn
		l, err := s.reachLayer(ctx, t, invalid("Layer version %s does not exist.", arn))
		if err != nil {
			return nil, err
		}
		layers = append(layers, types.Layer{Arn: aws.String(arn), CodeSize: l.Code.Size})
	}
	return layers, nil
}

// checkSize refuses a function that is too large together with its layers.
func (s *Service) checkSize(ctx context.Context, v version) error {
	total := v.Code.Unzipped
	for _, used := range v.Config.Layers {
		c, err := s.layerCode(ctx, *used.Arn)
		if err != nil {
			return err
		}
		total += c.Unzipped
	}
	if total > maxUnzipped {
		return invalid("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", maxUnzipped, total)
	}
	return nil
}

// layerCode is the code of a layer that a function has. Functions keep their
// layers when those are deleted, so deleted ones are found too.
func (s *Service) layerCode(ctx context.Context, arn string) (code, error) {
	t, ok := readLayerARN(arn)
	if !ok {
		return code{}, fmt.Errorf("%q is no layer", arn)
	}
	l, err := s.layers.Get(ctx, t.scope, t.key())
	if errors.Is(err, store.ErrNotFound) {
		l, err = s.layers.Get(ctx, t.scope, deletedKey+t.key())
	}
	if err != nil {
		return code{}, fmt.Errorf("finding the layer %s: %w", arn, err)
	}
	return l.Code, nil
}

// deletedKey begins the names of deleted versions, which is no part of a
// layer's name.
const deletedKey = "!"

// PublishLayerVersion makes the next version of a layer.
func (s *Service) PublishLayerVersion(ctx context.Context, in *lambda.PublishLayerVersionInput) (*lambda.PublishLayerVersionOutput, error) {
	var v violations
	v.present("content", in.Content != nil)
	v.text("description", in.Description, 0, 256, nil)
	v.text("licenseInfo", in.LicenseInfo, 0, 512, nil)
	checkRuntimes(&v, in.CompatibleRuntimes)
	for _, a := range in.CompatibleArchitectures {
		if !slices.Contains(a.Values(), a) {
			v.add(in.CompatibleArchitectures, "compatibleArchitectures", "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
			break
		}
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := locateLayer(ctx, in.LayerName)
	if err != nil {
		return nil, err
	}
	if c := door.CallerFrom(ctx); t.scope.Account != c.Account {
		return nil, denied(c, "lambda:PublishLayerVersion", t.layerARN())
	}
	l := layer{Name: t.name, Description: aws.ToString(in.Description), License: aws.ToString(in.LicenseInfo), Created: s.now(),
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures}
	s.archives.keep.RLock()
	defer s.archives.keep.RUnlock()
	if l.Code, err = s.take(ctx, source{zip: in.Content.ZipFile, bucket: in.Content.S3Bucket, key: in.Content.S3Key, version: in.Content.S3ObjectVersion}); err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		n, err := s.newest.Get(ctx, t.scope, t.name)
		if err := missing(err, nil); err != nil {
			return err
		}
		l.Version, t.version = n+1, n+1
		if err := s.newest.Put(ctx, t.scope, t.name, n+1); err != nil {
			return err
		}
		return s.layers.Put(ctx, t.scope, t.key(), l)
	})
	if err != nil {
		return nil, err
	}
	out := new(lambda.PublishLayerVersionOutput)
	*out = lambda.PublishLayerVersionOutput(s.layerAnswer(t, l))
	return out, nil
}

func checkRuntimes(v *violations, list []types.Runtime) {
	if len(list) > 15 {
		v.add(list, "compatibleRuntimes", "have length less than or equal to 15")
	}
	for _, r := range list {
		if !slices.Contains(r.Values(), r) {
			v.add(list, "compatibleRuntimes", "satisfy constraint: [Member must satisfy enum value set: "+fmt.Sprint(r.Values())+", Member must not be null]")
			return
		}
	}
}

func (s *Service) layerAnswer(t layerTarget, l layer) lambda.GetLayerVersionOutput {
	return lambda.GetLayerVersionOutput{
		LayerArn: aws.String(t.layerARN()), LayerVersionArn: aws.String(t.arn()), Version: l.Version, CreatedDate: &l.Created,
		Description: &l.Description, LicenseInfo: optional(l.License), CompatibleRuntimes: l.Runtimes, CompatibleArchitectures: l.Architectures,
		Content: &types.LayerVersionContentOutput{CodeSha256: aws.String(l.Code.digest()), CodeSize: l.Code.Size, Location: aws.String(s.download(l.Code))},
	}
}

// GetLayerVersion tells about a version, and where it can be read.
func (s *Service) GetLayerVersion(ctx context.Context, in *lambda.GetLayerVersionInput) (*lambda.GetLayerVersionOutput, error) {
	t, err := locateLayerVersion(ctx, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return s.getLayer(ctx, t)
}

func (s *Service) getLayer(ctx context.Context, t layerTarget) (*lambda.GetLayerVersionOutput, error) {
	l, err := s.reachLayer(ctx, t, nothing())
	if err != nil {
		return nil, err
	}
	out := s.layerAnswer(t, l)
	return &out, nil
}

// GetLayerVersionByArn is GetLayerVersion by the version's ARN.
func (s *Service) GetLayerVersionByArn(ctx context.Context, in *lambda.GetLayerVersionByArnInput) (*lambda.GetLayerVersionByArnOutput, error) {
	t, ok := readLayerARN(aws.ToString(in.Arn))
	if !ok {
		var v violations
		v.add(aws.ToString(in.Arn), "arn", "satisfy regular expression pattern: "+shown(layerVersionPattern()))
		return nil, v.err()
	}
	found, err := s.getLayer(ctx, t)
	if err != nil {
		return nil, err
	}
	out := lambda.GetLayerVersionByArnOutput(*found)
	return &out, nil
}

func (l layer) item(t layerTarget) types.LayerVersionsListItem {
	t.version = l.Version
	return types.LayerVersionsListItem{LayerVersionArn: aws.String(t.arn()), Version: l.Version, CreatedDate: &l.Created, Description: &l.Description,
		LicenseInfo: optional(l.License), CompatibleRuntimes: l.Runtimes, CompatibleArchitectures: l.Architectures}
}

// fits tells whether a list that asks for a runtime and an architecture shows
// the version.
func (l layer) fits(r types.Runtime, a types.Architecture) bool {
	return (r == "" || slices.Contains(l.Runtimes, r)) && (a == "" || slices.Contains(l.Architectures, a))
}

// layersOf are the versions that begin with the prefix, newest first in each
// layer.
func (s *Service) layersOf(ctx context.Context, scope store.Scope, prefix string, r types.Runtime, a types.Architecture) ([]layer, error) {
	var v violations
	among(&v, "compatibleRuntime", r, r.Values())
	among(&v, "compatibleArchitecture", a, a.Values())
	if err := v.err(); err != nil {
		return nil, err
	}
	entries, err := s.layers.List(ctx, scope, store.Query{Prefix: prefix})
	var list []layer
	for _, e := range entries {
		if !strings.HasPrefix(e.ID, deletedKey) && e.Value.fits(r, a) {
			list = append(list, e.Value)
		}
	}
	slices.SortStableFunc(list, func(x, y layer) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return int(y.Version - x.Version)
	})
	return list, err
}

// ListLayerVersions tells about the versions of a layer, newest first.
func (s *Service) ListLayerVersions(ctx context.Context, in *lambda.ListLayerVersionsInput) (*lambda.ListLayerVersionsOutput, error) {
	t, err := locateLayer(ctx, in.LayerName)
	if err != nil {
		return nil, err
	}
	list, err := s.layersOf(ctx, t.scope, t.name+":", in.CompatibleRuntime, in.CompatibleArchitecture)
	if err != nil {
		return nil, err
	}
	// Keys rise while versions fall.
	list, next, err := page(list, func(l layer) string { return versionKey(t.name, number(1e11-l.Version)) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListLayerVersionsOutput{NextMarker: next, LayerVersions: []types.LayerVersionsListItem{}}
	for _, l := range list {
		out.LayerVersions = append(out.LayerVersions, l.item(t))
	}
	return out, nil
}

// ListLayers tells about all layers with their newest versions.
func (s *Service) ListLayers(ctx context.Context, in *lambda.ListLayersInput) (*lambda.ListLayersOutput, error) {
	scope := door.CallerFrom(ctx).Scope()
	list, err := s.layersOf(ctx, scope, "", in.CompatibleRuntime, in.CompatibleArchitecture)
	if err != nil {
		return nil, err
	}
	list = slices.CompactFunc(list, func(a, b layer) bool { return a.Name == b.Name }) // the first is the newest
	list, next, err := page(list, func(l layer) string { return l.Name }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListLayersOutput{NextMarker: next, Layers: []types.LayersListItem{}}
	for _, l := range list {
		t := layerTarget{scope: scope, name: l.Name}
		item := l.item(t)
		out.Layers = append(out.Layers, types.LayersListItem{LayerName: &l.Name, LayerArn: aws.String(t.layerARN()), LatestMatchingVersion: &item})
	}
	return out, nil
}

// DeleteLayerVersion deletes a version; functions that have it keep it, and
// its number is not given out again.
func (s *Service) DeleteLayerVersion(ctx context.Context, in *lambda.DeleteLayerVersionInput) (*lambda.DeleteLayerVersionOutput, error) {
	t, err := s.ownLayer(ctx, in.LayerName, in.VersionNumber, "lambda:DeleteLayerVersion")
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		l, err := s.layers.Get(ctx, t.scope, t.key())
		if err != nil {
			return missing(err, nil) // as AWS, no error
		}
		err = s.layers.Put(ctx, t.scope, deletedKey+t.key(), l)
		if err == nil {
			err = s.layers.Delete(ctx, t.scope, t.key())
		}
		return errors.Join(err, missing(s.policies.Delete(ctx, t.scope, t.policyKey()), nil))
	})
	s.clean(ctx)
	return &lambda.DeleteLayerVersionOutput{}, err
}

// ownLayer is locateLayerVersion for what only the layer's account may do.
func (s *Service) ownLayer(ctx context.Context, name *string, version *int64, action string) (layerTarget, error) {
	t, err := locateLayerVersion(ctx, name, version)
	if c := door.CallerFrom(ctx); err == nil && t.scope.Account != c.Account {
		err = denied(c, action, t.arn())
	}
	return t, err
}
