package cloudformation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/regex"
)

// Limits of requests.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
const (
	maxName         = 128
	maxTags         = 50
	maxTagKey       = 128
	maxTagValue     = 256
	maxTopics       = 5
	maxTriggers     = 5
	maxMonitoring   = 180
	maxPolicy       = 16384
	maxTemplateBody = 51200
)

// Patterns of members, as AWS quotes them.
const (
	nameText     = "[a-zA-Z][-a-zA-Z0-9]*"
	nameOrIDText = nameText + "|arn:[-a-zA-Z0-9:/._+]*"
	tokenText    = "[a-zA-Z0-9][-a-zA-Z0-9]*"
)

var (
	nameExpr     = regex.New("^(?:" + nameText + ")$")
	nameOrIDExpr = regex.New("^(?:" + nameOrIDText + ")$")
	tokenExpr    = regex.New("^(?:" + tokenText + ")$")
)

// violations collects what a request gets wrong in the form of its members;
// AWS tells of all of it at once.
type violations []string

func (v *violations) add(member, value, format string, a ...any) {
	*v = append(*v, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must ", value, member)+fmt.Sprintf(format, a...))
}

// text checks the length, in characters, and the pattern of a member that was given.
func (v *violations) text(member string, value *string, shortest, longest int, pattern string, expr func() *regexp.Regexp) {
	if value == nil {
		return
	}
	switch n := utf8.RuneCountInString(*value); {
	case n < shortest:
		v.add(member, *value, "have length greater than or equal to %d", shortest)
	case n > longest:
		v.add(member, *value, "have length less than or equal to %d", longest)
	}
	if expr != nil && !expr().MatchString(*value) {
		v.add(member, *value, "satisfy regular expression pattern: %s", pattern)
	}
}

// name checks the name of something that is about to be made.
func (v *violations) name(member string, value *string) {
	if value == nil {
		*v = append(*v, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member))
		return
	}
	v.text(member, value, 1, maxName, nameText, nameExpr)
}

// enum checks a member that was given against the values of its type.
func enum[T ~string](v *violations, member string, given T, values []T) {
	if given == "" || slices.Contains(values, given) {
		return
	}
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	v.add(member, string(given), "satisfy enum value set: [%s]", strings.Join(names, ", "))
}

func (v *violations) token(member string, value *string) {
	v.text(member, value, 1, maxName, tokenText, tokenExpr)
}

func (v *violations) tags(tags []types.Tag) {
	if len(tags) > maxTags {
		v.add("tags", fmt.Sprintf("%d tags", len(tags)), "have length less than or equal to %d", maxTags)
	}
	for i, t := range tags {
		v.text(fmt.Sprintf("tags.%d.member.key", i+1), aws.String(aws.ToString(t.Key)), 1, maxTagKey, "", nil)
		v.text(fmt.Sprintf("tags.%d.member.value", i+1), aws.String(aws.ToString(t.Value)), 0, maxTagValue, "", nil)
	}
}

func (v *violations) topics(arns []string) {
	if len(arns) > maxTopics {
		v.add("notificationARNs", "["+strings.Join(arns, ", ")+"]", "have length less than or equal to %d", maxTopics)
	}
}

func (v *violations) rollback(c *types.RollbackConfiguration) {
	if c == nil {
		return
	}
	if m := aws.ToInt32(c.MonitoringTimeInMinutes); m < 0 || m > maxMonitoring {
		v.add("rollbackConfiguration.monitoringTimeInMinutes", fmt.Sprint(m), "have value between 0 and %d", maxMonitoring)
	}
	if len(c.RollbackTriggers) > maxTriggers {
		v.add("rollbackConfiguration.rollbackTriggers", fmt.Sprintf("%d triggers", len(c.RollbackTriggers)), "have length less than or equal to %d", maxTriggers)
	}
}

// err is nil when there is nothing to tell of.
func (v violations) err() error {
	switch len(v) {
	case 0:
		return nil
	case 1:
		return invalid("1 validation error detected: %s", v[0])
	}
	return invalid("%d validation errors detected: %s", len(v), strings.Join(v, "; "))
}

// check looks at the form of what stacks and change sets are asked for with.
func (in *asked) check(v *violations) error {
	v.token("clientRequestToken", in.token)
	v.text("templateBody", in.body, 1, maxTemplateBody, "", nil)
	v.text("templateURL", in.url, 1, 5120, "", nil)
	v.text("roleARN", in.roleARN, 20, 2048, "", nil)
	v.tags(in.tags)
	v.topics(in.notifications)
	v.rollback(in.rollback)
	for _, c := range in.capabilities {
		enum(v, "capabilities", c, c.Values())
	}
	if err := v.err(); err != nil {
		return err
	}
	if in.deployment != nil && in.deployment.Mode == types.DeploymentConfigModeExpress {
		return invalid("DeploymentConfig mode EXPRESS is not supported by the local cloud: operations always wait for their resources")
	}
	return checkTriggers(in.rollback)
}

// checkTriggers wants rollback triggers to name alarms; whether they are there
// the operation finds out.
func checkTriggers(c *types.RollbackConfiguration) error {
	if c == nil {
		return nil
	}
	for _, t := range c.RollbackTriggers {
		if kind := aws.ToString(t.Type); kind != "AWS::CloudWatch::Alarm" && kind != "AWS::CloudWatch::CompositeAlarm" {
			return invalid("Rollback Trigger Type not supported")
		}
		if parts := strings.SplitN(aws.ToString(t.Arn), ":", 7); len(parts) != 7 || parts[2] != "cloudwatch" || parts[5] != "alarm" {
			return invalid("RelativeId of a Rollback Trigger's ARN is incorrect")
		}
	}
	return nil
}

// allows tells whether ResourceTypes has room for a type.
func allows(resourceTypes []string, name string) bool {
	return len(resourceTypes) == 0 || slices.ContainsFunc(resourceTypes, func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == name || wild && strings.HasPrefix(name, prefix)
	})
}
