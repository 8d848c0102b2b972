package sam

import (
	"slices"
	"strings"
	"unicode"
)

// edgeZone is Route 53's hosted zone of all edge-optimized domains
// (https://docs.aws.amazon.com/general/latest/gr/apigateway.html).
const edgeZone = "Z2FDTNDATAQYW2"

// makeDomain makes the API's custom domain, maps it to the API, and makes the
// records of its name.
func (a *restAPI) makeDomain() {
	d := a.domain
	if d.isNull() {
		return
	}
	wrong := func(format string, args ...any) { a.invalid(a.get("Domain"), a.id, format, args...) }
	switch {
	case !d.isMap():
		wrong("Property 'Domain' should be a map.")
		return
	case d.get("DomainName").isNull():
		wrong("Property 'Domain.DomainName' is required.")
		return
	case d.get("CertificateArn").isNull():
		wrong("Property 'Domain.CertificateArn' is required.")
		return
	}
	name := d.get("DomainName").node(a.node.Pos)
	endpoint := d.get("EndpointConfiguration")
	private := endpoint.scalar() == "PRIVATE"
	id := "ApiGatewayDomainName" + hashOf(name)
	if private {
		id = "ApiGatewayDomainNameV2" + hashOf(name)
	} else {
		d.set("ApiDomainName", lit(id))
	}
	if endpoint.isNull() {
		endpoint = lit("REGIONAL")
		d.set("EndpointConfiguration", endpoint)
	}
	if !slices.Contains([]string{"EDGE", "REGIONAL", "PRIVATE"}, endpoint.scalar()) {
		wrong("EndpointConfiguration for Custom Domains must be one of ['EDGE', 'REGIONAL', 'PRIVATE'].")
		return
	}
	if a.addDomainName(id, private); a.failed {
		return
	}
	if a.mapPaths(id, private); a.failed {
		return
	}
	if association := d.get("AccessAssociation"); private && !association.isNull() {
		if !association.isMap() {
			wrong("Property 'Domain.AccessAssociation' should be a map.")
			return
		}
		a.associate(id, association)
	}
	a.makeRecords(restRecords(a, id))
}

// addDomainName makes the domain itself.
func (a *restAPI) addDomainName(id string, private bool) {
	p, d := a.pos(), a.domain
	part := func(name string) *node { return d.get(name).node(a.node.Pos) }
	endpoint := p.obj("Types", p.list(part("EndpointConfiguration")))
	if v := d.get("IpAddressType"); v.isTrue() {
		set(endpoint, "IpAddressType", part("IpAddressType"))
	}
	props := p.obj("DomainName", part("DomainName"), "EndpointConfiguration", endpoint)
	certificate := "CertificateArn"
	if d.get("EndpointConfiguration").scalar() == "REGIONAL" {
		certificate = "RegionalCertificateArn"
	}
	set(props, certificate, part("CertificateArn"))
	if tls := d.get("MutualTlsAuthentication"); !private && tls.isTrue() {
		truststore := a.truststore(tls)
		if a.failed {
			return
		}
		set(props, "MutualTlsAuthentication", truststore)
	}
	optional := []string{"SecurityPolicy", "EndpointAccessMode", "OwnershipVerificationCertificateArn"}
	typ := "AWS::ApiGateway::DomainName"
	if private {
		optional, typ = []string{"SecurityPolicy", "EndpointAccessMode", "Policy"}, "AWS::ApiGateway::DomainNameV2"
	}
	for _, name := range optional {
		if d.get(name).isTrue() {
			set(props, name, part(name))
		}
	}
	a.add(a.resource, id, typ, props)
}

// truststore is MutualTlsAuthentication, checked.
func (a *restAPI) truststore(tls *value) *node {
	if !tls.isMap() {
		a.invalid(a.get("Domain"), a.id, "Property 'Domain.MutualTlsAuthentication' should be a map.")
		return nil
	}
	out, ok := truststore(tls, a.pos())
	if !ok {
		a.invalid(a.get("Domain"), a.id, "Available Domain.MutualTlsAuthentication fields are ['TruststoreUri', 'TruststoreVersion'].")
	}
	return out
}

// truststore is where the certificates of clients lie; false when tls has other
// members.
func truststore(tls *value, p at) (*node, bool) {
	out := p.obj()
	for key, v := range tls.members() {
		if key.text != "TruststoreUri" && key.text != "TruststoreVersion" {
			return nil, false
		}
		if v.isTrue() {
			set(out, key.text, v.node(out.Pos))
		}
	}
	return out, true
}

// mapPaths makes the paths of the domain lead to the API.
func (a *restAPI) mapPaths(id string, private bool) {
	p := a.pos()
	add := func(logicalID string, path *node) {
		typ, domain := "AWS::ApiGateway::BasePathMapping", "DomainName"
		if private {
			typ, domain = "AWS::ApiGateway::BasePathMappingV2", "DomainNameArn"
		}
		a.add(a.resource, logicalID, typ, p.obj(domain, p.ref(id), "RestApiId", p.ref(a.id), "Stage", p.ref(a.id+".Stage"), "BasePath", path))
	}
	paths := a.domain.get("BasePath")
	if paths.isText() && paths.isTrue() {
		paths = listValue(paths)
	}
	if !paths.isTrue() || !paths.isList() {
		add(a.id+"BasePathMapping", nil)
		return
	}
	asWritten := a.domain.get("NormalizeBasePath")
	for i, path := range paths.items {
		if !path.isText() {
			a.invalid(a.get("Domain"), a.id, "Property 'Domain.BasePath[%d]' should be a string.", i)
			return
		}
		plain := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				return r
			}
			return -1
		}, path.text)
		base := plain
		if asWritten != nil && !asWritten.isTrue() {
			base = path.text
		}
		add(a.id+plain+"BasePathMapping", p.text(base))
	}
}

