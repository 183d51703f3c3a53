package main

import (
	"encoding/json"
	"fmt"

	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/record"
)

const (
	version  = 1              // of the state; raise it when its meaning changes
	lateness = 5_000_000_000  // ns that a sample may be under way
	setBack  = 60_000_000_000 // ns without a newer sample, after which an older time is a clock that was set back
)

// What a thing writes, in order.
var outputs = []output{
	{"seconds_above", record.DataType_DATA_TYPE_FLOAT64, "s", "How long it was above the limit."},
	{"times_above", record.DataType_DATA_TYPE_INT64, "", "How often it rose above it."},
}

// settings are those of config.schema.json.
type settings struct {
	Tag   string
	Limit float64
}

func (s *settings) parse(config []byte) error {
	if err := parse(config, s); err != nil {
		return err
	}
	if s.Tag == "" {
		return invalid("name the tag that is watched", &plugin.Problem{Pointer: "/tag"})
	}
	return nil
}

// thing counts for one asset how long, and how often, a value was above a limit. It knows no kernel. The result depends on
// state and samples alone: no clock, no randomness. So a crash changes nothing, and any split of the same samples gives
// the same outputs. What is exported is its state.
type thing struct {
	settings            `json:"-"`
	Version             int
	Newest, Last, Since int64 // ns: time of the newest Good sample, of the last one as counted, since when Above is known
	Above               bool
	Nanoseconds         int64
	Crossings           int64
}

// restored is a thing with the state that was committed last; empty: it begins anew.
func restored(with settings, state []byte) (*thing, error) {
	t := &thing{settings: with}
	if len(state) > 0 {
		if err := json.Unmarshal(state, t); err != nil || t.Version != version {
			return nil, invalid(fmt.Sprintf("the state is of version %d or can't be read", t.Version), &plugin.Problem{})
		}
	}
	t.Version = version
	return t, nil
}

func (t *thing) state() []byte {
	state, _ := json.Marshal(t)
	return state
}

// take counts one sample. Samples come in order of arrival; ok: false for one that is late and says nothing about now.
func (t *thing) take(one sample) (at int64, seconds float64, times int64, ok bool) {
	source := min(one.time, one.received)
	if one.good {
		if source < t.Newest && one.received-t.Newest <= setBack {
			return 0, 0, 0, false
		}
		t.Newest = source
	}
	at = max(source, one.received-lateness, t.Last)
	above := one.good && one.value > t.Limit
	if t.Above {
		t.Nanoseconds += at - t.Since
	} else if above {
		t.Crossings++
	}
	t.Above, t.Since, t.Last = above, at, at // of time of which nothing is known (Bad, Uncertain) nothing counts
	return at, float64(t.Nanoseconds) / 1e9, t.Crossings, true
}
