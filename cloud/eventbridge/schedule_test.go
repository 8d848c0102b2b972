package eventbridge

import (
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	t.Parallel()
	const layout = "2006-01-02 15:04:05"
	for _, test := range []struct{ expression, after, want string }{
		{"rate(1 minute)", "2026-11-21 10:00:30", "2026-11-21 10:01:30"},
		{"rate(7 days)", "2026-11-21 10:00:30", "2026-11-28 10:00:30"},
		{"cron(0 10 * * ? *)", "2026-11-21 10:00:00", "2026-11-22 10:00:00"},
		{"cron(0 10 * * ? *)", "2026-11-21 09:59:59", "2026-11-21 10:00:00"},
		{"cron(15 12 ? * MON-FRI *)", "2026-11-20 12:15:00", "2026-11-23 12:15:00"},
		{"cron(0/15 8-17 ? * mon-fri *)", "2026-11-20 17:50:00", "2026-11-23 08:00:00"},
		{"cron(5,35 14 * * ? *)", "2026-11-21 14:05:10", "2026-11-21 14:35:00"},
		{"cron(*/10 * * * ? *)", "2026-12-31 23:55:00", "2027-01-01 00:00:00"},
		{"cron(0 0 L * ? *)", "2028-02-01 00:00:00", "2028-02-29 00:00:00"},
		{"cron(0 0 LW 5 ? *)", "2026-05-01 00:00:00", "2026-05-29 00:00:00"}, // the 31st is a Sunday
		{"cron(0 0 15W 11 ? 2026)", "2026-11-01 00:00:00", "2026-11-16 00:00:00"},
		{"cron(0 0 1W 8 ? 2026)", "2026-07-01 00:00:00", "2026-08-03 00:00:00"}, // the 1st is a Saturday
		{"cron(0 0 31 * ? *)", "2026-11-21 00:00:00", "2026-12-31 00:00:00"},
		{"cron(0 0 ? * 6L *)", "2026-11-21 00:00:00", "2026-11-27 00:00:00"},
		{"cron(0 0 ? * L *)", "2026-11-22 00:00:00", "2026-11-28 00:00:00"},
		{"cron(0 0 ? * 6#3 *)", "2026-11-21 00:00:00", "2026-12-18 00:00:00"},
		{"cron(0 0 ? * FRI-MON *)", "2026-11-23 00:00:00", "2026-11-27 00:00:00"},
		{"cron(0 0 ? FEB-MAR/1 SUN 2030)", "2026-11-23 00:00:00", "2030-02-03 00:00:00"},
		{"cron(0 0 30 2 ? *)", "2026-11-23 00:00:00", ""},
		{"cron(0 0 1 1 ? 2020)", "2026-11-23 00:00:00", ""},
	} {
		sch, ok := parseSchedule(test.expression)
		if !ok {
			t.Errorf("%s is refused", test.expression)
			continue
		}
		after, err := time.Parse(layout, test.after)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := sch.next(after)
		got := at.Format(layout)
		if !ok {
			got = ""
		}
		if got != test.want {
			t.Errorf("%s after %s: %q, want %q", test.expression, test.after, got, test.want)
		}
	}
	for _, wrong := range []string{"", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(5 weeks)", "rate(99999999999999999999 days)", "rate(200000 days)",
		"cron(0 12 * * ?)", "cron(0 12 1 * MON *)", "cron(0 12 ? * ? *)", "cron(60 * * * ? *)", "cron(0 24 * * ? *)", "cron(0/0 * * * ? *)", "cron(+5 * * * ? *)", "cron(0 0 32W * ? *)",
		"cron(0 0 ? * 8 *)", "cron(0 0 ? * 2#6 *)", "cron(0 0 * 13 ? *)", "cron(0 0 * * ? 2200)", "cron(- * * * ? *)", "cron(, * * * ? *)", "at(2026-11-21T10:00:00)"} {
		if _, ok := parseSchedule(wrong); ok {
			t.Errorf("%s is taken", wrong)
		}
	}
}
