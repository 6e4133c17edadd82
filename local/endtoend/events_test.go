package endtoend

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5"

	"fanmail/local"
	"fanmail/local/faults"
	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	localsqs "fanmail/local/sqs"
)

// delivery is the time from SES's acceptance of a message to its delivery or bounce, and from there to a complaint.
const delivery = 30 * time.Millisecond

// fate is what SES's mailbox simulator makes of a message.
type fate struct {
	delivered, complained bool
	bounced               time.Duration // after it was accepted
	bounce                string
	suppressed            string
}

// fates are by the address's local part; all other addresses get their mail.
var fates = map[string]fate{
	"bounce":          {bounced: delivery, bounce: "Permanent/General", suppressed: "bounced"},
	"suppressionlist": {bounced: delivery, bounce: "Permanent/Suppressed", suppressed: "bounced"},
	"complaint":       {delivered: true, complained: true, suppressed: "complained"},
	"ooto":            {delivered: true, bounced: 2 * delivery, bounce: "Transient/General"},
}

// simulated is a list of n recipients, of whom every tenth is of the mailbox simulator, in turn for each fate.
func simulated(n int) folder {
	names := []string{"bounce", "complaint", "ooto", "suppressionlist", "success"}
	f := list(n)
	lines := strings.Split(f["recipients.csv"], "\n")
	for i := 10; i <= n; i += 10 {
		lines[i] = fmt.Sprintf("%s+%d@simulator.amazonses.com,Recipient %d", names[i/10%len(names)], i, i)
	}
	return f.with("recipients.csv", strings.Join(lines, "\n"))
}

func TestEventsThatComeTwiceAndInAnyOrderEndAsInOrderAndOnce(t *testing.T) {
	t.Parallel()
	const n = 3000
	d := deploy(t, local.Options{Faults: faults.Settings{
		Seed: 1, Events: faults.Events{Double: 0.1, DelayMilliseconds: 1500, DeliverTwice: 0.1},
	}})
	sessions := d.watchSessions("fanmail-events")
	d.upload("spring", simulated(n))
	d.auditSent("spring", d.succeed(d.start("spring")), n)
	d.untilEventsAreIn(n)

	suppressed := d.auditEvents()
	if doubled, twice := d.FaultCounts().EventsDoubled, d.FaultCounts().DeliveredTwice; doubled < n/10 || twice < n/10 {
		t.Errorf("%d events were doubled, %d messages delivered twice: this test wants more", doubled, twice)
	}
	events := d.Lambda().Stats()["fanmail-local-events"]
	bound := d.consumers().ReservedConcurrency
	t.Logf("%d invocations, %d at once, %d sessions at once", events.Invocations, events.PeakConcurrency, sessions.Load())
	if most := int(sessions.Load()); most < 1 || most > bound || events.PeakConcurrency > bound || events.Throttles+events.Errors > 0 {
		t.Errorf("%d sessions at once, bound is %d; %+v", most, bound, events)
	}

	// The next campaign leaves out who bounced or complained: of every 50 recipients three.
	const next = 300
	d.upload("summer", simulated(next))
	r := d.succeed(d.start("summer"))
	if want := int64(next / 50 * 3); r.State != "finished" || r.Suppressed != want || r.Sent != next-want {
		t.Errorf("%d should be suppressed: %+v", want, r)
	}
	for _, entry := range d.mailbox() {
		if entry.Tags["fanmail-campaign"] == "summer" && suppressed[entry.To[0]] != "" {
			t.Errorf("%s was mailed again: %s", entry.To[0], suppressed[entry.To[0]])
		}
	}
}

