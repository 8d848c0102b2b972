package codepipeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ouro/cloud/cron"
	"ouro/regex"
)

// parseWindow reads the cron expression of a deployment window: seconds, minutes,
// hours, day of the month, month, day of the week, and the year, which may be
// left out.
func parseWindow(text string) (cron.Schedule, error) {
	fields := strings.Fields(text)
	if len(fields) == 6 {
		fields = append(fields, "*")
	}
	if len(fields) != 7 {
		return cron.Schedule{}, fmt.Errorf("the cron expression %q has %d fields instead of six or seven", text, len(fields))
	}
	window, err := cron.Parse([6]string(fields[1:]))
	if err == nil {
		err = cron.CheckSeconds(fields[0])
	}
	if err != nil {
		return window, fmt.Errorf("the cron expression %q: %w", text, err)
	}
	return window, nil
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
	hours, errH := strconv.Atoi(m[2])
	minutes, errM := strconv.Atoi(m[3])
	if errH != nil || errM != nil || hours > 18 || minutes > 59 {
		return nil, fmt.Errorf("the time zone %q is not known", name)
	}
	seconds := hours*3600 + minutes*60
	if m[1] == "-" {
		seconds = -seconds
	}
	return time.FixedZone(name, seconds), nil
}
