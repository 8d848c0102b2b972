package executeapi

import (
	"sync"
	"time"
)

// Throttle holds token buckets by name. The zero value is ready.
type Throttle struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

// bucket fills with rate tokens a second, up to burst of them.
type bucket struct {
	rate, burst, tokens float64
	at                  time.Time
}

// maxBuckets bounds the memory; APIs that were deleted leave theirs behind.
const maxBuckets = 10_000

// Take takes a token out of a bucket and tells whether there was one. A bucket
// whose settings changed begins anew, full.
func (t *Throttle) Take(name string, rate, burst float64, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets[name]
	if b == nil || b.rate != rate || b.burst != burst {
		if t.buckets == nil || len(t.buckets) >= maxBuckets {
			t.buckets = map[string]*bucket{}
		}
		b = &bucket{rate: rate, burst: burst, tokens: burst, at: now}
		t.buckets[name] = b
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(b.burst, b.tokens+passed*b.rate)
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
