package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/uptrace/bun"

	"fanmail/shared/database"
	"fanmail/shared/ledger"
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
	store   *storage.Store
	// senders is the reserved concurrency of the sender function, bound the sum over all functions.
	senders int
	bound   int
}

func (h *handler) handle(ctx context.Context, in workflow.PlanInput) (workflow.PlanOutput, error) {
	db, err := h.db.DB()
	if err != nil {
		return workflow.PlanOutput{}, err
	}
	facts, err := h.facts(ctx, db, in)
	if err != nil {
		return workflow.PlanOutput{}, err
	}
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
	if decision.Next != workflow.NextSend {
		return out, nil
	}
	return h.wave(ctx, db, &facts, decision, out)
}

// facts asks SES only when there is something left to send: an account that can't be asked must not fail a campaign that
// is done.
func (h *handler) facts(ctx context.Context, db *bun.DB, in workflow.PlanInput) (planner.Facts, error) {
	facts := planner.Facts{Senders: h.senders, Bound: h.bound, LastWave: in.Wave}
	var err error
	if facts.Standing, err = ledger.Stand(ctx, db, in.Campaign, in.Execution); err != nil {
		return facts, err
	}
	if err := json.Unmarshal(facts.Standing.Campaign.Settings, &facts.Settings); err != nil {
		return facts, fmt.Errorf("reading the settings of campaign %s: %w", in.Campaign, err)
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
	facts.Quota = planner.Quota{SendingEnabled: out.SendingEnabled}
	if out.EnforcementStatus != nil {
		facts.Quota.Enforcement = *out.EnforcementStatus
	}
	if q := out.SendQuota; q != nil {
		facts.Quota.Max24HourSend, facts.Quota.SentLast24Hours, facts.Quota.MaxSendRate = q.Max24HourSend, q.SentLast24Hours, q.MaxSendRate
	}
	return facts, nil
}

// wave writes the manifest and counts the wave.
func (h *handler) wave(ctx context.Context, db *bun.DB, facts *planner.Facts, d planner.Decision, out workflow.PlanOutput) (workflow.PlanOutput, error) {
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
		AccountRate: facts.Quota.MaxSendRate, CampaignRate: facts.Settings.Rate,
	})
}
