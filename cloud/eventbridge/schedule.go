package eventbridge

import (
	"regexp"
	"strings"
	"sync"

	"ouro/regex"
)

var rateSchedule = regex.New(`^rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9][0-9]+) (?:minutes|hours|days))\)$`)

// cronFields is what the six fields of a cron expression may be made of:
// minutes, hours, day of the month, month, day of the week, year.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
var cronFields = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		cronField(`[0-5]?[0-9]`, ``),
		cronField(`[01]?[0-9]|2[0-3]`, ``),
		cronField(`[12][0-9]|3[01]|0?[1-9]`, `\?|L|LW|(?:[12]?[0-9]|3[01])W`),
		cronField(`1[0-2]|0?[1-9]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC`, ``),
		cronField(`[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT`, `\?|L|[1-7]L|(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5]`),
		cronField(`19[7-9][0-9]|2[01][0-9][0-9]`, ``),
	}
})

// cronField takes lists of values, ranges and steps, and the field's own
// special forms.
func cronField(value, special string) *regexp.Regexp {
	item := `(?:\*|(?:` + value + `)(?:-(?:` + value + `))?)(?:/[0-9]+)?`
	all := item + `(?:,` + item + `)*`
	if special != "" {
		all += `|` + special
	}
	return regexp.MustCompile(`^(?:` + all + `)$`)
}

// validSchedule checks a rate or cron expression. Of the day of the month and
// the day of the week one has to be "?".
func validSchedule(expression string) bool {
	if rateSchedule().MatchString(expression) {
		return true
	}
	cron, ok := strings.CutPrefix(expression, "cron(")
	if !ok || !strings.HasSuffix(cron, ")") {
		return false
	}
	fields := strings.Fields(strings.TrimSuffix(cron, ")"))
	if len(fields) != len(cronFields()) || (fields[2] == "?") == (fields[4] == "?") {
		return false
	}
	for i, f := range fields {
		if !cronFields()[i].MatchString(strings.ToUpper(f)) {
			return false
		}
	}
	return true
}
