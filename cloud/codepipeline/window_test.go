package codepipeline

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cron, at string
		want     bool
	}{
		{"0 * 9-17 ? * MON-FRI *", "2026-11-20T09:30:00Z", true}, // a Friday
		{"0 * 9-17 ? * MON-FRI *", "2026-11-20T18:00:00Z", false},
		{"0 * 9-17 ? * MON-FRI *", "2026-11-21T09:30:00Z", false},
		{"0 0/15 * * * ?", "2026-11-21T09:45:59Z", true},
		{"0 0/15 * * * ?", "2026-11-21T09:46:00Z", false},
		{"0 5,10-12 * * * ?", "2026-11-21T09:11:00Z", true},
		{"* * * L * ?", "2028-02-29T00:00:00Z", true},
		{"* * * L-3 * ?", "2026-11-27T00:00:00Z", true},
		{"* * * L * ?", "2026-11-29T00:00:00Z", false},
		{"* * * 15W * ?", "2026-11-16T00:00:00Z", true}, // the 15th is a Sunday
		{"* * * 1W * ?", "2026-08-03T00:00:00Z", true},  // the 1st is a Saturday
		{"* * * LW * ?", "2026-10-30T00:00:00Z", true},  // the 31st is a Saturday
		{"* * * ? * 6L", "2026-11-27T00:00:00Z", true},  // the last Friday
		{"* * * ? * FRIL", "2026-11-20T00:00:00Z", false},
		{"* * * ? * 6#3", "2026-11-20T00:00:00Z", true},
		{"* * * ? * L", "2026-11-21T00:00:00Z", true},
		{"* * * ? jan-mar ?", "2026-02-01T00:00:00Z", true},
		{"* * 22-2 ? * ?", "2026-02-01T01:00:00Z", true},
		{"* * * ? * ? 2027-2030", "2026-02-01T01:00:00Z", false},
	} {
		c, err := parseWindow(test.cron)
		if err != nil {
			t.Errorf("%s: %v", test.cron, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Contains(at); got != test.want {
			t.Errorf("%s at %s: %v", test.cron, test.at, got)
		}
	}
	for _, bad := range []string{"", "* * * * *", "* * * * * ? * *", "60 * * * * ?", "* * * 32 * ?", "* * * * FOO ?", "* */0 * * * ?", "* * * 0W * ?", "* * 1--2 * * ?", "* * * ? * 8#1"} {
		if _, err := parseWindow(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTimeZones(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"UTC": "12:00", "UTC+05:30": "17:30", "UTC-03:00": "09:00", "Europe/Berlin": "13:00", "PST": "04:00", "EST": "07:00",
	} {
		zone, err := timeZone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := at.In(zone).Format("15:04"); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, bad := range []string{"", "Local", "UTC+99:00", "../etc/passwd"} {
		if _, err := timeZone(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
