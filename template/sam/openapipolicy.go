package sam

import (
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

// addPolicy adds to the API's resource policy what a ResourcePolicy of SAM's
// says about the methods of a path.
func (d *definition) addPolicy(policy *value, path, stage *value) error {
	if !policy.isMap() {
		return mistakef("Resource Policy is not a valid dictionary.")
	}
	for _, accounts := range [][2]string{{"AwsAccountWhitelist", "Allow"}, {"AwsAccountBlacklist", "Deny"}} {
		if list := policy.get(accounts[0]); !list.isNull() {
			if err := d.addAccounts(list, accounts[1], path, stage); err != nil {
				return err
			}
		}
	}
	for _, ranges := range [][2]string{{"IpRangeWhitelist", "NotIpAddress"}, {"IpRangeBlacklist", "IpAddress"}} {
		if list := policy.get(ranges[0]); list.isTrue() {
			condition := plainOf("aws:SourceIp", listOrOne(list))
			if err := d.addDenial(ranges[1], condition, path, stage); err != nil {
				return err
			}
		}
	}
	for _, networks := range [][2]string{{"Blacklist", "StringEquals"}, {"Whitelist", "StringNotEquals"}} {
		condition, err := networkCondition(policy, networks[0])
		if err != nil {
			return err
		}
		if condition.len() > 0 {
			if err := d.addDenial(networks[1], condition, path, stage); err != nil {
				return err
			}
		}
	}
	d.doc.set(extPolicy, d.policy)
	return nil
}

func listOrOne(v *value) *value {
	if v.isList() {
		return v
	}
	return listValue(v)
}

// networkCondition is a condition on the VPCs and VPC endpoints that a policy
// lists under the names that end in kind.
func networkCondition(policy *value, kind string) (*value, error) {
	condition := newDict()
	extend := func(key string, items ...*value) {
		list := condition.member(lit(key), func() *value { return listValue() })
		list.items = append(list.items, items...)
	}
	if list := policy.get("SourceVpc" + kind); !list.isNull() {
		var vpcs, endpoints []*value
		for _, item := range list.items {
			switch {
			case !item.isText():
				return nil, mistakef("SourceVpc%s must be a list of strings. Use IntrinsicVpc%s instead for values that use Intrinsic Functions", kind, kind)
			case strings.HasPrefix(item.text, "vpce-"):
				endpoints = append(endpoints, item)
			case strings.HasPrefix(item.text, "vpc-"):
				vpcs = append(vpcs, item)
			}
		}
		if len(vpcs) > 0 {
			extend("aws:SourceVpc", vpcs...)
		}
		if len(endpoints) > 0 {
			extend("aws:SourceVpce", endpoints...)
		}
	}
	for _, key := range [][2]string{{"IntrinsicVpc", "aws:SourceVpc"}, {"IntrinsicVpce", "aws:SourceVpce"}} {
		if list := policy.get(key[0] + kind); !list.isNull() {
			extend(key[1], list.items...)
		}
	}
	if condition.get("aws:SourceVpc").len()+condition.get("aws:SourceVpce").len() == 0 {
		return newDict(), nil
	}
	return condition, nil
}

// addAccounts lets accounts call the methods of a path, or not.
func (d *definition) addAccounts(accounts *value, effect string, path, stage *value) error {
	if !accounts.isTrue() {
		return nil
	}
	if !accounts.isList() && !accounts.isMap() {
		return mistakef("Type of '%s' must be a list or dictionary", said(accounts))
	}
	resources, err := d.methodARNs(path, stage)
	if err != nil {
		return err
	}
	d.policy.set("Version", lit("2012-10-17"))
	statement := policyStatement(effect, resources, dictOf("AWS", listOrOne(accounts)))
	if d.policy.get("Statement").isNull() {
		d.policy.set("Statement", statement)
		d.stated = nil
		return nil
	}
	d.addStatements(true, statement)
	return nil
}

// addDenial lets everybody call the methods of a path, but those for whom the
// condition holds.
func (d *definition) addDenial(operator string, condition, path, stage *value) error {
	resources, err := d.methodARNs(path, stage)
	if err != nil {
		return err
	}
	d.policy.set("Version", lit("2012-10-17"))
	allow := policyStatement("Allow", resources, lit("*"))
	deny := policyStatement("Deny", resources, lit("*"))
	deny.set("Condition", plainOf(operator, condition))
	d.addStatements(false, allow, deny)
	return nil
}

func policyStatement(effect string, resources, principal *value) *value {
	return dictOf("Effect", lit(effect), "Action", lit("execute-api:Invoke"), "Resource", resources, "Principal", principal)
}

// addStatements adds statements to the policy; those that are there already
// only if again.
func (d *definition) addStatements(again bool, statements ...*value) {
	all := listValue()
	if have := d.policy.get("Statement"); !have.isNull() {
		all = listOrOne(have)
	}
	if d.stated == nil {
		d.stated = map[string]bool{}
		for _, s := range all.items {
			d.stated[s.meaning()] = true
		}
	}
	for _, s := range statements {
		meaning := s.meaning()
		if again || !d.stated[meaning] {
			all.items = append(all.items, s)
			d.stated[meaning] = true
		}
	}
	d.policy.set("Statement", all)
}

// meaning is a text that only values have that mean the same.
func (v *value) meaning() string { return string(template.Canonical(v.node(template.Pos{}))) }

// addCustomStatements adds statements that the template wrote itself.
func (d *definition) addCustomStatements(statements *value) {
	d.policy.set("Version", lit("2012-10-17"))
	if d.policy.get("Statement").isNull() {
		d.policy.set("Statement", statements)
		d.stated = nil
	} else {
		d.addStatements(false, listOrOne(statements).items...)
	}
	d.doc.set(extPolicy, d.policy)
}

var restPathParameter = regex.New(`\{([a-zA-Z0-9._-]+|[a-zA-Z0-9._-]+\+|proxy\+)\}`)

// starred is a path with * in place of its parameters, as in ARNs.
func starred(path string) string { return restPathParameter().ReplaceAllString(path, "*") }

// methodARNs are the methods of a path as resources of a policy.
func (d *definition) methodARNs(path, stage *value) (*value, error) {
	items, err := d.items(path.text)
	if err != nil {
		return nil, err
	}
	if stage == nil {
		stage = nullValue()
	}
	out := listValue()
	for _, item := range items {
		for key := range item.members() {
			method := strings.ToUpper(key.text)
			if slices.Contains([]string{extAnyMethod, "any"}, strings.ToLower(key.text)) {
				method = "*"
			}
			arn := lit("execute-api:/${__Stage__}/" + method + starred(path.text))
			arn.given = path.given || key.given && method != "*"
			out.items = append(out.items, plainOf("Fn::Sub", listValue(arn, plainOf("__Stage__", stage))))
		}
	}
	return out, nil
}
