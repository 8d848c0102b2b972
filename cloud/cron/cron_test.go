package cron_test

import (
	"strings"
	"testing"
	"time"

	"ouro/cloud/cron"
)

// TestNext: the next minute is the first that the schedule has.
func TestNext(t *testing.T) {
	t.Parallel()
	start := time.Date(2028, 2, 26, 21, 59, 30, 0, time.UTC) // a Saturday
	for _, text := range []string{"0 0 * * ? *", "*/7 22-1 * * ? *", "5,59 3 L * ? *", "0 12 L-1 2 ? 2028", "30 6 ? * mon-tue/1 *", "0 0 ? FEB 3L *", "1 1 1W * ? *", "0 0 ? * 4#1 *", "58-2 23 * * * *"} {
		s, err := cron.Parse([6]string(strings.Fields(text)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		first := start.Truncate(time.Minute).Add(time.Minute)
		for !s.Contains(first) {
			first = first.Add(time.Minute)
		}
		if next, ok := s.Next(start); !ok || !next.Equal(first) {
			t.Errorf("%s: %v, want %v", text, next, first)
		}
	}
	for text, why := range map[string]string{
		"60 * * * ? *":    `the field "60": "60" is no number from 0 to 59`,
		"0 0 ? * 2#6 *":   `the field "2#6": "6" is no number from 1 to 5`,
		"0 0/24 * * ? *":  `the field "0/24": "24" is no number from 1 to 23`,
		"0 0 L-31 * ? *":  `the field "L-31": "31" is no number from 0 to 30`,
		"0 0 * JAN-X ? *": `the field "JAN-X": "X" is no number from 1 to 12`,
	} {
		if _, err := cron.Parse([6]string(strings.Fields(text))); err == nil || err.Error() != why {
			t.Errorf("%s: %v, want %s", text, err, why)
		}
	}
	if err := cron.CheckSeconds("0/61"); err == nil {
		t.Error("61 is a step of seconds")
	}
}
