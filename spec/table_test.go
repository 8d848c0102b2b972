package spec

import "testing"

// TestSize holds the table to what a binary should pay for it.
func TestSize(t *testing.T) {
	t.Parallel()
	if len(table) > 1<<20 {
		t.Errorf("the table has %d bytes", len(table))
	}
}

// BenchmarkFirst is what a command pays that looks at one large type.
func BenchmarkFirst(b *testing.B) {
	for b.Loop() {
		types.Clear()
		objects.Clear()
		t, _ := Lookup("AWS::S3::Bucket")
		for _, p := range t.Properties {
			p.Value.Properties()
		}
	}
}

// BenchmarkAll is what a command pays that looks at every type.
func BenchmarkAll(b *testing.B) {
	for b.Loop() {
		types.Clear()
		for _, name := range Names() {
			Lookup(name)
		}
	}
}

func BenchmarkAgain(b *testing.B) {
	for b.Loop() {
		Lookup("AWS::S3::Bucket")
	}
}
