package codepipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ouro/regex"
)

// cron is a cron expression of a deployment window: the fields seconds, minutes,
// hours, day of the month, month, day of the week, and the year, which may be
// left out. Seconds say nothing: a window is made of whole minutes.
type cron struct {
	minutes, hours, months, years []span
	days, weekdays                daySet
}

// daySet are the days of a month by some of their names.
type daySet struct {
	any   bool
	plain []span
	holds []func(at time.Time) bool // L, W and #
}

var months = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
var weekdays = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

func parseCron(text string) (*cron, error) {
	fields := strings.Fields(strings.ToUpper(text))
	if len(fields) < 6 || len(fields) > 7 {
		return nil, fmt.Errorf("the cron expression %q has %d fields instead of six or seven", text, len(fields))
	}
	if len(fields) == 6 {
		fields = append(fields, "*")
	}
	var c cron
	var errs [7]error
	_, errs[0] = spans(fields[0], 0, 59, nil)
	c.minutes, errs[1] = spans(fields[1], 0, 59, nil)
	c.hours, errs[2] = spans(fields[2], 0, 23, nil)
	c.days, errs[3] = monthDays(fields[3])
	c.months, errs[4] = spans(fields[4], 1, 12, months)
	c.weekdays, errs[5] = weekDays(fields[5])
	c.years, errs[6] = spans(fields[6], 1970, 2199, nil)
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("the field %q of the cron expression %q: %w", fields[i], text, err)
		}
	}
	return &c, nil
}

// contains tells whether the minute is in the window.
func (c *cron) contains(at time.Time) bool {
	return in(c.minutes, at.Minute()) && in(c.hours, at.Hour()) && in(c.months, int(at.Month())) && in(c.years, at.Year()) &&
		c.days.contains(at, at.Day()) && c.weekdays.contains(at, int(at.Weekday())+1)
}

func (d daySet) contains(at time.Time, n int) bool {
	return d.any || in(d.plain, n) || slices.ContainsFunc(d.holds, func(holds func(time.Time) bool) bool { return holds(at) })
}

func in(list []span, n int) bool {
	return slices.ContainsFunc(list, func(s span) bool { return int(s.least) <= n && n <= int(s.most) })
}

var cronItem = regex.New(`^(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/([0-9]+))?$`)

// spans reads a list of values, ranges and steps.
func spans(field string, least, most int, names []string) ([]span, error) {
	var list []span
	for item := range strings.SplitSeq(field, ",") {
		m := cronItem().FindStringSubmatch(item)
		if m == nil {
			return nil, fmt.Errorf("%q is no value, range or step", item)
		}
		from, to := least, most
		var err error
		if m[1] != "*" {
			if from, err = number(m[1], least, most, names); err != nil {
				return nil, err
			}
			to = from
			if m[3] != "" {
				to = most
			}
		}
		if m[2] != "" {
			if to, err = number(m[2], least, most, names); err != nil {
				return nil, err
			}
		}
		step := 0
		if m[3] != "" {
			if step, err = number(m[3], 1, most, nil); err != nil {
				return nil, err
			}
		}
		list = append(list, stretch(from, to, step, least, most)...)
	}
	return list, nil
}

// stretch are the values of a range, which may go on at the least after the
// most, such as the days FRI-MON.
func stretch(from, to, step, least, most int) []span {
	if from > to {
		return append(stretch(from, most, step, least, most), stretch(least, to, step, least, most)...)
	}
	if step == 0 {
		return []span{{int32(from), int32(to)}}
	}
	var list []span
	for n := from; n <= to; n += step {
		list = append(list, span{int32(n), int32(n)})
	}
	return list
}

func number(text string, least, most int, names []string) (int, error) {
	if i := slices.Index(names, text); i >= 0 {
		return i + 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is no number from %d to %d", text, least, most)
	}
	return n, nil
}

