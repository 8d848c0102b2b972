package cron

import (
	"strings"
	"time"
)

func anyDay(time.Time) bool { return true }

func lastDate(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// readDate reads the day of the month: L is the last one, L-3 three days before
// it, and W the weekday that is nearest within the month.
func readDate(text string) (func(time.Time) bool, error) {
	text = strings.ToUpper(text)
	if before, ok := strings.CutPrefix(text, "L-"); ok {
		n, err := (field{0, 30, nil}).value(before)
		return func(t time.Time) bool { return t.Day() == lastDate(t)-n }, err
	}
	if date, ok := strings.CutSuffix(text, "W"); ok && date != "L" {
		n, err := dates.value(date)
		return func(t time.Time) bool { return n <= lastDate(t) && t.Day() == nearestWeekday(t, n) }, err
	}
	switch text {
	case "?", "*":
		return anyDay, nil
	case "L":
		return func(t time.Time) bool { return t.Day() == lastDate(t) }, nil
	case "LW":
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, lastDate(t)) }, nil
	}
	all, err := dates.list(text)
	return func(t time.Time) bool { return all.has(t.Day()) }, err
}

// nearestWeekday is the date from Monday to Friday nearest to one of t's month.
func nearestWeekday(t time.Time, date int) int {
	switch time.Date(t.Year(), t.Month(), date, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if date == 1 {
			return 3
		}
		return date - 1
	case time.Sunday:
		if date == lastDate(t) {
			return date - 2
		}
		return date + 1
	}
	return date
}

// readWeekday reads the day of the week, of which Sunday is 1: L is Saturday, 6L
// the last Friday of the month, 6#2 its second one.
func readWeekday(text string) (func(time.Time) bool, error) {
	text = strings.ToUpper(text)
	weekday := func(t time.Time) int { return int(t.Weekday()) + 1 }
	switch text {
	case "?", "*":
		return anyDay, nil
	case "L":
		text = "SAT"
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		n, err := weekdays.value(day)
		return func(t time.Time) bool { return weekday(t) == n && t.Day() > lastDate(t)-7 }, err
	}
	if day, which, ok := strings.Cut(text, "#"); ok {
		n, err := weekdays.value(day)
		if err != nil {
			return nil, err
		}
		k, err := (field{1, 5, nil}).value(which)
		return func(t time.Time) bool { return weekday(t) == n && (t.Day()-1)/7+1 == k }, err
	}
	all, err := weekdays.list(text)
	return func(t time.Time) bool { return all.has(weekday(t)) }, err
}
