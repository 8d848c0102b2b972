package cloudformation_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// BenchmarkParameters creates, changes one of, and deletes a stack of 500
// Systems Manager parameters, from the first request to the stack's last status.
func BenchmarkParameters(b *testing.B) {
	w := newWorld(b)
	resources := map[string]any{}
	for i := range 500 {
		resources[fmt.Sprintf("P%d", i)] = parameter("1")
	}
	body := template(b, resources)
	resources["P250"] = parameter("2")
	changed := template(b, resources)
	must := func(s types.Stack, status types.StackStatus) {
		if s.StackStatus != status {
			b.Fatalf("%s: %s", s.StackStatus, *s.StackStatusReason)
		}
	}
	b.Run("create", func(b *testing.B) {
		for range b.N {
			must(w.create("s", body), types.StackStatusCreateComplete)
			b.StopTimer()
			w.delete("s")
			b.StartTimer()
		}
	})
	w.create("s", body)
	b.Run("update", func(b *testing.B) {
		for range b.N {
			must(w.update("s", changed), types.StackStatusUpdateComplete)
			body, changed = changed, body
		}
	})
}