var (
	lastDay    = regex.New(`^L(?:-([0-9]{1,2}))?$`)
	nearestDay = regex.New(`^([0-9]{1,2}|L)W$`)
	lastOfWeek = regex.New(`^([1-7]|[A-Z]{3})L$`)
	nthOfWeek  = regex.New(`^([1-7]|[A-Z]{3})#([1-5])$`)
)

// monthDays reads the day of the month.
func monthDays(field string) (daySet, error) {
	if field == "?" || field == "*" {
		return daySet{any: true}, nil
	}
	if m := lastDay().FindStringSubmatch(field); m != nil {
		before, err := offset(m)
		return daySet{holds: []func(time.Time) bool{func(at time.Time) bool { return at.Day() == monthLength(at)-before }}}, err
	}
	if m := nearestDay().FindStringSubmatch(field); m != nil {
		if m[1] == "L" {
			return daySet{holds: []func(time.Time) bool{func(at time.Time) bool { return at.Day() == nearestWeekday(at, monthLength(at)) }}}, nil
		}
		n, err := number(m[1], 1, 31, nil)
		return daySet{holds: []func(time.Time) bool{func(at time.Time) bool { return n <= monthLength(at) && at.Day() == nearestWeekday(at, n) }}}, err
	}
	list, err := spans(field, 1, 31, nil)
	return daySet{plain: list}, err
}

func offset(m []string) (int, error) {
	if m[1] == "" {
		return 0, nil
	}
	return number(m[1], 0, 30, nil)
}

// weekDays reads the day of the week: 1 is Sunday.
func weekDays(field string) (daySet, error) {
	if field == "?" || field == "*" {
		return daySet{any: true}, nil
	}
	if field == "L" {
		field = "SAT"
	}
	if m := lastOfWeek().FindStringSubmatch(field); m != nil {
		n, err := number(m[1], 1, 7, weekdays)
		return daySet{holds: []func(time.Time) bool{func(at time.Time) bool {
			return int(at.Weekday())+1 == n && at.Day() > monthLength(at)-7
		}}}, err
	}
	if m := nthOfWeek().FindStringSubmatch(field); m != nil {
		n, err := number(m[1], 1, 7, weekdays)
		return daySet{holds: []func(time.Time) bool{func(at time.Time) bool {
			return int(at.Weekday())+1 == n && strconv.Itoa((at.Day()+6)/7) == m[2]
		}}}, err
	}
	list, err := spans(field, 1, 7, weekdays)
	return daySet{plain: list}, err
}

func monthLength(at time.Time) int {
	return time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// nearestWeekday is the day from Monday to Friday of the same month that is
// nearest to the day.
func nearestWeekday(at time.Time, day int) int {
	switch time.Date(at.Year(), at.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == monthLength(at) {
			return day - 2
		}
		return day + 1
	}
	return day
}

// abbreviations are what Java calls zones for short, where the database of zones
// has no zone of that name.
var abbreviations = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns",
	"CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris",
	"IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
	"NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
	"PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
}

var utcOffset = regex.New(`^UTC([+-])([0-9]{2}):([0-9]{2})$`)

// timeZone is the zone of a name such as Europe/Berlin, UTC+05:30 or PST.
func timeZone(name string) (*time.Location, error) {
	if m := utcOffset().FindStringSubmatch(name); m != nil {
		return fixedZone(name, m)
	}
	if long := abbreviations[name]; long != "" {
		name = long
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("the time zone %q is not known", name)
	}
	return zone, nil
}

func fixedZone(name string, m []string) (*time.Location, error) {
	hours, errH := number(m[2], 0, 18, nil)
	minutes, errM := number(m[3], 0, 59, nil)
	if errH != nil || errM != nil {
		return nil, fmt.Errorf("the time zone %q is not known", name)
	}
	seconds := hours*3600 + minutes*60
	if m[1] == "-" {
		seconds = -seconds
	}
	return time.FixedZone(name, seconds), nil
}
