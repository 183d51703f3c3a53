package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the machine may have no time zones
)

// calendar is as the deployment file says it and the kernel sends it. A shift belongs to the local day on which it starts.
type calendar struct {
	Name     string
	Timezone string
	Shifts   map[string]struct {
		Days     []string // mon … sun
		From, To string   // 22:00
	}
	Closed []string // 2026-12-24, or 2026-12-24/2027-01-03: both included

	zone   *time.Location
	shifts []shift
}

type shift struct {
	days     []string
	from, to int // minutes after midnight; to is after from, so it may lie in the next day
}

func (c *calendar) parse() (err error) {
	if c.zone, err = time.LoadLocation(c.Timezone); err != nil {
		return err
	}
	for name, one := range c.Shifts {
		var hour, minute, toHour, toMinute int
		if _, err := fmt.Sscanf(one.From+"-"+one.To, "%d:%d-%d:%d", &hour, &minute, &toHour, &toMinute); err != nil {
			return fmt.Errorf("shift %s: from and to must be times such as 06:00", name)
		}
		from, to := 60*hour+minute, 60*toHour+toMinute
		if to <= from {
			to += 24 * 60
		}
		c.shifts = append(c.shifts, shift{one.Days, from, to})
	}
	return nil
}

// works says whether a moment lies within a shift.
func (c *calendar) works(now time.Time) bool {
	now = now.In(c.zone)
	for _, day := range []time.Time{now, now.AddDate(0, 0, -1)} {
		name, date := strings.ToLower(day.Format("Mon")), day.Format(time.DateOnly)
		if slices.ContainsFunc(c.Closed, func(days string) bool { return within(date, days) }) {
			continue
		}
		for _, one := range c.shifts {
			at := func(minutes int) time.Time {
				return time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, c.zone)
			}
			if slices.Contains(one.days, name) && !now.Before(at(one.from)) && now.Before(at(one.to)) {
				return true
			}
		}
	}
	return false
}

func within(date, days string) bool {
	first, last, isRange := strings.Cut(days, "/")
	if !isRange {
		last = first
	}
	return first <= date && date <= last // such dates sort as texts
}
