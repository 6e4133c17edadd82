package endtoend

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"fanmail/local"
)

// forecast is what this test reads of `fanmail plan --json`.
type forecast struct {
	Recipients, Rejected, Pending int64
	Suppressed                    *int64
	Forecast                      struct {
		Complete    bool
		Sent        int64
		Waves       int
		Batches     int64
		Senders     int
		Connections int
		Events      int
		Begin, End  time.Time
		Days        []struct {
			Date       string
			Recipients int64
		}
		Usage struct{ SendRequests, Transitions int }
	}
	Cost struct{ Dollars float64 }
}

// TestACampaignGoesAsItWasForecast holds what the command forecasts against what then happens.
func TestACampaignGoesAsItWasForecast(t *testing.T) {
	for _, test := range []struct {
		name    string
		options local.Options
		n       int
		yaml    string
		// suppressed of the recipients are on the suppression list.
		suppressed int
		// startsAt is an hour of tomorrow; 0 means now.
		startsAt time.Duration
		// waits: the looks at a quota are fewer than forecast, because the clock leaps. split: where the days part is
		// an estimate.
		waits, split bool
		waves, days  int
	}{
		{name: "a small list", n: 5, waves: 1, days: 1},
		{name: "a list for all senders, some suppressed", n: 3000, suppressed: 40, waves: 1, days: 1},
		{name: "fewer senders than usual", options: local.Options{Senders: 3}, n: 1000, waves: 1, days: 1},
		{name: "a low rate", n: 60, yaml: "rate: 6\n", waves: 1, days: 1},
		{name: "three days of quota", options: local.Options{Max24HourSend: 100}, n: 300, waits: true, waves: 3, days: 3},
		{name: "four days of dailyLimit", n: 500, yaml: "dailyLimit: 150\n", waits: true, waves: 4, days: 4},
		{name: "a window that closes", options: local.Options{MaxSendRate: 20}, n: 900, waits: true, split: true, waves: 2, days: 2,
			yaml: "window: {from: '09:00', to: '11:00', zone: Etc/UTC}\n", startsAt: 11*time.Hour - 25*time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, test.options)
			for i := range test.suppressed {
				d.execute("insert into fanmail.suppression (address, reason) values ($1, 'test')", fmt.Sprintf("recipient-%05d@example.com", 70*i+1))
			}
			f := list(test.n)
			f = f.with("campaign.yaml", f["campaign.yaml"]+test.yaml)
			zone := noon(d.Now())
			if test.startsAt > 0 {
				zone = time.UTC
				d.move(d.Now().UTC().Truncate(day).Add(day + test.startsAt))
			}
			planned := d.plan(f, zone)
			d.upload("spring", f)
			begin := d.Now()
			execution := d.start("spring")
			for d.waitsOrEnds(execution) {
				until, _ := d.waitsFor(execution)
				// All that went out at one go is free again a minute later, by any count.
				if next := d.times(); len(next) > 0 {
					free := next[len(next)-1].Add(day + time.Minute + time.Second)
					until = latest(until.Add(time.Minute), earliest(d.Now().Add(leap), free))
				}
				d.advance(execution, until)
			}
			r := d.succeed(execution)
			d.matches(planned, execution, zone, test.waits, test.split)
			p := planned.Forecast
			if r.Waves != p.Waves || r.Sent != p.Sent || !test.split && r.Batches != p.Batches {
				t.Errorf("it sent %d in %d waves of %d batches, forecast were %d in %d of %d", r.Sent, r.Waves, r.Batches, p.Sent, p.Waves, p.Batches)
			}
			if p.Waves != test.waves || len(p.Days) != test.days || !p.Complete || planned.Cost.Dollars <= 0 {
				t.Errorf("the forecast is %+v, want %d waves on %d days", planned, test.waves, test.days)
			}
			if planned.Suppressed == nil || *planned.Suppressed != int64(test.suppressed) || planned.Recipients != r.Recipients || r.Suppressed != int64(test.suppressed) {
				t.Errorf("%d recipients of which %v are suppressed are forecast: %+v", planned.Recipients, planned.Suppressed, r)
			}
			t.Logf("forecast %s, took %s by the moved clock", p.End.Sub(p.Begin).Round(time.Second), d.Now().Sub(begin).Round(time.Second))
		})
	}
}

