package codepipeline

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/ohler55/ojg/jp"

	"ouro/regex"
)

// The bounds of a webhook's filters.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_WebhookFilterRule.html
const (
	maxWebhookFilters = 5
	maxFilterText     = 150
)

var rootInside = regex.New(`.\$[.\[]`)

// costly are the paths whose work grows with the square of a delivery's size,
// so that one delivery could keep the machine busy for minutes. AWS has no such
// bound.
var costly = []struct {
	what string
	is   func(path string) bool
}{
	{"descends (..) more than once", func(path string) bool { return strings.Count(path, "..") > 1 }},
	{"refers to the root ($) within a filter", func(path string) bool { return rootInside().MatchString(path) }},
}

func checkWebhook(def *types.WebhookDefinition) error {
	for _, named := range []struct {
		member string
		name   *string
	}{{"webhook.name", def.Name}, {"webhook.targetPipeline", def.TargetPipeline}, {"webhook.targetAction", def.TargetAction}} {
		if err := checkName(aws.ToString(named.name), named.member); err != nil {
			return err
		}
	}
	if def.Filters == nil {
		return constraint("null", "webhook.filters", "Member must not be null")
	}
	if n := len(def.Filters); n > maxWebhookFilters {
		return constraint(fmt.Sprint(n), "webhook.filters", "Member must have length less than or equal to 5")
	}
	for _, f := range def.Filters {
		if err := checkWebhookFilter(f); err != nil {
			return err
		}
	}
	return checkAuthentication(def)
}

func checkWebhookFilter(f types.WebhookFilterRule) error {
	path := aws.ToString(f.JsonPath)
	if n := len(path); n < 1 || n > maxFilterText {
		return constraint(path, "webhook.filters.jsonPath", "Member must have length between 1 and 150")
	}
	if v := f.MatchEquals; v != nil && (len(*v) < 1 || len(*v) > maxFilterText) {
		return constraint(*v, "webhook.filters.matchEquals", "Member must have length between 1 and 150")
	}
	if _, err := jp.ParseString(path); err != nil {
		return invalidFilter("The JSON path '%s' is not valid: %v", path, err)
	}
	for _, c := range costly {
		if c.is(path) {
			return invalidFilter("The JSON path '%s' %s, which the local cloud does not take", path, c.what)
		}
	}
	return nil
}

func invalidFilter(format string, args ...any) error {
	return &types.InvalidWebhookFilterPatternException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// checkAuthentication checks that the properties are those that the kind of
// authentication needs, and no others.
func checkAuthentication(def *types.WebhookDefinition) error {
	if kind := def.Authentication; !slices.Contains(kind.Values(), kind) {
		return constraint(string(kind), "webhook.authentication", "Member must satisfy enum value set: [UNAUTHENTICATED, IP, GITHUB_HMAC]")
	}
	c := def.AuthenticationConfiguration
	if c == nil {
		return constraint("null", "webhook.authenticationConfiguration", "Member must not be null")
	}
	secret, ips := aws.ToString(c.SecretToken), aws.ToString(c.AllowedIPRange)
	var why string
	switch {
	case len(secret) > 100 || len(ips) > 100:
		return constraint("****", "webhook.authenticationConfiguration", "Member must have length less than or equal to 100")
	case def.Authentication == types.WebhookAuthenticationTypeGithubHmac && (secret == "" || ips != ""):
		why = "For GITHUB_HMAC, only the SecretToken property must be set"
	case def.Authentication == types.WebhookAuthenticationTypeIp && (secret != "" || ips == ""):
		why = "For IP, only the AllowedIPRange property must be set"
	case def.Authentication == types.WebhookAuthenticationTypeUnauthenticated && (secret != "" || ips != ""):
		why = "For UNAUTHENTICATED, no properties can be set"
	case ips != "":
		if _, err := netip.ParsePrefix(ips); err != nil {
			why = fmt.Sprintf("AllowedIPRange must be set to a valid CIDR range, and '%s' is none", ips)
		}
	}
	if why != "" {
		return &types.InvalidWebhookAuthenticationParametersException{Message: &why}
	}
	return nil
}
