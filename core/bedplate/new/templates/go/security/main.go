// my-thing: keeps an area to a role, a security module for Bedplate. thing.go decides: begin there. This file speaks
// bedplate.security.v1 with the kernel, made from protos/ alone; you need not change it.
package main

import (
	"context"

	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/security"
)

// modules are the components that are open, by name.
type modules map[string]*thing

// do is what an ask wants. Nothing in it waits, so asks need not run side by side and none expires.
func (m modules) do(ask *security.Ask, reply *security.Reply) (err error) {
	switch what := ask.What.(type) {
	case *security.Ask_Ping:
		return nil
	case *security.Ask_Shutdown:
		clear(m)
		return nil
	case *security.Ask_Close:
		delete(m, ask.Component)
		return nil
	case *security.Ask_Open:
		delete(m, ask.Component)
		t, err := newThing(what.Open.ConfigJson)
		if err == nil {
			m[ask.Component] = t
		}
		return err
	case *security.Ask_Authorize:
		t, open := m[ask.Component]
		if !open {
			return &failure{code: plugin.Code_CODE_UNREACHABLE, text: "not open"}
		}
		for _, check := range what.Authorize.Checks {
			reply.Decisions = append(reply.Decisions, t.decide(what.Authorize.Subject, check))
		}
		return nil
	}
	return unsupported("it authorizes") // or a later minor
}

// attach serves asks until the stream ends, and says why it did.
func attach(told start) error {
	conn, hello, err := told.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	kernel, err := security.NewSecurityHostClient(conn).Attach(context.Background())
	if err != nil {
		return err
	}
	kernel.Send(&security.FromSecurity{Hello: hello}) // whatever is wrong with the stream, Recv says it
	open, over := modules{}, false
	for {
		message, err := kernel.Recv()
		if err != nil {
			return err
		}
		for _, ask := range message.Asks {
			if over { // nothing may follow the answer to Shutdown
				break
			}
			reply := &security.Reply{}
			reply.Answer = ended(ask.Id, open.do(ask, reply), plugin.Code_CODE_FAULT)
			kernel.Send(&security.FromSecurity{Replies: []*security.Reply{reply}})
			if over = ask.GetShutdown() != nil; over {
				kernel.CloseSend()
			}
		}
	}
}
