package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"fanmail/shared/database"
	"fanmail/shared/workflow"
)

// Row is one good line of recipients.csv.
type Row struct {
	Line    int
	Address string
	Fields  map[string]string
}

// Duplicate is a line whose address stands on an earlier line already.
type Duplicate struct {
	Line    int64
	Address string
	First   int64
}

// ErrNoRecipients means that no line of the file became a recipient; the import was rolled back.
var ErrNoRecipients = errors.New("no good address")

// ErrImported means that another attempt of the same execution has imported the recipients; no row was read.
var ErrImported = errors.New("imported already")

// Import fills the ledger of a campaign in state Importing, in one transaction and in constant memory: next yields the
// rows until io.EOF, duplicate is called for every line that repeats an address, and rejected gives the counts of lines
// left out by reason once both are done. Recipients get seq 1..n in the order of the file; addresses on the suppression
// list are marked. The campaign is Running afterwards. After any error the import can be run again.
func Import(ctx context.Context, db *bun.DB, c *Campaign, next func() (Row, error), duplicate func(Duplicate) error, rejected func() map[string]int64) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connecting for the import: %w", err)
	}
	defer func() { _ = conn.Close() }()
	return conn.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockForImport(ctx, tx, c); err != nil {
			return err
		}
		if err := copyRows(ctx, conn, c.ID, next); err != nil {
			return fmt.Errorf("copying recipients of campaign %s: %w", c.Name, err)
		}
		if c.Recipients, err = number(ctx, tx, c.ID); err != nil {
			return fmt.Errorf("numbering recipients of campaign %s: %w", c.Name, err)
		}
		if err := eachDuplicate(ctx, tx, c.ID, duplicate); err != nil {
			return fmt.Errorf("listing duplicates of campaign %s: %w", c.Name, err)
		}
		c.Rejected = rejected()
		if c.Recipients == 0 {
			return ErrNoRecipients
		}
		if _, err := tx.ExecContext(ctx, "delete from fanmail.recipient_import where campaign_id = ?", c.ID); err != nil {
			return err
		}
		// Without statistics of its rows, claims and records of a new campaign are planned badly until autovacuum comes by.
		if _, err := tx.ExecContext(ctx, "select fanmail.analyze_recipient()"); err != nil {
			return fmt.Errorf("analysing recipients of campaign %s: %w", c.Name, err)
		}
		c.State = Running
		_, err = tx.NewUpdate().Model(c).Column("state", "recipients", "rejected").WherePK().Exec(ctx)
		return err
	})
}

// lockForImport holds the campaign's row until the import commits, so that an execution that takes the campaign over
// waits for a straggling import instead of running a second one beside it. With ErrImported c is as that import left it.
func lockForImport(ctx context.Context, tx bun.Tx, c *Campaign) error {
	owned := new(Campaign)
	err := tx.NewSelect().Model(owned).Where("id = ? and execution = ?", c.ID, c.Execution).For("update").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return &workflow.CampaignBusy{Message: fmt.Sprintf("campaign %s is being imported by another execution", c.Name)}
	}
	if err != nil {
		return err
	}
	if owned.State != Importing {
		*c = *owned
		return ErrImported
	}
	if !owned.EndedAt.IsZero() {
		// Nobody would send what is imported, nor say that the execution is gone.
		return &workflow.CampaignBusy{
			Message: fmt.Sprintf("campaign %s is not imported: the execution has ended meanwhile", c.Name),
		}
	}
	_, err = tx.ExecContext(ctx, "delete from fanmail.recipient_import where campaign_id = ?", c.ID)
	return err
}

func copyRows(ctx context.Context, conn bun.Conn, campaign int64, next func() (Row, error)) error {
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := writeRows(writer, campaign, next)
		_ = writer.CloseWithError(err)
		written <- err
	}()
	err := database.PgConn(conn, func(pg *pgx.Conn) error {
		_, err := pg.PgConn().CopyFrom(ctx, reader, "copy fanmail.recipient_import (campaign_id, line, address, fields) from stdin")
		return err
	})
	_ = reader.CloseWithError(io.ErrClosedPipe)
	// PostgreSQL echoes the error of the rows in its own words: the original says more.
	if rowsErr := <-written; rowsErr != nil && !errors.Is(rowsErr, io.ErrClosedPipe) {
		return rowsErr
	}
	return err
}

// copyBuffer is how many bytes of rows are gathered before they are handed to COPY.
const copyBuffer = 64 << 10

// copyEscaper escapes a value for COPY's text format.
var copyEscaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

func writeRows(w io.Writer, campaign int64, next func() (Row, error)) error {
	id := strconv.FormatInt(campaign, 10)
	buffer := make([]byte, 0, copyBuffer+(8<<10))
	for {
		row, err := next()
		if err == io.EOF {
			_, err = w.Write(buffer)
			return err
		}
		if err != nil {
			return err
		}
		fields, err := json.Marshal(row.Fields)
		if err != nil {
			return err
		}
		buffer = append(buffer, id...)
		buffer = append(buffer, '\t')
		buffer = strconv.AppendInt(buffer, int64(row.Line), 10)
		buffer = append(buffer, '\t')
		buffer = append(buffer, copyEscaper.Replace(row.Address)...)
		buffer = append(buffer, '\t')
		buffer = append(buffer, copyEscaper.Replace(string(fields))...)
		buffer = append(buffer, '\n')
		if len(buffer) >= copyBuffer {
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
}

// number moves the first line of every address from the import table into the ledger, and returns how many there are.
func number(ctx context.Context, tx bun.Tx, campaign int64) (int64, error) {
	result, err := tx.ExecContext(ctx, `
		insert into fanmail.recipient (campaign_id, seq, line, address, fields, state, reason, settled_at)
		select campaign_id, row_number() over (order by line), line, i.address, fields,
		       case when s.address is null then 'pending' else 'suppressed' end,
		       s.reason, case when s.address is not null then fanmail.clock() end
		from (select *, row_number() over (partition by address order by line) as nth
		      from fanmail.recipient_import where campaign_id = ?) i
		left join fanmail.suppression s on s.address = i.address
		where nth = 1
		order by line`, campaign)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func eachDuplicate(ctx context.Context, tx bun.Tx, campaign int64, f func(Duplicate) error) error {
	// No join with the ledger: until it is analysed, the planner knows nothing of the new campaign and would make it quadratic.
	rows, err := tx.QueryContext(ctx, `
		select line, address, first
		from (select line, address, min(line) over (partition by address) as first
		      from fanmail.recipient_import where campaign_id = ?) i
		where line <> first order by line`, campaign)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var d Duplicate
		if err := rows.Scan(&d.Line, &d.Address, &d.First); err != nil {
			return err
		}
		if err := f(d); err != nil {
			return err
		}
	}
	return rows.Err()
}
