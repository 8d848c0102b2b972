package sns

import (
	"maps"
	"strconv"
)

// view is a topic as GetTopicAttributes shows it.
func (t topic) view(subs []subscription) map[string]string {
	confirmed, pending := 0, 0
	for _, sub := range subs {
		if sub.Confirmed {
			confirmed++
		} else {
			pending++
		}
	}
	out := map[string]string{"DisplayName": ""}
	maps.Copy(out, t.Attributes)
	out["TopicArn"], out["Owner"], out["Policy"] = t.ARN, t.Owner, t.policy()
	out["SubscriptionsConfirmed"], out["SubscriptionsPending"] = strconv.Itoa(confirmed), strconv.Itoa(pending)
	out["SubscriptionsDeleted"] = strconv.Itoa(t.Deleted)
	out["EffectiveDeliveryPolicy"] = effective(t, subscription{}).topicJSON()
	if t.fifo() && out["ContentBasedDeduplication"] == "" {
		out["ContentBasedDeduplication"] = "false"
	}
	return out
}

// view is a subscription as GetSubscriptionAttributes shows it.
func (s subscription) view(t topic) map[string]string {
	out := map[string]string{"RawMessageDelivery": "false"}
	maps.Copy(out, s.Attributes)
	out["SubscriptionArn"], out["TopicArn"], out["Owner"] = s.ARN, s.Topic, s.Owner
	out["Protocol"], out["Endpoint"], out["SubscriptionPrincipal"] = s.Protocol, s.Endpoint, s.Principal
	out["ConfirmationWasAuthenticated"] = strconv.FormatBool(s.Authenticated)
	out["PendingConfirmation"] = strconv.FormatBool(!s.Confirmed)
	if out["FilterPolicy"] != "" && out["FilterPolicyScope"] == "" {
		out["FilterPolicyScope"] = scopeAttributes
	}
	if isHTTP(s.Protocol) {
		out["EffectiveDeliveryPolicy"] = effective(t, s).subscriptionJSON()
	}
	return out
}
