package faults

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres/postgrestest"
)

// sessions connects to a database of its own, under a name.
type sessions struct {
	t    *testing.T
	url  string
	role string
}

func newSessions(t *testing.T) sessions {
	s := sessions{t: t, url: postgrestest.New(t)}
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		t.Fatal(err)
	}
	s.role = config.User
	return s
}

func (s sessions) open(ctx context.Context, name string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = name
	return pgx.ConnectConfig(ctx, config)
}

func (s sessions) connect(name string) *pgx.Conn {
	s.t.Helper()
	conn, err := s.open(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func (s sessions) service(w *world, settings Settings) *Service {
	s.t.Helper()
	service := New(Config{
		Lambda: w, Sender: "send", SenderSession: "fanmail-send", Role: s.role, Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
		Connect: func(ctx context.Context) (*pgx.Conn, error) { return s.open(ctx, "fanmail-watch") },
	})
	s.t.Cleanup(func() { service.Close() })
	if err := service.Set(settings); err != nil {
		s.t.Fatal(err)
	}
	return service
}

func alive(conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return conn.Ping(ctx) == nil
}

func TestSessionsOfTheFunctionsAreTerminatedAndNoOthers(t *testing.T) {
	s := newSessions(t)
	mine, foreign := []*pgx.Conn{s.connect("fanmail-send"), s.connect("fanmail-events")}, []*pgx.Conn{s.connect("psql"), s.connect("fanmail-watch")}
	service := s.service(newWorld(0), Settings{Database: Database{TerminateEveryMilliseconds: 10}})
	eventually(t, "both sessions are terminated", func() bool { return service.Counts().Terminations >= 2 })
	eventually(t, "both sessions are gone", func() bool { return !alive(mine[0]) && !alive(mine[1]) })
	if !alive(foreign[0]) || !alive(foreign[1]) {
		t.Error("a session that is not of the functions is gone")
	}
	if err := service.Close(); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := foreign[0].QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fanmail-watch'").Scan(&left); err != nil {
		t.Fatal(err)
	}
	// The server may take a moment to see that a session has ended.
	eventually(t, "the faults' own session ends", func() bool {
		err := foreign[0].QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fanmail-watch'").Scan(&left)
		return err == nil && left == 1
	})
}

const ledgerSQL = `
CREATE SCHEMA fanmail;
CREATE TABLE fanmail.campaign (id int, name text);
CREATE TABLE fanmail.recipient (campaign_id int, seq bigint, state text);
INSERT INTO fanmail.campaign VALUES (1, 'c');
INSERT INTO fanmail.recipient SELECT 1, i, 'claimed' FROM generate_series(1, 5) i`

func TestAtRecordTheSenderDiesWhileItsStatementWaitsAndTheServerFinishesIt(t *testing.T) {
	s := newSessions(t)
	w := newWorld(1)
	admin := s.connect("psql")
	if _, err := admin.Exec(t.Context(), ledgerSQL); err != nil {
		t.Fatal(err)
	}
	service := s.service(w, Settings{Send: Send{KillAt: AtRecord, KillAtShare: 1}})
	service.SES(request("S0", 3, "c1")).BeforeAnswer()
	if f := service.SES(request("S0", 4, "c1")); f.BeforeAnswer != nil {
		t.Error("two points for one record")
	}
	if w.story() != "" {
		t.Error(w.story())
	}
	// An event waits first, and the sender waits for the event: that is during its record, too.
	var recorded atomic.Int32
	for i, session := range []string{"fanmail-events", "fanmail-send"} {
		conn := s.connect(session)
		go func() {
			_, err := conn.Exec(context.Background(), "UPDATE fanmail.recipient SET state = 'sent' WHERE seq IN (2, 3)")
			if err == nil {
				recorded.Add(1)
			}
		}()
		eventually(t, session+" waits, or all is over", func() bool {
			var waiting int
			err := admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0").Scan(&waiting)
			return err == nil && waiting > i || recorded.Load() > 0
		})
	}
	eventually(t, "the sender is killed", func() bool { return w.story() == "kill S0" })
	eventually(t, "both statements are finished", func() bool { return recorded.Load() == 2 })
	if c := service.Counts(); c.KillsAtPoint != 1 || c.Kills != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestARecordThatNeverComesIsGivenUpAtClose(t *testing.T) {
	s := newSessions(t)
	w := newWorld(1)
	admin := s.connect("psql")
	if _, err := admin.Exec(t.Context(), ledgerSQL); err != nil {
		t.Fatal(err)
	}
	service := s.service(w, Settings{Send: Send{KillAt: AtRecord, KillAtShare: 1}})
	service.SES(request("S0", 3, "c1")).BeforeAnswer()
	if err := service.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := admin.Exec(ctx, "UPDATE fanmail.recipient SET state = 'sent'"); err != nil || w.story() != "" {
		t.Errorf("%v; %s", err, w.story())
	}
}
