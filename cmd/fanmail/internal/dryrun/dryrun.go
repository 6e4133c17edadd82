package dryrun

import (
	"context"
	"fmt"
	"time"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/campaign"
	"fanmail/shared/deployment"
	"fanmail/shared/forecast"
	"fanmail/shared/planner"
	"fanmail/shared/workflow"
)

// Result is what `fanmail plan --json` prints.
type Result struct {
	Campaign string `json:"campaign"`
	// Recipients are the good rows of the list, Rejected the others.
	Recipients int64          `json:"recipients"`
	Rejected   int64          `json:"rejected"`
	Rejects    []folder.Group `json:"rejects"`
	// Suppressed of the recipients are on the suppression list; nil when nobody was asked.
	Suppressed *int64 `json:"suppressed"`
	// Resumes: the campaign has begun, and so many of its recipients are pending.
	Resumes bool `json:"resumes"`
	// Pending is how many are to be mailed.
	Pending    int64             `json:"pending"`
	Quota      planner.Quota     `json:"quota"`
	OtherMail  float64           `json:"otherMail"`
	Sandbox    bool              `json:"sandbox"`
	DailyLimit int64             `json:"dailyLimit,omitempty"`
	Window     *campaign.Window  `json:"window,omitempty"`
	Forecast   forecast.Forecast `json:"forecast"`
	// Allowed is how many connections the server has for Fanmail; nil when that is not known.
	Allowed *int          `json:"allowed"`
	Cost    forecast.Cost `json:"cost"`
	// Notes say what is assumed, and what to look out for.
	Notes []string `json:"notes"`

	checked *folder.Result
	zone    *time.Location
}

// New forecasts a checked folder with nobody suppressed and nothing sent yet; Resume and Suppress say otherwise,
// before Simulate.
func New(checked *folder.Result) *Result {
	return &Result{
		Campaign: checked.Campaign, Recipients: checked.Recipients, Pending: checked.Recipients,
		Rejected: checked.Rejected, Rejects: checked.Rejects, Notes: []string{},
		DailyLimit: checked.Settings.DailyLimit, Window: checked.Settings.Window, checked: checked,
	}
}

// Resume takes what is pending from the ledger. It returns false for a campaign whose list is not there yet.
func (r *Result) Resume(report workflow.Report) bool {
	if report.State == "importing" {
		return false
	}
	r.Resumes, r.Pending = true, report.Pending
	return true
}

// Suppress asks the deployment who of the list is suppressed.
func (r *Result) Suppress(ctx context.Context, aws Deployment, f folder.Folder, progress terminal.Progress) error {
	defer progress.Done()
	suppressed, asked := int64(0), int64(0)
	err := folder.Addresses(ctx, f, r.checked, workflow.MaxAddresses, func(addresses []string) error {
		positions, err := aws.Suppressed(ctx, addresses)
		suppressed, asked = suppressed+int64(len(positions)), asked+int64(len(addresses))
		if r.Recipients > workflow.MaxAddresses {
			progress.Count("looking recipients up on the suppression list", asked, r.Recipients)
		}
		return err
	})
	if err != nil {
		return err
	}
	r.Suppressed = &suppressed
	r.Pending -= suppressed
	return nil
}

// Simulate forecasts what is pending.
func (r *Result) Simulate(facts Facts, begin time.Time, zone *time.Location) error {
	prices, err := forecast.ReadPrices()
	if err != nil {
		return err
	}
	r.zone, r.Quota, r.OtherMail, r.Sandbox = zone, facts.Account.Quota, facts.OtherMail, facts.Account.Sandbox
	bound, senders := deployment.Bound(facts.Functions), deployment.Senders(facts.Functions)
	r.Forecast = forecast.Of(forecast.Input{
		Recipients: r.Pending, Settings: *r.checked.Settings, Begin: begin, Zone: zone,
		Quota: facts.Account.Quota, Asked: facts.Asked, OtherMail: facts.OtherMail,
		Senders: senders, Bound: bound, Server: facts.Server, SendTimeout: deployment.SendTimeout(facts.Functions),
	})
	if facts.serverKnown {
		allowed := facts.Server.Allowed()
		r.Allowed = &allowed
	}
	bytes := int64(0)
	for _, a := range r.checked.Attachments {
		bytes += int64(a.Bytes)
	}
	r.Cost = forecast.CostOf(r.Forecast.Usage, forecast.Billing{
		Region: facts.Region, Plan: facts.Account.PricingPlan, AttachmentBytes: bytes, Functions: facts.Functions,
	}, prices)
	r.Notes = append(r.Notes, facts.Notes...)
	r.notes()
	return nil
}

// notes are what a reader should look out for.
func (r *Result) notes() {
	f := r.Forecast
	note := func(format string, arguments ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, arguments...)) }
	switch {
	case f.Sent == 0 && !f.Complete && f.Trouble() == "":
		note("nobody would be mailed as long as the facts stay as they are")
	case !f.EventsEnd.IsZero():
		note("an execution may have %s events: this one would fail for it about %s; "+
			"`fanmail start` then resumes the campaign where it stands", terminal.Number(forecast.MaxEvents), r.date(f.EventsEnd))
	}
	if f.TooLong {
		note("it would take longer than the year that an execution may take: by then %s of %s would be mailed",
			terminal.Number(f.Sent), terminal.Number(r.Pending))
	}
	if r.Quota.SentLast24Hours > 0 && r.Quota.Max24HourSend >= 0 {
		rest := "no more is expected of it; --other-mail N expects N recipients a day"
		if r.OtherMail > 0 {
			rest = fmt.Sprintf("%s a day more are expected of it", terminal.Number(int64(r.OtherMail)))
		}
		note("what other mail has used of the quota is expected to come free evenly within 24 hours; %s", rest)
	}
	if r.Resumes {
		note("what this campaign has sent in the last 24 hours is not counted against its dailyLimit")
	}
}

// Long tells whether the campaign takes longer than a day, or does not come to its end at all.
func (r *Result) Long() bool {
	return r.Forecast.End.Sub(r.Forecast.Begin) > 24*time.Hour || !r.Forecast.Complete
}

func (r *Result) date(t time.Time) string { return t.In(r.zone).Format("Mon 2006-01-02 15:04 MST") }
