package main

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"google.golang.org/grpc"

	"bedplate-my-thing/pb/connector"
	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/record"
	"bedplate-my-thing/sim"
)

type asker struct {
	connector.UnsafeConnectorHostServer
	*kernel[connector.ToConnector, connector.FromConnector]
	t *testing.T
}

// begun is the plugin and a machine for it.
func begun(t *testing.T) (*asker, *sim.Machine) {
	machine, err := sim.Start(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(machine.Close)
	k := attached(t, func(server *grpc.Server, k *kernel[connector.ToConnector, connector.FromConnector]) {
		connector.RegisterConnectorHostServer(server, asker{kernel: k})
	})
	return &asker{kernel: k, t: t}, machine
}

func (k *asker) ask(ask *connector.Ask) *connector.Reply {
	ask.Id, ask.Component = k.id(), "machine"
	if ask.WithinMs == 0 {
		ask.WithinMs = 10000
	}
	reply := k.kernel.ask(k.t, &connector.ToConnector{Asks: []*connector.Ask{ask}}).Replies[0]
	if reply.Answer.Id != ask.Id {
		k.t.Fatal("the answer to another ask")
	}
	return reply
}

func (k *asker) open(machine *sim.Machine, addresses ...string) *plugin.Answer {
	config, _ := json.Marshal(map[string]any{"host": "127.0.0.1", "port": machine.Port})
	open := &plugin.Open{Use: "my-thing", ConfigJson: config}
	for i, address := range addresses {
		open.Tags = append(open.Tags, &plugin.Tag{Handle: uint32(i + 1), Name: address, Address: address})
	}
	return k.ask(&connector.Ask{What: &connector.Ask_Open{Open: open}}).Answer
}

func (k *asker) read(within time.Duration, tags ...uint32) *connector.Reply {
	return k.ask(&connector.Ask{WithinMs: uint32(within.Milliseconds()), What: &connector.Ask_Read{Read: &connector.Read{Tags: tags}}})
}

func (k *asker) write(tag uint32, number float64) *plugin.Answer {
	write := &connector.Write{Tag: tag, Value: &record.Value{Of: &record.Value_Float64{Float64: number}}}
	return k.ask(&connector.Ask{What: &connector.Ask_Write{Write: write}}).Answer
}

func TestValuesAreReadInOrderAndOneThatIsNotThereIsBadAlone(t *testing.T) {
	k, machine := begun(t)
	want(t, k.open(machine, "setpoint", "colour", "temperature"), plugin.Code_CODE_OK)
	reply := k.read(0, 3, 2, 1)
	want(t, reply.Answer, plugin.Code_CODE_OK)
	batch := reply.GetRead().Batches[0]
	if v := batch.Float64; v[0] != 20 || !math.IsNaN(v[1]) || v[2] != 25 || batch.Quality[1] == 0 {
		t.Fatal(batch)
	}
	if p := reply.GetRead().Problems; len(p) != 1 || p[0].Tag != 2 || p[0].Text != "no such value" {
		t.Fatal(p)
	}
}

func TestAWrittenValueArrivesAndARefusalSaysWhy(t *testing.T) {
	k, machine := begun(t)
	k.open(machine, "setpoint", "temperature")
	want(t, k.write(1, 40), plugin.Code_CODE_OK)
	refusal := k.write(2, 1)
	want(t, refusal, plugin.Code_CODE_REFUSED)
	if machine.Value("setpoint") != 40 || refusal.Text != "read only" {
		t.Fatal(refusal)
	}
}

func TestAMachineThatFreezesOrHangsUpIsUnreachable(t *testing.T) {
	k, machine := begun(t)
	k.open(machine, "setpoint")
	machine.Freeze(true)
	want(t, k.read(300*time.Millisecond, 1).Answer, plugin.Code_CODE_UNREACHABLE)
	machine.Freeze(false)
	want(t, k.open(machine, "setpoint"), plugin.Code_CODE_OK)
	want(t, k.read(0, 1).Answer, plugin.Code_CODE_OK) // by now the machine knows of it
	machine.Cut()
	want(t, k.read(0, 1).Answer, plugin.Code_CODE_UNREACHABLE)
}

func TestAnAddressThatCannotBeRightIsInvalidWithItsTag(t *testing.T) {
	k, machine := begun(t)
	answer := k.open(machine, "setpoint", "No Value")
	want(t, answer, plugin.Code_CODE_INVALID)
	if answer.Problems[0].Tag != 2 {
		t.Fatal(answer)
	}
}

func TestPingsAreAnsweredAndUnknownAsksAreUnsupported(t *testing.T) {
	k, _ := begun(t)
	want(t, k.ask(&connector.Ask{What: &connector.Ask_Ping{Ping: &plugin.Ping{}}}).Answer, plugin.Code_CODE_OK)
	want(t, k.ask(&connector.Ask{What: &connector.Ask_Browse{Browse: &connector.Browse{}}}).Answer, plugin.Code_CODE_UNSUPPORTED)
}
