package main

import (
	"encoding/json"
	"testing"
	"time"
)

func TestShiftsInLocalTimeOverMidnightAndOnClosedDays(t *testing.T) {
	c := calendar{}
	text := `{"name": "plant", "timezone": "Europe/Berlin", "closed": ["2026-12-24/2026-12-26"], "shifts": {
		"early": {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "06:00", "to": "14:00"},
		"night": {"days": ["fri"], "from": "22:00", "to": "06:00"}}}`
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.parse() != nil {
		t.Fatal(err)
	}
	for moment, want := range map[string]bool{
		"2026-11-23T05:00:00Z": true,  // Monday 06:00 in Berlin
		"2026-11-23T04:59:59Z": false, // a second before
		"2026-11-23T13:00:00Z": false, // 14:00: the end is not in it
		"2026-11-28T04:00:00Z": true,  // Saturday, in the night shift of Friday
		"2026-11-29T04:00:00Z": false, // Sunday
		"2026-12-24T08:00:00Z": false, // Thursday, closed
		"2026-06-22T04:00:00Z": true,  // Monday 06:00 in summer
	} {
		at, err := time.Parse(time.RFC3339, moment)
		if err != nil || c.works(at) != want {
			t.Errorf("%s: %v", moment, !want)
		}
	}
}
