package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/dryrun"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/cmd/fanmail/internal/terminal"
)

// foresee says in one line how a campaign that is about to start will go, and asks about one that lasts long. It is
// an error when the campaign could not be sent, or the answer is no. A forecast that can't be made stops nothing.
func (p *program) foresee(ctx context.Context, aws *cloud.Cloud, source launch.Source, yes bool) error {
	if source.Folder == nil {
		return nil // the list is not at hand
	}
	r := dryrun.New(source.Checked)
	facts, err := p.ask(ctx, aws, source, r, dryrun.None())
	if err == nil {
		err = r.Simulate(facts, time.Now(), time.Local)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "%s: no forecast: %s\n", source.Campaign, terminal.OneLine(err.Error()))
		return nil
	}
	if halts := r.Forecast.Halts; halts != "" {
		return fmt.Errorf("%s was not started: %s", source.Campaign, halts)
	}
	fmt.Fprintf(p.stderr, "%s: %s\n", source.Campaign, r.Line())
	if r.Sandbox {
		fmt.Fprintf(p.stderr, "%s: %s\n", source.Campaign, dryrun.Sandbox)
	}
	if yes || !r.Long() || !terminal.Interactive(os.Stdin, p.stderr) {
		return nil
	}
	start, err := terminal.Confirm(ctx, os.Stdin, p.stderr, "That is longer than a day. Start "+source.Campaign+"?")
	if err == nil && !start {
		err = fmt.Errorf("%s was not started", source.Campaign)
	}
	return err
}
