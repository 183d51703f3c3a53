package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"time"

	"helix/pb/connector"
	"helix/pb/plugin"
	"helix/pb/record"
)

const mostTags = 7281 // whose values fit into one frame

// What a status of HLX means, and as an OPC UA StatusCode: Good, BadOutOfService, BadNotFound, BadNotWritable, Bad.
var meaning = []string{"", "machine busy", "no such register in this firmware", "register is read-only", "unknown status"}
var quality = []uint32{0, 0x808d0000, 0x803e0000, 0x803b0000, 0x80000000}

// machine is one component from Open to Close, a Helix packaging machine. A frame of HLX is: length u16, function u8, body;
// big endian.
type machine struct {
	turns     chan func() // one ask at a time, in order
	alive     context.Context
	end       context.CancelFunc // legal at any time and twice; who waits for the machine hears it
	conn      net.Conn
	registers map[uint32]uint16 // by handle of a tag
}

func newMachine() *machine {
	alive, end := context.WithCancel(context.Background())
	m := &machine{turns: make(chan func(), 100), alive: alive, end: end, registers: map[uint32]uint16{}}
	go func() {
		for turn := range m.turns {
			turn()
		}
	}()
	return m
}

func (m *machine) open(open *plugin.Open, deadline time.Time) error {
	var problems []*plugin.Problem
	config := struct {
		Host string
		Port uint16
	}{Port: 9100}
	if err := json.Unmarshal(open.ConfigJson, &config); err != nil || config.Host == "" {
		problems = append(problems, &plugin.Problem{Pointer: "/host", Text: "host must name the machine, port be a number"})
	}
	for i, tag := range open.Tags {
		register, err := strconv.ParseUint(tag.Address, 10, 16)
		if err != nil || i >= mostTags {
			text := fmt.Sprintf("%s must be a register, from 0 to 65535, and one of at most %d", tag.Address, mostTags)
			problems = append(problems, &plugin.Problem{Tag: tag.Handle, Text: text})
		}
		m.registers[tag.Handle] = uint16(register)
	}
	if problems != nil {
		return &failure{plugin.Code_CODE_INVALID, problems[0].Text, problems}
	}
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(m.alive, "tcp", net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))))
	if err == nil {
		m.conn = conn
		context.AfterFunc(m.alive, func() { conn.Close() })
	}
	return err
}

func (m *machine) read(tags []uint32, deadline time.Time) (*connector.ReadReply, error) {
	question, err := m.named(tags...)
	if err != nil {
		return nil, err
	}
	told, err := m.exchange(1, question, 9*len(tags), deadline)
	batch := &record.Batch{Count: uint32(len(tags)), Tag: tags, DataType: record.DataType_DATA_TYPE_FLOAT64}
	reply := &connector.ReadReply{Batches: []*record.Batch{batch}} // without time: the kernel stamps
	for ; err == nil && len(told) > 0; told = told[9:] {
		status, value := min(told[0], 4), math.Float64frombits(binary.BigEndian.Uint64(told[1:]))
		if status != 0 {
			value = math.NaN()
			tag := tags[len(batch.Float64)]
			reply.Problems = append(reply.Problems, &plugin.Problem{Tag: tag, Text: meaning[status]})
		}
		batch.Quality, batch.Float64 = append(batch.Quality, quality[status]), append(batch.Float64, value)
	}
	return reply, err
}

func (m *machine) write(write *connector.Write, deadline time.Time) error {
	number, ok := write.Value.GetOf().(*record.Value_Float64)
	if !ok {
		return &failure{code: plugin.Code_CODE_REFUSED, text: "a register holds a float64"}
	}
	question, err := m.named(write.Tag)
	if err != nil {
		return err
	}
	told, err := m.exchange(2, binary.BigEndian.AppendUint64(question, math.Float64bits(number.Float64)), 1, deadline)
	if err == nil && told[0] != 0 {
		err = &failure{code: plugin.Code_CODE_REFUSED, text: meaning[min(told[0], 4)]}
	}
	return err
}

// named are the registers of these tags, as HLX writes them.
func (m *machine) named(tags ...uint32) (bytes []byte, err error) {
	if m.conn == nil {
		return nil, errors.New("not open")
	}
	for _, tag := range tags {
		register, known := m.registers[tag]
		if !known {
			return nil, &failure{code: plugin.Code_CODE_FAULT, text: fmt.Sprintf("no tag has the handle %d", tag)}
		}
		bytes = binary.BigEndian.AppendUint16(bytes, register)
	}
	return bytes, nil
}

// exchange asks one question. size: of the body of the answer. After an error the machine must be let go: an answer that
// comes late could pass for the next one.
func (m *machine) exchange(function byte, question []byte, size int, deadline time.Time) ([]byte, error) {
	frame := append(binary.BigEndian.AppendUint16(nil, uint16(1+len(question))), function)
	answer := make([]byte, 3+size)
	m.conn.SetDeadline(deadline)
	_, err := m.conn.Write(append(frame, question...))
	if err == nil {
		_, err = io.ReadFull(m.conn, answer)
	}
	if err == io.EOF {
		err = errors.New("the machine hung up")
	}
	if told := binary.BigEndian.Uint16(answer); err == nil && (answer[2] != function || int(told) != 1+size) {
		err = fmt.Errorf("asked for function %d, machine answered %d with %d bytes", function, answer[2], told)
	}
	return answer[3:], err
}
