package apigateway

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// patch applies the operations of an update to an SDK struct. Their paths are
// JSON pointers into it, that begin with one of the allowed members.
// https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
func patch(dst any, operations []types.PatchOperation, allowed ...string) error {
	for _, op := range operations {
		path := pointer(op.Path)
		if op.Op != types.OpAdd && op.Op != types.OpRemove && op.Op != types.OpReplace {
			return badRequest("Invalid patch operation specified. Must be one of: [add, remove, replace]; the local cloud has no others")
		}
		if len(path) == 0 || !slices.Contains(allowed, path[0]) || !apply(reflect.ValueOf(dst).Elem(), path, op) {
			return badRequest("Invalid patch path  '%s' specified for op '%s'. Must be one of: [/%s]", aws.ToString(op.Path), op.Op, strings.Join(allowed, ", /"))
		}
	}
	return nil
}

// pointer splits a JSON pointer.
func pointer(path *string) []string {
	text, ok := strings.CutPrefix(aws.ToString(path), "/")
	if !ok {
		return nil
	}
	parts := strings.Split(text, "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}

// apply changes what a path leads to; false if it leads nowhere, or the value
// does not fit.
func apply(v reflect.Value, path []string, op types.PatchOperation) bool {
	if len(path) == 0 && op.Op == types.OpRemove {
		v.SetZero()
		return true
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return apply(v.Elem(), path, op)
	case reflect.Struct:
		if len(path) == 0 {
			return false
		}
		field := v.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, path[0]) })
		return field.IsValid() && field.CanSet() && apply(field, path[1:], op)
	case reflect.Map:
		return applyToMap(v, path, op)
	case reflect.Slice:
		return applyToList(v, path, op)
	}
	return len(path) == 0 && assign(v, aws.ToString(op.Value))
}

func applyToMap(v reflect.Value, path []string, op types.PatchOperation) bool {
	if len(path) == 0 {
		return false
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	key := reflect.ValueOf(path[0]).Convert(v.Type().Key())
	if len(path) == 1 && op.Op == types.OpRemove {
		v.SetMapIndex(key, reflect.Value{})
		return true
	}
	item := reflect.New(v.Type().Elem()).Elem()
	if old := v.MapIndex(key); old.IsValid() {
		item.Set(old)
	}
	if !apply(item, path[1:], op) {
		return false
	}
	v.SetMapIndex(key, item)
	return true
}

// applyToList changes a list of texts, in which a path names the item itself.
func applyToList(v reflect.Value, path []string, op types.PatchOperation) bool {
	if v.Type().Elem().Kind() != reflect.String || len(path) > 1 {
		return false
	}
	named, value := "", aws.ToString(op.Value)
	if len(path) == 1 {
		named = path[0]
	}
	if op.Op == types.OpAdd && named != "" && op.Value == nil {
		value = named
	}
	kept := reflect.MakeSlice(v.Type(), 0, v.Len()+1)
	for i := range v.Len() {
		if s := v.Index(i).String(); s != named && s != value {
			kept = reflect.Append(kept, v.Index(i))
		}
	}
	if op.Op != types.OpRemove {
		if value == "" {
			return false
		}
		kept = reflect.Append(kept, reflect.ValueOf(value).Convert(v.Type().Elem()))
	}
	v.Set(kept)
	return true
}

// assign sets a scalar from text.
func assign(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return false
		}
		v.SetBool(b)
	case reflect.Int32:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return false
		}
		v.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return false
		}
		v.SetFloat(f)
	default:
		return false
	}
	return true
}
