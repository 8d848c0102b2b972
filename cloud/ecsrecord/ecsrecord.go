// Package ecsrecord reads and changes the services of ECS that the local cloud
// records, with their task definitions and load balancers. Nothing runs behind
// them: a deployment changes what the records say, through Cloud Control, as
// the role that makes it.
package ecsrecord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
)

// Types of the records.
const (
	Cluster        = "AWS::ECS::Cluster"
	Service        = "AWS::ECS::Service"
	TaskDefinition = "AWS::ECS::TaskDefinition"
	TargetGroup    = "AWS::ElasticLoadBalancingV2::TargetGroup"
	Listener       = "AWS::ElasticLoadBalancingV2::Listener"
	ListenerRule   = "AWS::ElasticLoadBalancingV2::ListenerRule"
)

// What is not recorded.
var (
	ErrNoCluster        = errors.New("cluster not found")
	ErrNoService        = errors.New("service not found")
	ErrNoTaskDefinition = errors.New("task definition not found")
	ErrNoTargetGroup    = errors.New("target group not found")
)

// Records are those that a caller sees.
type Records struct{ client *cloudcontrol.Client }

// New gives the records that calls with the configuration see.
func New(as aws.Config) Records { return Records{cloudcontrol.NewFromConfig(as)} }

// Record is a resource with its properties.
type Record struct {
	ID         string
	Properties map[string]any // numbers as they were written
}

// Read gives a record.
func (r Records) Read(ctx context.Context, kind, id string) (*Record, error) {
	out, err := r.client.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &id})
	if err != nil {
		return nil, err
	}
	return read(id, out.ResourceDescription.Properties)
}

func read(id string, properties *string) (*Record, error) {
	dec := json.NewDecoder(strings.NewReader(aws.ToString(properties)))
	dec.UseNumber()
	record := &Record{ID: id}
	if err := dec.Decode(&record.Properties); err != nil {
		return nil, fmt.Errorf("reading the record of %s: %w", id, err)
	}
	return record, nil
}

// Set gives properties of a record new values; one that is nil is taken away.
func (r Records) Set(ctx context.Context, kind, id string, properties map[string]any) error {
	now, err := r.Read(ctx, kind, id)
	if err != nil {
		return err
	}
	var patch []map[string]any
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		value, is := properties[name], now.Properties[name]
		switch {
		case value != nil:
			patch = append(patch, map[string]any{"op": "add", "path": "/" + name, "value": value})
		case is != nil:
			patch = append(patch, map[string]any{"op": "remove", "path": "/" + name})
		}
	}
	if patch == nil {
		return nil
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("writing the change of %s: %w", id, err)
	}
	_, err = r.client.UpdateResource(ctx, &cloudcontrol.UpdateResourceInput{TypeName: &kind, Identifier: &id, PatchDocument: aws.String(string(text))})
	return err
}

// Register makes a task definition, the next revision of its family. The token
// makes it once.
func (r Records) Register(ctx context.Context, properties map[string]any, token string) (arn string, err error) {
	body, err := json.Marshal(properties)
	if err != nil {
		return "", fmt.Errorf("writing a task definition: %w", err)
	}
	out, err := r.client.CreateResource(ctx, &cloudcontrol.CreateResourceInput{
		TypeName: aws.String(TaskDefinition), DesiredState: aws.String(string(body)), ClientToken: &token,
	})
	if err != nil {
		return "", err
	}
	if arn = aws.ToString(out.ProgressEvent.Identifier); arn == "" {
		return "", fmt.Errorf("the task definition was not registered: %s", aws.ToString(out.ProgressEvent.StatusMessage))
	}
	return arn, nil
}

// each calls visit with every record of a type until it says that it has
// enough.
func (r Records) each(ctx context.Context, kind string, visit func(id string, properties *string) (enough bool, err error)) error {
	pages := cloudcontrol.NewListResourcesPaginator(r.client, &cloudcontrol.ListResourcesInput{TypeName: &kind})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, d := range page.ResourceDescriptions {
			if enough, err := visit(aws.ToString(d.Identifier), d.Properties); enough || err != nil {
				return err
			}
		}
	}
	return nil
}

// Name is the last part of an ARN, or the name itself.
func Name(of string) string { return of[strings.LastIndexByte(of, '/')+1:] }

// Service finds a service by the names, or ARNs, of its cluster and its own.
func (r Records) Service(ctx context.Context, cluster, name string) (*Record, error) {
	var found *Record
	clusterThere := false
	err := r.each(ctx, Service, func(id string, properties *string) (bool, error) {
		arn, _, _ := strings.Cut(id, "|")
		_, path, _ := strings.Cut(arn, ":service/")
		in, own, _ := strings.Cut(path, "/")
		clusterThere = clusterThere || in == Name(cluster)
		if in != Name(cluster) || own != Name(name) {
			return false, nil
		}
		var err error
		found, err = read(id, properties)
		return true, err
	})
	if err != nil || found != nil {
		return found, err
	}
	if !clusterThere {
		if _, err := r.Read(ctx, Cluster, Name(cluster)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoCluster, err)
		}
	}
	return nil, ErrNoService
}

// TaskDefinition finds a task definition by its ARN, by family and revision, or
// the newest of a family; the latter two may stand in an ARN.
func (r Records) TaskDefinition(ctx context.Context, name string) (*Record, error) {
	wanted := Name(name)
	var found *Record
	newest := ""
	err := r.each(ctx, TaskDefinition, func(id string, properties *string) (bool, error) {
		own := Name(id)
		family, revision, _ := strings.Cut(own, ":")
		exact := own == wanted
		if !exact && (family != wanted || !later(revision, newest)) {
			return false, nil
		}
		newest = revision
		var err error
		found, err = read(id, properties)
		return exact, err
	})
	if err == nil && found == nil {
		err = ErrNoTaskDefinition
	}
	return found, err
}

// later compares two revisions, which are whole numbers.
func later(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }

// TargetGroup finds the ARN of a target group by its name.
func (r Records) TargetGroup(ctx context.Context, name string) (arn string, err error) {
	err = r.each(ctx, TargetGroup, func(id string, _ *string) (bool, error) {
		if _, path, _ := strings.Cut(id, ":targetgroup/"); strings.HasPrefix(path, name+"/") {
			arn = id
		}
		return arn != "", nil
	})
	if err == nil && arn == "" {
		err = ErrNoTargetGroup
	}
	return arn, err
}

// Rules are the rules of a listener.
func (r Records) Rules(ctx context.Context, listener string) ([]*Record, error) {
	var out []*Record
	// arn:…:listener/app/NAME/ID/ID has rules arn:…:listener-rule/app/NAME/ID/ID/ID
	prefix := strings.Replace(listener, ":listener/", ":listener-rule/", 1) + "/"
	return out, r.each(ctx, ListenerRule, func(id string, properties *string) (bool, error) {
		if !strings.HasPrefix(id, prefix) {
			return false, nil
		}
		rule, err := read(id, properties)
		out = append(out, rule)
		return false, err
	})
}
