package main

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
)

// So many messages that SES refuses in a row, in the same words, are the campaign's fault and not its recipients'. It takes
// more once SES has accepted a message of the invocation: then a list may have as many bad addresses next to each other.
const (
	alike      = 30
	alikeLater = 50
)

// refusals are the last messages of an invocation if SES refused them in the same words and has accepted none since.
type refusals struct {
	reason string
	claims map[uuid.UUID][]int64
	n      int
	// accepted: SES has accepted a message of this invocation.
	accepted bool
}

// add returns the reason if the refusals are the campaign's fault. Their recipients can stay pending until it is mended.
func (r *refusals) add(chunk mailer.Chunk, outcomes []mailer.Outcome) (reason string) {
	for i, outcome := range outcomes {
		switch outcome.Kind {
		case mailer.Accepted:
			*r = refusals{accepted: true}
		case mailer.Refused:
			if r.n == 0 || outcome.Reason != r.reason {
				*r = refusals{reason: outcome.Reason, claims: map[uuid.UUID][]int64{}, accepted: r.accepted}
			}
			r.claims[chunk.Claim] = append(r.claims[chunk.Claim], chunk.Recipients[i].Seq)
			r.n++
		}
	}
	if r.n >= alikeLater || r.n >= alike && !r.accepted {
		return r.reason
	}
	return ""
}

// answered tells whether SES has answered about a message of the invocation.
func (r *refusals) answered() bool { return r.accepted || r.n > 0 }

// takeBack makes those of earlier chunks pending again.
func (r *refusals) takeBack(ctx context.Context, db *bun.DB, campaign string) error {
	var problems []error
	for claim, seqs := range r.claims {
		problems = append(problems, again(ctx, "taking refusals back", func(ctx context.Context) error {
			return ledger.TakeBack(ctx, db, campaign, claim, seqs)
		}))
	}
	return errors.Join(problems...)
}
