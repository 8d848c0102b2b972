package template

import (
	"strings"
)

// maxDynamic is how many dynamic references a template may hold
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
const maxDynamic = 60

// secureProperties may hold references to secure strings
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html);
// * is any member of a list.
var secureProperties = []string{
	"AWS::DirectoryService::MicrosoftAD/Properties/Password",
	"AWS::DirectoryService::SimpleAD/Properties/Password",
	"AWS::ElastiCache::ReplicationGroup/Properties/AuthToken",
	"AWS::IAM::User/Properties/LoginProfile/Password",
	"AWS::KinesisFirehose::DeliveryStream/Properties/RedshiftDestinationConfiguration/Password",
	"AWS::OpsWorks::App/Properties/AppSource/Password",
	"AWS::OpsWorks::Stack/Properties/CustomCookbooksSource/Password",
	"AWS::OpsWorks::Stack/Properties/RdsDbInstances/*/DbPassword",
	"AWS::RDS::DBCluster/Properties/MasterUserPassword",
	"AWS::RDS::DBInstance/Properties/MasterUserPassword",
	"AWS::Redshift::Cluster/Properties/MasterUserPassword",
}

// checkDynamic looks at the dynamic references that are written out in
// resources and outputs. Those that functions put together show when they are
// evaluated.
func (c *checker) checkDynamic() {
	d := &dynamicWalk{checker: c, path: c.path}
	if c.resources != nil && c.resources.Kind == Map {
		for _, n := range c.resources.Items {
			d.kind = n.Get("Type").Scalar()
			d.attribute(n, "Properties")
			d.attribute(n, "Metadata")
		}
	}
	if outputs := c.t.Root.Get("Outputs"); outputs != nil && outputs.Kind == Map {
		for _, n := range outputs.Items {
			d.kind = ""
			d.attribute(n, "Value")
		}
	}
	if d.count > maxDynamic {
		c.problem(c.t.Root.Pos, "too-many", "", "", "%d dynamic references, at most %d are allowed", d.count, maxDynamic)
	}
}

type dynamicWalk struct {
	*checker
	kind  string   // of the resource; "" in outputs
	path  []string // in the resource
	count int
}

func (d *dynamicWalk) attribute(n *Node, name string) {
	if v := n.Get(name); v != nil {
		d.path = append(d.path[:0], name)
		d.walk(v)
	}
}

func (d *dynamicWalk) walk(n *Node) {
	if n.Kind == String {
		if strings.Contains(n.Text, dynamicOpen) {
			d.references(n)
		}
		return
	}
	for i, item := range n.Items {
		if item.Kind < String {
			continue
		}
		step := "*"
		if n.Kind == Map {
			step = n.Keys[i].Text
		}
		d.path = append(d.path, step)
		d.walk(item)
		d.path = d.path[:len(d.path)-1]
	}
}

// references checks each reference in a text.
func (d *dynamicWalk) references(n *Node) {
	rest := n.Text
	for {
		_, after, found := strings.Cut(rest, dynamicOpen)
		inside, after, closed := strings.Cut(after, "}}")
		if !found || !closed {
			return
		}
		rest = after
		d.count++
		if strings.Contains(inside, "${") {
			continue // Fn::Sub fills it in
		}
		service, reference, ok := strings.Cut(inside, ":")
		if message := dynamicShape(service, reference, ok); message != "" {
			d.missing(n.Pos, "dynamic-reference", "", message, "%s", message)
			continue
		}
		d.position(n, service)
	}
}

// position checks where a reference to a secret stands.
func (d *dynamicWalk) position(n *Node, service string) {
	inProperties := d.kind != "" && d.path[0] == "Properties"
	switch {
	case service == "secretsmanager" && !inProperties:
		d.warn(n.Pos, "dynamic-reference", "", "a reference to Secrets Manager is resolved in properties of resources only, here it stays as it is")
	case service == "ssm-secure" && !secure(d.kind, d.path):
		at := "Outputs"
		if d.kind != "" {
			at = d.kind + "/" + strings.Join(d.path, "/")
		}
		d.missing(n.Pos, "dynamic-reference", at, "SSM Secure reference is not supported in: []", "%s does not take references to secure strings", at)
	}
}

func secure(kind string, path []string) bool {
	for _, property := range secureProperties {
		if rest, ok := strings.CutPrefix(property, kind+"/"); ok && covers(strings.Split(rest, "/"), path) {
			return true
		}
	}
	return false
}

// covers tells whether path is the property, or inside functions that give its
// value.
func covers(property, path []string) bool {
	for _, step := range path {
		switch {
		case step == "Ref" || strings.HasPrefix(step, "Fn::"):
		case len(property) > 0 && property[0] == step:
			property = property[1:]
		case len(property) == 0:
			return true // the arguments of a function
		default:
			return step == "*"
		}
	}
	return len(property) == 0
}
