package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/budget"
	"fanmail/shared/deployment"
	"fanmail/shared/mailer"
	"fanmail/shared/planner"
)

const budgetHelp = `Budget prints how many PostgreSQL connections this deployment can hold: the bound. Every function holds one
connection per execution environment, and reservedConcurrency in functions.yml says how many environments it can
have.

With --account it asks AWS whether the account can reserve that much, before a deployment fails because it can't: a
new account may run 10 functions at once, and reserve nothing. What an earlier deployment of the stage has reserved
counts as free.

With --max-connections (SHOW max_connections on the server) it also weighs the bound against the server, and with
--rate it says how many senders a campaign gets. Plan does the same sum with live figures before every wave.`

// budgetReport is what --json prints.
type budgetReport struct {
	Functions []budget.Function `json:"functions"`
	// Bound is the sum of their concurrency.
	Bound           int `json:"bound"`
	ReservableLimit int `json:"reservableLimit"`
	// Account is what AWS says; absent without --account.
	Account *cloud.Concurrency `json:"account,omitempty"`
	// Allowed is what the server has for Fanmail; absent without --max-connections.
	Allowed *int `json:"allowed,omitempty"`
	// Senders is the answer for --rate.
	Senders *budget.Answer `json:"senders,omitempty"`
}

func (r budgetReport) reservable() string {
	if r.Account == nil {
		return fmt.Sprint(r.ReservableLimit)
	}
	stage := "no earlier deployment"
	if r.Account.Stage != "" {
		stage = fmt.Sprintf("%d reserved by stage %s already", r.Account.Own, r.Account.Stage)
	}
	return fmt.Sprintf("%d  (the account's %d, less %d that must stay unreserved, %d reserved by other functions; %s)",
		r.ReservableLimit, r.Account.Limit, budget.DefaultAccount.Unreserved, r.Account.Others(), stage)
}

func (p *program) budget() *cobra.Command {
	account := budget.DefaultAccount
	server := budget.Server{RoleLimit: -1}
	var rate float64
	var latency time.Duration
	var senders int
	var askAccount, asJSON bool
	c := &cobra.Command{
		Use:   "budget",
		Short: "Show how many database connections the deployment can hold",
		Long:  budgetHelp,
		Example: `  fanmail budget
  fanmail budget --account --stage prod
  fanmail budget --max-connections 87 --reserved 7 --others 10
  fanmail budget --max-connections 400 --rate 500`,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return fmt.Errorf("budget takes no arguments")
			case askAccount && c.Flags().Changed("account-concurrency"):
				return fmt.Errorf("--account and --account-concurrency: only one of them; the first asks AWS for the figure")
			case !askAccount && p.deploymentNamed(c):
				return fmt.Errorf("--deployment, --stage, --region and --profile need --account: without it budget asks nobody")
			case account.Limit < 0 || server.MaxConnections < 0 || server.Reserved < 0 || server.Others < 0 || senders < 0 || latency < 0 || !(rate >= 0):
				return fmt.Errorf("a number is negative, or not a number")
			case rate > 0 && server.MaxConnections == 0:
				return fmt.Errorf("--rate needs --max-connections as well")
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			functions, err := deployment.Functions()
			if err != nil {
				return err
			}
			if functions, err = deployment.WithSenders(functions, senders); err != nil {
				return err
			}
			r := budgetReport{Functions: deployment.Budget(functions), Bound: deployment.Bound(functions)}
			if askAccount {
				if r.Account, err = p.concurrency(c.Context(), functions); err != nil {
					return err
				}
				account.Limit, account.Others = r.Account.Limit, r.Account.Others()
			}
			r.ReservableLimit = account.Reservable()
			var known *budget.Server
			if server.MaxConnections > 0 {
				allowed := server.Allowed()
				known, r.Allowed = &server, &allowed
				if rate > 0 {
					answer := budget.Senders(budget.Need{Rate: rate, Latency: latency, Parallel: mailer.Parallel}, deployment.Senders(functions), r.Bound, server)
					r.Senders = &answer
				}
			}
			if err := p.printBudget(r, server, asJSON); err != nil {
				return err
			}
			return budget.Fit(r.Functions, account, known)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&askAccount, "account", false, "ask AWS for the account's concurrency, and what is reserved of it")
	flags.IntVar(&account.Limit, "account-concurrency", account.Limit, "concurrent executions of the AWS account in the Region")
	flags.IntVar(&server.MaxConnections, "max-connections", 0, "max_connections of the server")
	flags.IntVar(&server.Reserved, "reserved", 3, "connections that the server reserves, superuser_reserved_connections ...")
	flags.IntVar(&server.Others, "others", 0, "connections that other roles hold")
	flags.IntVar(&senders, "senders", 0, "another reserved concurrency of the sender function")
	flags.Float64Var(&rate, "rate", 0, "recipients per second that a campaign is to reach (with --max-connections)")
	flags.DurationVar(&latency, "latency", planner.AssumedLatency, "time of one SendEmail call")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// concurrency asks AWS. The stage is the one that is named, or else that of the only stack; without either this is
// the first deployment.
func (p *program) concurrency(ctx context.Context, functions []deployment.Function) (*cloud.Concurrency, error) {
	aws, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	found, err := aws.Concurrency(ctx, functions)
	return &found, err
}

func (p *program) printBudget(r budgetReport, server budget.Server, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, r)
	}
	rows := [][]string{{"function", "connections"}}
	for _, f := range r.Functions {
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Concurrency)})
	}
	rows = append(rows,
		[]string{"bound", fmt.Sprint(r.Bound)},
		[]string{"reservable Lambda concurrency", r.reservable()})
	if r.Allowed != nil {
		rows = append(rows, []string{"the server has for Fanmail", fmt.Sprintf("%d  (%d, less %d reserved, %d held by others, %d spare for them)",
			*r.Allowed, server.MaxConnections, server.Reserved, server.Others, server.Spare())})
	}
	if r.Senders != nil {
		rows = append(rows, []string{"senders", r.Senders.Reason})
	}
	return terminal.Table(p.stdout, rows)
}
