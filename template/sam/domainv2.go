package sam

import (
	"slices"
	"strings"

	"ouro/regex"
)

// apiV2 is what HTTP and WebSocket APIs have in common: the domain.
type apiV2 struct {
	*context
	*resource
	domain    *value
	createdBy string // the tag by which SAM marks what it made
	tags      *node  // of the domain in place of that one, nil for none
	alone     bool   // shares no record sets with other APIs
}

var notInBasePath = regex.New(`[^0-9a-zA-Z/\-_]+`)

// makeDomain makes the API's custom domain, maps it to the API, and makes the
// records of its name.
func (a *apiV2) makeDomain() {
	d := a.domain
	if a.failed || d.isNull() {
		return
	}
	wrong := func(format string, args ...any) { a.invalid(a.get("Domain"), a.id, format, args...) }
	if d.get("DomainName").isNull() || d.get("CertificateArn").isNull() {
		wrong("Custom Domains only works if both DomainName and CertificateArn are provided.")
		return
	}
	if d.get("EndpointConfiguration").isNull() {
		d.set("EndpointConfiguration", lit("REGIONAL"))
	}
	if d.get("EndpointConfiguration").scalar() != "REGIONAL" {
		wrong("EndpointConfiguration for Custom Domains must be one of ['REGIONAL'].")
		return
	}
	p, pos := a.pos(), a.node.Pos
	config := p.obj("CertificateArn", d.get("CertificateArn").node(pos), "EndpointType", d.get("EndpointConfiguration").node(pos))
	for _, name := range []string{"OwnershipVerificationCertificateArn", "SecurityPolicy"} {
		if v := d.get(name); v.isTrue() {
			set(config, name, v.node(pos))
		}
	}
	name := d.get("DomainName").node(pos)
	props := p.obj("DomainName", name, "DomainNameConfigurations", p.list(config), "Tags", p.obj(a.createdBy, "SAM"))
	if a.tags != nil {
		set(props, "Tags", clone(a.tags))
	}
	if tls := d.get("MutualTlsAuthentication"); tls.isTrue() {
		store := a.truststore(tls)
		if a.failed {
			return
		}
		set(props, "MutualTlsAuthentication", store)
	}
	id := "ApiGatewayDomainNameV2" + hashOf(name)
	a.add(a.resource, id, "AWS::ApiGatewayV2::DomainName", props)
	if a.mapPaths(id); a.failed {
		return
	}
	a.makeRecords(&records{context: a.context, resource: a.resource, domain: d, route: d.get("Route53"), alone: a.alone, alias: func() *node {
		return p.obj("EvaluateTargetHealth", present(d.get("Route53").get("EvaluateTargetHealth")).node(pos),
			"HostedZoneId", p.getAtt(id, "RegionalHostedZoneId"), "DNSName", p.getAtt(id, "RegionalDomainName"))
	}})
}

func (a *apiV2) truststore(tls *value) *node {
	const fields = "['TruststoreUri', 'TruststoreVersion']"
	if !tls.isMap() {
		a.invalid(a.get("Domain"), a.id, "MutualTlsAuthentication must be a map with at least one of the following fields %s.", fields)
		return nil
	}
	out, ok := truststore(tls, a.pos())
	if !ok {
		var unknown []string
		for key := range tls.members() {
			if key.text != "TruststoreUri" && key.text != "TruststoreVersion" {
				unknown = append(unknown, key.text)
			}
		}
		slices.Sort(unknown)
		// The names stand where a logical id should; so does AWS say it.
		a.invalid(a.get("Domain"), strings.Join(unknown, ","), "Available MutualTlsAuthentication fields are %s.", fields)
	}
	return out
}

// mapPaths makes the paths of the domain lead to the API.
func (a *apiV2) mapPaths(domain string) {
	p := a.pos()
	add := func(id string, key *node) {
		a.add(a.resource, id+"ApiMapping", "AWS::ApiGatewayV2::ApiMapping",
			p.obj("DomainName", p.ref(domain), "ApiId", p.ref(a.id), "Stage", p.ref(a.id+".Stage"), "ApiMappingKey", key))
	}
	paths := a.domain.get("BasePath")
	if paths.isText() && paths.isTrue() {
		paths = listValue(paths)
	}
	if !paths.isTrue() || !paths.isList() {
		add(a.id, nil)
		return
	}
	for _, path := range paths.items {
		switch {
		case !path.isText():
			a.invalid(a.get("Domain"), a.id, "Basepath must be a string.")
			return
		case notInBasePath().MatchString(path.text):
			a.invalid(a.get("Domain"), a.id, "Invalid Basepath name provided.")
			return
		}
		plain := strings.NewReplacer("-", "", "_", "", "/", "").Replace(path.text)
		add(a.id+plain, p.text(strings.Trim(path.text, "/")))
	}
}
