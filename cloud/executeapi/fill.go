package executeapi

import "reflect"

// Fill sets the fields of one SDK struct from those of another that have the
// same names and types and are not empty: what a request gives of a resource,
// and what an answer tells of it.
func Fill(dst, src any) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for i := range from.NumField() {
		f := from.Type().Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" || from.Field(i).IsZero() {
			continue
		}
		if field := to.FieldByName(f.Name); field.IsValid() && field.Type() == f.Type {
			field.Set(from.Field(i))
		}
	}
}
