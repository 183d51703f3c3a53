// my-thing: time above a limit, an analytic for Bedplate. thing.go counts: begin there. This file speaks
// bedplate.analytic.v1 with the kernel, made from protos/ alone; you need not change it.
package main

import (
	"context"

	"bedplate-my-thing/pb/analytic"
	"bedplate-my-thing/pb/plugin"
)

// session is one component from Open to Close: a thing for each asset.
type session struct {
	assets  []*plugin.Asset
	things  []*thing
	watched map[string][]int  // path of a tag → assets that watch it
	names   map[uint32]string // handle → path, within an epoch
	epoch   uint64
	handles []uint32 // of the outputs, asset by asset
}

func open(open *plugin.Open) (*session, error) {
	s := &session{assets: open.Assets, watched: map[string][]int{}, names: map[uint32]string{}}
	var with settings
	if err := with.parse(open.ConfigJson); err != nil {
		return nil, err
	}
	states := map[string][]byte{}
	for _, state := range open.States {
		states[state.Key] = state.Value
	}
	for i, asset := range open.Assets {
		path := ""
		for _, input := range asset.Inputs {
			if input.Name == with.Tag {
				path = input.Path
			}
		}
		if path == "" {
			return nil, invalid(asset.Path+" has no tag "+with.Tag, &plugin.Problem{Pointer: "/tag"})
		}
		t, err := restored(with, states[asset.Path])
		if err != nil {
			return nil, err
		}
		s.things, s.watched[path] = append(s.things, t), append(s.watched[path], i)
	}
	return s, nil
}

// process is the next stretch of the journal. The kernel commits results and states together.
func (s *session) process(stretch *analytic.Process) *analytic.ProcessReply {
	if len(stretch.Outputs) > 0 {
		s.handles = stretch.Outputs
	}
	for _, table := range stretch.Tables {
		if table.Epoch != s.epoch {
			clear(s.names) // handles mean nothing across epochs
		}
		s.epoch = table.Epoch
		for _, tag := range table.Tags {
			s.names[tag.Handle] = tag.Path
		}
	}
	results, changed := newWritten(), map[int]bool{}
	for _, one := range stretch.Records {
		samples(one, func(tag uint32, sample sample) {
			for _, i := range s.watched[s.names[tag]] {
				if at, seconds, times, ok := s.things[i].take(sample); ok {
					results.add(s.handles[i*len(outputs):], at, seconds, times)
					changed[i] = true
				}
			}
		})
	}
	reply := &analytic.ProcessReply{Batches: results.batches()}
	for i := range changed {
		reply.States = append(reply.States, &plugin.State{Key: s.assets[i].Path, Value: s.things[i].state()})
	}
	return reply
}

// do is what an ask wants. Nothing in it waits, so nothing expires.
func do(sessions map[string]*session, ask *analytic.Ask, reply *analytic.Reply) error {
	switch what := ask.What.(type) {
	case *analytic.Ask_Ping:
		return nil
	case *analytic.Ask_Shutdown:
		clear(sessions)
		return nil
	case *analytic.Ask_Close:
		delete(sessions, ask.Component)
		return nil
	case *analytic.Ask_Open:
		delete(sessions, ask.Component)
		s, err := open(what.Open)
		if err != nil {
			return err
		}
		sessions[ask.Component] = s
		found := &analytic.OpenReply{}
		for i := range s.assets {
			found.Outputs = append(found.Outputs, outputsOf(i)...)
		}
		reply.What = &analytic.Reply_Open{Open: found}
		return nil
	case *analytic.Ask_Process:
		s, there := sessions[ask.Component]
		if !there {
			return &failure{code: plugin.Code_CODE_UNREACHABLE, text: "not open"}
		}
		reply.What = &analytic.Reply_Process{Process: s.process(what.Process)}
		return nil
	}
	return unsupported("this analytic does not know that ask") // of a later minor
}

// attach serves asks until the stream ends, and says why it did.
func attach(told start) error {
	conn, hello, err := told.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	kernel, err := analytic.NewAnalyticHostClient(conn).Attach(context.Background())
	if err != nil {
		return err
	}
	kernel.Send(&analytic.FromAnalytic{Hello: hello}) // whatever is wrong with the stream, Recv says it
	sessions, over := map[string]*session{}, false
	for {
		message, err := kernel.Recv()
		if err != nil {
			return err
		}
		for _, ask := range message.Asks {
			if over { // nothing may follow the answer to Shutdown
				break
			}
			reply := &analytic.Reply{}
			reply.Answer = ended(ask.Id, do(sessions, ask, reply), plugin.Code_CODE_FAULT)
			kernel.Send(&analytic.FromAnalytic{Replies: []*analytic.Reply{reply}})
			if over = ask.GetShutdown() != nil; over {
				kernel.CloseSend()
			}
		}
	}
}
