package eventbridge

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ouro/cloud/cron"
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

// times fires at the minutes of a cron expression, in UTC.
type times cron.Schedule

// parseCron reads minutes, hours, day of the month, month, day of the week,
// year. Of the two days one has to be "?".
func parseCron(expression string) (schedule, bool) {
	inner, ok := strings.CutPrefix(expression, "cron(")
	if !ok || !strings.HasSuffix(inner, ")") {
		return nil, false
	}
	parts := strings.Fields(strings.TrimSuffix(inner, ")"))
	if len(parts) != 6 || (parts[2] == "?") == (parts[4] == "?") || strings.Contains(parts[2], "L-") {
		return nil, false
	}
	s, err := cron.Parse([6]string(parts))
	return times(s), err == nil
}

func (t times) next(after time.Time) (time.Time, bool) { return cron.Schedule(t).Next(after) }
