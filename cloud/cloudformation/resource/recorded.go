package resource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/smithy-go"

	"ouro/spec"
)

// recordedKinds are the kinds of recorded types that were asked for, by type.
var recordedKinds sync.Map

// recordedKind is the kind of a type that no service runs here: its resources
// live behind Cloud Control, which checks them and says what they are known
// by. It is nil for types that CloudFormation does not have.
func recordedKind(name string) *Kind {
	if k, ok := recordedKinds.Load(name); ok {
		return k.(*Kind)
	}
	t, ok := spec.Lookup(name)
	if !ok || t.Transform != "" {
		return nil
	}
	k := &Kind{Type: name, Recorded: true, spec: t, NameProperty: t.NameProperty(), Untagged: t.TagProperty == "", Shared: slices.Contains(revised, name)}
	if k.NameProperty != "" {
		k.Naming = &Naming{Max: 255}
		if n, ok := recordedNames[name]; ok {
			k.Naming = &n
		}
	} else if len(t.Identifier) == 1 && spec.Find(t.Properties, t.Identifier[0]) != nil {
		k.NameProperty = t.Identifier[0] // which the template has to give
	}
	k.Create, k.Update, k.Delete, k.Read = k.createRecorded, k.updateRecorded, k.deleteRecorded, k.readRecorded
	recordedKinds.Store(name, k)
	return k
}

// revised are types whose name is that of a row of revisions, of which a
// replacement is the next.
var revised = []string{"AWS::Batch::JobDefinition", "AWS::ECS::TaskDefinition"}

// recordedNames are the limits of generated names that are not 255 letters.
var recordedNames = map[string]Naming{
	"AWS::AppConfig::Application": {Max: 64}, "AWS::CloudFront::Function": {Max: 64}, "AWS::ECR::Repository": {Max: 256, Lower: true},
	"AWS::DocDB::DBCluster": {Max: 63, Lower: true}, "AWS::DocDB::DBInstance": {Max: 63, Lower: true}, "AWS::EKS::Cluster": {Max: 100},
	"AWS::ElastiCache::ReplicationGroup": {Max: 40, Lower: true}, "AWS::ElasticLoadBalancing::LoadBalancer": {Max: 32},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {Max: 32}, "AWS::ElasticLoadBalancingV2::TargetGroup": {Max: 32},
	"AWS::KinesisFirehose::DeliveryStream": {Max: 64}, "AWS::Kinesis::Stream": {Max: 128}, "AWS::Lambda::Function": {Max: 64}, "AWS::Lambda::LayerVersion": {Max: 140},
	"AWS::Neptune::DBCluster": {Max: 63, Lower: true}, "AWS::Neptune::DBInstance": {Max: 63, Lower: true}, "AWS::OpenSearchService::Domain": {Max: 28, Lower: true},
	"AWS::RDS::DBCluster": {Max: 63, Lower: true}, "AWS::RDS::DBInstance": {Max: 63, Lower: true}, "AWS::RDS::DBSubnetGroup": {Max: 255, Lower: true},
	"AWS::Redshift::Cluster": {Max: 63, Lower: true}, "AWS::SQS::Queue": {Max: 80}, "AWS::StepFunctions::StateMachine": {Max: 80},
}

// ofEngine are the types that CloudFormation itself runs and adds to the table.
var ofEngine = []string{"AWS::CloudFormation::Macro", "AWS::CloudFormation::Stack"}

// Records tells whether resources of the type are recorded.
func (t Table) Records(name string) bool {
	_, runs := t[name]
	_, refused := Refused()[name]
	return !runs && !refused && !slices.Contains(ofEngine, name) && recordedKind(name) != nil
}

