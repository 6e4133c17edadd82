// Package dryrun gathers what a forecast depends on, from a checked folder and the deployment, and shows the forecast.
package dryrun

import (
	"context"
	"fmt"
	"math"
	"time"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/shared/budget"
	"fanmail/shared/deployment"
	"fanmail/shared/forecast"
	"fanmail/shared/planner"
	"fanmail/shared/workflow"
)

// Deployment answers the questions of a forecast.
type Deployment interface {
	Region() string
	SESAccount(ctx context.Context) (cloud.SESAccount, error)
	Examine(ctx context.Context) (workflow.Database, error)
	Suppressed(ctx context.Context, addresses []string) ([]int, error)
}

// Assumptions stand in for what is not asked, or win over it. Numbers below 0 are not given, unless it says otherwise.
type Assumptions struct {
	// Rate is recipients per second, Quota per 24 hours (-1 for none; NaN is not given), Used how many of them were
	// sent to lately.
	Rate, Quota, Used float64
	// OtherMail is how many recipients other mail goes on to have, in 24 hours.
	OtherMail float64
	// Senders is the reserved concurrency of the sender function.
	Senders int
	// MaxConnections, Reserved and Others are the server's.
	MaxConnections, Reserved, Others int
	// Region is the one of an offline forecast.
	Region      string
	PricingPlan string
}

// Sandbox warns of an account that can't send to everybody.
const Sandbox = "this SES account is in the sandbox: SES refuses every recipient whose address, or domain, is not verified"

// None is no assumption at all.
func None() Assumptions {
	return Assumptions{Rate: -1, Quota: math.NaN(), Used: -1, Senders: -1, MaxConnections: -1, Reserved: -1, Others: -1}
}

// Facts are what a forecast depends on beside the campaign itself.
type Facts struct {
	Account   cloud.SESAccount
	Asked     time.Time
	OtherMail float64
	Functions []deployment.Function
	Server    budget.Server
	Region    string
	// Notes say what is assumed.
	Notes []string
	// serverKnown: Server is what the server or the user says.
	serverKnown bool
}

// Ask asks the deployment. Without the SES account there is no forecast; what the server has may stay unknown.
func Ask(ctx context.Context, aws Deployment, a Assumptions) (Facts, error) {
	account, err := aws.SESAccount(ctx)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Account: account, Asked: time.Now(), Region: aws.Region()}
	if account.Sandbox {
		f.note(Sandbox)
	}
	if account.PricingPlan == "" && a.PricingPlan == "" {
		f.note("SES does not say which pricing plan the account has; %s is assumed", forecast.AssumedPlan)
	}
	database, err := aws.Examine(ctx)
	switch {
	case err == nil:
		f.serverKnown = true
		f.Server = budget.Server{
			MaxConnections: database.MaxConnections, Reserved: database.Reserved,
			Others: database.OthersConnections, RoleLimit: database.RoleLimit,
		}
	case ctx.Err() != nil:
		return Facts{}, err
	case a.MaxConnections < 0:
		f.note("the server could not be asked (%v); it is assumed to have enough connections", err)
	}
	return f, f.apply(a)
}

// Assume asks nobody. Rate and Quota must be given.
func Assume(a Assumptions) (Facts, error) {
	f := Facts{Asked: time.Now(), Region: a.Region}
	f.Account.Quota = planner.Quota{SendingEnabled: true, Enforcement: "HEALTHY"}
	f.note("nobody was asked: the SES account is assumed to be out of the sandbox, "+
		"and to have sent to %.0f recipients in the last 24 hours", max(a.Used, 0))
	if a.MaxConnections < 0 {
		f.note("the server is assumed to have enough connections (--max-connections, --reserved and --others say what it has)")
	}
	if a.PricingPlan == "" {
		f.note("the SES pricing plan %s is assumed (--pricing-plan)", forecast.AssumedPlan)
	}
	return f, f.apply(a)
}

// apply lets what was assumed win, and finds the functions of the deployment.
func (f *Facts) apply(a Assumptions) error {
	quota := &f.Account.Quota
	if a.Rate >= 0 {
		quota.MaxSendRate = a.Rate
	}
	if !math.IsNaN(a.Quota) {
		quota.Max24HourSend = a.Quota
	}
	if a.Used >= 0 {
		quota.SentLast24Hours = a.Used
	}
	if a.PricingPlan != "" {
		f.Account.PricingPlan = a.PricingPlan
	}
	f.OtherMail = a.OtherMail
	if err := f.findFunctions(a.Senders); err != nil {
		return err
	}
	switch {
	case f.serverKnown:
	case a.MaxConnections < 0:
		// The whole bound has room.
		f.Server = budget.Server{MaxConnections: math.MaxInt32, RoleLimit: deployment.Bound(f.Functions)}
	default:
		f.serverKnown, f.Server = true, budget.Server{RoleLimit: -1, Reserved: 3}
	}
	for _, given := range []struct {
		value int
		field *int
	}{{a.MaxConnections, &f.Server.MaxConnections}, {a.Reserved, &f.Server.Reserved}, {a.Others, &f.Server.Others}} {
		if given.value >= 0 {
			*given.field = given.value
		}
	}
	return nil
}

// findFunctions are those of functions.yml, with as many senders as are deployed: migrate gives the functions' role a
// limit that is the deployment's bound, and only the senders of it are meant to be changed.
func (f *Facts) findFunctions(senders int) error {
	functions, err := deployment.Functions()
	if err != nil {
		return err
	}
	known, limit := deployment.Bound(functions), f.Server.RoleLimit
	if senders < 0 {
		senders = 0
		if f.serverKnown && limit >= 0 && limit != known {
			if senders = max(deployment.Senders(functions)+limit-known, 0); senders > 0 {
				f.note("the deployment has %d senders, by the connection limit of its role", senders)
			}
		}
	}
	f.Functions, err = deployment.WithSenders(functions, senders)
	return err
}

func (f *Facts) note(format string, arguments ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, arguments...))
}
