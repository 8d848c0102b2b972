package cloudcontrol

import (
	"strconv"
	"strings"
	"time"
)

// variables of patterns, beside id, own and arn, a resource's properties, and
// digits such as ${hex16} and ${num9}, or letters too: ${low10}, ${up13}.
var variables = map[string]func(m *maker) string{
	"Partition": func(m *maker) string { return m.caller.Partition() },
	"Region":    func(m *maker) string { return m.caller.Region },
	"Account":   func(m *maker) string { return m.caller.Account },
	"uuid":      func(m *maker) string { return uuid(digest(m.r.Seed)) },
	"created":   func(m *maker) string { return m.r.Created.Format(time.RFC3339) },
	"stream":    func(m *maker) string { return m.r.Created.Format("2006-01-02T15:04:05.000") },
	"byte1":     func(m *maker) string { return m.octet("hex2") },
	"byte2":     func(m *maker) string { return m.octet("hex3") },
	"port":      port,
	"revision":  func(m *maker) string { return strconv.Itoa(max(1, m.r.Revision)) },
	"balancer":  func(m *maker) string { return either(balancers[m.known("Type")], "app") },
	"gateway": func(m *maker) string {
		return map[bool]string{true: "VGW", false: "IGW"}[m.known("VpnGatewayId") != ""]
	},
	"cluster": func(m *maker) string { return either(tail(m.known("Cluster")), "default") },
	"cidr": func(m *maker) string {
		return either(m.known("DestinationCidrBlock"), either(m.known("DestinationIpv6CidrBlock"), m.known("DestinationPrefixListId")))
	},
	// Listeners and rules carry the ARN of what they belong to on.
	"listener": func(m *maker) string {
		return strings.Replace(m.known("LoadBalancerArn"), ":loadbalancer/", ":listener/", 1)
	},
	"rule": func(m *maker) string {
		return strings.Replace(m.known("ListenerArn"), ":listener/", ":listener-rule/", 1)
	},
	"topic": func(m *maker) string { return m.known("TopicArn") },
	"webacl": func(m *maker) string {
		return map[bool]string{true: "global", false: "regional"}[m.known("Scope") == "CLOUDFRONT"]
	},
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// octet is a number of three digits at most, out of made-up ones.
func (m *maker) octet(of string) string {
	n := 0
	digits, _ := m.digits(of)
	for _, c := range digits {
		n = n*16 + strings.IndexRune(alphabets["hex"], c)
	}
	return strconv.Itoa(n%254 + 1)
}

// balancers are how ARNs call the types of load balancers.
var balancers = map[string]string{"network": "net", "gateway": "gwy"}

// ports by the beginning of the engine's name, or by the type's service.
var ports = []struct{ engine, port string }{
	{"mysql", "3306"}, {"mariadb", "3306"}, {"aurora-postgresql", "5432"}, {"aurora", "3306"}, {"postgres", "5432"}, {"oracle", "1521"},
	{"sqlserver", "1433"}, {"docdb", "27017"}, {"neptune", "8182"}, {"redis", "6379"}, {"valkey", "6379"}, {"memcached", "11211"},
	{"AWS::RDS", "3306"}, {"AWS::DocDB", "27017"}, {"AWS::Neptune", "8182"}, {"AWS::ElastiCache", "6379"}, {"AWS::MemoryDB", "6379"}, {"AWS::Redshift", "5439"},
}

func port(m *maker) string {
	if p := m.known("Port"); p != "" {
		return p
	}
	for _, of := range []string{m.known("Engine"), m.t.Name} {
		for _, p := range ports {
			if of != "" && strings.HasPrefix(of, p.engine) {
				return p.port
			}
		}
	}
	return "443"
}

// goodStates are those that a resource is in that works.
var goodStates = []string{"ACTIVE", "AVAILABLE", "ENABLED", "RUNNING", "CREATED", "COMPLETE", "COMPLETED", "READY", "SUCCEEDED", "SUCCESS", "OK", "NORMAL"}

// endings are the shapes of attributes by the end of their name, in lower
// case; the first that fits counts.
var endings = []struct{ end, pattern string }{
	{"hostedzoneid", "Z${up20}"}, {"vpcid", "vpc-0${hex16}"}, {"subnetid", "subnet-0${hex16}"}, {"securitygroupid", "sg-0${hex16}"},
	{"securitygroup", "sg-0${hex16}"}, {"networkacl", "acl-0${hex16}"}, {"networkaclassociationid", "aclassoc-0${hex16}"},
	{"networkinterfaceid", "eni-0${hex16}"}, {"availabilityzoneid", "use1-az1"}, {"availabilityzone", "${Region}a"},
	{"accountid", "${Account}"}, {"ownerid", "${Account}"}, {"owner", "${Account}"}, {"region", "${Region}"}, {"port", "${port}"},
	{"publicip", "203.0.113.${byte1}"}, {"ipaddress", "10.0.${byte1}.${byte2}"}, {"privateip", "10.0.${byte1}.${byte2}"}, {"ipv4address", "10.0.${byte1}.${byte2}"},
	{"dnsname", "${own}-${num9}.${Region}.amazonaws.com"}, {"domainname", "${own}-${num9}.${Region}.amazonaws.com"},
	{"endpoint", "${own}.${low12}.${Region}.amazonaws.com"}, {"endpoint.address", "${own}.${low12}.${Region}.amazonaws.com"}, {"address", "${own}.${low12}.${Region}.amazonaws.com"},
	{"hostname", "${own}.${Region}.amazonaws.com"}, {"url", "https://${low10}.${Region}.amazonaws.com/${own}"}, {"uri", "https://${low10}.${Region}.amazonaws.com/${own}"},
	{"version", "1"}, {"versionnumber", "1"}, {"status", "ACTIVE"}, {"state", "ACTIVE"},
	{"time", "${created}"}, {"createdat", "${created}"}, {"updatedat", "${created}"}, {"createdon", "${created}"}, {"date", "${created}"}, {"timestamp", "${created}"},
	{"createdby", "arn:${Partition}:iam::${Account}:root"}, {"updatedby", "arn:${Partition}:iam::${Account}:root"},
}

// arnServices are the services' names in ARNs where they are not the type's.
var arnServices = map[string]string{
	"elasticloadbalancingv2": "elasticloadbalancing", "certificatemanager": "acm", "stepfunctions": "states", "opensearchservice": "es",
	"elasticsearch": "es", "msk": "kafka", "efs": "elasticfilesystem", "cognito": "cognito-idp", "apigatewayv2": "apigateway", "docdb": "rds",
	"neptune": "rds", "applicationautoscaling": "application-autoscaling", "servicecatalog": "catalog", "emr": "elasticmapreduce", "resourcegroups": "resource-groups",
}
