package logs

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// position is where an event is among all: by time, and among those of the same
// time, as they came.
type position struct {
	time  int64
	seq   int64 // of the chunk in the journal
	index int   // in the chunk
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.seq, q.seq), cmp.Compare(p.index, q.index))
}

// Digits of a position's parts; together they are 56, as AWS's event ids have.
const (
	timeDigits  = 17
	seqDigits   = 19
	indexDigits = 20
)

// String is the position as a number, in event ids and tokens.
func (p position) String() string {
	return fmt.Sprintf("%0*d%0*d%0*d", timeDigits, p.time, seqDigits, p.seq, indexDigits, p.index)
}

func parsePosition(s string) (position, bool) {
	if len(s) != timeDigits+seqDigits+indexDigits {
		return position{}, false
	}
	t, err1 := strconv.ParseInt(s[:timeDigits], 10, 64)
	seq, err2 := strconv.ParseInt(s[timeDigits:timeDigits+seqDigits], 10, 64)
	index, err3 := strconv.Atoi(s[timeDigits+seqDigits:])
	return position{t, seq, index}, err1 == nil && err2 == nil && err3 == nil
}

// placed is an event with its place.
type placed struct {
	event
	at       position
	ingested int64
	stream   string
}

// theEnd is behind every event.
var theEnd = position{time: math.MaxInt64, seq: math.MaxInt64 - 1}

// chunksAtOnce is how many chunks are read together; each is 1 MB at most.
const chunksAtOnce = 32

// walk gives the events of a stream in order: those behind from, or backwards,
// those before it. An error ends it. Behind an event of another stream, it
// begins where from's time says, since chunks are in order within a stream only.
func (s *Service) walk(ctx context.Context, group string, st named, from position, backwards bool) iter.Seq2[placed, error] {
	if st.Mixed {
		return s.walkMixed(ctx, group, st, from, backwards)
	}
	return func(yield func(placed, error) bool) {
		span := store.Span{Limit: chunksAtOnce}
		if backwards {
			span.Before, span.Newest = from.seq+1, true
		} else if from != (position{}) {
			var err error
			if span.After, err = s.seek(ctx, streamID(group, st.name), from.time); err != nil {
				yield(placed{}, err)
				return
			}
		}
		for {
			items, err := s.events.Read(ctx, door.CallerFrom(ctx).Scope(), streamID(group, st.name), span)
			if err != nil {
				yield(placed{}, err)
				return
			}
			for _, item := range items {
				span.Before, span.After = item.Seq, item.Seq
				for _, e := range unpack(item, st.name, from, backwards) {
					if !yield(e, nil) {
						return
					}
				}
			}
			if backwards {
				span.After = 0
			} else {
				span.Before = 0
			}
			if len(items) < chunksAtOnce {
				return
			}
		}
	}
}

// seek gives the sequence number behind which a stream has its events of the
// time and later, and perhaps a few earlier ones. It halves the range of
// numbers until it is there.
func (s *Service) seek(ctx context.Context, id string, time int64) (after int64, err error) {
	scope := door.CallerFrom(ctx).Scope()
	newest, err := s.events.Read(ctx, scope, id, store.Span{Newest: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	// The chunk low begins before the time; those from high on do not.
	low, high := int64(0), newest[0].Seq+1
	if newest[0].Value.Events[0].Time < time {
		low = newest[0].Seq
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		next, err := s.events.Read(ctx, scope, id, store.Span{After: middle - 1, Before: high, Limit: 1})
		if err != nil {
			return 0, err
		}
		if len(next) > 0 && next[0].Value.Events[0].Time < time {
			low = next[0].Seq
		} else {
			high = middle
		}
	}
	return max(0, low-1), nil
}

// unpack gives a chunk's events that are on the right side of from, in the
// order of the walk.
func unpack(item store.Item[chunk], stream string, from position, backwards bool) []placed {
	var list []placed
	for i, e := range item.Value.Events {
		at := position{e.Time, item.Seq, i}
		if side := at.compare(from); side > 0 && !backwards || side < 0 && backwards {
			list = append(list, placed{event: e, at: at, ingested: item.Value.Ingested, stream: stream})
		}
	}
	if backwards {
		slices.Reverse(list)
	}
	return list
}

// walkMixed is walk for a stream whose events did not come in the order of
// their times: they are all read and sorted.
func (s *Service) walkMixed(ctx context.Context, group string, st named, from position, backwards bool) iter.Seq2[placed, error] {
	return func(yield func(placed, error) bool) {
		items, err := s.events.Read(ctx, door.CallerFrom(ctx).Scope(), streamID(group, st.name), store.Span{})
		if err != nil {
			yield(placed{}, err)
			return
		}
		var list []placed
		for _, item := range items {
			list = append(list, unpack(item, st.name, from, backwards)...)
		}
		slices.SortFunc(list, func(a, b placed) int {
			if backwards {
				return b.at.compare(a.at)
			}
			return a.at.compare(b.at)
		})
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// window is the part of time that a request asks for, and how much of it fits
// into one answer.
type window struct {
	start, end int64 // start <= time < end
	events     int
	bytes      int
}

// newWindow is the window from a request's members, which leaves out what is
// past the group's retention.
func (s *Service) newWindow(g group, start, end *int64, limit *int32) (window, error) {
	most, err := checkLimit(limit, mostEvents)
	w := window{start: max(aws.ToInt64(start), g.horizon(s.now())), end: math.MaxInt64, events: most, bytes: mostBytes}
	if end != nil {
		w.end = *end
	}
	return w, err
}

// begin is where to read from: behind from, and not before the window.
func (w window) begin(from position) position {
	before := position{time: w.start - 1, seq: math.MaxInt64}
	if w.start > 0 && from.compare(before) < 0 {
		return before
	}
	return from
}

// takes counts the event, and tells whether there is still room for it. The
// first event always fits.
func (w *window) takes(e placed) bool {
	w.events--
	w.bytes -= len(e.Message) + overhead
	return w.events >= 0 && (w.bytes >= 0 || len(e.Message)+overhead > mostBytes)
}
