package validate

import (
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

// secretProperties hold what nobody should read in a template.
var secretProperties = []string{
	"AccountPassword", "AdminPassword", "AdminUserPassword", "AuthToken", "ClientSecret", "DomainJoinUserPassword", "MasterUserPassword",
	"OAuthToken", "OauthToken", "Password", "PrivateKey", "SecretAccessKey", "SecretKey", "SecretString", "ServiceAccountPassword",
}

// An access key id, without AWS's examples; and the head of a private key.
var (
	accessKey  = regex.New(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`)
	privateKey = regex.New(`-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----`)
)

// secrets warns of what should be in Secrets Manager instead.
func (c *checker) secrets() {
	for _, p := range c.t.Parameters() {
		if p.NoEcho && p.Default != nil && *p.Default != "" && !strings.Contains(*p.Default, dynamic) {
			c.add(p.Pos, "no-echo-default", "the Default of %q can be read by everybody who sees the template, though the parameter has NoEcho", p.Name)
		}
	}
	for _, r := range c.t.Resources() {
		c.secretsIn(r.Properties)
	}
	c.keysIn(c.t.Root)
}

// secretsIn looks for properties that hold secrets.
func (c *checker) secretsIn(n *template.Node) {
	if n == nil || n.Kind < template.List {
		return
	}
	for i, item := range n.Items {
		if n.Kind == template.Map && slices.Contains(secretProperties, n.Keys[i].Text) {
			c.secret(n.Keys[i].Text, item)
		}
		c.secretsIn(item)
	}
}

func (c *checker) secret(property string, n *template.Node) {
	name, arg := n.Function()
	switch {
	case n.Kind == template.String && n.Text != "" && !strings.Contains(n.Text, dynamic):
		c.add(n.Pos, "hard-coded-secret", "%s stands in the template for everybody to read; let Secrets Manager keep it and refer to it with {{resolve:secretsmanager:…}}", property)
	case name == "Ref":
		p, ok := c.declared[arg.Text]
		if _, fetched := p.SSM(); ok && !p.NoEcho && !fetched {
			c.add(n.Pos, "echoed-secret", "%s comes from the parameter %q, which everybody who may see the stack can read; give it NoEcho: true", property, p.Name)
		}
	}
}

// keysIn looks for texts that are keys wherever they stand.
func (c *checker) keysIn(n *template.Node) {
	for _, item := range n.Items {
		c.keysIn(item)
	}
	if n.Kind != template.String || len(n.Text) < 20 {
		return
	}
	// Nearly no text has these letters, which is found out sooner.
	if strings.Contains(n.Text, "AKIA") || strings.Contains(n.Text, "ASIA") {
		if id := accessKey().FindString(n.Text); id != "" && !strings.HasSuffix(id, "EXAMPLE") {
			c.add(n.Pos, "hard-coded-secret", "an access key stands in the template: %s…", id[:8])
		}
	}
	if privateKey().MatchString(n.Text) {
		c.add(n.Pos, "hard-coded-secret", "a private key stands in the template")
	}
}
