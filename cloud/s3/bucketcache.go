package s3

import "sync"

// bucketCache spares requests the reading of their bucket's record. While a
// bucket is being changed nothing is known: whoever asks then, in a transaction
// or not, reads the store, and whoever asks after the change was answered sees
// it.
type bucketCache struct {
	mu       sync.RWMutex
	records  map[string]bucket
	changing int // changes under way
	epoch    int // rises with each change's beginning and end
}

const cachedBuckets = 1000

// get gives the record that is known, or else what load gives.
func (c *bucketCache) get(name string, load func() (bucket, error)) (bucket, error) {
	c.mu.RLock()
	b, ok := c.records[name]
	epoch, changing := c.epoch, c.changing > 0
	c.mu.RUnlock()
	if ok && !changing {
		return b, nil
	}
	b, err := load()
	if err != nil || changing {
		return b, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch == epoch { // else it may have changed since it was read
		if c.records == nil || len(c.records) >= cachedBuckets {
			c.records = map[string]bucket{}
		}
		c.records[name] = b
	}
	return b, nil
}

// change announces that a bucket is about to change. The function that it gives
// must be called when that is committed, or given up.
func (c *bucketCache) change(name string) (done func()) {
	c.step(name, 1)
	return func() { c.step(name, -1) }
}

func (c *bucketCache) step(name string, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changing += by
	c.epoch++
	delete(c.records, name)
}
