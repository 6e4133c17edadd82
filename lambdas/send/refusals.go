package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
)

// alike is how many refusals in the same words, and nothing else, are the campaign's fault and not its recipients'.
const alike = 10

// refusals are the messages of an invocation that SES refused in the same words before it accepted any.
type refusals struct {
	reason   string
	claims   map[uuid.UUID][]int64
	n        int
	accepted bool
}

// add returns the reason for which SES has refused alike messages or more in a row in the same words: all of this chunk, or all since
// the invocation began. Nothing was accepted, so their recipients can stay pending until the campaign is mended.
func (r *refusals) add(chunk mailer.Chunk, outcomes []mailer.Outcome) (stop string) {
	same := len(outcomes) >= alike
	for i, outcome := range outcomes {
		same = same && outcome.Kind == mailer.Refused && outcome.Reason == outcomes[0].Reason
		switch outcome.Kind {
		case mailer.Accepted:
			*r = refusals{accepted: true}
		case mailer.Refused:
			if r.claims == nil || outcome.Reason != r.reason {
				*r = refusals{reason: outcome.Reason, claims: map[uuid.UUID][]int64{}, accepted: r.accepted}
			}
			r.claims[chunk.Claim] = append(r.claims[chunk.Claim], chunk.Recipients[i].Seq)
			r.n++
		}
	}
	if same || r.n >= alike && !r.accepted {
		return r.reason
	}
	return ""
}

// takeBack makes those of earlier chunks pending again that were refused for the reason.
func (r *refusals) takeBack(ctx context.Context, db *bun.DB, campaign, reason string) error {
	if reason == "" || reason != r.reason || r.accepted {
		return nil
	}
	for claim, seqs := range r.claims {
		if err := ledger.TakeBack(ctx, db, campaign, claim, seqs); err != nil {
			return err
		}
	}
	return nil
}
