package faults

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsAreRead(t *testing.T) {
	want := Settings{
		Seed:     7,
		SES:      SES{Drop: 0.1, Throttle: 0.05, InternalError: 0.02, LoseAnswer: 0.01, Delay: 1, DelayMilliseconds: 2.5},
		Send:     Send{KillEveryMilliseconds: 250, TimeOutEveryMilliseconds: 1000, KillAt: AtRecord, KillAtShare: 0.1},
		Database: Database{TerminateEveryMilliseconds: 500},
		Events:   Events{Lose: 0, Double: 0.1, DelayMilliseconds: 500, DeliverTwice: 0.01},
		Schedule: Schedule{Double: 1},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(text)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := Parse([]byte("{}")); err != nil || got != (Settings{}) {
		t.Errorf("{}: %+v %v", got, err)
	}
}

func TestEveryProblemOfTheSettingsIsToldInALine(t *testing.T) {
	for text, want := range map[string][]string{
		``:              {"not readable"},
		`[]`:            {"not readable"},
		`{"seed": "x"}`: {"not readable"},
		`{} {}`:         {"more follows"},
		`{"sedd": 1, "ses": {"thorttle": 1, "drop": 2}, "events": {"twice": 1}}`: {
			"no events.twice, but delayMilliseconds, deliverTwice, double, lose", "no sedd, but database, events, schedule, seed, send, ses", "no ses.thorttle",
		},
		`{"ses": {"throttle": 1.5, "drop": -1, "delay": 1}, "send": {"killEveryMilliseconds": 1, "killAt": "birth"}, "events": {"delayMilliseconds": 1e9}}`: {
			"ses.drop is -1", "ses.throttle is 1.5", "send.killEveryMilliseconds is 1:", "events.delayMilliseconds is 1e+09",
			`send.killAt is "birth": the points are "claim", "answer" and "record"`, "ses.delayMilliseconds is 0",
		},
		`{"schedule": {"double": 2}}`:                      {"schedule.double is 2"},
		`{"send": {"killAt": "claim"}}`:                    {"send.killAtShare is 0"},
		`{"send": {"killAtShare": 0.5}}`:                   {"send.killAt is empty"},
		`{"database": {"terminateEveryMilliseconds": -5}}`: {"database.terminateEveryMilliseconds is -5"},
	} {
		_, err := Parse([]byte(text))
		if err == nil {
			t.Errorf("%s is accepted", text)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(want) {
			t.Errorf("%s: %d lines, want %d: %v", text, len(lines), len(want), err)
			continue
		}
		for i, line := range lines {
			if !strings.Contains(line, want[i]) {
				t.Errorf("%s: line %q, want %q", text, line, want[i])
			}
		}
	}
}
