package endtoend

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local"
	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
)

func TestACampaignSurvivesARestartOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server := postgrestest.Server(t, postgres.Config{Durable: true})
	d := deploy(t, local.Options{
		DatabaseURL: server.URL(), SESLatency: 100 * time.Millisecond, FunctionEnvironment: impatient, VisibilityTimeout: 5 * time.Second,
	})
	const n = 2000
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("a quarter of the messages", func() bool { return d.SES().Accepted() > n/4 })
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.finishAfter(execution, "spring", n)
}

func TestAnExecutionThatStartsInAnOutageOfPostgreSQLTriesAgainUntilItIsOver(t *testing.T) {
	t.Parallel()
	server := postgrestest.Server(t, postgres.Config{Durable: true})
	d := deploy(t, local.Options{
		DatabaseURL: server.URL(), SESLatency: 100 * time.Millisecond, FunctionEnvironment: impatient, VisibilityTimeout: 5 * time.Second,
	})
	const n = 2000
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("a quarter of the messages", func() bool { return d.SES().Accepted() > n/4 })
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	d.stop(first)
	second := d.start("spring")
	address, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	d.await("a failure of Prepare that names the server", func() bool {
		name, message := d.taskFailure(second)
		return name == "Interrupted" && strings.Contains(message, address.Host) && !strings.ContainsRune(message, '\n')
	})
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.finishAfter(second, "spring", n)
}

// finishAfter lets the campaign come to its end, over as many executions as it takes.
func (d *stack) finishAfter(execution, campaign string, n int64) {
	d.t.Helper()
	d.ledger = d.connect()
	for executions := 1; d.end(execution).Status != "SUCCEEDED"; executions++ {
		if name, message := d.fail(execution); name != "DatabaseFailed" || strings.ContainsRune(message, '\n') {
			d.t.Fatalf("%s: %s", name, message)
		}
		if executions == 3 {
			d.t.Fatalf("%d executions were not enough", executions)
		}
		execution = d.start(campaign)
	}
	r := d.succeed(execution)
	d.t.Logf("%d recipients: %d sent, %d in doubt", r.Recipients, r.Sent, r.InDoubt)
	if r.State != "finished" || r.Recipients != n || r.Sent+r.InDoubt != n {
		d.t.Errorf("%+v", r)
	}
	if accepted := int64(len(d.mailbox())); accepted < r.Sent || accepted > n {
		d.t.Errorf("%d messages for %+v", accepted, r)
	}
	d.audit(campaign)
}

func TestAWrongDatabaseIsSaidInOneLine(t *testing.T) {
	t.Parallel()
	good, err := url.Parse(postgrestest.Server(t, postgres.Config{}).URL())
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(*url.URL)) string {
		u := *good
		change(&u)
		return u.String()
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, test := range []struct{ name, url, want string }{
		{"wrong password", changed(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "wrong-secret") }), "password"},
		{"no such database", changed(func(u *url.URL) { u.Path = "/nowhere" }), "nowhere"},
		{"nobody listens", changed(func(u *url.URL) { u.Host = closed.Addr().String() }), closed.Addr().String()},
		{"malformed", "postgres://user:wrong-secret@127.0.0.1:port/fanmail", "DATABASE_URL is malformed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			runtime, err := local.Start(ctx, local.Options{LambdaBinaries: binaries, DatabaseURL: test.url})
			if err == nil {
				t.Fatal("it started", runtime.Close())
			}
			t.Log(err)
			if !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\r\n\t") || strings.Contains(err.Error(), "wrong-secret") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestAPasswordThatIsChangedFailsTheCampaignInOneLine(t *testing.T) {
	t.Parallel()
	server := postgrestest.Server(t, postgres.Config{})
	connection, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(context.WithoutCancel(t.Context())) }()
	run := func(statement string) {
		t.Helper()
		if _, err := connection.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	run("create role mailer login password 'old'; grant all on database fanmail to mailer")
	mailer, _ := url.Parse(server.URL())
	mailer.User = url.UserPassword("mailer", "old")
	d := deploy(t, local.Options{DatabaseURL: mailer.String()})
	d.upload("spring", list(50))
	run("alter role mailer password 'new'")
	name, message := d.fail(d.start("spring"))
	t.Logf("%s: %s", name, message)
	if name != "DatabaseFailed" || !strings.Contains(message, "password") || !strings.Contains(message, "mailer") || strings.ContainsRune(message, '\n') {
		t.Errorf("%s: %q", name, message)
	}
	run("alter role mailer password 'old'")
	d.auditSent("spring", d.succeed(d.start("spring")), 50)
}

func TestADiskThatFillsUpInAWaveFailsTheCampaign(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	const n, room = 300, 100
	d.upload("spring", list(n))
	// What PostgreSQL says when a table can't grow.
	d.execute(`
		create function fill_disk() returns trigger language plpgsql as $$
		begin
			raise 'could not extend file "base/16384/16397": No space left on device' using errcode = 'disk_full', hint = 'Check free disk space.';
		end $$;
		create trigger fill_disk before update on fanmail.recipient for each row
		when (new.state = 'claimed' and new.seq > 100) execute function fill_disk()`)
	name, message := d.fail(d.start("spring"))
	t.Logf("%s: %s", name, message)
	if !strings.Contains(message, "No space left on device") || !strings.Contains(message, "start the campaign again") || strings.ContainsRune(message, '\n') {
		t.Errorf("%s: %q", name, message)
	}
	if r := d.status("spring"); r.State != "failed" || !strings.Contains(r.Reason, "No space left on device") || r.Sent != room || r.Pending != n-room {
		t.Errorf("%+v", r)
	}
	d.audit("spring")
	d.execute("drop trigger fill_disk on fanmail.recipient")
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}
