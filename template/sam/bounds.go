package sam

import (
	"fmt"

	"ouro/template"
)

// Bounds on what a template may turn into. CloudFormation takes 500 resources
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html),
// and every resource of SAM's and every event becomes at least one; what
// Globals and tags repeat is kept to a multiple of what a file may hold.
const (
	maxResources = 500
	maxCopied    = 2 * template.MaxNodes
)

// checkSize refuses a template that would have too many resources.
func checkSize(c *context) {
	n := len(c.resources.Keys)
	for r := range c.all(prefix) {
		if events := r.get("Events"); isMap(events) {
			n += len(events.Keys)
		}
		if destinations := r.get("Destination"); isList(destinations) {
			n += len(destinations.Items)
		}
	}
	if n > maxResources {
		c.problem(c.resources, "", fmt.Sprintf("Template format error: Number of resources, %d, is greater than maximum allowed, %d", n, maxResources))
		c.fatal = true
	}
}

// copies tells whether n may be copied so many times more. When it may not,
// the template is refused.
func (c *context) copies(n *node, times int) bool {
	c.copied += size(n) * times
	if c.copied <= maxCopied {
		return true
	}
	if !c.fatal {
		c.failed = false
		c.refuse(n, "It repeats more than %d values of Globals and tags.", maxCopied)
	}
	return false
}

// size is how many values n holds.
func size(n *node) int {
	count := 1
	for _, item := range n.Items {
		count += size(item)
	}
	return count
}
