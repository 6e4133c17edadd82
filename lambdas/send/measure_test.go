package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/local/ses"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/metrics"
)

func TestAnInvocationEmitsWhatSESAnswered(t *testing.T) {
	throttled := false
	f := newFixture(t, 4, func(r *ses.Request) ses.Fault {
		switch address := r.Destination.ToAddresses[0]; {
		case address == "r2@example.com":
			return ses.Fault{Error: &ses.Error{Status: 400, Code: "MessageRejected", Message: "Bad content."}}
		case address == "r3@example.com" && !throttled:
			throttled = true
			return ses.Fault{Error: ses.ErrRate}
		}
		return ses.Fault{}
	})
	var out bytes.Buffer
	f.handler.metrics = metrics.New("test", &out)
	if _, err := f.handler.handle(invocation(t), f.in); err != nil {
		t.Fatal(err)
	}
	got, _ := functiontest.Metrics(t, out.Bytes())
	if diff := cmp.Diff(map[string]float64{"Accepted": 3, "Failed": 1, "Throttled": 1, "Connections": got["Connections"]}, got); diff != "" || got["Connections"] < 1 {
		t.Errorf("%s\n%s", diff, out.Bytes())
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("%d lines", n)
	}
	if bytes.Contains(out.Bytes(), []byte("@")) || bytes.Contains(out.Bytes(), []byte(f.in.Campaign)) {
		t.Errorf("it tells more than counts: %s", out.Bytes())
	}
}

func TestAnInvocationThatFailsEmitsWhatItHasSent(t *testing.T) {
	f := newFixture(t, 1, nil)
	var out bytes.Buffer
	f.handler.metrics = metrics.New("test", &out)
	f.exec(t, "alter table fanmail.recipient rename to gone")
	if _, err := f.handler.handle(invocation(t), f.in); err == nil {
		t.Fatal("there is no error")
	}
	got, _ := functiontest.Metrics(t, out.Bytes())
	if diff := cmp.Diff(map[string]float64{"Accepted": 0, "Failed": 0, "Throttled": 0}, got); diff != "" {
		t.Error(diff)
	}
}