func (k *Kind) createRecorded(ctx context.Context, r *Request) (Result, error) {
	desired := k.desired(r, r.Properties, r.Tags)
	out, err := Client(r.Clients, cloudcontrol.NewFromConfig).CreateResource(ctx, &cloudcontrol.CreateResourceInput{
		TypeName: &k.Type, DesiredState: aws.String(document(desired)), ClientToken: aws.String(digest(r.Token + "/" + r.Name)),
	})
	if err != nil {
		return Result{}, refusal(r, err)
	}
	return k.known(desired, out.ProgressEvent.Identifier, out.ProgressEvent.ResourceModel)
}

func (k *Kind) updateRecorded(ctx context.Context, r *Request) (Result, error) {
	before, after := k.desired(r, r.Former, r.FormerTags), k.desired(r, r.Properties, r.Tags)
	patch, id, client := difference(before, after), k.identifier(r, before), Client(r.Clients, cloudcontrol.NewFromConfig)
	switch {
	case len(patch) > 0:
		out, err := client.UpdateResource(ctx, &cloudcontrol.UpdateResourceInput{TypeName: &k.Type, Identifier: &id, PatchDocument: aws.String(document(patch))})
		if err != nil {
			return Result{}, refusal(r, err)
		}
		return k.known(after, out.ProgressEvent.Identifier, out.ProgressEvent.ResourceModel)
	case len(r.Attributes) == 0: // it was imported, or has none
		out, err := client.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &k.Type, Identifier: &id})
		if err != nil {
			return Result{}, refusal(r, err)
		}
		return k.known(after, out.ResourceDescription.Identifier, out.ResourceDescription.Properties)
	}
	return Result{Physical: r.Physical, Attributes: r.Attributes}, nil
}

func (k *Kind) deleteRecorded(ctx context.Context, r *Request) error {
	_, err := Client(r.Clients, cloudcontrol.NewFromConfig).DeleteResource(ctx, &cloudcontrol.DeleteResourceInput{
		TypeName: &k.Type, Identifier: aws.String(k.identifier(r, k.desired(r, r.Properties, nil))),
	})
	if err = gone(err); err != nil {
		return refusal(r, err)
	}
	return nil
}

// desired are the properties as Cloud Control takes them: with the types of
// the schema, the name, and the stack's tags.
func (k *Kind) desired(r *Request, properties map[string]any, tags map[string]string) map[string]any {
	out := coerceObject(k.spec.Properties, properties)
	if k.NameProperty != "" && text(out[k.NameProperty]) == "" && r.Name != "" {
		out[k.NameProperty] = r.Name
	}
	k.addTags(out, tags)
	return out
}

// addTags puts the stack's tags beside the resource's own, which count. Those
// of CloudFormation itself, aws:…, are no part of a resource's model.
func (k *Kind) addTags(properties map[string]any, tags map[string]string) {
	own := tagMap(properties[k.spec.TagProperty])
	if k.spec.TagProperty == "" || spec.Find(k.spec.Properties, k.spec.TagProperty) == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		if _, given := own[name]; given || strings.HasPrefix(name, "aws:") {
			continue
		}
		switch now := properties[k.spec.TagProperty].(type) {
		case map[string]any:
			now[name] = tags[name]
		case []any:
			properties[k.spec.TagProperty] = append(now, k.tag(name, tags[name]))
		case nil:
			properties[k.spec.TagProperty] = map[bool]any{true: map[string]any{name: tags[name]}, false: []any{k.tag(name, tags[name])}}[k.spec.TagStyle == spec.TagMap]
		}
	}
}

func (k *Kind) tag(name, value string) map[string]any {
	tag := map[string]any{"Key": name, "Value": value}
	if k.spec.TagStyle == spec.TagListASG {
		tag["PropagateAtLaunch"] = true
	}
	return tag
}

func (k *Kind) readRecorded(ctx context.Context, r *Request) ([]any, error) {
	id := k.identifier(r, k.desired(r, r.Properties, r.Tags))
	out, err := Client(r.Clients, cloudcontrol.NewFromConfig).GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &k.Type, Identifier: &id})
	if err != nil {
		return nil, err
	}
	model, err := k.model(id, out.ResourceDescription.Properties)
	return []any{model}, err
}