// auditEvents holds the ledger of the only campaign against what SES said of each message in its mailbox. It returns the suppression
// list.
func (d *stack) auditEvents() (suppressed map[string]string) {
	d.t.Helper()
	type told struct {
		MessageID                                 string
		Confirmed, Delivered, Bounced, Complained time.Time
		Bounce                                    string
	}
	got := map[string]told{}
	rows, _ := d.connect().Query(d.t.Context(), `
		select address, message_id, confirmed_at, delivered_at, bounced_at, complained_at, coalesce(bounce, '') from fanmail.recipient`)
	var address string
	var id *string
	var confirmed, delivered, bounced, complained *time.Time
	var bounce string
	_, err := pgx.ForEachRow(rows, []any{&address, &id, &confirmed, &delivered, &bounced, &complained, &bounce}, func() error {
		got[address] = told{aws.ToString(id), inUTC(confirmed), inUTC(delivered), inUTC(bounced), inUTC(complained), bounce}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	wanted := map[string]string{}
	for _, entry := range d.mailbox() {
		address := entry.To[0]
		name, simulator := strings.CutSuffix(address, "@simulator.amazonses.com")
		name, _, _ = strings.Cut(name, "+")
		lot, known := fates[name]
		if !simulator || !known {
			lot = fate{delivered: true}
		}
		// Events tell times in milliseconds.
		after := func(d time.Duration) time.Time { return entry.Time.Add(d).UTC().Truncate(time.Millisecond) }
		want := told{MessageID: entry.MessageID, Confirmed: after(0), Bounce: lot.bounce}
		if lot.delivered {
			want.Delivered = after(delivery)
		}
		if lot.bounce != "" {
			want.Bounced = after(lot.bounced)
		}
		if lot.complained {
			want.Complained = after(2 * delivery)
		}
		if got[address] != want {
			d.t.Errorf("%s: the ledger has %+v, SES said %+v", address, got[address], want)
		}
		if lot.suppressed != "" {
			wanted[address] = lot.suppressed
		}
	}
	suppressed = map[string]string{}
	rows, _ = d.connect().Query(d.t.Context(), "select address, reason from fanmail.suppression")
	var reason string
	if _, err := pgx.ForEachRow(rows, []any{&address, &reason}, func() error { suppressed[address] = reason; return nil }); err != nil {
		d.t.Fatal(err)
	}
	for address, reason := range wanted {
		if suppressed[address] != reason {
			d.t.Errorf("%s is suppressed as %q, want %q", address, suppressed[address], reason)
		}
	}
	if len(suppressed) != len(wanted) {
		d.t.Errorf("%d addresses are suppressed, want %d", len(suppressed), len(wanted))
	}
	return suppressed
}

func inUTC(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// TestManyEventsInAnyOrderAreInTheLedger puts events of messages that nobody sent into the queue: for each recipient two, a tenth of them
// twice.
func TestManyEventsInAnyOrderAreInTheLedger(t *testing.T) {
	t.Parallel()
	const n = 10_000
	const tag, claim = "7b2f6a4e-3f0c-4d57-9a43-0e6f0f3c2b11", "c0a80121-7ac0-4b1c-9d2e-5f6a7b8c9d0e"
	d := deploy(t, local.Options{})
	d.execute(`
		insert into fanmail.campaign (name, tag, state, execution, settings, recipients_tag) values ('spring', '` + tag + `', 'running', '', '{}', '')`)
	d.execute(`
		insert into fanmail.recipient (campaign_id, seq, line, address, fields, state, claim, claimed_until)
		select id, seq, seq, 'r' || seq || '@example.com', '{}', 'claimed', '`+claim+`', fanmail.clock()
		from fanmail.campaign, generate_series(1, $1) seq`, n)
	accepted := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var messages []localsqs.Message
	for seq := 1; seq <= n; seq++ {
		for _, kind := range []string{`"eventType":"Send"`, `"eventType":"Delivery","delivery":{"timestamp":"2026-11-23T10:00:00.000Z"}`} {
			message := localsqs.Message{Body: fmt.Sprintf(
				`{%s,"mail":{"timestamp":%q,"messageId":"m-%d","tags":{"fanmail-campaign":["spring"],"fanmail-id":[%q],"fanmail-claim":[%q],"fanmail-seq":["%d"]}}}`,
				kind, accepted.Add(time.Duration(seq)*time.Millisecond).Format(time.RFC3339Nano), seq, tag, claim, seq)}
			messages = append(messages, message)
			if seq%10 == 0 {
				messages = append(messages, message)
			}
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })

	sessions, queue, begun := d.watchSessions("fanmail-events"), d.eventsQueue(), time.Now()
	for chunk := range slices.Chunk(messages, 1000) {
		if err := d.SQS().Send(queue.Name, chunk...); err != nil {
			t.Fatal(err)
		}
	}
	d.await("all events in the ledger", func() bool { return d.messages(queue.Name) == 0 })
	events := d.Lambda().Stats()["fanmail-local-events"]
	t.Logf("%d messages in %s: %d invocations, %d sessions at once", len(messages), time.Since(begun), events.Invocations, sessions.Load())
	right := d.number(`
		select count(*) from fanmail.recipient
		where state = 'sent' and message_id = 'm-' || seq and claim = '` + claim + `' and delivered_at = '2026-11-23T10:00:00Z'
		  and confirmed_at = '2026-11-23T09:00:00Z'::timestamptz + make_interval(secs => seq / 1000.0) and settled_at = confirmed_at`)
	if dead := d.messages(queue.DeadLetterQueue); right != n || dead != 0 {
		t.Errorf("%d of %d recipients are right, %d messages in the dead-letter queue", right, n, dead)
	}
	bound := d.consumers().ReservedConcurrency
	if most := int(sessions.Load()); most < 1 || most > bound || events.PeakConcurrency > bound || events.Throttles+events.Errors > 0 {
		t.Errorf("%d sessions at once; %+v", most, events)
	}
}

func TestAMalformedMessageEndsInTheDeadLetterQueueAndHurtsNoNeighbour(t *testing.T) {
	t.Parallel()
	const n = 30
	// Longer than the batching window and whileConsumersWait.
	d := deploy(t, local.Options{VisibilityTimeout: 10 * time.Second})
	d.upload("spring", list(n))
	d.auditSent("spring", d.succeed(d.start("spring")), n)
	d.untilEventsAreIn(n)

	definition := d.eventsQueue()
	queue, dead := d.queue(definition.Name), d.queue(definition.DeadLetterQueue)
	poison := []string{`{"eventType":"Open","mail":`, d.opened(1, "fanmail-seq", "first")}
	neighbours := []string{d.opened(2, "", ""), d.opened(3, "", ""), d.opened(4, "fanmail-id", ""), d.opened(5, "", "")}
	// While the function is busy, others receive the malformed messages until one attempt is left, and the neighbours join them.
	d.whileConsumersWait(func() {
		queue.publish(poison...)
		for range definition.MaxReceiveCount - 1 {
			if got := queue.receive(); !slices.Equal(got, poison) {
				t.Fatalf("received %d messages: %q", len(got), got)
			}
		}
		queue.publish(neighbours...)
	})
	d.await("the malformed messages in the dead-letter queue", func() bool {
		return d.messages(definition.DeadLetterQueue) == len(poison) && d.messages(definition.Name) == 0
	})
	if got := dead.receive(); !slices.Equal(got, poison) {
		t.Errorf("the dead-letter queue has %q, want %q", got, poison)
	}
	// The first is opened by what kept the function busy.
	if right := d.number("select count(*) from fanmail.recipient where (opened_at is not null) = (seq in (1, 2, 3, 5))"); right != n {
		t.Errorf("%d of %d recipients are right", right, n)
	}
	// All were in one batch.
	if log := d.log("events"); !regexp.MustCompile(` malformed=2 written=3 .*not of Fanmail:1\]`).MatchString(log) {
		t.Errorf("the log does not tell of such a batch: %s", log)
	}
	d.auditSent("spring", d.status("spring"), n)
}

// whileConsumersWait does something while every environment of the function events is busy: with a full batch of an event each, whose
// recipient can't be written.
func (d *stack) whileConsumersWait(do func()) {
	d.t.Helper()
	ctx, events := d.t.Context(), d.consumers()
	full := slices.Repeat([]localsqs.Message{{Body: d.opened(1, "", "")}}, events.EventSource.BatchSize*events.ReservedConcurrency)
	err := pgx.BeginFunc(ctx, d.connect(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "lock table fanmail.recipient in share row exclusive mode"); err != nil {
			return err
		}
		if err := d.SQS().Send(events.EventSource.Queue, full...); err != nil {
			return err
		}
		d.await("invocations that wait", func() bool {
			return d.Lambda().Stats()["fanmail-local-events"].Busy == events.ReservedConcurrency
		})
		do()
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestNoEventIsLostInAnOutageOfPostgreSQL(t *testing.T) {
	t.Parallel()
	const n = 800
	server := postgrestest.Server(t, postgres.Config{Durable: true})
	d := deploy(t, local.Options{
		DatabaseURL: server.URL(), VisibilityTimeout: 5 * time.Second,
		Faults: faults.Settings{Seed: 1, Events: faults.Events{DelayMilliseconds: 6000}},
	})
	d.upload("spring", simulated(n))
	d.succeed(d.start("spring"))
	d.await("some events in the ledger", func() bool {
		return d.number("select count(*) from fanmail.recipient where confirmed_at is not null") > 0
	})
	confirmed := d.number("select count(*) from fanmail.recipient where confirmed_at is not null")
	if confirmed == n {
		t.Fatal("all events were there before the outage: it came too late for this test")
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	failed := d.Lambda().Stats()["fanmail-local-events"].Errors
	d.await("events that fail", func() bool { return d.Lambda().Stats()["fanmail-local-events"].Errors > failed })
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.ledger = d.connect()
	d.untilEventsAreIn(n)
	d.auditEvents()
	if dead := d.messages(d.eventsQueue().DeadLetterQueue); dead != 0 {
		t.Errorf("%d messages are in the dead-letter queue", dead)
	}
	d.auditSent("spring", d.status("spring"), n)
	t.Logf("%d of %d were confirmed before the outage", confirmed, n)
}

// untilEventsAreIn waits until all n messages are confirmed, and nothing is left in the queue.
func (d *stack) untilEventsAreIn(n int64) {
	d.t.Helper()
	queue := d.eventsQueue()
	d.await("all events in the ledger", func() bool {
		return d.messages(queue.Name) == 0 && d.messages(queue.DeadLetterQueue) == 0 &&
			d.number("select count(*) from fanmail.recipient where confirmed_at is not null and (delivered_at is not null or bounced_at is not null)") == n
	})
}

// watchSessions counts the database sessions of a name, as often as it can, until the test ends. It returns the most it has seen.
func (d *stack) watchSessions(name string) *atomic.Int64 {
	d.t.Helper()
	var most atomic.Int64
	conn := d.connect()
	ctx, done := d.t.Context(), make(chan struct{})
	d.t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			var now int64
			err := conn.QueryRow(ctx, "select count(*) from pg_stat_activity where datname = current_database() and application_name = $1", name).Scan(&now)
			if err != nil {
				return // the test has ended
			}
			most.Store(max(most.Load(), now))
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return &most
}
