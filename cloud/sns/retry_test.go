package sns

import (
	"slices"
	"testing"
	"time"
)

// TestPauses goes through the phases of delivery policies, in seconds.
func TestPauses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy retryPolicy
		want   []float64
	}{
		"AWS's for HTTP": {httpRetries, []float64{20, 20, 20}},
		"all phases":     {retryPolicy{MinDelay: 1, MaxDelay: 9, Retries: 8, AtOnce: 2, AtMinDelay: 1, AtMaxDelay: 1, Backoff: "linear"}, []float64{0, 0, 1, 3, 5, 7, 9, 9}},
		"arithmetic":     {retryPolicy{MinDelay: 1, MaxDelay: 9, Retries: 2, Backoff: "arithmetic"}, []float64{4, 9}},
		"geometric":      {retryPolicy{MinDelay: 1, MaxDelay: 9, Retries: 2, Backoff: "geometric"}, []float64{3, 9}},
		"none":           {retryPolicy{MinDelay: 1, MaxDelay: 9}, nil},
	} {
		var got []float64
		for n := 1; ; n++ {
			pause, ok := c.policy.pause(n)
			if !ok {
				break
			}
			got = append(got, float64(pause)/float64(time.Second))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
