package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"bedplate-my-thing/pb/plugin"
)

const longest = 1000 // bytes of a line

var legal = regexp.MustCompile("^[a-z][a-z0-9_]*$")

// thing is one session with one machine: one line asks, one line answers, over TCP. The address of a tag is the name of
// a value. It fails in plain words; the kernel keeps the pace, tries again, scales and stamps. Calls never overlap, and
// after one that failed it is never used again.
//
//	GET temperature  ->  21.437   or  ERR no such value
//	SET setpoint 25  ->  OK       or  ERR read only
type thing struct {
	names map[uint32]string // by handle of a tag
	conn  net.Conn
	lines *bufio.Reader
}

// open reads settings and addresses, and connects. alive ends when the kernel closes or gives up.
func (t *thing) open(alive context.Context, open *plugin.Open, deadline time.Time) error {
	settings := struct {
		Host string
		Port uint16
	}{Port: 9100}
	if err := parse(open.ConfigJson, &settings); err != nil {
		return err
	}
	if settings.Host == "" {
		return invalid("name the machine", &plugin.Problem{Pointer: "/host"})
	}
	if settings.Port == 0 {
		return invalid("0 is no port", &plugin.Problem{Pointer: "/port"})
	}
	t.names = map[uint32]string{}
	for _, tag := range open.Tags {
		if !legal.MatchString(tag.Address) {
			return invalid(tag.Address+" is no name of a value", &plugin.Problem{Tag: tag.Handle})
		}
		t.names[tag.Handle] = tag.Address
	}
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(alive, "tcp", net.JoinHostPort(settings.Host, strconv.Itoa(int(settings.Port))))
	if err != nil {
		return err
	}
	t.conn, t.lines = conn, bufio.NewReaderSize(conn, longest)
	context.AfterFunc(alive, func() { conn.Close() })
	return nil
}

// read gives one value a tag, in order, or a reason why that one has none.
func (t *thing) read(tags []uint32, deadline time.Time) (values []value, err error) {
	for _, tag := range tags {
		answer, err := t.ask(tag, deadline, "GET %s")
		if err != nil {
			return nil, err
		}
		if why, bad := strings.CutPrefix(answer, "ERR "); bad {
			values = append(values, value{why: why})
			continue
		}
		number, err := strconv.ParseFloat(answer, 64)
		if err != nil {
			return nil, fmt.Errorf("asked for %s, the machine said %.40q", t.names[tag], answer)
		}
		values = append(values, value{number: number})
	}
	return values, nil
}

// write sends once.
func (t *thing) write(tag uint32, number float64, deadline time.Time) error {
	answer, err := t.ask(tag, deadline, "SET %s "+strconv.FormatFloat(number, 'g', -1, 64))
	if err == nil && answer != "OK" {
		return refused(strings.TrimPrefix(answer, "ERR "))
	}
	return err
}

func (t *thing) ask(tag uint32, deadline time.Time, format string) (string, error) {
	if t.conn == nil {
		return "", errors.New("not open")
	}
	name, known := t.names[tag]
	if !known {
		return "", &failure{code: plugin.Code_CODE_FAULT, text: fmt.Sprintf("no tag has the handle %d", tag)}
	}
	t.conn.SetDeadline(deadline)
	if _, err := fmt.Fprintf(t.conn, format+"\n", name); err != nil {
		return "", err
	}
	line, err := t.lines.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		err = errors.New("the machine sends what is no line")
	}
	return strings.TrimSpace(string(line)), err
}
