package eventbridge

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ouro/regex"
)

// schedule tells when a rule fires.
type schedule interface {
	// next is the first time after the given one; ok is false for never.
	next(after time.Time) (at time.Time, ok bool)
}

// parseSchedule reads a rate or cron expression.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
func parseSchedule(expression string) (schedule, bool) {
	if s, ok := parseRate(expression); ok {
		return s, true
	}
	return parseCron(expression)
}

// rate fires at equal distances from when its rule was made.
type rate time.Duration

var ratePattern = regex.New(`^rate\((?:(1) (minute|hour|day)|([2-9]|[1-9][0-9]+) (minute|hour|day)s)\)$`)

var rateUnits = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

func parseRate(expression string) (schedule, bool) {
	m := ratePattern().FindStringSubmatch(expression)
	if m == nil {
		return nil, false
	}
	unit := rateUnits[m[2]+m[4]]
	n, err := strconv.ParseInt(m[1]+m[3], 10, 64)
	return rate(unit * time.Duration(n)), err == nil && n <= math.MaxInt64/int64(unit)
}

func (r rate) next(after time.Time) (time.Time, bool) { return after.Add(time.Duration(r)), true }

// cron fires at all minutes, in UTC, whose parts are in the sets.
type cron struct {
	minutes, hours, months, years set
	day                           func(time.Time) bool
}

// set is the values of a field; what is not in it is false.
type set []bool

func (s set) has(n int) bool { return n < len(s) && s[n] }

// field is what a field of a cron expression may be made of.
type field struct {
	low, high int
	names     []string // of the values from low on
}

var cronFields = struct{ minute, hour, date, month, weekday, year field }{
	minute: field{0, 59, nil}, hour: field{0, 23, nil}, date: field{1, 31, nil},
	month:   field{1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	weekday: field{1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
	year:    field{1970, 2199, nil},
}

// parseCron reads minutes, hours, day of the month, month, day of the week,
// year. Of the two days one has to be "?".
func parseCron(expression string) (schedule, bool) {
	inner, ok := strings.CutPrefix(expression, "cron(")
	if !ok || !strings.HasSuffix(inner, ")") {
		return nil, false
	}
	parts := strings.Fields(strings.ToUpper(strings.TrimSuffix(inner, ")")))
	if len(parts) != 6 || (parts[2] == "?") == (parts[4] == "?") {
		return nil, false
	}
	var c cron
	for _, f := range []struct {
		field field
		text  string
		set   *set
	}{{cronFields.minute, parts[0], &c.minutes}, {cronFields.hour, parts[1], &c.hours}, {cronFields.month, parts[3], &c.months}, {cronFields.year, parts[5], &c.years}} {
		if *f.set, ok = f.field.list(f.text); !ok {
			return nil, false
		}
	}
	if parts[4] == "?" {
		c.day, ok = dates(parts[2])
	} else {
		c.day, ok = weekdays(parts[4])
	}
	return c, ok
}

// list reads values, ranges and steps, between commas.
func (f field) list(text string) (set, bool) {
	all := make(set, f.high+1)
	for item := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 {
				return nil, false
			}
			step = n
		}
		low, high, ok := f.span(span, stepped)
		if !ok {
			return nil, false
		}
		if high < low { // over the end, as FRI-MON
			high += f.high - f.low + 1
		}
		for n := low; n <= high; n += step {
			all[f.low+(n-f.low)%(f.high-f.low+1)] = true
		}
	}
	return all, true
}

// span reads "*", a value, or a range; a value with a step means all that
// follow, too.
func (f field) span(text string, stepped bool) (low, high int, ok bool) {
	if text == "*" {
		return f.low, f.high, true
	}
	first, last, ranged := strings.Cut(text, "-")
	low, ok = f.value(first)
	switch {
	case !ok:
		return 0, 0, false
	case ranged:
		high, ok = f.value(last)
		return low, high, ok
	case stepped:
		return low, f.high, true
	}
	return low, low, true
}

func (f field) value(text string) (int, bool) {
	for i, name := range f.names {
		if name == text {
			return f.low + i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && text[0] != '+' && text[0] != '-' && n >= f.low && n <= f.high
}

func lastDate(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// dates reads the day of the month: L is the last one, W the weekday that is
// nearest within the month.
func dates(text string) (func(time.Time) bool, bool) {
	if text == "L" {
		return func(t time.Time) bool { return t.Day() == lastDate(t) }, true
	}
	if text == "LW" {
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, lastDate(t)) }, true
	}
	if date, ok := strings.CutSuffix(text, "W"); ok {
		n, ok := cronFields.date.value(date)
		return func(t time.Time) bool { return n <= lastDate(t) && t.Day() == nearestWeekday(t, n) }, ok
	}
	all, ok := cronFields.date.list(text)
	return func(t time.Time) bool { return all.has(t.Day()) }, ok
}

// nearestWeekday is the date from Monday to Friday nearest to one of t's month.
func nearestWeekday(t time.Time, date int) int {
	last := lastDate(t)
	switch time.Date(t.Year(), t.Month(), date, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if date == 1 {
			return 3
		}
		return date - 1
	case time.Sunday:
		if date == last {
			return date - 2
		}
		return date + 1
	}
	return date
}

// weekdays reads the day of the week, of which Sunday is 1: L is Saturday, 6L
// the last Friday of the month, 6#2 its second one.
func weekdays(text string) (func(time.Time) bool, bool) {
	weekday := func(t time.Time) int { return int(t.Weekday()) + 1 }
	if text == "L" {
		text = "SAT"
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		n, ok := cronFields.weekday.value(day)
		return func(t time.Time) bool { return weekday(t) == n && t.Day() > lastDate(t)-7 }, ok
	}
	if day, which, ok := strings.Cut(text, "#"); ok {
		n, ok := cronFields.weekday.value(day)
		k, err := strconv.Atoi(which)
		return func(t time.Time) bool { return weekday(t) == n && (t.Day()-1)/7+1 == k }, ok && err == nil && k >= 1 && k <= 5
	}
	all, ok := cronFields.weekday.list(text)
	return func(t time.Time) bool { return all.has(weekday(t)) }, ok
}

// next goes forward to the next year, month, day, hour and minute that is in
// the sets, and stops at the end of the years.
func (c cron) next(after time.Time) (time.Time, bool) {
	t := after.UTC().Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= cronFields.year.high {
		year, month, day := t.Date()
		switch {
		case !c.years.has(year):
			t = time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case !c.months.has(int(month)):
			t = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.day(t):
			t = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		case !c.hours.has(t.Hour()):
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !c.minutes.has(t.Minute()):
			t = t.Add(time.Minute)
		default:
			return t, true
		}
	}
	return time.Time{}, false
}
