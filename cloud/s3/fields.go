package s3

import (
	"reflect"
	"sync"
)

// sameFields makes a function that copies every exported field of From to the
// field of To with the same name and type, where there is one. The SDK repeats
// the members of an object in a dozen structs; this copies them by name.
func sameFields[From, To any]() func(from *From, to *To) {
	// Looking at types takes its time, which is not for the program's start.
	pairs := sync.OnceValue(func() (pairs [][2]int) {
		src, dst := reflect.TypeFor[From](), reflect.TypeFor[To]()
		for i := range src.NumField() {
			f := src.Field(i)
			g, ok := dst.FieldByName(f.Name)
			if ok && f.IsExported() && f.Type == g.Type && len(g.Index) == 1 && f.Name != "ResultMetadata" {
				pairs = append(pairs, [2]int{i, g.Index[0]})
			}
		}
		return pairs
	})
	return func(from *From, to *To) {
		src, dst := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
		for _, p := range pairs() {
			if v := src.Field(p[0]); !v.IsZero() {
				dst.Field(p[1]).Set(v)
			}
		}
	}
}

// value is what p points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
