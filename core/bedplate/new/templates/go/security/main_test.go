package main

import (
	"testing"

	"google.golang.org/grpc"

	"bedplate-my-thing/pb/plugin"
	"bedplate-my-thing/pb/security"
)

const area = "plant/line1/oven"

func module(t *testing.T) *thing {
	made, err := newThing([]byte(`{"area": "` + area + `", "roles": ["engineer"]}`))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func verdict(t *testing.T, resource, action string, roles ...string) security.Verdict {
	check := &security.Check{Action: action, Resource: resource}
	return module(t).decide(&security.Subject{Id: "somebody", Roles: roles}, check).Verdict
}

func TestWhatLiesInTheAreaIsForThoseWhoHaveTheRole(t *testing.T) {
	for _, inside := range []string{area, area + "/recipe", area + "/door/open"} {
		if verdict(t, inside, "live.current", "viewer") != security.Verdict_VERDICT_DENY {
			t.Error("let pass:", inside)
		}
		if verdict(t, inside, "live.current", "viewer", "engineer") != security.Verdict_VERDICT_ALLOW {
			t.Error("denied to an engineer:", inside)
		}
	}
}

func TestWhatLiesElsewhereIsNoneOfItsBusiness(t *testing.T) {
	for _, outside := range []string{"", "plant", "plant/line1", "plant/line1/filler/speed", "plant/line1/oven2/recipe"} {
		if verdict(t, outside, "live.current", "viewer") != security.Verdict_VERDICT_ABSTAIN {
			t.Error(outside)
		}
	}
	if verdict(t, area, "alarms.list", "viewer") != security.Verdict_VERDICT_ABSTAIN {
		t.Error("an action that is not named")
	}
}

func TestADenialSaysWhy(t *testing.T) {
	decision := module(t).decide(&security.Subject{}, &security.Check{Action: "live.current", Resource: area})
	if decision.Reason != "plant/line1/oven is for engineer" {
		t.Error(decision.Reason)
	}
}

type asker struct {
	security.UnsafeSecurityHostServer
	*kernel[security.ToSecurity, security.FromSecurity]
}

func TestItAnswersAKernelAndDecidesNothingBeforeItIsOpen(t *testing.T) {
	k := attached(t, func(server *grpc.Server, k *kernel[security.ToSecurity, security.FromSecurity]) {
		security.RegisterSecurityHostServer(server, asker{kernel: k})
	})
	ask := func(ask *security.Ask) *security.Reply {
		ask.Id, ask.Component, ask.WithinMs = k.id(), "guard", 500
		return k.ask(t, &security.ToSecurity{Asks: []*security.Ask{ask}}).Replies[0]
	}
	open := func(settings string) *plugin.Answer {
		return ask(&security.Ask{What: &security.Ask_Open{Open: &plugin.Open{ConfigJson: []byte(settings)}}}).Answer
	}
	authorize := func() *security.Reply {
		checks := []*security.Check{{Action: "live.current", Resource: area}, {Action: "live.current", Resource: "plant/line2"}}
		return ask(&security.Ask{What: &security.Ask_Authorize{Authorize: &security.Authorize{Checks: checks}}})
	}
	want(t, ask(&security.Ask{What: &security.Ask_Ping{Ping: &plugin.Ping{}}}).Answer, plugin.Code_CODE_OK)
	want(t, authorize().Answer, plugin.Code_CODE_UNREACHABLE)
	wrong := open(`{"area": "plant/**", "roles": ["engineer"]}`)
	want(t, wrong, plugin.Code_CODE_INVALID)
	if wrong.Problems[0].Pointer != "/area" {
		t.Error(wrong)
	}
	want(t, open(`{"area": "`+area+`", "roles": ["engineer"]}`), plugin.Code_CODE_OK)
	decided := authorize().Decisions
	if len(decided) != 2 || decided[0].Verdict != security.Verdict_VERDICT_DENY || decided[1].Verdict != security.Verdict_VERDICT_ABSTAIN {
		t.Error(decided)
	}
	want(t, ask(&security.Ask{}).Answer, plugin.Code_CODE_UNSUPPORTED)
}
