package runner

import (
	"regexp"
	"time"
)

// WithoutMounts has processes find their folders by search paths.
func (p *Pool) WithoutMounts() { p.places.spaces = func() bool { return false } }

// HasMounts tells whether processes have mounts of their own here.
func (p *Pool) HasMounts() bool { return p.places.spaces() }

// InitWithin changes how long a first init may take.
func (p *Pool) InitWithin(d time.Duration) { p.init = d }

// Closest is which of the numbers stands for the wanted one.
func Closest(wanted int, there ...int) int {
	var list []interpreter
	for _, n := range there {
		list = append(list, interpreter{number: n})
	}
	found, _ := closest(list, wanted)
	return found.number
}

// ReportForm is a REPORT line.
var ReportForm = regexp.MustCompile(`(?m)^{"time":"[-:.TZ0-9]{24}","type":"platform.report","record":{.*}}$|^REPORT RequestId: [-0-9a-f]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: \d+ MB\tMax Memory Used: \d+ MB\t(Init Duration: \d+\.\d\d ms\t)?(Status: (error\tError Type: .*|timeout))?$`)
