package sam

// tableOrdered tells whether SAM goes through the template in the order of
// Python 2.7's tables: it does when there is a REST API, or an HTTP API with a
// default authorizer, and otherwise takes the order of the source.
func tableOrdered(c *context) bool {
	authorizer := truthy(dig(c.root.Get("Globals"), "HttpApi", "Auth", "DefaultAuthorizer"))
	for _, n := range c.resources.Items {
		switch typ := n.Get("Type").Scalar(); {
		case typ == restType.typ:
			return true
		case typ == httpType.typ && (authorizer || truthy(dig(n, "Properties", "Auth", "DefaultAuthorizer"))):
			return true
		case typ != prefix+"Function" && typ != prefix+"StateMachine":
			continue
		}
		for _, e := range entries(dig(n, "Properties", "Events")) {
			typ := get(e, "Type").Scalar()
			if typ == restType.event || typ == httpType.event && authorizer {
				return true
			}
		}
	}
	return false
}
