// helix: Helix packaging machines, a connector for Bedplate made from protos/ alone. The address of a tag is a register.
package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"helix/pb/connector"
	"helix/pb/plugin"
	"helix/pb/record"
)

var meaning = []string{"good", "machine busy", "no such register in this firmware", "register is read-only", "unknown status"}
var quality = []uint32{0, 0x808d0000, 0x803e0000, 0x803b0000, 0x80000000} // the same in OPC UA; the last is Bad

type machine struct { // one component, from Open to Close
	sync.Mutex // one ask after the other
	alive      context.Context
	end        context.CancelFunc // legal at any time and twice; who waits for the machine hears it
	conn       net.Conn
	registers  map[uint32][]byte // by handle of a tag, as they are sent
}

func newMachine() *machine {
	m := &machine{registers: map[uint32][]byte{}}
	m.alive, m.end = context.WithCancel(context.Background())
	return m
}

func is(code plugin.Code, text string, problems ...*plugin.Problem) *connector.Reply {
	return &connector.Reply{Answer: &plugin.Answer{Code: code, Text: text, Problems: problems}}
}

func (m *machine) serve(ask *connector.Ask, until time.Time) *connector.Reply {
	m.Lock()
	defer m.Unlock()
	switch what := ask.What.(type) {
	case *connector.Ask_Ping, *connector.Ask_Close, *connector.Ask_Shutdown:
		return is(plugin.Code_CODE_OK, "")
	case *connector.Ask_Open:
		return m.open(what.Open, until)
	case *connector.Ask_Read:
		return m.read(what.Read.Tags, until)
	case *connector.Ask_Write:
		number, isNumber := what.Write.Value.GetOf().(*record.Value_Float64)
		if !isNumber {
			return is(plugin.Code_CODE_REFUSED, "a register holds a float64")
		}
		value := binary.BigEndian.AppendUint64(nil, math.Float64bits(number.Float64))
		told, reply := m.exchange(2, []uint32{what.Write.Tag}, value, 1, until)
		if told != nil && told[0] != 0 {
			return is(plugin.Code_CODE_REFUSED, meaning[min(told[0], 4)])
		}
		return reply
	}
	return is(plugin.Code_CODE_UNSUPPORTED, "this connector reads and writes") // also what a later minor asks
}

func (m *machine) open(open *plugin.Open, until time.Time) *connector.Reply {
	var problems []*plugin.Problem
	config := map[string]any{"host": "", "port": 9100}
	err := json.Unmarshal(open.ConfigJson, &config)
	if err != nil || config["host"] == "" {
		problems = append(problems, &plugin.Problem{Pointer: "/host", Text: "must name the machine"})
	}
	for i, tag := range open.Tags {
		register, err := strconv.ParseUint(tag.Address, 10, 16)
		if err != nil || i >= 7281 { // more values do not fit into a frame
			problems = append(problems, &plugin.Problem{Tag: tag.Handle, Text: "must be one of at most 7281 registers, 0 to 65535"})
		}
		m.registers[tag.Handle] = binary.BigEndian.AppendUint16(nil, uint16(register))
	}
	if problems != nil {
		return is(plugin.Code_CODE_INVALID, problems[0].Text, problems...)
	}
	dialer, where := net.Dialer{Deadline: until}, net.JoinHostPort(fmt.Sprint(config["host"]), fmt.Sprint(config["port"]))
	if m.conn, err = dialer.DialContext(m.alive, "tcp", where); err != nil {
		return is(plugin.Code_CODE_UNREACHABLE, err.Error()) // the kernel waits and opens again: no retry here
	}
	context.AfterFunc(m.alive, func() { m.conn.Close() })
	return is(plugin.Code_CODE_OK, "")
}

