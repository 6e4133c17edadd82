package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/metrics"
	"fanmail/shared/sesevent"
)

type handler struct {
	db *database.Handle
	// metrics may be nil.
	metrics *metrics.Emitter
}

// handle applies a batch of SQS messages to the ledger. What can't be read is reported as failed: it comes back, and ends
// in the dead-letter queue. An error means that the whole batch comes back.
func (h *handler) handle(ctx context.Context, in events.SQSEvent) (events.SQSEventResponse, error) {
	b := read(ctx, in.Records)
	out := events.SQSEventResponse{BatchItemFailures: b.failures}
	if len(b.events)+len(b.witnesses)+len(b.proofs) > 0 {
		db, err := h.db.DB()
		if err != nil {
			return out, err
		}
		applied, err := ledger.Apply(ctx, db, b.events, b.witnesses...)
		if err != nil {
			return out, err
		}
		for _, d := range applied.Doubled {
			slog.ErrorContext(ctx, "a recipient was mailed twice", "campaign", d.Campaign, "seq", d.Seq, "recorded", d.Recorded, "other", d.Other)
		}
		if err := ledger.Prove(ctx, db, b.proofs); err != nil {
			return out, err
		}
		measure(h.metrics, b.events)
		b.log = append(b.log, "written", applied.Written, "unknown", applied.Unknown)
	}
	slog.InfoContext(ctx, "events", append(b.log, "skipped", b.skipped)...)
	return out, nil
}

// batch is what the messages of one invocation hold.
type batch struct {
	events    []ledger.Event
	witnesses []ledger.Witness
	proofs    []ledger.Proof
	failures  []events.SQSBatchItemFailure
	skipped   map[sesevent.Reason]int
	// log are the attributes of the line that tells of the batch.
	log []any
}

func read(ctx context.Context, records []events.SQSMessage) batch {
	b := batch{failures: []events.SQSBatchItemFailure{}, skipped: map[sesevent.Reason]int{}}
	for _, record := range records {
		parsed, err := sesevent.Parse(record.Body)
		switch {
		case err != nil:
			slog.ErrorContext(ctx, "a message is malformed: it goes to the dead-letter queue", "message", record.MessageId, "reason", err.Error())
			b.failures = append(b.failures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		case parsed.Event != nil:
			b.events = append(b.events, *parsed.Event)
		case parsed.Witness != nil:
			b.witnesses = append(b.witnesses, *parsed.Witness)
		case parsed.Proof != nil:
			b.proofs = append(b.proofs, *parsed.Proof)
		default:
			b.skipped[parsed.Skipped]++
		}
	}
	b.log = []any{"messages", len(records), "events", len(b.events), "probes", len(b.witnesses) + len(b.proofs), "malformed", len(b.failures)}
	return b
}
