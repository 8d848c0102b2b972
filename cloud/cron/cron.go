// Package cron reads cron expressions as AWS's services write them: minutes,
// hours, day of the month, month, day of the week and year, with names, ranges,
// steps, and the letters L, W and # for days. What surrounds the fields, and
// which of the days may be left open, is each service's own.
package cron

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schedule is the minutes whose parts are all in its sets.
type Schedule struct {
	minutes, hours, months, years set
	date, weekday                 func(time.Time) bool
}

// set is the values of a field; what is not in it is false.
type set []bool

func (s set) has(n int) bool { return n < len(s) && s[n] }

// field is what a field may be made of.
type field struct {
	low, high int
	names     []string // of the values from low on
}

var (
	minutes  = field{0, 59, nil}
	hours    = field{0, 23, nil}
	dates    = field{1, 31, nil}
	months   = field{1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	weekdays = field{1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	years    = field{1970, 2199, nil}
)

// Parse reads the six fields. A day that is "?" or "*" is any.
func Parse(fields [6]string) (Schedule, error) {
	var s Schedule
	var errs [6]error
	s.minutes, errs[0] = minutes.list(fields[0])
	s.hours, errs[1] = hours.list(fields[1])
	s.date, errs[2] = readDate(fields[2])
	s.months, errs[3] = months.list(fields[3])
	s.weekday, errs[4] = readWeekday(fields[4])
	s.years, errs[5] = years.list(fields[5])
	for i, err := range errs {
		if err != nil {
			return s, fmt.Errorf("the field %q: %w", fields[i], err)
		}
	}
	return s, nil
}

// CheckSeconds checks the field that some services have besides. It says
// nothing: schedules are made of whole minutes.
func CheckSeconds(text string) error {
	if _, err := minutes.list(text); err != nil {
		return fmt.Errorf("the field %q: %w", text, err)
	}
	return nil
}

// list reads values, ranges and steps, between commas.
func (f field) list(text string) (set, error) {
	all := make(set, f.high+1)
	for item := range strings.SplitSeq(strings.ToUpper(text), ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = (field{1, f.high, nil}).value(stepText); err != nil {
				return nil, err
			}
		}
		low, high, err := f.span(span, stepped)
		if err != nil {
			return nil, err
		}
		if high < low { // over the end, as FRI-MON
			high += f.high - f.low + 1
		}
		for n := low; n <= high; n += step {
			all[f.low+(n-f.low)%(f.high-f.low+1)] = true
		}
	}
	return all, nil
}

// span reads "*", a value, or a range; a value with a step means all that
// follow, too.
func (f field) span(text string, stepped bool) (low, high int, err error) {
	if text == "*" {
		return f.low, f.high, nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if low, err = f.value(first); err != nil {
		return 0, 0, err
	}
	switch {
	case ranged:
		high, err = f.value(last)
		return low, high, err
	case stepped:
		return low, f.high, nil
	}
	return low, low, nil
}

func (f field) value(text string) (int, error) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.low + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || text[0] == '+' || n < f.low || n > f.high {
		return 0, fmt.Errorf("%q is no number from %d to %d", text, f.low, f.high)
	}
	return n, nil
}

// Contains tells whether the schedule has the minute.
func (s Schedule) Contains(at time.Time) bool {
	return s.years.has(at.Year()) && s.months.has(int(at.Month())) && s.day(at) && s.hours.has(at.Hour()) && s.minutes.has(at.Minute())
}

func (s Schedule) day(at time.Time) bool { return s.date(at) && s.weekday(at) }

// Next is the first minute after the given time, in UTC; ok is false for never.
// It goes forward to the next year, month, day, hour and minute that is in the
// sets, and stops at the end of the years.
func (s Schedule) Next(after time.Time) (at time.Time, ok bool) {
	t := after.UTC().Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= years.high {
		year, month, day := t.Date()
		switch {
		case !s.years.has(year):
			t = time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case !s.months.has(int(month)):
			t = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !s.day(t):
			t = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		case !s.hours.has(t.Hour()):
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !s.minutes.has(t.Minute()):
			t = t.Add(time.Minute)
		default:
			return t, true
		}
	}
	return time.Time{}, false
}
