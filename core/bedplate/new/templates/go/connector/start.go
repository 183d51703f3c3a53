package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bedplate-my-thing/pb/connector"
)

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

// The kernel says on stdin where it is, and keeps stdin open as long as it lives.
func main() {
	var start struct{ Host, Token string }
	stdin := bufio.NewReader(os.Stdin)
	line, err := stdin.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &start)
	}
	if err != nil {
		log.Fatal("the first line of stdin must be that of a kernel: ", err)
	}
	go func() {
		io.Copy(io.Discard, stdin)
		os.Exit(0)
	}()
	switch err := attach(start.Host, start.Token); {
	case err == io.EOF:
	case status.Code(err) == codes.Unauthenticated:
		log.Print(err)
		os.Exit(doNotRetry)
	default:
		log.Fatal(err)
	}
}
