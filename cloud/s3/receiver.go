package s3

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// receiver is a function or a topic that gets events of a bucket.
type receiver struct {
	ID, ARN        string
	Events         []types.Event
	Prefix, Suffix string `json:",omitempty"`
}

// maxReceivers is AWS's quota of notifications of a bucket.
// https://docs.aws.amazon.com/general/latest/gr/s3.html
const maxReceivers = 100

// receiversOf are the receivers of a configuration, as checkNotification left
// it.
func receiversOf(c *types.NotificationConfiguration) []receiver {
	var all []receiver
	for _, f := range c.LambdaFunctionConfigurations {
		all = append(all, newReceiver(f.Id, f.LambdaFunctionArn, f.Events, f.Filter))
	}
	for _, t := range c.TopicConfigurations {
		all = append(all, newReceiver(t.Id, t.TopicArn, t.Events, t.Filter))
	}
	return all
}

func newReceiver(id, arn *string, events []types.Event, filter *types.NotificationConfigurationFilter) receiver {
	r := receiver{ID: aws.ToString(id), ARN: aws.ToString(arn), Events: events}
	for _, rule := range filterRules(filter) {
		if isPrefix(rule) {
			r.Prefix = aws.ToString(rule.Value)
		} else {
			r.Suffix = aws.ToString(rule.Value)
		}
	}
	return r
}

func filterRules(f *types.NotificationConfigurationFilter) []types.FilterRule {
	if f == nil || f.Key == nil {
		return nil
	}
	return f.Key.FilterRules
}

// The names of rules are taken in any case, as the console writes "Prefix".
func isPrefix(r types.FilterRule) bool {
	return strings.EqualFold(string(r.Name), string(types.FilterRuleNamePrefix))
}

// wants tells whether the receiver gets events of that kind of that key.
func (r receiver) wants(kind types.Event, key string) bool {
	return strings.HasPrefix(key, r.Prefix) && strings.HasSuffix(key, r.Suffix) &&
		slices.ContainsFunc(r.Events, func(e types.Event) bool { return covers(e, kind) })
}

// covers tells whether an event type means another one, or is the same.
func covers(e, other types.Event) bool {
	family, all := strings.CutSuffix(string(e), "*")
	return e == other || all && strings.HasPrefix(string(other), family)
}

// checkNotification refuses what AWS refuses, whatever the destinations say,
// and gives names to what has none.
func checkNotification(b bucket, c *types.NotificationConfiguration) error {
	if len(c.QueueConfigurations) > 0 {
		return problem(http.StatusNotImplemented, "NotImplemented", "The local cloud has no Amazon SQS: events of a bucket go to functions, topics and EventBridge")
	}
	for i := range c.LambdaFunctionConfigurations {
		f := &c.LambdaFunctionConfigurations[i]
		nameRule(&f.Id)
		if err := checkFilter(f.Filter); err != nil {
			return err
		}
	}
	for i := range c.TopicConfigurations {
		t := &c.TopicConfigurations[i]
		nameRule(&t.Id)
		if err := checkFilter(t.Filter); err != nil {
			return err
		}
	}
	all := receiversOf(c)
	if len(all) > maxReceivers {
		return invalidArgument(fmt.Sprintf("The number of notification configurations exceeds the limit of %d", maxReceivers), "NotificationConfiguration", fmt.Sprint(len(all)))
	}
	for i, r := range all {
		service := "sns"
		if i < len(c.LambdaFunctionConfigurations) {
			service = "lambda"
		}
		if err := r.check(b, service); err != nil {
			return err
		}
		for _, other := range all[:i] {
			if err := r.besides(other); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFilter(f *types.NotificationConfigurationFilter) error {
	prefixes, suffixes := 0, 0
	for _, rule := range filterRules(f) {
		switch {
		case isPrefix(rule):
			prefixes++
		case strings.EqualFold(string(rule.Name), string(types.FilterRuleNameSuffix)):
			suffixes++
		default:
			return invalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", string(rule.Name))
		}
		switch {
		case prefixes > 1:
			return invalidArgument("Cannot specify more than one prefix rule in a filter.", "FilterRule.Name", "prefix")
		case suffixes > 1:
			return invalidArgument("Cannot specify more than one suffix rule in a filter.", "FilterRule.Name", "suffix")
		case len(aws.ToString(rule.Value)) > 1024:
			return invalidArgument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "FilterRule.Value", "")
		}
	}
	return nil
}

// check is what can be said of one receiver by itself.
func (r receiver) check(b bucket, service string) error {
	if len(r.Events) == 0 {
		return malformedXML()
	}
	for _, e := range r.Events {
		if !slices.Contains(e.Values(), e) {
			return invalidArgument("A specified event is not supported for notifications.", "Event", string(e))
		}
	}
	parts := strings.SplitN(r.ARN, ":", 6)
	switch {
	case len(parts) != 6 || parts[0] != "arn" || parts[2] != service || parts[4] == "":
		return invalidArgument("The ARN could not be parsed", "Arn", r.ARN)
	case parts[3] != b.Region:
		return invalidArgument("The notification destination service region is not valid for the bucket location constraint", "Arn", r.ARN)
	}
	return nil
}

// besides refuses two receivers that both would get an event: no event goes to
// two of them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (r receiver) besides(other receiver) error {
	if r.ID == other.ID {
		return invalidArgument("Same ID used for multiple configurations. IDs must be unique", "Id", r.ID)
	}
	if !strings.HasPrefix(r.Prefix, other.Prefix) && !strings.HasPrefix(other.Prefix, r.Prefix) ||
		!strings.HasSuffix(r.Suffix, other.Suffix) && !strings.HasSuffix(other.Suffix, r.Suffix) {
		return nil
	}
	for _, e := range r.Events {
		for _, o := range other.Events {
			if covers(e, o) || covers(o, e) {
				return badRequest("InvalidArgument", "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.")
			}
		}
	}
	return nil
}
