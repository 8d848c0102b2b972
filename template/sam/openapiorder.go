package sam

import "slices"

// memberOrder is the order in which Python 2.7 lists the keys of a dict: by
// their place in the hash table, which depends on how the dict came about. The
// transform has to know it, because SAM names a deployment after the hash of
// the API's definition as Python 2.7 printed it, and has kept those names ever
// since (samtranslator/utils/py27hash_fix.py). The zero memberOrder is empty.
//
// It stores positions of entries; what the entries are is the owner's matter.
type memberOrder struct {
	slots []int32 // 0 never used, -1 used before, else position + 1
	used  int     // entries
	taken int     // slots that are not 0
}

const (
	smallestTable = 8
	slotFree      = 0
	slotDummy     = -1

	// maxProbes is more slots than a search looks at unless the keys were
	// chosen to collide.
	maxProbes = 5000
)

// find is the slot of an entry with that hash for which same holds, or the
// one that such an entry would take; -1 when it is not found in good time.
func (o *memberOrder) find(hash uint64, same func(entry int) bool) int {
	if o.slots == nil {
		o.slots = make([]int32, smallestTable)
	}
	mask := uint64(len(o.slots) - 1)
	reuse := -1
	walker, perturb := hash, hash
	at := int(hash & mask)
	for range maxProbes {
		switch slot := o.slots[at]; {
		case slot == slotFree && reuse >= 0:
			return reuse
		case slot == slotFree:
			return at
		case slot == slotDummy:
			if reuse < 0 {
				reuse = at
			}
		case same(int(slot - 1)):
			return at
		}
		walker = walker*5 + perturb + 1
		perturb >>= 5
		at = int(walker & mask)
	}
	return -1
}

// put writes a new entry to the slot that find gave for it.
func (o *memberOrder) put(slot, entry int, hashOf func(entry int) uint64) {
	if o.slots[slot] == slotFree {
		o.taken++
	}
	o.slots[slot] = int32(entry + 1)
	o.used++
	if o.taken*3 >= len(o.slots)*2 {
		o.resize(o.used*4, hashOf)
	}
}

// reserve makes room for more entries as Python's dict.update does.
func (o *memberOrder) reserve(more int, hashOf func(entry int) uint64) {
	if more == 0 {
		return
	}
	if o.slots == nil {
		o.slots = make([]int32, smallestTable)
	}
	if (o.taken+more)*3 >= len(o.slots)*2 {
		o.resize((o.used+more)*2, hashOf)
	}
}

func (o *memberOrder) resize(atLeast int, hashOf func(entry int) uint64) {
	size := smallestTable
	for size <= atLeast {
		size *= 2
	}
	old := o.slots
	o.slots, o.used, o.taken = make([]int32, size), 0, 0
	for _, slot := range old {
		if slot > 0 {
			entry := int(slot - 1)
			at := o.find(hashOf(entry), func(int) bool { return false })
			if at < 0 {
				at = slices.Index(o.slots, slotFree)
			}
			o.slots[at] = slot
			o.used++
			o.taken++
		}
	}
}

// drop empties a slot.
func (o *memberOrder) drop(slot int) {
	o.slots[slot] = slotDummy
	o.used--
}

// entries are the positions of all entries in Python 2.7's order.
func (o *memberOrder) entries() []int {
	out := make([]int, 0, o.used)
	for _, slot := range o.slots {
		if slot > 0 {
			out = append(out, int(slot-1))
		}
	}
	return out
}

// textHash is Python 2.7's hash of a string on a 64-bit machine.
func textHash(s string) uint64 {
	if s == "" {
		return 0
	}
	var x, length uint64
	for _, r := range s {
		if length == 0 {
			x = uint64(r) << 7
		}
		x = 1000003*x ^ uint64(r)
		length++
	}
	return x ^ length
}

// tableOrder is the order in which Python 2.7 lists keys that were put into a
// dict one after the other.
func tableOrder(keys []string) []int {
	var o memberOrder
	hashOf := func(i int) uint64 { return textHash(keys[i]) }
	for i, k := range keys {
		slot := o.find(textHash(k), func(j int) bool { return keys[j] == k })
		if slot >= 0 && o.slots[slot] <= 0 {
			o.put(slot, i, hashOf)
		}
	}
	return o.entries()
}
