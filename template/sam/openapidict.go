package sam

import (
	"iter"

	"ouro/template"
)

// dict holds the members of a map.
type dict struct {
	keys, values []*value // nil for members that were removed
	order        memberOrder

	// names are the positions of the members of a plain map, which lists
	// them as they were added; nil for others.
	names map[string]int
}

// hashOf is for memberOrder.
func (d *dict) hashOf(entry int) uint64 { return textHash(d.keys[entry].text) }

// at is the position of key, and the slot it has or would have; -1 when there
// is no such member.
func (d *dict) at(key string) (entry, slot int) {
	if d.names != nil {
		if entry, ok := d.names[key]; ok {
			return entry, 0
		}
		return -1, 0
	}
	slot = d.order.find(textHash(key), func(i int) bool { return d.keys[i].text == key })
	if slot < 0 {
		d.makePlain()
		return d.at(key)
	}
	return int(d.order.slots[slot]) - 1, slot
}

// makePlain gives the order up, for keys that were chosen to collide.
func (d *dict) makePlain() {
	d.names = map[string]int{}
	for _, entry := range d.order.entries() {
		d.names[d.keys[entry].text] = entry
	}
}

// fresh is an empty map of d's kind.
func (d *dict) fresh() *dict {
	if d.names != nil {
		return &dict{names: map[string]int{}}
	}
	return &dict{}
}

// get is the value under key, nil when there is none or v is no map.
func (v *value) get(key string) *value {
	if !v.isMap() {
		return nil
	}
	if entry, _ := v.dict.at(key); entry >= 0 {
		return v.dict.values[entry]
	}
	return nil
}

// has tells whether there is a member of that name, be it null.
func (v *value) has(key string) bool { return v.get(key) != nil }

// set gives a member a value; a new one gets a key that the transform made.
func (v *value) set(key string, member *value) { v.setKey(lit(key), member) }

// setKey is set with a key from elsewhere. A key that is there stays.
func (v *value) setKey(key, member *value) {
	d := v.dict
	entry, slot := d.at(key.text)
	if entry >= 0 {
		d.values[entry] = member
		return
	}
	d.keys, d.values = append(d.keys, key), append(d.values, member)
	if d.names != nil {
		d.names[key.text] = len(d.keys) - 1
	} else {
		d.order.put(slot, len(d.keys)-1, d.hashOf)
	}
}

// member is the value under key, which is put there if there is none.
func (v *value) member(key *value, otherwise func() *value) *value {
	if found := v.get(key.text); found != nil {
		return found
	}
	m := otherwise()
	v.setKey(key, m)
	return m
}

// remove takes a member out and gives its value.
func (v *value) remove(key string) *value {
	if !v.isMap() {
		return nil
	}
	d := v.dict
	entry, slot := d.at(key)
	if entry < 0 {
		return nil
	}
	if d.names != nil {
		delete(d.names, key)
	} else {
		d.order.drop(slot)
	}
	removed := d.values[entry]
	d.keys[entry], d.values[entry] = nil, nil
	return removed
}

// update puts all members of other into v.
func (v *value) update(other *value) {
	if v.dict.names == nil {
		v.dict.order.reserve(other.len(), v.dict.hashOf)
	}
	for k, member := range other.members() {
		v.setKey(k, member)
	}
}

// len is the number of members or items.
func (v *value) len() int {
	switch {
	case v == nil:
		return 0
	case !v.isMap():
		return len(v.items)
	case v.dict.names != nil:
		return len(v.dict.names)
	}
	return v.dict.order.used
}

// members lists keys and values as they are now; v may change meanwhile.
func (v *value) members() iter.Seq2[*value, *value] {
	return func(yield func(k, v *value) bool) {
		if !v.isMap() {
			return
		}
		d := v.dict
		if d.names != nil {
			for i, k := range d.keys {
				if k != nil && !yield(k, d.values[i]) {
					return
				}
			}
			return
		}
		for _, i := range d.order.entries() {
			if d.keys[i] != nil && !yield(d.keys[i], d.values[i]) {
				return
			}
		}
	}
}

// copyMap copies a map but not its members.
func (v *value) copyMap() *value {
	c := &value{kind: template.Map, dict: v.dict.fresh(), pos: v.pos}
	c.update(v)
	return c
}
