package sam

import (
	"fmt"
	"slices"
)

// problem notes why the template is refused. The first one of a resource is
// kept, as what follows is mostly its consequence; where is the source's node
// that is to blame.
func (c *context) problem(where *node, id, message string) {
	if c.failed {
		return
	}
	c.failed = true
	if slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Message == message }) {
		return
	}
	p := Problem{ID: id, Message: message}
	if where != nil {
		p.Pos = where.Pos
	}
	c.problems = append(c.problems, p)
}

// invalid says that a resource is wrong.
func (c *context) invalid(where *node, id, format string, args ...any) {
	c.problem(where, id, fmt.Sprintf("Resource with id [%s] is invalid. ", id)+fmt.Sprintf(format, args...))
}

// invalidEvent says that an event of the resource id is wrong.
func (c *context) invalidEvent(where *node, id, event, format string, args ...any) {
	c.invalid(where, id, "Event with id [%s] is invalid. %s", event, fmt.Sprintf(format, args...))
}

// shown is a value as SAM's messages show it.
func shown(n *node) string {
	if n == nil {
		return "None"
	}
	return said(fromNode(n))
}

// refuse says that the template as a whole is wrong, and ends the run. It is
// all that is said then.
func (c *context) refuse(where *node, format string, args ...any) {
	c.failed, c.problems = false, nil
	c.problem(where, "", "Structure of the SAM template is invalid. "+fmt.Sprintf(format, args...))
	c.fatal = true
}
