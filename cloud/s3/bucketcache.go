package s3

import (
	"context"
	"sync"
)

// bucketCache spares requests the reading of their bucket's record. A record is
// forgotten before the request that changed it is answered, so that whoever
// asks afterwards sees the change. Transactions read the store itself.
type bucketCache struct {
	mu      sync.RWMutex
	records map[string]bucket
	epoch   int // rises when something is forgotten
}

const cachedBuckets = 1000

type transactionKey struct{}

// get gives the record that is known, or else what load gives.
func (c *bucketCache) get(ctx context.Context, name string, load func() (bucket, error)) (bucket, error) {
	if ctx.Value(transactionKey{}) != nil {
		return load()
	}
	c.mu.RLock()
	b, ok := c.records[name]
	epoch := c.epoch
	c.mu.RUnlock()
	if ok {
		return b, nil
	}
	b, err := load()
	if err != nil {
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

func (c *bucketCache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.records, name)
}
