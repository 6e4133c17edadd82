package deployment

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheDeploymentIsRead(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]Function{}
	sum := 0
	for i, f := range functions {
		byKey[f.Key] = f
		sum += f.ReservedConcurrency
		if i > 0 && f.Key <= functions[i-1].Key {
			t.Errorf("%s stands after %s", f.Key, functions[i-1].Key)
		}
	}
	if Bound(functions) != sum || sum == 0 {
		t.Errorf("bound is %d, the sum %d", Bound(functions), sum)
	}
	for _, key := range []string{"migrate", "prepare", "plan", "send", "finish", "control", "events"} {
		if _, ok := byKey[key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
	// Plan must not plan for more senders than the deployment lets run.
	if senders := byKey["plan"].Environment["FANMAIL_SENDERS"]; senders != strconv.Itoa(byKey["send"].ReservedConcurrency) {
		t.Errorf("plan has FANMAIL_SENDERS=%q, send runs %d", senders, byKey["send"].ReservedConcurrency)
	}
}

func TestAnchorsAndNumbersAreRead(t *testing.T) {
	functions, err := Parse([]byte(`
plan: { timeout: 30, memorySize: 256, reservedConcurrency: 2, environment: { FANMAIL_SENDERS: &senders 7, OTHER: "${param:other}" } }
send: { timeout: 300, memorySize: 128, reservedConcurrency: *senders, handler: bootstrap }
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Function{
		{Key: "plan", Timeout: 30 * time.Second, MemorySize: 256, ReservedConcurrency: 2, Environment: map[string]string{"FANMAIL_SENDERS": "7"}},
		{Key: "send", Timeout: 5 * time.Minute, MemorySize: 128, ReservedConcurrency: 7},
	}
	if diff := cmp.Diff(want, functions); diff != "" {
		t.Error(diff)
	}
	if Bound(functions) != 9 {
		t.Errorf("bound is %d", Bound(functions))
	}
}

func TestABadFileIsRefusedByName(t *testing.T) {
	good := "timeout: 30, memorySize: 256, reservedConcurrency: 2"
	for text, want := range map[string]string{
		"":             "no functions",
		"send: [1]":    "functions.yml",
		"send: {a: *b": "functions.yml",
		"send: {" + strings.Replace(good, "30", "901", 1) + "}":                                                       "send: timeout is 901",
		"send: {" + strings.Replace(good, "30", "0", 1) + "}":                                                         "send: timeout is 0",
		"send: {" + strings.Replace(good, "256", "64", 1) + "}":                                                       "send: memorySize is 64",
		"send: {timeout: 30, memorySize: 256}":                                                                        "send: reservedConcurrency is 0",
		"plan: {" + good + "}\nsend: {timeout: 1, memorySize: 128}\nprepare: {memorySize: 1, reservedConcurrency: 1}": "prepare: timeout is 0",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestSendersReplaceBothNumbers(t *testing.T) {
	all, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	before := Bound(all)
	changed, err := WithSenders(all, 3)
	if err != nil {
		t.Fatal(err)
	}
	var was int
	for i, f := range changed {
		switch f.Key {
		case "send":
			was = all[i].ReservedConcurrency
			if f.ReservedConcurrency != 3 {
				t.Errorf("send has %d", f.ReservedConcurrency)
			}
		case "plan":
			if f.Environment["FANMAIL_SENDERS"] != "3" || all[i].Environment["FANMAIL_SENDERS"] == "3" {
				t.Errorf("plan has %v, before %v", f.Environment, all[i].Environment)
			}
		}
	}
	if got := Bound(changed); got != before-was+3 {
		t.Errorf("bound is %d", got)
	}
	if same, err := WithSenders(all, 0); err != nil || Bound(same) != before {
		t.Errorf("0 senders: %v %v", same, err)
	}
	if _, err := WithSenders(all, -1); err == nil {
		t.Error("-1 senders are accepted")
	}
}

func TestTheConnectionLimitIsTheBound(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	for override, want := range map[string]int{"": Bound(functions), "7": 7, "0": 0, "many": 0} {
		got, err := ConnectionLimit(override)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d %v", override, got, err)
		}
	}
}
