package main

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// watchClaims makes PostgreSQL note every recipient that is given back, whoever does it.
const watchClaims = `
create schema rate;
create table rate.note (campaign bigint, reason text);
create function rate.note() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into rate.note values (new.campaign_id, new.reason);
  return null;
end $$;
create trigger rate_note after update on fanmail.recipient for each row
  when (new.state = 'pending' and old.state = 'claimed') execute function rate.note();`

// givenBack counts the recipients that senders gave back, by their reasons.
func givenBack(ctx context.Context, conn *pgx.Conn, campaigns []string) (map[string]int64, error) {
	rows, err := conn.Query(ctx, `
		select coalesce(n.reason, ''), count(*) from rate.note n join fanmail.campaign c on c.id = n.campaign
		where c.name = any($1) group by 1`, campaigns)
	if err != nil {
		return nil, err
	}
	reasons := map[string]int64{}
	var reason string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&reason, &n}, func() error {
		reasons[reason] = n
		return nil
	})
	return reasons, err
}
