package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// describe tells how everything stands, for somebody who has to find out what went wrong. What can't be asked says so.
func (s *stage) describe(w io.Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	fmt.Fprintf(w, "\nThe state of affairs\n  execution %s, started %d times, restarts %d, faults %+v\n",
		s.execution, s.result.Executions, s.result.Restarts, s.total())
	for _, failure := range s.result.Failures {
		fmt.Fprintln(w, "  an execution ended:", failure)
	}
	if s.runtime != nil && !s.runtime.isGone() {
		accepted, err := s.runtime.accepted(ctx)
		say(w, "mailbox", err, "%d messages", accepted)
		waiting, dead, err := s.runtime.queued(ctx)
		say(w, "queues", err, "%d messages, and %d dead letters", waiting, dead)
	}
	err := s.session(ctx, func(conn *pgx.Conn) error {
		standing, err := readStanding(ctx, conn)
		say(w, "campaign", err, "%+v", standing)
		rows, err := conn.Query(ctx, `select row_to_json(r)::text from (
			select seq, state, reason, claim, claimed_until, message_id, settled_at, confirmed_at from fanmail.recipient
			where state not in ('sent', 'pending') or state = 'sent' and confirmed_at is null order by seq limit 10) r`)
		if err != nil {
			return err
		}
		open, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, line := range open {
			fmt.Fprintln(w, "  recipient", line)
		}
		return err
	})
	if err != nil {
		fmt.Fprintln(w, "  ledger:", err)
	}
	logs, err := functionLogs(s.runtimeDirectory())
	if err != nil {
		fmt.Fprintln(w, "  logs:", err)
	}
	if s.runtime != nil {
		logs = append(logs, s.runtime.stderr)
	}
	for _, log := range append(logs, filepath.Join(s.runtimeDirectory(), "postgres", "postgres.log")) {
		fmt.Fprintf(w, "  the end of %s:\n%s\n", log, tail(log, 12))
	}
}

func say(w io.Writer, what string, err error, format string, args ...any) {
	if err != nil {
		fmt.Fprintf(w, "  %s: %v\n", what, err)
		return
	}
	fmt.Fprintf(w, "  %s: %s\n", what, fmt.Sprintf(format, args...))
}
