package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

// recordTimeout bounds the record of a chunk's outcomes, with all its attempts.
const recordTimeout = 30 * time.Second

// attemptTimeout bounds one attempt: a connection that has gone silent must not use up the time for all of them.
const attemptTimeout = 5 * time.Second

// settle writes the outcomes of a chunk to the ledger, and tells the other senders what concerns them all.
func (h *handler) settle(ctx context.Context, db *bun.DB, in workflow.SendInput, chunk mailer.Chunk, outcomes []mailer.Outcome, refused *refusals, result *chunkResult) error {
	// The mail is out, so the record must survive the end of the invocation.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	var rows []ledger.Outcome
	var quota string
	stop := refused.add(chunk, outcomes)
	for i, outcome := range outcomes {
		row := ledger.Outcome{Seq: chunk.Recipients[i].Seq, State: ledger.Pending, Reason: outcome.Reason}
		switch outcome.Kind {
		case mailer.Accepted:
			row.State, row.MessageID = ledger.Sent, outcome.MessageID
			result.sent++
		case mailer.Refused:
			if stop == outcome.Reason {
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
		case mailer.Unknown:
			slog.WarnContext(ctx, "outcome unknown", "campaign", in.Campaign, "seq", row.Seq, "reason", outcome.Reason)
			continue
		}
		rows = append(rows, row)
	}
	if err := record(ctx, db, in.Campaign, chunk.Claim, rows); err != nil {
		return err
	}
	result.end = stop != "" || quota != ""
	if err := refused.takeBack(ctx, db, in.Campaign, stop); err != nil {
		return err
	}
	switch {
	case stop != "":
		return ledger.Halt(ctx, db, in.Campaign, in.Execution, stop)
	case quota != "":
		return ledger.EndWave(ctx, db, in.Campaign, in.Execution, in.Wave, ledger.ByQuota)
	}
	return nil
}

// record tries until ctx ends: the statement is guarded by the claim, so an attempt whose answer was lost does no harm.
func record(ctx context.Context, db *bun.DB, campaign string, claim uuid.UUID, rows []ledger.Outcome) error {
	// What went wrong before the time was up says more than that it is up.
	var trouble error
	recorded, err := backoff.Retry(ctx, func() (int64, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		return ledger.Record(ctx, db, campaign, claim, rows)
	}, backoff.WithNotify(func(err error, _ time.Duration) {
		slog.WarnContext(ctx, "recording again", "campaign", campaign, "claim", claim, "error", err.Error())
		trouble = err
	}))
	if err != nil {
		return cmp.Or(trouble, err)
	}
	if recorded != int64(len(rows)) {
		slog.WarnContext(ctx, "not every outcome was recorded", "campaign", campaign, "claim", claim, "outcomes", len(rows), "recorded", recorded)
	}
	return nil
}
