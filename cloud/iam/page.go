package iam

import (
	"encoding/base64"
	"sort"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Sizes of a page.
const (
	usualPage   = 100
	largestPage = 1000
)

// paged is a part of a list, and the marker of the next one.
type paged[T any] struct {
	items     []T
	marker    *string
	truncated bool
}

// page cuts the part that begins behind the marker out of a list that is sorted
// by what name gives. The marker holds the name of the last item given.
func page[T any](list []T, name func(T) string, marker *string, maxItems *int32) (paged[T], error) {
	most := usualPage
	if maxItems != nil {
		if *maxItems < 1 || *maxItems > largestPage {
			return paged[T]{}, invalid("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and %d, inclusive", *maxItems, largestPage)
		}
		most = int(*maxItems)
	}
	if marker != nil {
		last, err := base64.URLEncoding.DecodeString(*marker)
		if err != nil {
			return paged[T]{}, invalid("Invalid Marker.")
		}
		list = list[sort.Search(len(list), func(i int) bool { return name(list[i]) > string(last) }):]
	}
	if len(list) <= most {
		return paged[T]{items: list}, nil
	}
	next := base64.URLEncoding.EncodeToString([]byte(name(list[most-1])))
	return paged[T]{items: list[:most], marker: aws.String(next), truncated: true}, nil
}

// itself is the name of an item that is one.
func itself(name string) string { return name }

// entityID is the name that lists of entities are sorted by.
func entityID(e entity) string { return id(e.Name) }

// each turns every item into what f makes of it. It never gives nil: an empty
// list is a list.
func each[T, U any](items []T, f func(T) U) []U {
	out := make([]U, len(items))
	for i, item := range items {
		out[i] = f(item)
	}
	return out
}
