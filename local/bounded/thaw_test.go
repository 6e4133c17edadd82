package bounded

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"fanmail/local"
	"fanmail/local/postgres"
	"fanmail/shared/workflow"
)

// thawLimit is what the design allows an invocation whose connection has died; the margin is for a machine that is busy with
// other tests. A connect that waits for its timeout, and a statement that waits for TCP, take longer than both.
const (
	thawLimit = 2 * time.Second
	margin    = 2 * time.Second
)

func TestAConnectionThatDiesWhileItsEnvironmentIsFrozenIsReplacedAndNoMailIsRepeated(t *testing.T) {
	t.Parallel()
	d := deploy(t, postgres.Config{Durable: true}, local.Options{})
	deaths := []struct {
		name string
		// prepare is done before the session begins, kill while the environment is frozen.
		prepare, kill func(*stack)
	}{
		{"its backend is terminated", nil, func(d *stack) {
			var ended bool
			d.query("select bool_and(pg_terminate_backend(pid, 5000)) "+ours, &ended)
		}},
		{"idle_session_timeout passes", func(d *stack) {
			d.alterRole("set idle_session_timeout = '3s'")
		}, func(d *stack) {
			d.await("the server to end idle sessions", func() bool { return len(d.sessions()) == 0 })
			d.alterRole("reset idle_session_timeout")
		}},
		{"the server restarts", nil, func(d *stack) {
			if err := d.server.Restart(d.t.Context()); err != nil {
				d.t.Fatal(err)
			}
		}},
		{"the server crashes and restarts", nil, func(d *stack) {
			if err := errors.Join(d.server.Kill(), d.server.Restart(d.t.Context())); err != nil {
				d.t.Fatal(err)
			}
		}},
		{"the network drops it silently", nil, func(d *stack) { d.proxy.goSilent("fanmail-send", "fanmail-control") }},
	}
	const batch = 10
	n := 2 * batch * len(deaths)
	d.upload(n)
	send := d.sender()
	for i, death := range deaths {
		t.Run(death.name, func(t *testing.T) {
			d := d.of(t)
			d.Lambda().Recycle()
			if death.prepare != nil {
				death.prepare(d)
			}
			first := int64(2*batch*i) + 1
			if err := errors.Join(d.status(t.Context()), send(t.Context(), first, first+batch-1)); err != nil {
				t.Fatal(err)
			}
			senders, controls, sessions := d.started("send"), d.started("control"), d.sessions()
			death.kill(d)
			for name, invoke := range map[string]func(context.Context) error{
				"control": d.status,
				"send":    func(ctx context.Context) error { return send(ctx, first+batch, first+2*batch-1) },
			} {
				ctx, cancel := context.WithTimeout(t.Context(), thawLimit+margin)
				defer cancel()
				if err := invoke(ctx); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if d.started("send") != senders || d.started("control") != controls {
				t.Error("there was a cold start: the environments that were frozen have to serve")
			}
			fresh := slices.DeleteFunc(d.sessions(), func(pid int32) bool { return slices.Contains(sessions, pid) })
			if len(sessions) < 2 || len(fresh) != 2 {
				t.Errorf("sessions %v before, %v new ones after: want one of each function, replaced", sessions, fresh)
			}
		})
	}
	d.audit(n)
}

func TestAConnectionThatGoesSilentWhileMailIsUnderWayIsReplacedAndNoMailIsRepeated(t *testing.T) {
	t.Parallel()
	// Less than the second for which a connection is trusted unseen, so that the record itself runs into the silence.
	d := deploy(t, postgres.Config{}, local.Options{SESLatency: 500 * time.Millisecond})
	const n = 10
	d.upload(n)
	send := d.sender()
	if err := send(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- send(t.Context(), 2, n) }()
	d.await("all messages to be under way", func() bool { return d.SES().Accepted() == n })
	d.proxy.goSilent("fanmail-send")
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if sessions := len(d.proxy.of("fanmail-send")); sessions != 2 {
		t.Errorf("send opened %d sessions, want one and its replacement", sessions)
	}
	d.audit(n)
}

// sender prepares the campaign and plans a wave, and returns a function that invokes send on some of its recipients, all of
// whom must be mailed.
func (d *stack) sender() func(ctx context.Context, first, last int64) error {
	d.t.Helper()
	// Step Functions does not know this execution.
	const execution = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:by-hand"
	var prepared workflow.PrepareOutput
	if err := d.invoke(d.t.Context(), "prepare", workflow.PrepareInput{Input: map[string]any{"campaign": "spring"}, Execution: execution}, &prepared); err != nil {
		d.t.Fatal(err)
	}
	var planned workflow.PlanOutput
	if err := d.invoke(d.t.Context(), "plan", workflow.PlanInput{Campaign: "spring", Execution: execution}, &planned); err != nil {
		d.t.Fatal(err)
	}
	return func(ctx context.Context, first, last int64) error {
		var out workflow.SendOutput
		err := d.invoke(ctx, "send", workflow.SendInput{
			Campaign: "spring", Execution: execution, Content: prepared.Content, Wave: planned.Wave,
			Batch: workflow.Batch{Number: 1, First: first, Last: last, Pending: last - first + 1},
		}, &out)
		if want := (workflow.SendOutput{Sent: last - first + 1}); err == nil && out != want {
			return errors.New("not everybody was sent to")
		}
		return err
	}
}
