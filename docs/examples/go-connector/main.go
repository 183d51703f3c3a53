// helix: Helix packaging machines, a connector for Bedplate made from protos/ alone. The address of a tag is a register.
// This file speaks with the kernel, helix.go with the machine. README.md says how to build and run it.
package main

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"

	"helix/pb/connector"
	"helix/pb/plugin"
)

const patience = 2 * time.Second // that a machine may take

// failure is how an ask ends that is neither OK nor a lost connection.
type failure struct {
	code     plugin.Code
	text     string
	problems []*plugin.Problem
}

func (f *failure) Error() string { return f.text }

// serve does what an ask wants, within the time that it has.
func (m *machine) serve(ask *connector.Ask, until time.Time) (*connector.Reply, error) {
	reply := &connector.Reply{}
	if atOnce(ask) {
		return reply, nil
	}
	left := time.Until(until)
	if left <= 0 {
		return nil, &failure{code: plugin.Code_CODE_EXPIRED, text: "too late, nothing was done"}
	}
	deadline := time.Now().Add(min(left, patience))
	switch what := ask.What.(type) {
	case *connector.Ask_Open:
		reply.What = &connector.Reply_Open{Open: &connector.OpenReply{}}
		return reply, m.open(what.Open, deadline)
	case *connector.Ask_Read:
		values, err := m.read(what.Read.Tags, deadline)
		reply.What = &connector.Reply_Read{Read: values}
		return reply, err
	case *connector.Ask_Write:
		return reply, m.write(what.Write, deadline)
	}
	return nil, &failure{code: plugin.Code_CODE_UNSUPPORTED, text: "this connector reads and writes"} // also a later minor's
}

// answer is the reply to an ask, however it ends.
func (m *machine) answer(ask *connector.Ask, until time.Time) *connector.Reply {
	reply, err := m.serve(ask, until)
	answer := &plugin.Answer{Id: ask.Id, Code: plugin.Code_CODE_OK}
	var known *failure
	if errors.As(err, &known) {
		answer.Code, answer.Text, answer.Problems = known.code, known.text, known.problems
	} else if err != nil {
		m.end() // stays lost: the kernel closes, waits and opens again
		answer.Code, answer.Text = plugin.Code_CODE_UNREACHABLE, err.Error()
	}
	if err != nil {
		return &connector.Reply{Answer: answer}
	}
	reply.Answer = answer
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
	kernel, err := connector.NewConnectorHostClient(conn).Attach(context.Background())
	if err != nil {
		return err
	}
	hello := &plugin.Hello{Token: told.Token, Plugin: "helix-go", Version: "1.0.0", Runtime: runtime.Version()}
	kernel.Send(&connector.FromConnector{Hello: hello}) // whatever is wrong with the stream, Recv says it
	var sending sync.Mutex
	var ended bool // nothing may follow the answer to Shutdown
	machines := map[string]*machine{}
	for {
		message, err := kernel.Recv()
		if err != nil {
			return err
		}
		for _, ask := range message.Asks {
			until := time.Now().Add(time.Duration(cmp.Or(ask.WithinMs, math.MaxInt32)) * time.Millisecond)
			m := begin(machines, ask)
			turn := func() {
				reply := m.answer(ask, until)
				sending.Lock()
				defer sending.Unlock()
				if ended {
					return
				}
				kernel.Send(&connector.FromConnector{Replies: []*connector.Reply{reply}})
				if ended = ask.GetShutdown() != nil; ended {
					kernel.CloseSend()
				}
			}
			if atOnce(ask) {
				go turn()
			} else {
				m.turns <- turn
			}
		}
	}
}

// begin finds the machine that an ask is for. Open makes a new one; Close and Shutdown end theirs at once.
func begin(machines map[string]*machine, ask *connector.Ask) *machine {
	m, there := machines[ask.Component]
	switch ask.What.(type) {
	case *connector.Ask_Shutdown:
		for _, one := range machines {
			one.end()
		}
	case *connector.Ask_Open, *connector.Ask_Close:
		if there {
			m.end()
			close(m.turns)
		}
		there = false
	}
	if !there {
		m = newMachine()
		machines[ask.Component] = m
	}
	return m
}

// atOnce is for asks that wait for nobody: begin has done what they want.
func atOnce(ask *connector.Ask) bool {
	return ask.GetPing() != nil || ask.GetClose() != nil || ask.GetShutdown() != nil
}
