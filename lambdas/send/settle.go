package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
)

// recordTimeout bounds the record of a chunk's outcomes, with all its attempts.
const recordTimeout = 30 * time.Second

// attemptTimeout bounds one attempt: a connection that has gone silent must not use up the time for all of them.
const attemptTimeout = 5 * time.Second

// tooSlow chunks in a row of which at least half of the slots were missed are not a processor that was busy for a moment.
const tooSlow = 3

// settle writes the outcomes of a chunk to the ledger, and tells the other senders what concerns them all.
func (b *batch) settle(ctx context.Context, chunk mailer.Chunk, outcomes []mailer.Outcome, result *chunkResult) error {
	// The mail is out, so the record must survive the end of the invocation.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	var rows []ledger.Outcome
	var stop, quota string
	missed := 0
	alike := b.refused.add(chunk, outcomes)
	for i, outcome := range outcomes {
		row := ledger.Outcome{Seq: chunk.Recipients[i].Seq, State: ledger.Pending, Reason: outcome.Reason}
		switch outcome.Kind {
		case mailer.Accepted:
			row.State, row.MessageID = ledger.Sent, outcome.MessageID
			result.sent++
		case mailer.Refused:
			if alike == outcome.Reason {
				break
			}
			row.State = ledger.RecipientFailed
			result.failed++
		case mailer.Stop:
			stop = outcome.Reason
		case mailer.QuotaReached:
			quota = outcome.Reason
		case mailer.NotAccepted:
			if outcome.Throttled {
				result.throttled++
			}
			if outcome.Missed {
				missed++
			}
		case mailer.Unknown:
			slog.WarnContext(ctx, "outcome unknown", "campaign", b.in.Campaign, "seq", row.Seq, "reason", outcome.Reason)
			continue
		}
		rows = append(rows, row)
	}
	switch {
	case chunk.Late:
	case 2*missed < len(outcomes):
		b.slow = 0
	default:
		b.slow++
		slog.WarnContext(ctx, "too slow for the time slots", "campaign", b.in.Campaign, "missed", missed, "of", len(outcomes), "usedLateFromNowOn", b.slow == tooSlow)
	}
	if err := record(ctx, b.db, b.in.Campaign, chunk.Claim, rows); err != nil {
		return err
	}
	var taking error
	if alike != "" {
		taking = b.refused.takeBack(ctx, b.db, b.in.Campaign)
		stop = cmp.Or(stop, alike)
	}
	result.end = stop != "" || quota != ""
	switch {
	case stop != "":
		return errors.Join(taking, ledger.Halt(ctx, b.db, b.in.Campaign, b.in.Execution, stop))
	case quota != "":
		return ledger.EndWave(ctx, b.db, b.in.Campaign, b.in.Execution, b.in.Wave, ledger.ByQuota)
	}
	return nil
}

// record tries until ctx ends: the statement is guarded by the claim, so an attempt whose answer was lost does no harm.
func record(ctx context.Context, db *bun.DB, campaign string, claim uuid.UUID, rows []ledger.Outcome) error {
	var recorded int64
	err := again(ctx, "recording", func(ctx context.Context) (err error) {
		recorded, err = ledger.Record(ctx, db, campaign, claim, rows)
		return err
	})
	if err == nil && recorded != int64(len(rows)) {
		slog.WarnContext(ctx, "not every outcome was recorded", "campaign", campaign, "claim", claim, "outcomes", len(rows), "recorded", recorded)
	}
	return err
}

// again tries what may be done twice until it succeeds or ctx ends.
func again(ctx context.Context, what string, attempt func(context.Context) error) error {
	// What went wrong before the time was up says more than that it is up.
	var trouble error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		return struct{}{}, attempt(ctx)
	}, backoff.WithNotify(func(err error, _ time.Duration) {
		slog.WarnContext(ctx, what+" again", "error", err.Error())
		trouble = err
	}))
	if err != nil {
		return cmp.Or(trouble, err)
	}
	return nil
}
