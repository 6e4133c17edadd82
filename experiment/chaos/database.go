package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
)

// connect opens a session of the superuser on the runtime's private PostgreSQL. Each life of it has another port.
func connect(ctx context.Context, directory string) (*pgx.Conn, error) {
	address, err := databaseURL(filepath.Join(directory, "postgres"))
	if err != nil {
		return nil, fmt.Errorf("finding the runtime's PostgreSQL: %w", err)
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	// Not a name of the functions' sessions: those are terminated.
	config.RuntimeParams["application_name"] = "chaos"
	return pgx.ConnectConfig(ctx, config)
}

// databaseURL reads where a private server listens, and its password.
func databaseURL(directory string) (string, error) {
	password, err := os.ReadFile(filepath.Join(directory, "password"))
	if err != nil {
		return "", err
	}
	// https://www.postgresql.org/docs/current/storage-file-layout.html: the fourth line is the port.
	state, err := os.ReadFile(filepath.Join(directory, "data", "postmaster.pid"))
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(state), "\n")
	if len(lines) < 4 {
		return "", errors.New("its postmaster.pid names no port")
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", strings.TrimSpace(string(password))),
		Host: "127.0.0.1:" + strings.TrimSpace(lines[3]), Path: "/" + postgres.Database, RawQuery: "sslmode=disable",
	}
	return address.String(), nil
}

// session runs f with a session on the ledger.
func (s *stage) session(ctx context.Context, f func(*pgx.Conn) error) error {
	conn, err := connect(ctx, s.runtimeDirectory())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return f(conn)
}

// watchStates makes PostgreSQL note every change of a recipient's state, whoever makes it, whether the recipient was in doubt, and
// whether an SES event has come by now.
const watchStates = `
create schema chaos;
create table chaos.transition (before text not null, after text not null, doubt boolean not null, confirmed boolean not null);
create function chaos.note() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into chaos.transition values (
    case when tg_op = 'INSERT' then '[*]' else old.state end,
    case when tg_op = 'DELETE' then 'deleted' else new.state end,
    tg_op <> 'INSERT' and old.state = 'claimed' and old.claimed_until <= fanmail.clock(),
    tg_op <> 'DELETE' and new.confirmed_at is not null);
  return null;
end $$;
create trigger chaos_born after insert or delete on fanmail.recipient for each row execute function chaos.note();
create trigger chaos_changed after update on fanmail.recipient for each row
  when (old.state is distinct from new.state) execute function chaos.note();`

func (s *stage) watchStates(ctx context.Context) error {
	return s.session(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, watchStates); err != nil {
			return fmt.Errorf("watching the states of recipients: %w", err)
		}
		return nil
	})
}

// edgesTaken counts the changes of state that there were.
func edgesTaken(ctx context.Context, conn *pgx.Conn) (map[edge]int64, error) {
	taken := map[edge]int64{}
	rows, err := conn.Query(ctx, "select before, after, count(*) from chaos.transition group by before, after")
	if err != nil {
		return nil, err
	}
	var e edge
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&e.from, &e.to, &n}, func() error {
		taken[e] = n
		return nil
	})
	return taken, err
}

// doubts counts how often an SES event settled a recipient in doubt, and how often one in doubt became pending.
func doubts(ctx context.Context, conn *pgx.Conn) (settled, disproved int64, err error) {
	err = conn.QueryRow(ctx, `
		select count(*) filter (where after = 'sent' and confirmed), count(*) filter (where after = 'pending')
		from chaos.transition where doubt`).Scan(&settled, &disproved)
	return settled, disproved, err
}

// row is a recipient as the ledger has it.
type row struct {
	Seq       int64
	Address   string
	State     string
	InDoubt   bool
	Reason    string
	Claim     string
	MessageID string
	Confirmed bool
}

func readRows(ctx context.Context, conn *pgx.Conn) ([]row, error) {
	rows, err := conn.Query(ctx, `
		select r.seq, r.address, r.state, r.state = 'claimed' and r.claimed_until <= fanmail.clock() as in_doubt, coalesce(r.reason, '') as reason,
		       coalesce(r.claim::text, '') as claim, coalesce(r.message_id, '') as message_id, r.confirmed_at is not null as confirmed
		from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
		where c.name = $1 order by r.seq`, campaignName)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[row])
}

// standing is how the campaign stands in the ledger.
type standing struct {
	State, Reason, Execution, Tag           string
	Waves                                   int
	Pending, Claimed, InDoubt, Sent, Others int64
	// Unconfirmed are sent, but no event of them has come.
	Unconfirmed int64
}

func readStanding(ctx context.Context, conn *pgx.Conn) (standing, error) {
	rows, err := conn.Query(ctx, `
		select c.state, c.reason, c.execution, c.tag::text as tag, c.waves,
		       count(*) filter (where r.state = 'pending') as pending,
		       count(*) filter (where r.state = 'claimed' and r.claimed_until > fanmail.clock()) as claimed,
		       count(*) filter (where r.state = 'claimed' and r.claimed_until <= fanmail.clock()) as in_doubt,
		       count(*) filter (where r.state = 'sent') as sent,
		       count(*) filter (where r.state in ('failed', 'suppressed', 'skipped')) as others,
		       count(*) filter (where r.state = 'sent' and r.confirmed_at is null) as unconfirmed
		from fanmail.campaign c left join fanmail.recipient r on r.campaign_id = c.id
		where c.name = $1 group by c.id`, campaignName)
	if err != nil {
		return standing{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[standing])
}
