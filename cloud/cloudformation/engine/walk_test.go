package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestWalk checks order, width, and what a failure and a stop leave out.
func TestWalk(t *testing.T) {
	t.Parallel()
	after := map[string][]string{"b": {"a"}, "c": {"a"}, "d": {"b", "c"}, "e": {"x"}}
	ids := []string{"d", "c", "b", "a", "e"}
	for name, c := range map[string]struct {
		fails, stops string
		width        int
		order        []string // with width 1
	}{
		"all":           {"", "", 1, []string{"a", "e", "c", "b", "d"}},
		"after failure": {"b", "", 1, []string{"a", "e", "c", "b"}},
		"until stopped": {"", "e", 1, []string{"a", "e"}},
		"wide":          {"", "", 8, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var order []string
			var running, most atomic.Int32
			stop := make(chan struct{})
			walk(ids, func(id string) []string { return after[id] }, c.width, stop, func(id string) bool {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
				mu.Lock()
				defer mu.Unlock()
				for _, first := range after[id] {
					if slices.Contains(ids, first) && !slices.Contains(order, first) {
						t.Errorf("%s came before %s", id, first)
					}
				}
				order = append(order, id)
				if id == c.stops {
					close(stop)
				}
				return id != c.fails
			})
			if c.order != nil && !slices.Equal(order, c.order) {
				t.Errorf("order is %v, want %v", order, c.order)
			}
			if int(most.Load()) > c.width || c.order == nil && len(order) != len(ids) {
				t.Errorf("%d at once, %v", most.Load(), order)
			}
		})
	}
}

func TestObjectAt(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://127.0.0.1:4566/b/k/x.yaml":                        "b k/x.yaml",
		"http://localhost:4566/b/k":                               "b k",
		"https://b.s3.amazonaws.com/k":                            "b k",
		"https://b.c.s3.us-east-1.amazonaws.com/k":                "b.c k",
		"https://b.s3-eu-west-1.amazonaws.com/k":                  "b k",
		"https://s3.amazonaws.com/b/k":                            "b k",
		"https://s3.eu-west-1.amazonaws.com/b/k":                  "b k",
		"https://s3-eu-west-1.amazonaws.com/b/k":                  "b k",
		"https://s3.dualstack.eu-west-1.amazonaws.com/b/k":        "b k",
		"https://s3.cn-north-1.amazonaws.com.cn/b/k?versionId=v1": "b k v1",
		"http://b.s3.localhost:4566/k":                            "b k",
		"https://example.com/b/k":                                 "",
		"https://ec2.us-east-1.amazonaws.com/b/k":                 "",
		"file:///etc/passwd":                                      "",
		"http://127.0.0.1:4566/b":                                 "",
	} {
		in, err := objectAt("http://127.0.0.1:4566", address)
		got := ""
		if err == nil {
			got = *in.Bucket + " " + *in.Key
			if in.VersionId != nil {
				got += " " + *in.VersionId
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q (%v)", address, got, want, err)
		}
	}
}
