// Package sim is a my-thing machine for your desk, on this machine only. Make it as nasty as yours.
package sim

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
)

// Machine has values by name.
type Machine struct {
	Port     int
	lock     sync.Mutex
	values   map[string]float64
	frozen   bool
	conns    []net.Conn
	listener net.Listener
}

// Start listens. port 0: any.
func Start(port int) (*Machine, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	m := &Machine{values: map[string]float64{"temperature": 20, "setpoint": 25}, listener: listener}
	m.Port = listener.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			m.lock.Lock()
			m.conns = append(m.conns, conn)
			m.lock.Unlock()
			go m.talk(conn)
		}
	}()
	return m, nil
}

// Freeze: it hears, and says nothing.
func (m *Machine) Freeze(frozen bool) { m.lock.Lock(); defer m.lock.Unlock(); m.frozen = frozen }

// Cut ends every connection, as a restart of the machine would.
func (m *Machine) Cut() {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, conn := range m.conns {
		conn.Close()
	}
}

// Close ends it.
func (m *Machine) Close() { m.listener.Close(); m.Cut() }

// Value is what stands there now.
func (m *Machine) Value(name string) float64 { m.lock.Lock(); defer m.lock.Unlock(); return m.values[name] }

// Step: the temperature follows the setpoint, slowly.
func (m *Machine) Step() {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.values["temperature"] += (m.values["setpoint"] - m.values["temperature"]) * 0.02
}

func (m *Machine) talk(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if answer := m.answer(lines.Text()); answer != "" {
			fmt.Fprintf(conn, "%s\n", answer)
		}
	}
}

func (m *Machine) answer(line string) string {
	m.lock.Lock()
	defer m.lock.Unlock()
	words := strings.Fields(line)
	if m.frozen {
		return ""
	}
	if len(words) < 2 || (words[0] != "GET" && len(words) != 3) {
		return "ERR unknown command"
	}
	now, known := m.values[words[1]]
	switch {
	case !known:
		return "ERR no such value"
	case words[0] == "GET":
		return strconv.FormatFloat(now, 'f', 3, 64)
	case words[1] == "temperature":
		return "ERR read only"
	}
	m.values[words[1]], _ = strconv.ParseFloat(words[2], 64)
	return "OK"
}
