// shifts: a security module for Bedplate, made from protos/ alone, that denies what is asked outside the shifts of a calendar.
// calendar.go knows shifts, this file the kernel. README.md says how to build and run it.
package main

import (
	"context"
	"encoding/json"
	"path"
	"runtime"
	"slices"
	"time"

	"google.golang.org/grpc"

	"shifts/pb/plugin"
	"shifts/pb/security"
)

// module is one component from Open to Close.
type module struct {
	Calendar calendar
	Actions  []string
	Always   []string // roles
}

func open(ask *plugin.Open) (*module, *plugin.Answer) {
	m := &module{Actions: []string{"*"}}
	err := json.Unmarshal(ask.ConfigJson, m)
	pointer := "/calendar"
	if err == nil {
		err = m.Calendar.parse()
	}
	for _, pattern := range m.Actions {
		if _, bad := path.Match(pattern, ""); bad != nil && err == nil {
			pointer, err = "/actions", bad
		}
	}
	if err != nil {
		problem := &plugin.Problem{Pointer: pointer, Text: err.Error()}
		return nil, &plugin.Answer{Code: plugin.Code_CODE_INVALID, Text: err.Error(), Problems: []*plugin.Problem{problem}}
	}
	return m, &plugin.Answer{Code: plugin.Code_CODE_OK}
}

// authorize decides one thing somebody wants to do. It never allows: another module may still have something against it.
func (m *module) authorize(who *security.Subject, check *security.Check, now time.Time) *security.Decision {
	concerns := func(pattern string) bool {
		matched, _ := path.Match(pattern, check.Action)
		return matched
	}
	exempt := func(role string) bool { return slices.Contains(m.Always, role) }
	if !slices.ContainsFunc(m.Actions, concerns) || slices.ContainsFunc(who.GetRoles(), exempt) || m.Calendar.works(now) {
		return &security.Decision{Verdict: security.Verdict_VERDICT_ABSTAIN}
	}
	reason := "outside the shifts of calendar " + m.Calendar.Name
	return &security.Decision{Verdict: security.Verdict_VERDICT_DENY, Reason: reason}
}

// answer serves one ask. Nothing in it waits, so asks need not run side by side and none expires.
func answer(modules map[string]*module, ask *security.Ask) *security.Reply {
	reply := &security.Reply{Answer: &plugin.Answer{Code: plugin.Code_CODE_OK}}
	switch what := ask.What.(type) {
	case *security.Ask_Ping:
	case *security.Ask_Shutdown:
		clear(modules)
	case *security.Ask_Close:
		delete(modules, ask.Component)
	case *security.Ask_Open:
		delete(modules, ask.Component)
		var m *module
		if m, reply.Answer = open(what.Open); m != nil {
			modules[ask.Component] = m
		}
	case *security.Ask_Authorize:
		m := modules[ask.Component]
		if m == nil {
			reply.Answer = &plugin.Answer{Code: plugin.Code_CODE_UNREACHABLE, Text: "not open"}
			break
		}
		now := time.Now() // one moment for all of them
		for _, check := range what.Authorize.Checks {
			reply.Decisions = append(reply.Decisions, m.authorize(what.Authorize.Subject, check, now))
		}
	default: // what a later minor asks
		reply.Answer = &plugin.Answer{Code: plugin.Code_CODE_UNSUPPORTED, Text: "this module authorizes"}
	}
	reply.Answer.Id = ask.Id
	return reply
}

// attach serves asks until the stream ends, and says why it did.
func attach(told start) error {
	credentials, err := told.credentials()
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(told.Host, grpc.WithTransportCredentials(credentials))
	if err != nil {
		return err
	}
	kernel, err := security.NewSecurityHostClient(conn).Attach(context.Background())
	if err != nil {
		return err
	}
	hello := &plugin.Hello{Token: told.Token, Plugin: "shifts-go", Version: "1.0.0", Runtime: runtime.Version()}
	kernel.Send(&security.FromSecurity{Hello: hello}) // whatever is wrong with the stream, Recv says it
	modules := map[string]*module{}
	for {
		message, err := kernel.Recv()
		if err != nil {
			return err
		}
		var replies []*security.Reply
		for _, ask := range message.Asks {
			replies = append(replies, answer(modules, ask))
		}
		kernel.Send(&security.FromSecurity{Replies: replies})
		if slices.ContainsFunc(message.Asks, func(ask *security.Ask) bool { return ask.GetShutdown() != nil }) {
			kernel.CloseSend() // nothing may follow; the kernel ends the stream
			for err == nil {
				_, err = kernel.Recv()
			}
			return err
		}
	}
}
