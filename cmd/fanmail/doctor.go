package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/doctor"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
)

const doctorHelp = `Doctor examines a deployment: credentials, Lambda, PostgreSQL as the functions see it, SES, the DNS
of the sender's domain, and the way of SES events. With the folder of a campaign it examines that campaign's folder,
sender and configuration set too.

Each check is a line: passed, warned, failed or skipped, its name, and what was found. After a problem stand the next
steps; when they are done, run doctor again. The exit code is 1 when a check failed.

Doctor changes nothing. It sends one message, to Amazon's mailbox simulator (success@simulator.amazonses.com), and
waits until the event of that message is in the ledger: so the whole way SES -> SNS -> SQS -> events -> PostgreSQL is
proved. --wait 0 leaves it out.

The local runtime has no DNS: against it dkim, spf and dmarc ask the real one, which has no keys of that runtime's
SES.`

type doctorOptions struct {
	from, dns string
	wait      time.Duration
	asJSON    bool
}

func (p *program) doctor() *cobra.Command {
	var o doctorOptions
	c := &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Examine a deployment, and say how to correct what is wrong",
		Long:  doctorHelp,
		Example: `  fanmail doctor ./spring-sale
  fanmail doctor --from news@shop.example.com --dns 1.1.1.1
  fanmail doctor --json | jq '.checks[] | select(.status == "failed")'`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return fmt.Errorf("%d folders: doctor takes one at most", len(args))
			case o.wait < 0 || o.wait > time.Hour:
				return fmt.Errorf("--wait %v: it must be up to 1h, 0 sends no message", o.wait)
			}
			if o.from != "" {
				if err := doctor.CheckSender(o.from); err != nil {
					return fmt.Errorf("--from: %w", err)
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.runDoctor(c.Context(), args, o) },
	}
	c.Flags().StringVar(&o.from, "from", "", "the sender's `address`, when no folder says it or another one is meant")
	c.Flags().StringVar(&o.dns, "dns", "", "`host[:port]` of the DNS server to ask (default: this machine's)")
	c.Flags().DurationVar(&o.wait, "wait", time.Minute, "how long the event of the message may take; 0 sends none")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return c
}

func (p *program) runDoctor(ctx context.Context, args []string, o doctorOptions) error {
	patient := doctor.Patient{From: o.from, DNS: resolver(o.dns), Wait: o.wait, Progress: p.progress()}
	if len(args) == 1 {
		f, err := folder.Open(args[0])
		if err != nil {
			return err
		}
		patient.Path = args[0]
		if patient.Folder, err = folder.Check(ctx, f, p.progress()); err != nil {
			return err
		}
	}
	aws, err := p.open(ctx, deployment.ControlFunction, deployment.ConfigurationSet, deployment.EventsQueue,
		deployment.EventsDeadLetterQueue)
	if err != nil {
		patient.Unopened = err
	} else {
		patient.AWS, patient.Parts = aws, parts(ctx, aws)
	}
	printed := &checkups{w: p.stdout}
	if o.asJSON {
		printed.w = io.Discard
	}
	report, err := doctor.Run(ctx, patient, printed.tell)
	if err != nil {
		return err
	}
	if o.asJSON {
		err = terminal.JSON(p.stdout, report)
	} else {
		printed.flush()
		_, err = fmt.Fprintf(p.stdout, "%d passed, %d warned, %d failed, %d skipped\n",
			report.Passed, report.Warned, report.Failed, report.Skipped)
	}
	if err != nil {
		return err
	}
	return report.Err()
}

// parts are the names and URLs of the deployment's parts.
func parts(ctx context.Context, aws *cloud.Cloud) doctor.Parts {
	return doctor.Parts{
		ControlFunction:     aws.Output(ctx, deployment.ControlFunction),
		ConfigurationSet:    aws.Output(ctx, deployment.ConfigurationSet),
		EventsQueue:         aws.Output(ctx, deployment.EventsQueue),
		EventsDeadLetters:   aws.Output(ctx, deployment.EventsDeadLetterQueue),
		ScheduleDeadLetters: aws.Output(ctx, deployment.ScheduleDeadLetterQueue),
	}
}

// resolver asks one DNS server, or those of this machine.
func resolver(server string) *net.Resolver {
	if server == "" {
		return net.DefaultResolver
	}
	address := server
	if _, _, err := net.SplitHostPort(server); err != nil {
		address = net.JoinHostPort(server, "53")
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

// checkups writes results: a line for each, with the next steps below. Checks in a row that were skipped for the same
// reason share one.
type checkups struct {
	w       io.Writer
	skipped []string
	reason  string
}

func (c *checkups) tell(r doctor.Result) {
	if r.Status != doctor.Skipped || r.Finding != c.reason {
		c.flush()
	}
	if r.Status == doctor.Skipped {
		c.skipped, c.reason = append(c.skipped, r.Name), r.Finding
		return
	}
	fmt.Fprintf(c.w, "%-8s %-21s %s\n", r.Status, r.Name, r.Finding)
	for _, step := range r.Next {
		fmt.Fprintf(c.w, "         next: %s\n", step)
	}
}

// flush writes what was skipped.
func (c *checkups) flush() {
	const few = 4
	names := strings.Join(c.skipped, ", ")
	if n := len(c.skipped); n > few {
		names = fmt.Sprintf("%s to %s (%d)", c.skipped[0], c.skipped[n-1], n)
	}
	if names != "" {
		fmt.Fprintf(c.w, "%-8s %-21s %s\n", doctor.Skipped, names, c.reason)
	}
	c.skipped, c.reason = nil, ""
}