// associate lets a VPC endpoint reach a private domain.
func (a *restAPI) associate(domain string, association *value) {
	p := a.pos()
	endpoint := association.get("VpcEndpointId").node(a.node.Pos)
	if endpoint == nil {
		endpoint = nullValue().node(a.node.Pos)
	}
	id := "DomainNameAccessAssociation" + hashOf(p.list(endpoint, domain))
	a.add(a.resource, id, "AWS::ApiGateway::DomainNameAccessAssociation", p.obj(
		"DomainNameArn", p.ref(domain), "AccessAssociationSourceType", "VPCE", "AccessAssociationSource", get(p.obj("id", endpoint), "id")))
}

// records are what Route 53 shall answer for a domain.
type records struct {
	*context
	*resource
	domain *value
	route  *value // the domain's Route53
	alias  func() *node

	separate bool // a domain may have a group of its own
	alone    bool // every domain has
}

// restRecords are the records of a REST API's domain. target is what its
// attributes are read from.
func restRecords(a *restAPI, target string) *records {
	route := a.domain.get("Route53")
	return &records{context: a.context, resource: a.resource, domain: a.domain, route: route, separate: true, alias: func() *node {
		p := a.pos()
		zone, name := p.getAtt(target, "RegionalHostedZoneId"), p.getAtt(target, "RegionalDomainName")
		switch a.domain.get("EndpointConfiguration").scalar() {
		case "REGIONAL":
		case "EDGE":
			if route.get("DistributionDomainName").isNull() {
				route.set("DistributionDomainName", plainOf("Fn::GetAtt", listValue(lit(target), lit("DistributionDomainName"))))
			}
			zone, name = p.text(edgeZone), route.get("DistributionDomainName").node(a.node.Pos)
		default:
			zone, name = route.get("VpcEndpointHostedZoneId").node(a.node.Pos), route.get("VpcEndpointDomainName").node(a.node.Pos)
		}
		return p.obj("EvaluateTargetHealth", present(route.get("EvaluateTargetHealth")).node(a.node.Pos), "HostedZoneId", zone, "DNSName", name)
	}}
}

// present is v, nil if it is null.
func present(v *value) *value {
	if v.isNull() {
		return nil
	}
	return v
}

// makeRecords makes the records of a domain: in the group of its hosted zone,
// which all APIs of the template share, or in one of its own.
func (c *context) makeRecords(s *records) {
	if s.route.isNull() {
		return
	}
	where := s.get("Domain")
	if !s.route.isMap() {
		c.invalid(where, s.id, "Property 'Domain.Route53' should be a map.")
		return
	}
	zone, zoneName := s.route.get("HostedZoneId"), s.route.get("HostedZoneName")
	if zone.isNull() && zoneName.isNull() {
		c.invalid(where, s.id, "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains.")
		return
	}
	key := zone
	if !key.isTrue() {
		key = zoneName
	}
	pos := s.node.Pos
	p := at(pos)
	id := "RecordSetGroup" + hashOf(key.node(pos))
	own := s.route.get("SeparateRecordSetGroup")
	separate := s.separate && own.isTrue()
	if separate && !own.isBool() {
		c.invalid(where, s.id, "Property 'Domain.Route53.SeparateRecordSetGroup' should be a boolean.")
		return
	}
	if separate {
		id = "RecordSetGroup" + hashOf(p.list(key.node(pos), s.domain.get("DomainName").node(pos)))
	}
	group := c.apis.recordSets[id]
	if group != nil && !separate && !s.alone {
		c.made = append(c.made, group)
	} else {
		props := p.obj("HostedZoneId", present(zone).node(pos), "HostedZoneName", present(zoneName).node(pos), "RecordSets", p.list())
		if zone != nil && !s.separate {
			remove(props, "HostedZoneName")
		}
		group = c.add(s.resource, id, "AWS::Route53::RecordSetGroup", props)
		if !separate && !s.alone {
			c.apis.recordSets[id] = group
		}
	}
	sets := group.props.Get("RecordSets")
	sets.Items = append(sets.Items, s.records(p)...)
}

// records are the addresses of a domain: of IP version 4, and of 6 if wanted.
func (s *records) records(p at) []*node {
	types := []string{"A"}
	if v6 := s.route.get("IpV6"); v6.isBool() && v6.isTrue() {
		types = append(types, "AAAA")
	}
	var out []*node
	pos := s.node.Pos
	for _, typ := range types {
		out = append(out, p.obj(
			"Name", s.domain.get("DomainName").node(pos), "Type", typ, "AliasTarget", s.alias(),
			"Region", present(s.route.get("Region")).node(pos), "SetIdentifier", present(s.route.get("SetIdentifier")).node(pos)))
	}
	return out
}
