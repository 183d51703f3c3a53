package main

import (
	"fmt"
	"slices"
	"strings"

	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/security"
)

// thing keeps what is below one path to those who have a role. It knows no kernel. Everything outside the area is none
// of its business: ABSTAIN.
type thing struct {
	Area    string   // full path; all below it is kept
	Roles   []string // any one of these may pass
	Actions []string // what they may do that others may not
}

// newThing reads the settings of config.schema.json.
func newThing(settings []byte) (*thing, error) {
	t := &thing{Actions: []string{"live.current", "live.subscribe", "history.query"}}
	if err := parse(settings, t); err != nil {
		return nil, err
	}
	if t.Area == "" || strings.Contains(t.Area, "*") {
		return nil, invalid(fmt.Sprintf("%q must be a full path, without *", t.Area), &plugin.Problem{Pointer: "/area"})
	}
	return t, nil
}

// decide says whether this one may do this one thing. A module can only say no: another may still have something
// against what it allows.
func (t *thing) decide(who *security.Subject, check *security.Check) *security.Decision {
	if !slices.Contains(t.Actions, check.Action) || !within(check.Resource, t.Area) {
		return &security.Decision{Verdict: security.Verdict_VERDICT_ABSTAIN}
	}
	if slices.ContainsFunc(who.GetRoles(), func(role string) bool { return slices.Contains(t.Roles, role) }) {
		return &security.Decision{Verdict: security.Verdict_VERDICT_ALLOW}
	}
	reason := t.Area + " is for " + strings.Join(t.Roles, " or ")
	return &security.Decision{Verdict: security.Verdict_VERDICT_DENY, Reason: reason}
}

// within says whether it is the area or lies below it. The kernel asks about full paths, one by one, never about selectors;
// "" stands for the call as such.
func within(path, area string) bool { return strings.HasPrefix(path+"/", area+"/") }
