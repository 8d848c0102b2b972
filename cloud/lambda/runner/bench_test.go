//go:build linux

package runner_test

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkWarm is an invocation of a process that is there, and BenchmarkCold
// one that starts its process; both tell the median beside the mean.
func BenchmarkWarm(b *testing.B) {
	w := newWorld(b)
	fn := own(b, "echo")
	w.invoke(fn, "{}")
	measure(b, func() { w.invoke(fn, `{"key": "value"}`) })
}

func BenchmarkWarmPython(b *testing.B) {
	w := newWorld(b)
	fn := function("python3.11", "index.handler", code(b, "index.py", "def handler(e, c): return e\n"))
	w.invoke(fn, "{}")
	measure(b, func() { w.invoke(fn, `{"key": "value"}`) })
}

func BenchmarkWarmNode(b *testing.B) {
	w := newWorld(b)
	fn := function("nodejs20.x", "index.handler", code(b, "index.js", "exports.handler = async (e) => e"))
	w.invoke(fn, "{}")
	measure(b, func() { w.invoke(fn, `{"key": "value"}`) })
}

func BenchmarkCold(b *testing.B) {
	w := newWorld(b)
	fn := own(b, "answer and exit")
	w.invoke(fn, "{}")
	measure(b, func() {
		if r := w.invoke(fn, "{}"); !r.Cold {
			b.Fatal("warm")
		}
	})
}

func measure(b *testing.B, do func()) {
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		do()
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
}