// matches compares senders, invocations, connections, events of the execution, and how many went out on which day.
func (d *stack) matches(planned forecast, execution string, zone *time.Location, waits, split bool) {
	d.t.Helper()
	p, senders := planned.Forecast, d.Lambda().Stats()["fanmail-local-send"]
	if senders.PeakConcurrency > p.Senders || !split && senders.Invocations != p.Usage.SendRequests {
		d.t.Errorf("%d senders worked in %d invocations, forecast were %d in %d", senders.PeakConcurrency, senders.Invocations, p.Senders, p.Usage.SendRequests)
	}
	if peak := d.Connections().Peak() - d.Connections().Baseline(); peak > p.Connections || peak < 1 {
		d.t.Errorf("%d connections were seen, forecast were %d at most", peak, p.Connections)
	}
	// SendBatch, More? and BatchDone are entered by every child.
	events, entered, asked := d.history(execution)
	if asked != p.Senders {
		d.t.Errorf("Plan asked for %d senders at most, forecast were %d", asked, p.Senders)
	}
	if entered += 3 * int(p.Batches); !waits && (events != p.Events || entered != p.Usage.Transitions) {
		d.t.Errorf("the execution has %d events and enters %d states, forecast were %d and %d", events, entered, p.Events, p.Usage.Transitions)
	}
	days := map[string]int64{}
	for _, sent := range d.times() {
		days[sent.In(zone).Format(time.DateOnly)]++
	}
	same := len(days) == len(p.Days)
	for _, day := range p.Days {
		same = same && (days[day.Date] == day.Recipients || split && days[day.Date] > 0)
	}
	if !same {
		d.t.Errorf("mail went out on %v, forecast were %v", days, p.Days)
	}
}

// history counts the events of an execution, at most 1,000, and the states that it enters. senders are the most that
// Plan asked for.
func (d *stack) history(execution string) (events, entered, senders int) {
	d.t.Helper()
	out, err := d.executions.GetExecutionHistory(d.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, event := range out.Events {
		state := event.StateEnteredEventDetails
		if state == nil {
			continue
		}
		entered++
		if aws.ToString(state.Name) != "Send" {
			continue
		}
		var input struct {
			Plan struct{ MaxConcurrency int }
		}
		if err := json.Unmarshal([]byte(aws.ToString(state.Input)), &input); err != nil {
			d.t.Fatal(err)
		}
		senders = max(senders, input.Plan.MaxConcurrency)
	}
	return len(out.Events), entered, senders
}

// noon is a zone in which it is about noon.
func noon(now time.Time) *time.Location {
	name := fmt.Sprintf("Etc/GMT%+d", now.UTC().Hour()-12) // its sign is that of POSIX
	if now.UTC().Hour() == 12 {
		name = "Etc/UTC"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// plan runs `fanmail plan` on a folder at the time of the runtime's clock.
func (d *stack) plan(f folder, zone *time.Location) (planned forecast) {
	d.t.Helper()
	if _, err := buildCLI(); err != nil { // before the begin is chosen: one in the past is refused
		d.t.Fatal(err)
	}
	begin := d.Now().Add(2 * time.Second).In(zone).Format(time.DateTime)
	printed := d.fanmail("plan", d.write("spring", f), "--json", "--zone", zone.String(), "--at", begin)
	if err := json.Unmarshal([]byte(printed), &planned); err != nil {
		d.t.Fatal(err)
	}
	if n := d.number("select count(*) from fanmail.campaign"); n != 0 || d.SES().Accepted() != 0 {
		d.t.Errorf("the dry run made %d campaigns and sent %d messages", n, d.SES().Accepted())
	}
	return planned
}
