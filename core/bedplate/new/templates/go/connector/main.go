// my-thing: my-thing machines, a connector for Bedplate. thing.go speaks with the machine: begin there. This
// file speaks bedplate.connector.v1 with the kernel, made from protos/ alone; you need not change it.
package main

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"

	"bedplate-my-thing/pb/connector"
	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/record"
)

const (
	patience  = 5 * time.Second // that one call may take
	badDevice = 0x808b0000      // BadDeviceFailure of OPC UA
)

// value is a number, or why there is none.
type value struct {
	number float64
	why    string
}

// session is one component from Open to Close: one ask at a time, in order.
type session struct {
	thing
	turns chan func()
	alive context.Context
	end   context.CancelFunc // legal at any time and twice; who waits for the machine hears it
}

func begin() *session {
	alive, end := context.WithCancel(context.Background())
	s := &session{turns: make(chan func(), 100), alive: alive, end: end}
	go func() {
		for turn := range s.turns {
			turn()
		}
	}()
	return s
}

// sessionOf finds the session that an ask is for. Open begins a new one; Close and Shutdown end theirs at once.
func sessionOf(sessions map[string]*session, ask *connector.Ask) *session {
	s, there := sessions[ask.Component]
	switch ask.What.(type) {
	case *connector.Ask_Shutdown:
		for _, one := range sessions {
			one.end()
		}
	case *connector.Ask_Open, *connector.Ask_Close:
		if there {
			s.end()
			close(s.turns)
		}
		there = false
	}
	if !there {
		s = begin()
		sessions[ask.Component] = s
	}
	return s
}

// atOnce is for asks that wait for nobody: sessionOf has done what they want.
func atOnce(ask *connector.Ask) bool {
	return ask.GetPing() != nil || ask.GetClose() != nil || ask.GetShutdown() != nil
}

// do is what an ask wants, within the time that it has.
func (s *session) do(ask *connector.Ask, until time.Time, reply *connector.Reply) error {
	if atOnce(ask) {
		return nil
	}
	left := time.Until(until)
	if left <= 0 {
		return &failure{code: plugin.Code_CODE_EXPIRED, text: "too late, nothing was done"}
	}
	deadline := time.Now().Add(min(left, patience))
	switch what := ask.What.(type) {
	case *connector.Ask_Open:
		reply.What = &connector.Reply_Open{Open: &connector.OpenReply{}}
		return s.open(s.alive, what.Open, deadline)
	case *connector.Ask_Read:
		values, err := s.read(what.Read.Tags, deadline)
		if err == nil {
			reply.What = &connector.Reply_Read{Read: columns(what.Read.Tags, values)}
		}
		return err
	case *connector.Ask_Write:
		number, ok := what.Write.Value.GetOf().(*record.Value_Float64)
		if !ok {
			return refused("it takes a float64")
		}
		return s.write(what.Write.Tag, number.Float64, deadline)
	}
	return unsupported("it reads and writes") // or a later minor
}

// columns are the values without time: the kernel stamps.
func columns(tags []uint32, values []value) *connector.ReadReply {
	batch := &record.Batch{Count: uint32(len(tags)), Tag: tags, DataType: record.DataType_DATA_TYPE_FLOAT64}
	reply := &connector.ReadReply{Batches: []*record.Batch{batch}}
	for i, one := range values {
		quality := uint32(0)
		if one.why != "" {
			one.number, quality = math.NaN(), badDevice
			reply.Problems = append(reply.Problems, &plugin.Problem{Tag: tags[i], Text: one.why})
		}
		batch.Float64, batch.Quality = append(batch.Float64, one.number), append(batch.Quality, quality)
	}
	return reply
}

// answer is the reply to an ask, however it ends.
func (s *session) answer(ask *connector.Ask, until time.Time) *connector.Reply {
	reply := &connector.Reply{}
	err := s.do(ask, until, reply)
	reply.Answer = ended(ask.Id, err, plugin.Code_CODE_UNREACHABLE)
	if reply.Answer.Code == plugin.Code_CODE_UNREACHABLE {
		s.end() // stays lost: the kernel closes, waits and opens again
	}
	return reply
}

// attach serves asks until the stream ends, and says why it did.
func attach(told start) error {
	conn, hello, err := told.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	kernel, err := connector.NewConnectorHostClient(conn).Attach(context.Background())
	if err != nil {
		return err
	}
	kernel.Send(&connector.FromConnector{Hello: hello}) // whatever is wrong with the stream, Recv says it
	var sending sync.Mutex
	var over bool // nothing may follow the answer to Shutdown
	sessions := map[string]*session{}
	for {
		message, err := kernel.Recv()
		if err != nil {
			return err
		}
		for _, ask := range message.Asks {
			until := time.Now().Add(time.Duration(cmp.Or(ask.WithinMs, math.MaxInt32)) * time.Millisecond)
			s := sessionOf(sessions, ask)
			turn := func() {
				reply := s.answer(ask, until)
				sending.Lock()
				defer sending.Unlock()
				if over {
					return
				}
				kernel.Send(&connector.FromConnector{Replies: []*connector.Reply{reply}})
				if over = ask.GetShutdown() != nil; over {
					kernel.CloseSend()
				}
			}
			if atOnce(ask) {
				go turn()
			} else {
				s.turns <- turn
			}
		}
	}
}
