package main

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"fanmail/shared/campaign"
	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const (
	// reserve is what must be left of the invocation when the last call of a chunk starts.
	reserve = cloud.SendTimeout + recordTimeout
	// maxChunk is the largest number of recipients of one claim.
	maxChunk = 50
	// maxFruitless chunks in a row, none of whose messages SES took or refused, end the work on a batch: the rest is
	// left to the next wave.
	maxFruitless = 5
	// firstPause is waited after a fruitless chunk, doubled for each further one.
	firstPause = 500 * time.Millisecond
)

type handler struct {
	db    *database.Handle
	store *storage.Store
	ses   mailer.SES
	// pause waits after a fruitless chunk.
	pause func(context.Context, time.Duration)
	// content is kept for the next invocation of this environment.
	content string
	mailer  *mailer.Mailer
}

// handle works on one batch until nothing is left to claim, the wave ends, or the invocation has no time left; then it
// answers more: true.
func (h *handler) handle(ctx context.Context, in workflow.SendInput) (workflow.SendOutput, error) {
	var out workflow.SendOutput
	db, err := h.db.DB()
	if err != nil {
		return out, err
	}
	if err := h.load(ctx, in.Content); err != nil {
		return out, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return out, fmt.Errorf("the invocation has no deadline")
	}
	lastStart := deadline.Add(-reserve)
	for fruitless := 0; fruitless < maxFruitless; {
		now := time.Now()
		if !now.Before(in.Until) {
			return out, nil
		}
		if !now.Before(lastStart) {
			out.More = true
			return out, nil
		}
		result, err := h.chunk(ctx, db, in, lastStart)
		out.Sent, out.Failed = out.Sent+result.sent, out.Failed+result.failed
		if err != nil || result.claimed == 0 || result.end {
			return out, err
		}
		if result.sent+result.failed > 0 {
			fruitless = 0
			continue
		}
		h.pause(ctx, firstPause<<fruitless)
		fruitless++
	}
	return out, nil
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
	h.mailer, h.content = mailer.New(h.ses, &snapshot.Content, templates), object.Key
	return nil
}

// chunkResult is what came of one chunk; end means that this wave has nothing more to do.
type chunkResult struct {
	claimed, sent, failed int64
	end                   bool
}

// chunk claims some recipients, mails them and records the outcomes.
func (h *handler) chunk(ctx context.Context, db *bun.DB, in workflow.SendInput, lastStart time.Time) (chunkResult, error) {
	asked := time.Now()
	claimed, err := ledger.Claim(ctx, db, ledger.Claiming{
		Campaign: in.Campaign, Execution: in.Execution, Wave: in.Wave, First: in.Batch.First, Last: in.Batch.Last, Limit: maxChunk,
	})
	if err != nil {
		return chunkResult{}, err
	}
	result := chunkResult{claimed: int64(len(claimed.Recipients))}
	if result.claimed == 0 {
		return result, nil
	}
	chunk := mailer.Chunk{Claim: claimed.Claim, Start: time.Now().Add(claimed.Delay), Spacing: claimed.Spacing}
	// No call may be under way when the claim runs out, or when the invocation ends.
	chunk.LastStart = asked.Add(claimed.Lease - cloud.SendTimeout)
	if lastStart.Before(chunk.LastStart) {
		chunk.LastStart = lastStart
	}
	for _, r := range claimed.Recipients {
		chunk.Recipients = append(chunk.Recipients, mailer.Recipient(r))
	}
	err = h.settle(ctx, db, in, chunk, h.mailer.Send(ctx, chunk), &result)
	return result, err
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
