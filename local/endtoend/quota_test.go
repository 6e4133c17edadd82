package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"fanmail/local"
)

const (
	day = 24 * time.Hour
	// leap is what the clock is moved by at once while a campaign waits for longer. Plan looks every 15 minutes.
	leap = 3 * time.Hour
)

func TestAListOfThreeTimesADaysLimitFinishesOnTheThirdDay(t *testing.T) {
	const limit = 100
	const n = 3 * limit
	quota, own := "the daily quota of the SES account is used up", "the campaign's dailyLimit is used up"
	for _, test := range []struct {
		name    string
		options local.Options
		yaml    string
		reason  string
	}{
		{"the account's daily quota", local.Options{Max24HourSend: limit}, "", quota},
		{"a dailyLimit as high as the quota", local.Options{Max24HourSend: limit}, "dailyLimit: 100\n", quota},
		{"a dailyLimit below the quota", local.Options{Max24HourSend: 2.5 * limit}, "dailyLimit: 100\n", own},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, test.options)
			d.countReturns()
			f := list(n)
			d.upload("spring", f.with("campaign.yaml", f["campaign.yaml"]+test.yaml))
			execution := d.start("spring")
			for d.waitsOrEnds(execution) {
				sent := d.times()
				until, reason := d.waitsFor(execution)
				if reason != test.reason {
					t.Errorf("it waits because %s", reason)
				}
				// All of the last day is free again; SES counts by the minute.
				free := sent[len(sent)-1].Add(day + time.Minute + time.Second)
				d.advance(execution, latest(until, earliest(d.Now().Add(leap), free)))
			}
			r := d.succeed(execution)
			d.auditSent("spring", r, n)
			times := d.times()
			for i := range times[limit:] {
				if apart := times[i+limit].Sub(times[i]); apart < day {
					t.Errorf("messages %d and %d are %s apart: %d are allowed within 24 hours", i+1, i+limit+1, apart, limit)
				}
			}
			if first, all := times[limit-1].Sub(times[0]), times[n-1].Sub(times[0]); first > time.Hour || all > 2*day+4*leap {
				t.Errorf("the first %d took %s, all took %s", limit, first, all)
			}
			if refused := d.number("select count(*) from returned"); refused != 0 {
				t.Errorf("%d messages were sent in vain", refused)
			}
			t.Logf("%d waves, %d events of the execution, %s", r.Waves, d.events(execution), times[n-1].Sub(times[0]))
		})
	}
}

// TestAWaitForADayTakesFewEvents counts what a campaign costs of the 25,000 events that an execution may have.
func TestAWaitForADayTakesFewEvents(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{Max24HourSend: 100})
	d.upload("spring", list(300))
	execution := d.start("spring")
	if !d.waitsOrEnds(execution) {
		t.Fatal("it does not wait")
	}
	before := d.events(execution)
	until, _ := d.waitsFor(execution)
	wait := until.Sub(d.Now()).Round(time.Minute)
	d.advance(execution, until)
	if !d.waitsOrEnds(execution) || d.SES().Accepted() != 100 {
		t.Errorf("%d were sent", d.SES().Accepted())
	}
	each := d.events(execution) - before
	const most = 25_000
	t.Logf("a look takes %d events, and there is one every %s: an execution may wait for %d days", each, wait, most/(each*int(day/wait)))
	if days := most / (each * int(day/wait)); days < 14 {
		t.Errorf("an execution may wait for %d days only", days)
	}
	d.stop(execution)
}

// waitsOrEnds waits until an execution waits, and returns true, or has ended.
func (d *stack) waitsOrEnds(execution string) (waits bool) {
	d.t.Helper()
	d.await("the execution to wait or to end", func() bool {
		waits = d.waitsIn(execution)
		return waits || d.describe(execution).Status != "RUNNING"
	})
	return waits
}

// waitsFor tells what an execution waits for: by the input of WaitUntil, which is the answer of Plan.
func (d *stack) waitsFor(execution string) (until time.Time, reason string) {
	d.t.Helper()
	out, err := d.executions.GetExecutionHistory(d.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, MaxResults: 1})
	if err != nil {
		d.t.Fatal(err)
	}
	entered := out.Events[0].StateEnteredEventDetails
	if entered == nil || aws.ToString(entered.Name) != "WaitUntil" {
		d.t.Fatalf("the execution does not wait, but has event %s", out.Events[0].Type)
	}
	var input struct {
		Plan struct {
			Until  time.Time
			Reason string
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(entered.Input)), &input); err != nil {
		d.t.Fatal(err)
	}
	return input.Plan.Until, input.Plan.Reason
}

// advance moves the clock of an execution that waits until then, and waits until its wait is over.
func (d *stack) advance(execution string, to time.Time) {
	d.t.Helper()
	before := d.events(execution)
	d.move(to)
	d.await("the end of the wait", func() bool { return d.events(execution) > before })
}

// move moves the clock.
func (d *stack) move(to time.Time) {
	d.t.Helper()
	if by := to.Sub(d.Now()); by > 0 {
		if err := d.Advance(d.t.Context(), by); err != nil {
			d.t.Fatal(err)
		}
	}
}

// events is how many events an execution has had.
func (d *stack) events(execution string) int {
	d.t.Helper()
	out, err := d.executions.GetExecutionHistory(d.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, MaxResults: 1})
	if err != nil {
		d.t.Fatal(err)
	}
	return int(out.Events[0].Id)
}

// times are when SES accepted the messages, in order.
func (d *stack) times() (all []time.Time) {
	d.t.Helper()
	for _, entry := range d.mailbox() {
		if !strings.HasSuffix(entry.To[0], "@simulator.amazonses.com") {
			all = append(all, entry.Time)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// countReturns keeps a row for every recipient that goes back to pending because SES did not take the message.
func (d *stack) countReturns() {
	d.t.Helper()
	d.execute(`
		create table returned (seq bigint, reason text);
		grant insert on returned to public;
		create function count_returns() returns trigger language plpgsql as $$
		begin insert into returned values (new.seq, new.reason); return null; end $$;
		create trigger count_returns after update on fanmail.recipient for each row
		when (old.state = 'claimed' and new.state = 'pending') execute function count_returns()`)
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
