package s3

import (
	"context"
	"sort"

	"ouro/cloud/store"
)

// cursor walks the records of a table whose names begin with prefix, a page at
// a time, and can skip over many at once.
type cursor[T any] struct {
	table  store.Table[T]
	prefix string
	after  string // the name of the last record fetched, or where to begin
	size   int    // of the next page
	page   []store.Entry[T]
	ended  bool // nothing comes after page
}

const maxPage = 1001

// peek gives the next record, or nil at the end.
func (c *cursor[T]) peek(ctx context.Context) (*store.Entry[T], error) {
	if len(c.page) == 0 && !c.ended {
		page, err := c.table.List(ctx, everywhere, store.Query{Prefix: c.prefix, After: c.after, Limit: c.size})
		if err != nil {
			return nil, err
		}
		if c.ended = len(page) < c.size; len(page) > 0 {
			c.after = page[len(page)-1].ID
		}
		c.page = page
	}
	if len(c.page) == 0 {
		return nil, nil
	}
	return &c.page[0], nil
}

// next goes on to the following record. Pages that are used up get larger.
func (c *cursor[T]) next() {
	if c.page = c.page[1:]; len(c.page) == 0 {
		c.size = min(c.size*4, maxPage)
	}
}

// skip goes on to the first record whose name comes after past. Pages get
// smaller when much of one was read for nothing.
func (c *cursor[T]) skip(past string) {
	left := c.page
	c.page = left[sort.Search(len(left), func(i int) bool { return left[i].ID > past }):]
	if len(c.page) > 0 || c.ended {
		return
	}
	c.after = max(c.after, past)
	if len(left) > 1 {
		c.size = max(c.size/8, 1)
	} else {
		c.size = min(c.size*2, maxPage)
	}
}

// beyond is a name that comes after every name that begins with prefix, as
// names are UTF-8.
func beyond(prefix string) string { return prefix + "\xff" }