func (m *machine) read(tags []uint32, until time.Time) *connector.Reply {
	told, reply := m.exchange(1, tags, nil, 9*len(tags), until)
	batch := &record.Batch{Count: uint32(len(tags)), Tag: tags, DataType: record.DataType_DATA_TYPE_FLOAT64}
	values := &connector.ReadReply{Batches: []*record.Batch{batch}} // without time: the kernel stamps
	for i := range len(told) / 9 {
		status, value := min(told[9*i], 4), math.Float64frombits(binary.BigEndian.Uint64(told[9*i+1:]))
		if status != 0 {
			value = math.NaN()
			values.Problems = append(values.Problems, &plugin.Problem{Tag: tags[i], Text: meaning[status]})
		}
		batch.Quality, batch.Float64 = append(batch.Quality, quality[status]), append(batch.Float64, value)
		reply.What = &connector.Reply_Read{Read: values}
	}
	return reply
}

// exchange asks once about these tags. A frame of HLX is: length u16, function u8, body; big endian. size: of the answer.
func (m *machine) exchange(function byte, tags []uint32, value []byte, size int, until time.Time) ([]byte, *connector.Reply) {
	frame := append(binary.BigEndian.AppendUint16(nil, uint16(1+2*len(tags)+len(value))), function)
	for _, tag := range tags {
		frame = append(frame, m.registers[tag]...)
	}
	if len(frame) != 3+2*len(tags) || m.conn == nil {
		return nil, is(plugin.Code_CODE_UNREACHABLE, "not open with these tags")
	}
	if time.Now().After(until) {
		return nil, is(plugin.Code_CODE_EXPIRED, "too late, nothing was done")
	}
	m.conn.SetDeadline(until)
	m.conn.Write(append(frame, value...)) // where it fails, so does the next
	answer := make([]byte, 3+size)
	if _, err := io.ReadFull(m.conn, answer); err != nil || answer[2] != function || int(binary.BigEndian.Uint16(answer)) != 1+size {
		m.end() // an answer that comes late could pass for the next one
		return nil, is(plugin.Code_CODE_UNREACHABLE, fmt.Sprintf("function %d was answered %x, %v", function, answer[:3], err))
	}
	return answer[3:], is(plugin.Code_CODE_OK, "")
}

func must(err error) {
	if err != nil { // the stream has ended, or never began
		fmt.Println(err)
		os.Exit(map[codes.Code]int{codes.Unauthenticated: 78}[status.Code(err)]) // 78: another try is of no use
	}
}

// The kernel says on stdin where it is, and keeps stdin open as long as it lives.
func main() {
	var start struct{ Host, Token string }
	must(json.NewDecoder(os.Stdin).Decode(&start))
	go func() { io.Copy(io.Discard, os.Stdin); os.Exit(0) }() // the kernel is gone
	conn, err := grpc.NewClient(start.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	kernel, err := connector.NewConnectorHostClient(conn).Attach(context.Background())
	must(err)
	kernel.Send(&connector.FromConnector{Hello: &plugin.Hello{Token: start.Token, Plugin: "helix-go", Version: "1.0.0"}})
	var sending sync.Mutex
	machines := map[string]*machine{} // by component
	for {
		message, err := kernel.Recv()
		must(err)
		for _, ask := range message.Asks {
			until := time.Now().Add(time.Duration(cmp.Or(ask.WithinMs, math.MaxInt32)) * time.Millisecond)
			m := cmp.Or(machines[ask.Component], newMachine())
			if ask.GetOpen() != nil || ask.GetClose() != nil {
				m.end() // at once, whatever it waits for
				m = newMachine()
			}
			machines[ask.Component] = m
			go func() {
				reply := m.serve(ask, until)
				reply.Answer.Id = ask.Id
				sending.Lock()
				kernel.Send(&connector.FromConnector{Replies: []*connector.Reply{reply}})
				if ask.GetShutdown() != nil {
					kernel.CloseSend()
					return // and never unlock: nothing may follow
				}
				sending.Unlock()
			}()
		}
	}
}
