package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBudget(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
		err  string
	}{
		{"the deployment", nil, exitOK, []string{"send", "bound", "reservable Lambda concurrency  900"}, ""},
		{"a server", []string{"--max-connections", "100"}, exitOK, []string{"87  (100, less 3 reserved, 0 held by others, 10 spare for them)"}, ""},
		{"a rate", []string{"--max-connections", "100", "--rate", "14"}, exitOK, []string{"1 sender: the rate needs 1"}, ""},
		{"a server too small", []string{"--max-connections", "20"}, exitFailed, []string{"bound"}, "but the server has only 12 for them"},
		{"a new account", []string{"--account-concurrency", "110"}, exitFailed, []string{"bound"}, "only 10 of its 110 can be reserved"},
		{"too many senders", []string{"--senders", "900"}, exitFailed, []string{"bound"}, "only 900 of its 1000 can be reserved"},
		{"a negative number", []string{"--others", "-3"}, exitUsage, nil, "a number is negative"},
		{"a rate without a server", []string{"--rate", "3"}, exitUsage, nil, "--rate needs --max-connections"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := fanmail(t, nil, append([]string{"budget"}, test.args...)...)
			if got.code != test.code || (test.err == "") != (got.stderr == "") || !strings.Contains(got.stderr, test.err) || strings.Count(got.stderr, "\n") > 1 {
				t.Errorf("exit code %d, stderr %q; want %d and one line with %q", got.code, got.stderr, test.code, test.err)
			}
			for _, want := range test.want {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("stdout lacks %q:\n%s", want, got.stdout)
				}
			}
		})
	}
	var r budgetReport
	if err := json.Unmarshal([]byte(fanmail(t, nil, "budget", "--json").stdout), &r); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, f := range r.Functions {
		sum += f.Concurrency
	}
	if r.Bound != sum || sum == 0 {
		t.Errorf("bound %d, sum of the functions %d", r.Bound, sum)
	}
}
