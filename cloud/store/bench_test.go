package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"

	"ouro/cloud/store"
)

func BenchmarkPutSerial(b *testing.B) {
	table := store.NewTable[record](open(b), "test", "record")
	for i := range b.N {
		if err := table.Put(context.Background(), here, fmt.Sprint("record-", i%10000), record{"name", i}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutParallel(b *testing.B) {
	table := store.NewTable[record](open(b), "test", "record")
	var n atomic.Int64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1))
			if err := table.Put(context.Background(), here, fmt.Sprint("record-", i%10000), record{"name", i}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUpdateParallel(b *testing.B) {
	table := store.NewTable[record](open(b), "test", "record")
	if err := table.Put(context.Background(), here, "a", record{Name: "name"}); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, err := table.Update(context.Background(), here, "a", func(r *record) error { r.Count++; return nil })
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	journal := store.NewJournal[record](open(b), "test", "log")
	for i := range b.N {
		if _, err := journal.Append(context.Background(), here, "stream", record{"name", i}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	table := store.NewTable[record](open(b), "test", "record")
	for i := range 1000 {
		if err := table.Put(context.Background(), here, fmt.Sprint("record-", i), record{"name", i}); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for i := range b.N {
		if _, err := table.Get(context.Background(), here, fmt.Sprint("record-", i%1000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutBlob(b *testing.B) {
	s := open(b)
	content := bytes.Repeat([]byte("template"), 256)
	b.SetBytes(int64(len(content)))
	for i := range b.N {
		binary.LittleEndian.PutUint64(content, uint64(i))
		if _, err := s.PutBlob(context.Background(), bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutLarge writes records of 600 bytes whose names come in no order.
func BenchmarkPutLarge(b *testing.B) {
	table := store.NewTable[record](open(b), "test", "record")
	name := string(bytes.Repeat([]byte("x"), 600))
	var n atomic.Int64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1))
			if err := table.Put(context.Background(), here, fmt.Sprint("record-", uint32(i)*2654435761), record{name, i}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
