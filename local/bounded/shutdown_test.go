package bounded

import (
	"testing"

	"fanmail/local"
	"fanmail/local/postgres"
)

func TestEnvironmentsThatAreShutDownCloseTheirSessions(t *testing.T) {
	t.Parallel()
	for name, shutDown := range map[string]func(*stack){
		"recycled": func(d *stack) { d.Lambda().Recycle() },
		"closed": func(d *stack) {
			if err := d.Lambda().Close(d.t.Context()); err != nil {
				d.t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, postgres.Config{}, local.Options{})
			d.upload(10)
			d.succeed(d.start())
			if err := d.status(t.Context()); err != nil {
				t.Fatal(err)
			}
			if held := len(d.sessions()); held != len(functions) {
				t.Fatalf("%d sessions are held by frozen environments, want one of each of %v", held, functions)
			}
			shutDown(d)
			// The end of a process closes its sockets, too. Only who was told in time, by SIGTERM, says good-bye.
			for _, function := range functions {
				for _, s := range d.proxy.of("fanmail-" + function) {
					if !s.terminated() {
						t.Errorf("%s ended without closing its session", function)
					}
				}
			}
			d.await("the server to end the sessions", func() bool { return len(d.sessions()) == 0 })
		})
	}
}

func TestSessionsOfKilledEnvironmentsEndByIdleSessionTimeout(t *testing.T) {
	t.Parallel()
	d := deploy(t, postgres.Config{}, local.Options{})
	d.alterRole("set idle_session_timeout = '4s'")
	d.upload(10)
	send := d.sender()
	if err := send(t.Context(), 1, 10); err != nil {
		t.Fatal(err)
	}
	if err := d.status(t.Context()); err != nil {
		t.Fatal(err)
	}
	// When a process is killed its kernel still closes its sockets. When its machine is gone, nobody does.
	for _, function := range functions {
		d.proxy.goSilent("fanmail-" + function)
	}
	d.Lambda().KillAll()
	if len(d.sessions()) == 0 {
		t.Error("the server knows that the environments are gone: this test is to orphan their sessions")
	}
	d.await("the server to end the orphans", func() bool { return len(d.sessions()) == 0 })
}
