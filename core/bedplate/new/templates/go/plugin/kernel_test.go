package main

import (
	"net"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"

	"bedplate-my-thing/pb/plugin"
)

// kernel is one of the test: it asks over the contract, and gets the answers. The same for every kind of plugin.
type kernel[To, From any] struct {
	arrived chan grpc.BidiStreamingServer[From, To]
	stream  grpc.BidiStreamingServer[From, To]
	last    uint64 // id of an ask
}

func (k *kernel[To, From]) Attach(stream grpc.BidiStreamingServer[From, To]) error {
	k.arrived <- stream
	<-stream.Context().Done()
	return nil
}

// attached is the kernel of a plugin that has said Hello. register: puts the kernel behind the service of a kind.
func attached[To, From any](t *testing.T, register func(*grpc.Server, *kernel[To, From])) *kernel[To, From] {
	socket := filepath.Join(t.TempDir(), "p.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	k := &kernel[To, From]{arrived: make(chan grpc.BidiStreamingServer[From, To], 1)}
	register(server, k)
	go server.Serve(listener)
	go attach(start{Host: "unix:" + socket, Token: "token"})
	t.Cleanup(server.Stop)
	k.stream = <-k.arrived
	hello, err := k.stream.Recv()
	if said, ok := any(hello).(interface{ GetHello() *plugin.Hello }); err != nil || !ok || said.GetHello().GetToken() != "token" {
		t.Fatal("no hello", err)
	}
	return k
}

// ask sends one, and returns the next message.
func (k *kernel[To, From]) ask(t *testing.T, ask *To) *From {
	t.Helper()
	k.stream.Send(ask)
	message, err := k.stream.Recv()
	if err != nil {
		t.Fatal("no answer", err)
	}
	return message
}

func (k *kernel[To, From]) id() uint64 { k.last++; return k.last }

func want(t *testing.T, answer *plugin.Answer, code plugin.Code) {
	t.Helper()
	if answer.Code != code {
		t.Fatalf("%v (%s), wanted %v", answer.Code, answer.Text, code)
	}
}
