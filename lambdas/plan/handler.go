package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/uptrace/bun"

	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/metrics"
	"fanmail/shared/planner"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// account is read once per plan: SES throttles every call but SendEmail to one a second.
type account interface {
	GetAccount(ctx context.Context, in *sesv2.GetAccountInput, optFns ...func(*sesv2.Options)) (*sesv2.GetAccountOutput, error)
}

type handler struct {
	db      *database.Handle
	account account
	// probes sends a probe, and never tries again; configurationSet is for campaigns that name none.
	probes           mailer.SES
	configurationSet string
	store            *storage.Store
	// senders is the reserved concurrency of the sender function, bound the sum over all functions.
	senders int
	bound   int
	// grace is how long SES events may be on their way.
	grace time.Duration
	// metrics may be nil.
	metrics *metrics.Emitter
}

func (h *handler) handle(ctx context.Context, in workflow.PlanInput) (workflow.PlanOutput, error) {
	db, err := h.db.DB()
	if err != nil {
		return workflow.PlanOutput{}, err
	}
	begun := time.Now()
	facts, err := h.facts(ctx, db, in, begun)
	if err != nil {
		return workflow.PlanOutput{}, err
	}
	h.measure(ctx, db, facts.Quota)
	decision, err := planner.Decide(facts)
	if err != nil {
		return workflow.PlanOutput{}, h.explain(ctx, &facts.Standing.Campaign, err)
	}
	slog.InfoContext(ctx, "planned", "campaign", in.Campaign, "next", decision.Next, "reason", decision.Reason,
		"recipients", decision.Limit, "senders", decision.Senders, "until", decision.Until)
	out := workflow.PlanOutput{Next: decision.Next, Reason: decision.Reason, Until: decision.Until, Wave: facts.Standing.Campaign.Waves}
	if decision.Halt {
		return out, ledger.Halt(ctx, db, in.Campaign, in.Execution, decision.Reason)
	}
	if decision.Next == workflow.NextWait {
		waits := fmt.Sprintf("%s; it looks again at %s", decision.Reason, decision.Until.UTC().Format(time.RFC3339))
		if err := ledger.NoteWait(ctx, db, &facts.Standing.Campaign, waits); err != nil {
			return out, err
		}
	}
	if decision.Doubt {
		if err := ledger.NoteDoubt(ctx, db, &facts.Standing.Campaign); err != nil {
			return out, err
		}
	}
	if decision.Probe {
		h.probe(ctx, &facts)
	}
	if decision.Trouble {
		return out, ledger.EndWave(ctx, db, in.Campaign, in.Execution, out.Wave, ledger.ByTrouble)
	}
	if decision.Next != workflow.NextSend {
		return out, nil
	}
	return h.wave(ctx, db, &facts, decision, out, begun)
}

// facts asks SES only when there is something left to send: an account that can't be asked must not fail a campaign that
// is done.
func (h *handler) facts(ctx context.Context, db *bun.DB, in workflow.PlanInput, begun time.Time) (planner.Facts, error) {
	facts := planner.Facts{Senders: h.senders, Bound: h.bound, Grace: h.grace, LastWave: in.Wave}
	c, err := ledger.Owned(ctx, db, in.Campaign, in.Execution)
	if err != nil {
		return facts, err
	}
	if err := json.Unmarshal(c.Settings, &facts.Settings); err != nil {
		return facts, fmt.Errorf("reading the settings of campaign %s: %w", in.Campaign, err)
	}
	// Waits end by the clock of Step Functions; a state that was entered long ago, and tried again since, has an old time.
	now := begun
	if in.Now.After(now) {
		now = in.Now
	}
	if facts.Standing, err = ledger.Stand(ctx, db, c, now); err != nil {
		return facts, err
	}
	if facts.Standing.Counts.InDoubt > 0 {
		n, err := ledger.SettleDoubt(ctx, db, c, facts.Settings.InDoubt, h.grace)
		if err != nil {
			return facts, err
		}
		slog.InfoContext(ctx, "settled what was in doubt", "campaign", in.Campaign, "recipients", facts.Standing.Counts.InDoubt,
			"mailedAgain", n, "rule", facts.Settings.InDoubt)
		if n > 0 {
			if facts.Standing, err = ledger.Stand(ctx, db, c, now); err != nil {
				return facts, err
			}
		}
	}
	if s := facts.Standing; s.Campaign.State != ledger.Running || s.Counts.Pending+s.Counts.Claimed == 0 {
		return facts, nil
	}
	if facts.Server, err = ledger.Server(ctx, db, ""); err != nil {
		return facts, err
	}
	out, err := h.account.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		return facts, fmt.Errorf("reading the quota of the SES account: %w", err)
	}
	facts.Quota = planner.QuotaOf(out)
	return facts, nil
}

// probe sends a probe. Without one the campaign only waits longer, and holds what it can't prove.
func (h *handler) probe(ctx context.Context, facts *planner.Facts) {
	c := &facts.Standing.Campaign
	if err := mailer.Probe(ctx, h.probes, facts.Settings, c.Tag, h.configurationSet); err != nil {
		slog.WarnContext(ctx, err.Error())
	}
}

// wave writes the manifest and counts the wave. That takes its time for a long list, and the wave ends no later for it.
func (h *handler) wave(ctx context.Context, db *bun.DB, facts *planner.Facts, d planner.Decision, out workflow.PlanOutput, begun time.Time) (workflow.PlanOutput, error) {
	c := &facts.Standing.Campaign
	out.Wave = c.Waves + 1
	out.MaxConcurrency = d.Senders
	out.Manifest = h.store.Object(storage.WorkFolder(c.Name, c.Execution), fmt.Sprintf("wave-%04d.jsonl", out.Wave))
	out.Results = h.results(c, out.Wave)
	batches := int64(0)
	err := h.store.Write(ctx, out.Manifest.Key, "application/jsonl", func(w io.Writer) error {
		lines := bufio.NewWriter(w)
		encoder := json.NewEncoder(lines)
		err := ledger.Batches(ctx, db, c.ID, d.BatchSize, d.Limit, func(b workflow.Batch) error {
			batches++
			return encoder.Encode(b)
		})
		if err != nil {
			return err
		}
		return lines.Flush()
	})
	if err != nil {
		return out, err
	}
	return out, ledger.StartWave(ctx, db, ledger.Wave{
		Campaign: c, Batches: batches, Settled: facts.Standing.Counts.Settled(), Fruitless: d.Fruitless,
		AccountRate: facts.Quota.MaxSendRate, Length: d.Until.Sub(facts.Standing.Now) - time.Since(begun),
	})
}
