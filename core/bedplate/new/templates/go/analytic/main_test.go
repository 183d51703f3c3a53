package main

import (
	"slices"
	"testing"

	"google.golang.org/grpc"

	"bedplate-my-thing/pb/analytic"
	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/record"
)

const (
	second = 1_000_000_000
	began  = 1_700_000_000 * second
	bad    = 0x80000000
	tank   = "plant/line1/tank"
)

// life is a thing from one crash to the next, and what it wrote.
type life struct {
	*thing
	seconds []float64
	times   []int64
}

func alive(t *testing.T, state []byte) *life {
	made, err := restored(settings{"level", 50}, state)
	if err != nil {
		t.Fatal(err)
	}
	return &life{thing: made}
}

func (l *life) takeAll(from int, good bool, values ...float64) {
	for i, value := range values {
		at := int64(began + (from+i)*second)
		if _, seconds, times, ok := l.take(sample{at, at, value, good}); ok {
			l.seconds, l.times = append(l.seconds, seconds), append(l.times, times)
		}
	}
}

func TestTimeAboveTheLimitIsCountedAndSoAreTheCrossings(t *testing.T) {
	one := alive(t, nil)
	one.takeAll(0, true, 40, 60, 70, 50, 80, 20)
	if !slices.Equal(one.seconds, []float64{0, 0, 1, 2, 2, 3}) || !slices.Equal(one.times, []int64{0, 1, 1, 1, 2, 2}) {
		t.Error(one.seconds, one.times)
	}
}

func TestTimeOfWhichNothingIsKnownDoesNotCount(t *testing.T) {
	one := alive(t, nil)
	one.takeAll(0, true, 60, 60)
	one.takeAll(2, false, 0)
	one.takeAll(9, true, 60, 60)
	if one.Nanoseconds != 3*second || one.Crossings != 2 {
		t.Error(one.Nanoseconds, one.Crossings)
	}
}

func TestWhatComesLateSaysNothingAboutNow(t *testing.T) {
	one := alive(t, nil)
	one.takeAll(0, true, 60, 60)
	if _, _, _, ok := one.take(sample{began, began + 2*second, 10, true}); ok || !one.Above {
		t.Error("a late sample was counted")
	}
}

func TestAnySplitAndAnyCrashGiveTheSame(t *testing.T) {
	values := []float64{40, 60, 60, 30, 90, 51, 50, 49, 70, 70, 10, 60}
	whole := alive(t, nil)
	whole.takeAll(0, true, values...)
	for cut := range values {
		before := alive(t, nil)
		before.takeAll(0, true, values[:cut]...)
		after := alive(t, before.state())
		after.takeAll(cut, true, values[cut:]...)
		if !slices.Equal(append(before.seconds, after.seconds...), whole.seconds) {
			t.Error("another result when cut at", cut)
		}
	}
}

func TestAStateOfAnotherTimeIsRefusedInWords(t *testing.T) {
	for _, state := range []string{"{", `{"Version": 2}`, "{}"} {
		if _, err := restored(settings{"level", 50}, []byte(state)); err == nil {
			t.Error("taken:", state)
		}
	}
}

type asker struct {
	analytic.UnsafeAnalyticHostServer
	*kernel[analytic.ToAnalytic, analytic.FromAnalytic]
}

func TestAKernelThatSendsColumnsGetsColumnsAndStates(t *testing.T) {
	k := attached(t, func(server *grpc.Server, k *kernel[analytic.ToAnalytic, analytic.FromAnalytic]) {
		analytic.RegisterAnalyticHostServer(server, asker{kernel: k})
	})
	ask := func(ask *analytic.Ask) *analytic.Reply {
		ask.Id, ask.Component, ask.WithinMs = k.id(), "full", 10000
		return k.ask(t, &analytic.ToAnalytic{Asks: []*analytic.Ask{ask}}).Replies[0]
	}
	open := func(settings string) *analytic.Reply {
		inputs := []*plugin.Input{{Name: "level", Path: tank + "/level"}}
		opened := &plugin.Open{ConfigJson: []byte(settings), Assets: []*plugin.Asset{{Path: tank, Inputs: inputs}}}
		return ask(&analytic.Ask{What: &analytic.Ask_Open{Open: opened}})
	}
	want(t, ask(&analytic.Ask{What: &analytic.Ask_Ping{Ping: &plugin.Ping{}}}).Answer, plugin.Code_CODE_OK)
	want(t, open(`{"tag": "", "limit": 50}`).Answer, plugin.Code_CODE_INVALID)
	opened := open(`{"tag": "level", "limit": 50}`)
	want(t, opened.Answer, plugin.Code_CODE_OK)
	if names := opened.GetOpen().Outputs; len(names) != 2 || names[1].Name != "times_above" {
		t.Fatal(names)
	}
	times := []int64{began, began + second, began + 2*second}
	level := &record.Batch{
		Count: 3, Tag: []uint32{7}, Time: times, Quality: []uint32{0, 0, bad},
		DataType: record.DataType_DATA_TYPE_INT64, Int64: []int64{40, 60, 60},
	}
	stretch := &analytic.Process{
		Outputs: []uint32{21, 22},
		Tables:  []*record.TagTable{{Epoch: 1, Tags: []*record.Tag{{Handle: 7, Path: tank + "/level"}}}},
		Records: []*record.Record{{Received: times[2], Body: &record.Record_Batch{Batch: level}}},
	}
	reply := ask(&analytic.Ask{What: &analytic.Ask_Process{Process: stretch}})
	want(t, reply.Answer, plugin.Code_CODE_OK)
	results := reply.GetProcess()
	if b := results.Batches; len(b) != 2 || b[0].Float64[2] != 1 || b[1].Int64[2] != 1 || b[0].Tag[0] != 21 || b[1].Time[1] != times[1] {
		t.Error(results)
	}
	if len(results.States) != 1 || results.States[0].Key != tank {
		t.Error(results.States)
	}
	want(t, ask(&analytic.Ask{}).Answer, plugin.Code_CODE_UNSUPPORTED)
}
