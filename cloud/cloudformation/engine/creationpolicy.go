package engine

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/resource"
	"ouro/regex"
)

// creationPolicy is what has to happen before a resource that was made counts
// as made.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-creationpolicy.html
type creationPolicy struct {
	count   int           // signals; 0 for no wait
	need    int           // of these, how many must tell of success
	percent int           // MinSuccessfulInstancesPercent
	group   bool          // of an Auto Scaling group, in which some may fail
	timeout time.Duration // for all of them
}

// signalled are the types whose creation signals can hold up. AWS knows one
// more, AppStream fleets, which need none.
var signalled = map[string]bool{
	"AWS::AutoScaling::AutoScalingGroup": true, "AWS::EC2::Instance": true, "AWS::CloudFormation::WaitCondition": true,
}

const (
	signalTimeout = 5 * time.Minute // of a policy that says nothing
	longestSignal = 12 * time.Hour
)

// creationPolicy evaluates the policy of a resource.
func (m *Model) creationPolicy(id string, a answers) (creationPolicy, error) {
	res := m.Resources[id]
	if res.CreationPolicy == nil || !signalled[res.Type] {
		return creationPolicy{}, nil
	}
	env := m.env
	env.Ref, env.GetAtt, env.Import = a.ref, a.getAtt, a.imp
	v, err := m.Template.Eval(res.CreationPolicy, &env)
	if err != nil {
		return creationPolicy{}, err
	}
	policy, _ := v.(map[string]any)
	signal, ok := policy["ResourceSignal"].(map[string]any)
	if !ok {
		return creationPolicy{}, nil
	}
	p := creationPolicy{count: 1, percent: 100, timeout: signalTimeout, group: res.Type == "AWS::AutoScaling::AutoScalingGroup"}
	if err := whole(signal["Count"], "CreationPolicy/ResourceSignal/Count", math.MaxInt32, &p.count); err != nil {
		return p, err
	}
	if scaling, ok := policy["AutoScalingCreationPolicy"].(map[string]any); ok && p.group {
		err := whole(scaling["MinSuccessfulInstancesPercent"], "CreationPolicy/AutoScalingCreationPolicy/MinSuccessfulInstancesPercent", 100, &p.percent)
		if err != nil {
			return p, err
		}
	}
	if text, ok := signal["Timeout"].(string); ok {
		if p.timeout, ok = duration(text); !ok {
			return p, resource.Sayf("CreationPolicy/ResourceSignal/Timeout: %q is no duration of ISO 8601 of at most 12 hours, such as PT15M", text)
		}
	}
	p.need = (p.count*p.percent + 99) / 100
	return p, nil
}

// whole reads a number from 0 to most, if there is one.
func whole(v any, what string, most int, into *int) error {
	if v == nil {
		return nil
	}
	text, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 0 || n > most {
		return resource.Sayf("%s: %s is not a number between 0 and %d", what, canonical(v), most)
	}
	*into = n
	return nil
}

var isoDuration = regex.New(`^PT(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?$`)

// duration reads hours, minutes and seconds as ISO 8601 writes them.
func duration(text string) (time.Duration, bool) {
	parts := isoDuration().FindStringSubmatch(text)
	if parts == nil || text == "PT" {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		if n, err := strconv.Atoi(parts[i+1]); err == nil {
			d += time.Duration(n) * unit
		}
	}
	return d, d <= longestSignal
}

// decided tells whether the signals that came are enough, or, by its error,
// that they never will be.
func (p creationPolicy) decided(by map[string]types.ResourceSignalStatus) (bool, error) {
	succeeded, failed := 0, []string{}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		if by[id] == types.ResourceSignalStatusFailure {
			failed = append(failed, id)
		} else {
			succeeded++
		}
	}
	switch {
	case len(failed) > 0 && !p.group:
		return false, resource.Sayf("Received FAILURE signal with UniqueId %s", failed[0])
	case len(failed) > p.count-p.need:
		return false, resource.Sayf("Received %d FAILURE signal(s) out of %d. Unable to satisfy %d%% MinSuccessfulInstancesPercent requirement", len(failed), p.count, p.percent)
	}
	return succeeded+len(failed) >= p.count, nil
}

// late judges what came until the deadline: missing signals count as failures.
func (p creationPolicy) late(by map[string]types.ResourceSignalStatus) error {
	succeeded := 0
	for _, status := range by {
		if status != types.ResourceSignalStatusFailure {
			succeeded++
		}
	}
	if succeeded >= p.need {
		return nil
	}
	return resource.Sayf("Failed to receive %d resource signal(s) within the specified duration", p.count-len(by))
}
