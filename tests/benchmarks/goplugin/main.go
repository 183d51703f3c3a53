// An echo on hashicorp/go-plugin's gRPC transport, the way other platforms isolate plugins: what our placements are
// held against. The host asks for n samples, the plugin answers with n*12 bytes (a handle and a float64 each), made
// anew every time. A test peer only: nothing of it is part of the product.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "BENCH_PLUGIN", MagicCookieValue: "echo"}

type reader interface {
	Read(context.Context, *wrapperspb.UInt32Value) (*wrapperspb.BytesValue, error)
}

type samples struct{}

func (samples) Read(_ context.Context, n *wrapperspb.UInt32Value) (*wrapperspb.BytesValue, error) {
	columns := make([]byte, 0, 12*n.Value)
	for i := uint32(0); i < n.Value; i++ {
		columns = binary.LittleEndian.AppendUint32(columns, i+1)
		columns = binary.LittleEndian.AppendUint64(columns, uint64(i))
	}
	return wrapperspb.Bytes(columns), nil
}

func read(server any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	asked := new(wrapperspb.UInt32Value)
	if err := decode(asked); err != nil {
		return nil, err
	}
	return server.(reader).Read(ctx, asked)
}

var service = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*reader)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Read", Handler: read}},
}

type echo struct{ plugin.NetRPCUnsupportedPlugin }

func (echo) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&service, samples{})
	return nil
}

func (echo) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

type figure struct {
	Each     []float64 `json:"each"`     // µs of every read that was alone
	Together float64   `json:"together"` // µs a read with several under way
}

func ask(connection *grpc.ClientConn, n int) {
	must(connection.Invoke(context.Background(), "/bench.Echo/Read", wrapperspb.UInt32(uint32(n)), new(wrapperspb.BytesValue)))
}

func measured(connection *grpc.ClientConn, n, underWay int, window time.Duration) (found figure) {
	for began := time.Now(); time.Since(began) < window; {
		asked := time.Now()
		ask(connection, n)
		found.Each = append(found.Each, float64(time.Since(asked).Nanoseconds())/1e3)
	}
	var count atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range underWay {
		all.Go(func() {
			for time.Since(began) < window {
				ask(connection, n)
				count.Add(1)
			}
		})
	}
	all.Wait()
	found.Together = float64(time.Since(began).Nanoseconds()) / 1e3 / float64(count.Load())
	return found
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// main: with "plugin" it is the plugin; else the host: seconds, reads under way, sizes. Prints one line of JSON.
func main() {
	plugins := plugin.PluginSet{"echo": echo{}}
	quiet := hclog.NewNullLogger()
	if os.Args[1] == "plugin" {
		plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins, GRPCServer: plugin.DefaultGRPCServer, Logger: quiet})
		return
	}
	client := plugin.NewClient(&plugin.ClientConfig{HandshakeConfig: handshake, Plugins: plugins,
		Cmd: exec.Command(os.Args[0], "plugin"), Logger: quiet, AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}})
	defer client.Kill()
	protocol, err := client.Client()
	must(err)
	raw, err := protocol.Dispense("echo")
	must(err)
	found := map[string]figure{}
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	must(err)
	underWay, err := strconv.Atoi(os.Args[2])
	must(err)
	for _, size := range os.Args[3:] {
		n, err := strconv.Atoi(size)
		must(err)
		found[size] = measured(raw.(*grpc.ClientConn), n, underWay, time.Duration(seconds*1e9))
	}
	must(json.NewEncoder(os.Stdout).Encode(found))
}
