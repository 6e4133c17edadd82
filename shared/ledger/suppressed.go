package ledger

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// SuppressedAmong returns the positions, from 0 and in order, of the addresses that are on the suppression list. The
// addresses are normalised. It is one statement, and writes nothing.
func SuppressedAmong(ctx context.Context, db bun.IDB, addresses []string) ([]int, error) {
	positions := []int{}
	err := db.NewRaw(`
		select position - 1
		from unnest(?::text[]) with ordinality as asked (address, position) join fanmail.suppression using (address)
		order by position`, pgdialect.Array(addresses)).Scan(ctx, &positions)
	if err != nil {
		return nil, fmt.Errorf("looking up %d addresses on the suppression list: %w", len(addresses), err)
	}
	return positions, nil
}
