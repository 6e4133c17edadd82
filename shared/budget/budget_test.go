package budget

import (
	"strings"
	"testing"
	"time"
)

func TestBound(t *testing.T) {
	functions := []Function{{"migrate", 1}, {"prepare", 2}, {"plan", 2}, {"send", 10}, {"finish", 2}, {"control", 1}}
	if got := Bound(functions); got != 18 {
		t.Errorf("bound %d, want 18", got)
	}
	if got := Bound(nil); got != 0 {
		t.Errorf("bound of nothing is %d", got)
	}
}

func TestAllowed(t *testing.T) {
	for _, test := range []struct {
		name   string
		server Server
		want   int
	}{
		{"a fresh server", Server{MaxConnections: 100, Reserved: 3, RoleLimit: -1}, 87},
		{"others hold some", Server{MaxConnections: 100, Reserved: 3, Others: 40, RoleLimit: -1}, 47},
		{"the role's limit is lower", Server{MaxConnections: 100, Reserved: 3, RoleLimit: 18}, 18},
		{"the role's limit is higher", Server{MaxConnections: 100, Reserved: 3, Others: 80, RoleLimit: 18}, 7},
		{"a role that may not connect", Server{MaxConnections: 100, Reserved: 3, RoleLimit: 0}, 0},
		{"t4g.micro of RDS", Server{MaxConnections: 87, Reserved: 7, Others: 10, RoleLimit: -1}, 62},
		{"full", Server{MaxConnections: 100, Reserved: 3, Others: 97, RoleLimit: -1}, -10},
		{"a tiny server keeps a spare of five", Server{MaxConnections: 20, Reserved: 3, RoleLimit: -1}, 12},
		{"the accident", Server{MaxConnections: 1000, Reserved: 3, RoleLimit: -1}, 897},
		{"rounded up for others", Server{MaxConnections: 104, Reserved: 3, RoleLimit: -1}, 90},
	} {
		if got := test.server.Allowed(); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestNeed(t *testing.T) {
	for _, test := range []struct {
		rate     float64
		latency  time.Duration
		parallel int
		want     int
	}{
		{14, 200 * time.Millisecond, 10, 1},
		{50, 200 * time.Millisecond, 10, 1},
		{51, 200 * time.Millisecond, 10, 2},
		{500, 200 * time.Millisecond, 10, 10},
		{500, 100 * time.Millisecond, 10, 5},
		{10_000, 200 * time.Millisecond, 10, 200},
		{0.01, 200 * time.Millisecond, 10, 1},
		{100, 2 * time.Second, 1, 200},
	} {
		if got := (Need{test.rate, test.latency, test.parallel}).Senders(); got != test.want {
			t.Errorf("%v/s of %v, %d at once: %d senders, want %d", test.rate, test.latency, test.parallel, got, test.want)
		}
	}
}

func TestSenders(t *testing.T) {
	free := Server{MaxConnections: 100, Reserved: 3, RoleLimit: -1}
	for _, test := range []struct {
		name            string
		rate            float64
		reserved, bound int
		server          Server
		want            int
		reason          string
	}{
		{"the rate decides", 300, 40, 48, free, 6, "6 senders: the rate needs 6, the deployment allows 40, the server 79"},
		{"one is one", 14, 10, 18, free, 1, "1 sender: the rate needs 1, the deployment allows 10, the server 79"},
		{"the deployment decides", 5000, 10, 18, free, 10, "10 senders: the deployment allows no more, the rate needs 100, the server allows 79"},
		{"the server decides", 5000, 90, 98, free, 79, "79 senders: the server allows no more, the rate needs 100, the deployment allows 90"},
		{"the role decides", 5000, 90, 98, Server{MaxConnections: 100, Reserved: 3, RoleLimit: 18}, 10, "10 senders: the server allows no more, the rate needs 100, the deployment allows 90 (the role's limit is 18)"},
		{"the role's limit is the bound", 5000, 10, 18, Server{MaxConnections: 100, Reserved: 3, RoleLimit: 18}, 10, "10 senders: the deployment allows no more"},
		{"others have taken all", 300, 10, 18, Server{MaxConnections: 100, Reserved: 3, Others: 85, RoleLimit: -1}, 0, "no sender: of 100 connections 3 are reserved by the server, 85 are held by others, 10 are left to them as a spare, and 8 belong to the other functions of Fanmail"},
		{"the last slot", 300, 10, 18, Server{MaxConnections: 100, Reserved: 3, Others: 78, RoleLimit: -1}, 1, "1 sender: the server allows no more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Senders(Need{Rate: test.rate, Latency: 200 * time.Millisecond, Parallel: 10}, test.reserved, test.bound, test.server)
			if got.Senders != test.want || !strings.HasPrefix(got.Reason, test.reason) {
				t.Errorf("%d (%s), want %d (%s)", got.Senders, got.Reason, test.want, test.reason)
			}
			if got.Senders > test.reserved || got.Senders > max(0, test.server.Allowed()) {
				t.Error("more than the deployment or the server allows")
			}
		})
	}
}

func TestFit(t *testing.T) {
	functions := []Function{{"plan", 2}, {"send", 10}}
	big := []Function{{"send", 901}}
	server := &Server{MaxConnections: 100, Reserved: 3, RoleLimit: -1}
	small := &Server{MaxConnections: 20, Reserved: 3, Others: 2, RoleLimit: -1}
	for _, test := range []struct {
		name      string
		functions []Function
		account   Account
		server    *Server
		want      string
	}{
		{"fits", functions, DefaultAccount, server, ""},
		{"the server is not known", functions, DefaultAccount, nil, ""},
		{"a new account", functions, Account{Limit: 110, Unreserved: 100}, server, "only 10 of its 110 can be reserved"},
		{"too much for any account", big, DefaultAccount, nil, "only 900 of its 1000 can be reserved"},
		{"a server too small", functions, DefaultAccount, small, "can hold 12 connections, but the server has only 10 for them"},
	} {
		err := Fit(test.functions, test.account, test.server)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
