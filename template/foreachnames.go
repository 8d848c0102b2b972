package template

// uniqueLoops refuses loops whose name or identifier is that of a parameter or
// resource, or of another loop.
func (r *resolver) uniqueLoops() error {
	u := loopNames{taken: keySet(r.t.Root.Get("Parameters"), r.t.Root.Get("Resources")), loops: map[string]bool{}, identifiers: map[string]bool{}}
	for _, name := range extendedSections {
		section := r.t.Root.Get(name)
		if section == nil {
			continue
		}
		u.section = keySet(section)
		if err := u.walk(section, nil); err != nil {
			return err
		}
	}
	return nil
}

func keySet(maps ...*Node) map[string]bool {
	out := map[string]bool{}
	for _, n := range maps {
		if n != nil {
			for _, k := range n.Keys {
				out[k.Text] = true
			}
		}
	}
	return out
}

// loopNames is the walk of uniqueLoops.
type loopNames struct {
	taken, section     map[string]bool // names of parameters and resources, and in the section
	loops, identifiers map[string]bool
}

func (u *loopNames) walk(n *Node, outer *binding) error {
	for i, item := range n.Items {
		inner := outer
		if n.Kind == Map {
			l, ok, err := loopOf(n.Keys[i], item)
			if err == nil && ok {
				inner, err = outer.enter(l)
			}
			if err == nil && ok {
				err = u.add(l)
			}
			if err != nil {
				return err
			}
		}
		if err := u.walk(item, inner); err != nil {
			return err
		}
	}
	return nil
}

func (u *loopNames) add(l loop) error {
	for _, name := range []string{l.name, l.identifier} {
		if u.taken[name] {
			return evalError(l.key, "%s: %s is the name of a parameter or resource too", l.key.Text, name)
		}
	}
	if u.loops[l.name] || u.section[l.name] {
		return evalError(l.key, "%s: there is another of that name", l.key.Text)
	}
	u.loops[l.name], u.identifiers[l.identifier] = true, true
	if u.loops[l.identifier] || u.identifiers[l.name] {
		return evalError(l.key, "%s: a loop and an identifier have the same name", l.key.Text)
	}
	return nil
}
