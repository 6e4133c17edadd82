package bench

import (
	"strings"
	"testing"
	"time"
)

func TestSpansAreKeptByCampaign(t *testing.T) {
	const mailbox = `{"time":"2026-11-23T08:00:00Z","tags":{"fanmail-campaign":"a"}}
{"time":"2026-11-23T08:00:01Z","tags":{"fanmail-campaign":"b"}}
{"time":"2026-11-23T08:00:03.5Z","tags":{"fanmail-campaign":"a"}}
`
	spans, err := spansOf(strings.NewReader(mailbox))
	if err != nil {
		t.Fatal(err)
	}
	if a := spans["a"]; a.n != 2 || a.last.Sub(a.first) != 3500*time.Millisecond {
		t.Errorf("a: %+v", a)
	}
	if b := spans["b"]; b.n != 1 || !b.first.Equal(b.last) {
		t.Errorf("b: %+v", b)
	}
	if _, err := spansOf(strings.NewReader("{")); err == nil {
		t.Error("a broken mailbox was read")
	}
}
