package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/campaign"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/metrics"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const (
	// answerTime is what must be left of the invocation for its answer, beside the last call and its record.
	answerTime = 5 * time.Second
	// leaseFactor times the time for one call of SES is how long a claim lasts beyond the last slot of its chunk: the calls
	// may start late, and Plan must not hold a sender for dead that is only slow.
	leaseFactor = 4
	// claimTimeout bounds one claim, and then its release.
	claimTimeout = 10 * time.Second
	// maxChunk is the largest number of recipients of one claim, firstChunk while SES has answered nothing in the invocation.
	maxChunk, firstChunk = 50, 10
	// maxUnsettled chunks in a row, none of whose messages SES took or refused, end the wave, so that Plan tries again
	// later.
	maxUnsettled = 5
	// firstPause is waited after an unsettled chunk, doubled for each further one.
	firstPause = 500 * time.Millisecond
)

type handler struct {
	db    *database.Handle
	store *storage.Store
	ses   mailer.SES
	// timeout is that of one call of ses.
	timeout time.Duration
	// configurationSet is SES's for campaigns that name none.
	configurationSet string
	// metrics may be nil.
	metrics *metrics.Emitter
	// pause waits after a fruitless chunk.
	pause func(context.Context, time.Duration)
	// content is kept for the next invocation of this environment.
	content string
	mailer  *mailer.Mailer
}

// handle works on one batch until nothing is left to claim, the wave ends, or the invocation has no time left; then it
// answers more: true.
func (h *handler) handle(ctx context.Context, in workflow.SendInput) (out workflow.SendOutput, err error) {
	db, err := h.db.DB()
	if err != nil {
		return out, err
	}
	var throttles int
	defer func() { h.measure(ctx, db, out, throttles, err) }()
	if err := h.load(ctx, in.Content); err != nil {
		return out, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return out, fmt.Errorf("the invocation has no deadline")
	}
	b := &batch{handler: h, db: db, in: in, lastStart: deadline.Add(-h.timeout - recordTimeout - answerTime)}
	throttled := false
	claiming := ledger.Claiming{
		Campaign: in.Campaign, Execution: in.Execution, Wave: in.Wave, First: in.Batch.First, Last: in.Batch.Last, Lease: leaseFactor * h.timeout,
		Clock: new(ledger.Clock),
	}
	for unsettled := 0; unsettled < maxUnsettled; {
		if !time.Now().Before(b.lastStart) {
			out.More = true
			return out, nil
		}
		claiming.Claim, claiming.Limit = uuid.New(), maxChunk
		if !b.refused.answered() {
			// An SES that does not answer must not put many in doubt.
			claiming.Limit = firstChunk
		}
		if unsettled > 0 {
			// SES settles nothing at the moment: one message finds out whether that is over.
			claiming.Limit = 1
		}
		result, err := b.chunk(ctx, claiming)
		out.Sent, out.Failed = out.Sent+result.sent, out.Failed+result.failed
		throttles += result.throttled
		switch {
		case err != nil || result.end:
			return out, err
		case result.wait > 0:
			h.pause(ctx, min(result.wait, time.Until(b.lastStart)))
			continue
		case result.sent+result.failed+result.suppressed > 0:
			unsettled = 0
		default:
			h.pause(ctx, firstPause<<unsettled)
			unsettled++
			throttled = result.throttled > 0
		}
		if result.claimed > 0 {
			claiming.Accepted, claiming.Throttled = int(result.sent), result.throttled
		}
	}
	if throttled {
		// Somebody else uses the account's rate: that ends the work on this batch only.
		return out, nil
	}
	return out, ledger.EndWave(ctx, db, in.Campaign, in.Execution, in.Wave, ledger.ByTrouble)
}

// load compiles the content of the execution, once per environment.
func (h *handler) load(ctx context.Context, object workflow.Object) error {
	if h.content == object.Key {
		return nil
	}
	var snapshot campaign.Snapshot
	if err := h.store.GetJSON(ctx, object.Key, &snapshot); err != nil {
		return err
	}
	templates, err := snapshot.Templates()
	if err != nil {
		return fmt.Errorf("compiling s3://%s/%s: %w", object.Bucket, object.Key, err)
	}
	h.mailer, h.content = mailer.New(h.ses, &snapshot.Content, templates, h.configurationSet), object.Key
	return nil
}

// batch is one invocation's work.
type batch struct {
	*handler
	db *bun.DB
	in workflow.SendInput
	// lastStart is the latest that a call may start so that its record is done in time.
	lastStart time.Time
	refused   refusals
	// slow is how many of the last chunks missed half of their slots or more.
	slow int
}

// late tells that slots are used late: an environment that is short of processor time or memory would waste most of the account's rate.
func (b *batch) late() bool { return b.slow >= tooSlow }

// chunkResult is what came of one chunk.
type chunkResult struct {
	claimed                  int
	sent, failed, suppressed int64
	// wait is how long to wait before the next claim.
	wait time.Duration
	// throttled is how many messages SES refused because of the account's rate.
	throttled int
	// end means that there is nothing more to do in the batch, or in the wave.
	end bool
}

// chunk claims some recipients, mails them and records the outcomes.
func (b *batch) chunk(ctx context.Context, claiming ledger.Claiming) (chunkResult, error) {
	claimed, err := claim(ctx, b.db, claiming)
	if err != nil {
		return chunkResult{}, err
	}
	result := chunkResult{claimed: len(claimed.Recipients), wait: claimed.Wait, suppressed: claimed.Suppressed, end: claimed.Empty()}
	if len(claimed.Recipients) == 0 {
		return result, nil
	}
	chunk := mailer.Chunk{
		ID: claimed.Tag, Claim: claiming.Claim, Start: claimed.Start, Spacing: claimed.Spacing, Late: b.late(),
	}
	// No call may be under way when the claim runs out or the invocation ends, and none starts after the wave.
	chunk.LastStart = claimed.Asked.Add(claimed.Lease - b.timeout)
	for _, end := range []time.Time{b.lastStart, claimed.Asked.Add(claimed.Left)} {
		if end.Before(chunk.LastStart) {
			chunk.LastStart = end
		}
	}
	for _, r := range claimed.Recipients {
		chunk.Recipients = append(chunk.Recipients, mailer.Recipient(r))
	}
	err = b.settle(ctx, chunk, b.mailer.Send(ctx, chunk), &result)
	return result, err
}

// claim claims, and releases a claim whose answer was lost: nobody of it was mailed.
func claim(ctx context.Context, db *bun.DB, c ledger.Claiming) (ledger.Chunk, error) {
	limited, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	conn, err := db.Conn(limited)
	if err != nil {
		return ledger.Chunk{}, err
	}
	chunk, err := ledger.Claim(limited, conn, c)
	// The connection goes back to the pool, or is closed if it is broken.
	err = errors.Join(err, conn.Close())
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
		defer cancel()
		err = errors.Join(err, again(ctx, "releasing a claim", func(ctx context.Context) error { return ledger.Release(ctx, db, c) }))
	}
	return chunk, err
}

// pause waits for d, or until the invocation ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