// known is what Ref and Fn::GetAtt answer with from now on. What equals a
// property is not kept twice.
func (k *Kind) known(desired map[string]any, identifier, document *string) (Result, error) {
	model, err := k.model(aws.ToString(identifier), document)
	if err != nil {
		return Result{}, err
	}
	result := Result{Physical: joined(k.spec.Ref, model), Attributes: map[string]any{}}
	if strings.Trim(result.Physical, "|") == "" {
		result.Physical = aws.ToString(identifier)
	}
	answers := slices.Clone(k.spec.Identifier)
	for _, a := range k.spec.Attributes {
		first, _, _ := strings.Cut(a.Name, ".")
		answers = append(answers, first)
	}
	for _, name := range answers {
		if v, ok := model[name]; ok && (name == k.NameProperty || !reflect.DeepEqual(v, desired[name])) {
			result.Attributes[name] = v
		}
	}
	return result, nil
}

// model reads how Cloud Control describes a resource.
func (k *Kind) model(identifier string, document *string) (model map[string]any, err error) {
	dec := json.NewDecoder(strings.NewReader(aws.ToString(document)))
	dec.UseNumber()
	if err := dec.Decode(&model); err != nil {
		return nil, fmt.Errorf("reading the model of %s %q: %w", k.Type, identifier, err)
	}
	return model, nil
}

// identifier names the resource in Cloud Control. The physical id of a
// resource that is being imported is its identifier.
func (k *Kind) identifier(r *Request, desired map[string]any) string {
	values := maps.Clone(desired)
	maps.Copy(values, r.Attributes)
	for _, name := range k.spec.Identifier {
		if spec.Find(k.spec.Properties, name) == nil && !strings.Contains(name, "/") && values[name] == nil {
			return r.Physical
		}
	}
	if id := joined(k.spec.Identifier, values); strings.Trim(id, "|") != "" {
		return id
	}
	return r.Physical
}

func joined(paths []string, values map[string]any) string {
	parts := make([]string, len(paths))
	for i, path := range paths {
		v, _ := dotted(values, strings.ReplaceAll(path, "/", "."))
		parts[i] = text(v)
	}
	return strings.Join(parts, "|")
}

type patchOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1")

// difference is the JSON patch between two sets of properties. What is removed
// is added before: Cloud Control may not have kept it, if it is a secret.
func difference(before, after map[string]any) []patchOperation {
	var patch []patchOperation
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if !reflect.DeepEqual(before[name], after[name]) {
			patch = append(patch, patchOperation{"add", "/" + pointer.Replace(name), after[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := after[name]; !stays {
			path := "/" + pointer.Replace(name)
			patch = append(patch, patchOperation{"add", path, nil}, patchOperation{"remove", path, nil})
		}
	}
	return patch
}

// refusal puts Cloud Control's errors into CloudFormation's words.
func refusal(r *Request, err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	if rest, ok := strings.CutPrefix(api.ErrorMessage(), "Model validation failed ("); ok {
		return Sayf("Properties validation failed for resource %s with message:\n%s", r.LogicalID, strings.TrimSuffix(rest, ")"))
	}
	for _, h := range handlerCodes {
		if strings.Contains(api.ErrorCode(), h.part) {
			return Sayf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", api.ErrorMessage(), uuid(digest(r.Token)), h.code)
		}
	}
	return err
}

func dotted(m map[string]any, path string) (any, bool) {
	var v any = m
	for part := range strings.SplitSeq(path, ".") {
		next, ok := object(v)[part]
		if !ok {
			return nil, false
		}
		v = next
	}
	return v, v != nil
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func uuid(seed string) string {
	return seed[:8] + "-" + seed[8:12] + "-" + seed[12:16] + "-" + seed[16:20] + "-" + seed[20:32]
}
