package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/ledger"
)

// accepted is when SES accepted the messages of these tests.
var accepted = time.Date(2024, 11, 23, 9, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return accepted.Add(time.Duration(seconds) * time.Second) }

// claimOf is the claim by which a message was sent.
func claimOf(message string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(message)) }

// eventsOf makes events of a message to recipient 1, with what each kind tells.
func eventsOf(c *ledger.Campaign, message string) func(kind string) ledger.Event {
	return func(kind string) ledger.Event {
		e := ledger.Event{Campaign: c.Name, Tag: c.Tag, Seq: 1, MessageID: message, Claim: claimOf(message), Accepted: accepted, Confirms: true}
		if message == "m2" {
			e.Accepted = after(60)
		}
		switch kind {
		case "send":
		case "reject":
			e.Rejected = "bad content"
		case "rendering":
			e.Rejected = "a field is missing"
		case "delivery":
			e.Delivered = after(1)
		case "later delivery":
			e.Delivered = after(100)
		case "soft":
			e.Bounced, e.Bounce = after(2), "Transient/MailboxFull"
		case "hard":
			e.Bounced, e.Bounce = after(3), "Permanent/General"
		case "same moment":
			e.Bounced, e.Bounce = after(3), "Permanent/Suppressed"
		case "complaint":
			e.Complained = after(4)
		case "open":
			e.Opened = after(5)
		case "click":
			e.Clicked = after(6)
		default:
			panic("no kind " + kind)
		}
		return e
	}
}

// set changes recipient 1.
func set(t testing.TB, db *bun.DB, assignments string) {
	t.Helper()
	if assignments == "" {
		return
	}
	if _, err := db.Exec("update fanmail.recipient set " + assignments + " where seq = 1"); err != nil {
		t.Fatal(err)
	}
}

func apply(t testing.TB, db bun.IDB, events []ledger.Event, witnesses ...ledger.Witness) ledger.Applied {
	t.Helper()
	applied, err := ledger.Apply(context.Background(), db, events, witnesses...)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

// short tells of recipient 1 what events decide, times as seconds after accepted.
const short = `
	select concat_ws(' ', state, reason, 'by ' || coalesce(left(claim::text, 4), '-'), message_id,
		'until ' || extract(epoch from claimed_until - ?0)::int,
		'settled ' || extract(epoch from settled_at - ?0)::int, 'confirmed ' || extract(epoch from confirmed_at - ?0)::int,
		'delivered ' || extract(epoch from delivered_at - ?0)::int, 'bounced ' || extract(epoch from bounced_at - ?0)::int, bounce,
		'complained ' || extract(epoch from complained_at - ?0)::int, 'opened ' || extract(epoch from opened_at - ?0)::int,
		'clicked ' || extract(epoch from clicked_at - ?0)::int,
		'suppressed ' || (select s.reason from fanmail.suppression s where s.address = r.address))
	from fanmail.recipient r where seq = 1`

func standing(t testing.TB, db *bun.DB) (line string) {
	t.Helper()
	if err := db.NewRaw(short, accepted).Scan(context.Background(), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestEventsSettleARecipient(t *testing.T) {
	db := open(t)
	c := start(t, db, "a@example.com")
	m1, m2 := claimOf("m1").String()[:4], claimOf("m2").String()[:4]
	const (
		claimed = "state = 'claimed', claim = '11110000-0000-0000-0000-000000000000', claimed_until = '2024-11-23 09:01:00Z'"
		sent    = "state = 'sent', claim = '11110000-0000-0000-0000-000000000000', message_id = 'm1', settled_at = '2024-11-23 09:00:07Z'"
	)
	for _, test := range []struct {
		name, before string
		events       string
		want         string
	}{
		{"pending", "", "send", "sent by " + m1 + " m1 settled 0 confirmed 0"},
		{"pending after trouble", "reason = 'throttled'", "send", "sent by " + m1 + " m1 settled 0 confirmed 0"},
		{"in doubt", claimed, "delivery", "sent by " + m1 + " m1 settled 0 confirmed 0 delivered 1"},
		{"dropped by hand", "state = 'skipped', reason = 'dropped', settled_at = '2024-11-23 09:10:00Z'", "send", "sent by " + m1 + " m1 settled 0 confirmed 0"},
		{"suppressed", "state = 'suppressed', reason = 'complained', settled_at = '2024-11-23 08:00:00Z'", "send", "sent by " + m1 + " m1 settled 0 confirmed 0"},
		{"refused, said the sender", "state = 'failed', reason = 'refused', settled_at = '2024-11-23 08:00:00Z'", "send", "sent by " + m1 + " m1 settled 0 confirmed 0"},
		{"sent", sent, "delivery", "sent by 1111 m1 settled 0 confirmed 0 delivered 1"},
		{"sent without an id", strings.Replace(sent, "'m1'", "null", 1), "delivery", "sent by 1111 m1 settled 0 confirmed 0 delivered 1"},

		{"all that can be told", claimed, "send delivery soft complaint open click", "sent by " + m1 + " m1 settled 0 confirmed 0 delivered 1 bounced 2 Transient/MailboxFull complained 4 opened 5 clicked 6 suppressed complained"},
		{"the earliest time counts", claimed, "later delivery, delivery, later delivery", "sent by " + m1 + " m1 settled 0 confirmed 0 delivered 1"},
		{"a transient bounce suppresses nobody", claimed, "soft", "sent by " + m1 + " m1 settled 0 confirmed 0 bounced 2 Transient/MailboxFull"},
		{"a permanent bounce does", claimed, "hard", "sent by " + m1 + " m1 settled 0 confirmed 0 bounced 3 Permanent/General suppressed bounced"},
		{"also after a transient one", claimed, "soft hard", "sent by " + m1 + " m1 settled 0 confirmed 0 bounced 2 Transient/MailboxFull suppressed bounced"},
		{"also before a transient one", claimed, "hard, soft", "sent by " + m1 + " m1 settled 0 confirmed 0 bounced 2 Transient/MailboxFull suppressed bounced"},
		{"two bounces in one moment", claimed, "same moment, hard", "sent by " + m1 + " m1 settled 0 confirmed 0 bounced 3 Permanent/General suppressed bounced"},
		{"a complaint outweighs a bounce", claimed, "hard, complaint, hard", "sent by " + m1 + " m1 settled 0 confirmed 0 bounced 3 Permanent/General complained 4 suppressed complained"},

		{"rejected", claimed, "reject", "failed rejected by SES: bad content by " + m1 + " m1 settled 0 confirmed 0"},
		{"rejected, and the sender knew the id", sent, "reject", "failed rejected by SES: bad content by 1111 m1 settled 0 confirmed 0"},
		{"rejected stays so", claimed, "reject, send, open", "failed rejected by SES: bad content by " + m1 + " m1 settled 0 confirmed 0 opened 5"},
		{"rejected late", claimed, "send, open, reject", "failed rejected by SES: bad content by " + m1 + " m1 settled 0 confirmed 0 opened 5"},
		{"rejected twice", claimed, "reject, rendering", "failed rejected by SES: a field is missing by " + m1 + " m1 settled 0 confirmed 0"},
		{"rejected twice, the other way", claimed, "rendering, reject", "failed rejected by SES: a field is missing by " + m1 + " m1 settled 0 confirmed 0"},

		{"mailed twice", sent, "m2:delivery", "sent by 1111 m1 settled 7"},
		{"mailed twice, in one batch", claimed, "m2:open delivery", "sent by " + m1 + " m1 settled 0 confirmed 0 delivered 1"},
		{"mailed twice, a complaint counts", sent, "m2:complaint", "sent by 1111 m1 settled 7 suppressed complained"},
		{"another message was rejected", sent, "m2:reject", "sent by 1111 m1 settled 7"},
		{"rejected, and accepted later", claimed, "reject, m2:delivery, reject", "sent by " + m2 + " m2 settled 60 confirmed 60 delivered 1"},
		{"rejected both times", claimed, "reject, m2:reject, send, reject, m2:send", "failed rejected by SES: bad content by " + m2 + " m2 settled 60 confirmed 60"},
	} {
		t.Run(test.name, func(t *testing.T) {
			set(t, db, `state = 'pending', reason = null, claim = null, claimed_until = null, message_id = null, settled_at = null, confirmed_at = null,
				delivered_at = null, bounced_at = null, bounce = null, complained_at = null, opened_at = null, clicked_at = null`)
			if _, err := db.Exec("delete from fanmail.suppression"); err != nil {
				t.Fatal(err)
			}
			set(t, db, test.before)
			doubled := 0
			for batch := range strings.SplitSeq(test.events, ", ") {
				events := []ledger.Event{}
				for _, kind := range kinds(batch) {
					message := "m1"
					if other, ok := strings.CutPrefix(kind, "m2:"); ok {
						message, kind = "m2", other
					}
					events = append(events, eventsOf(c, message)(kind))
				}
				applied := apply(t, db, events)
				doubled += len(applied.Doubled)
				if again := apply(t, db, events); again.Written != 0 && doubled == 0 {
					t.Errorf("%s: applying it again changes %d rows", batch, again.Written)
				}
			}
			if got := standing(t, db); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if want := strings.HasPrefix(test.name, "mailed twice"); doubled > 0 != want {
				t.Errorf("doubled %d times, want some: %v", doubled, want)
			}
		})
	}
}

// kinds are the names of events in a batch; two of them have a space in them.
func kinds(batch string) []string {
	spaced := strings.NewReplacer("later delivery", "later_delivery", "same moment", "same_moment")
	words := strings.Fields(spaced.Replace(batch))
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "_", " ")
	}
	return words
}

func TestAppliedTellsWhatBecameOfEvents(t *testing.T) {
	db := open(t)
	c := start(t, db, "a@example.com", "b@example.com")
	send := eventsOf(c, "m1")("send")
	otherTag, otherName, otherSeq := send, send, send
	otherTag.Tag, otherName.Campaign, otherSeq.Seq = uuid.New(), "autumn-sale", 99
	got := apply(t, db, []ledger.Event{send, otherTag, otherName, otherSeq, send})
	if diff := cmp.Diff(ledger.Applied{Recipients: 1, Written: 1, Unknown: 3}, got); diff != "" {
		t.Error(diff)
	}
	second := eventsOf(c, "m2")("send")
	got = apply(t, db, []ledger.Event{second, second, send})
	want := ledger.Applied{Recipients: 2, Doubled: []ledger.Doubled{{Campaign: c.Name, Seq: 1, Recorded: "m1", Other: "m2"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := apply(t, db, nil); got.Recipients+got.Written+got.Unknown != 0 {
		t.Errorf("no events: %+v", got)
	}
}

func witnessed(t *testing.T, db *bun.DB, name string) time.Time {
	t.Helper()
	c, err := ledger.Find(context.Background(), db, name)
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	return c.WitnessedAt.UTC()
}

func TestACampaignKnowsUntilWhenItsEventsHaveArrived(t *testing.T) {
	db := open(t)
	c := start(t, db, "a@example.com")
	probe := func(at time.Time) ledger.Witness {
		return ledger.Witness{Campaign: c.Name, Tag: c.Tag, Accepted: at}
	}
	stranger := probe(after(500))
	stranger.Tag = uuid.New()
	unknown := eventsOf(c, "m1")("send")
	unknown.Seq, unknown.Accepted = 77, after(30)
	for _, step := range []struct {
		name      string
		events    []ledger.Event
		witnesses []ledger.Witness
		want      time.Time
	}{
		{"a probe", nil, []ledger.Witness{probe(after(10)), probe(after(5))}, after(10)},
		{"an older event", []ledger.Event{eventsOf(c, "m1")("delivery")}, nil, after(10)},
		{"another ledger's probe", nil, []ledger.Witness{stranger}, after(10)},
		{"an event of a recipient who is not there", []ledger.Event{unknown}, nil, after(30)},
		{"an event of somebody mailed twice", []ledger.Event{eventsOf(c, "m2")("open")}, nil, after(60)},
	} {
		apply(t, db, step.events, step.witnesses...)
		if got := witnessed(t, db, c.Name); !got.Equal(step.want) {
			t.Errorf("%s: witnessed at %v, want %v", step.name, got, step.want)
		}
	}
	silent := eventsOf(c, "m1")("delivery")
	silent.Accepted, silent.Confirms = after(90), false
	apply(t, db, []ledger.Event{silent})
	if got := witnessed(t, db, c.Name); !got.Equal(after(60)) {
		t.Errorf("a delivery, which need not come at once, has moved it to %v", got)
	}
	var probes int
	if err := db.NewRaw("select count(*) from fanmail.probe").Scan(context.Background(), &probes); err != nil || probes != 2 {
		t.Errorf("%d probes are noted, %v; want 2", probes, err)
	}
	apply(t, db, nil, probe(time.Now().Add(1000*time.Hour)))
	if got := witnessed(t, db, c.Name); got.After(time.Now().Add(time.Minute)) {
		t.Errorf("witnessed at %v, which is to come", got)
	}
}

func TestOnlyTheLedgersAddressIsSuppressedAndOtherReasonsStay(t *testing.T) {
	db := open(t)
	c := start(t, db, "a@example.com", "b@example.com")
	if _, err := db.Exec("insert into fanmail.suppression (address, reason) values ('b@example.com', 'unsubscribed')"); err != nil {
		t.Fatal(err)
	}
	complaint := eventsOf(c, "m1")("complaint")
	other := complaint
	other.Seq, other.MessageID = 2, "m3"
	apply(t, db, []ledger.Event{complaint, other})
	if got, want := suppressions(t, db), "a@example.com complained\nb@example.com unsubscribed"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func suppressions(t testing.TB, db *bun.DB) (list string) {
	t.Helper()
	err := db.NewRaw("select coalesce(string_agg(address || ' ' || reason, e'\n' order by address), '') from fanmail.suppression").Scan(context.Background(), &list)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTextsThatPostgreSQLCannotStoreHurtNoEvent(t *testing.T) {
	db := open(t)
	c := start(t, db, "a@example.com", "b@example.com")
	bad := eventsOf(c, "m\x001'\\u0000")("reject")
	bad.Rejected = "a\x00b\xff 'quoted' ?0 \\u0000 " + strings.Repeat("é", 2000)
	good := eventsOf(c, "m2")("delivery")
	good.Seq = 2
	strange := good
	strange.Campaign = "spring\x00\xffsale"
	if got := apply(t, db, []ledger.Event{bad, good, strange}, ledger.Witness{Campaign: "\x00\xff"}); got.Written != 2 {
		t.Errorf("%+v, want 2 written", got)
	}
	if got := standing(t, db); !strings.HasPrefix(got, "failed rejected by SES: ab\uFFFD 'quoted' ?0 \\u0000 é") || len(got) > 1200 {
		t.Errorf("recorded %s", got)
	}
	bad.Accepted = time.Date(10_001, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := ledger.Apply(context.Background(), db, []ledger.Event{bad}); err == nil {
		t.Error("a time that JSON does not know is accepted")
	}
}

func TestTheFunctionsRoleMayApplyEvents(t *testing.T) {
	dsn := postgrestest.New(t)
	admin := migrated(t, dsn)
	c := start(t, admin, "a@example.com")
	role := ledger.Role{Name: "fanmail_" + strings.ToLower(strings.ReplaceAll(uuid.NewString(), "-", "")[:8]), Password: "secret", ConnectionLimit: 2}
	limit(t, admin, role)
	t.Cleanup(func() {
		if _, err := admin.Exec("drop owned by ?0; drop role ?0", bun.Ident(role.Name)); err != nil {
			t.Error(err)
		}
	})
	events := []ledger.Event{eventsOf(c, "m1")("complaint"), eventsOf(c, "m2")("delivery")}
	if got := apply(t, session(t, as(t, dsn, role.Name, role.Password)), events); got.Written != 1 || len(got.Doubled) != 1 {
		t.Errorf("%+v", got)
	}
}

// story makes up all that SES says of a campaign: two to six events of each recipient's message, in order.
func story(random *rand.Rand, c *ledger.Campaign, recipients, most int) (events []ledger.Event) {
	for seq := int64(1); seq <= int64(recipients); seq++ {
		message := fmt.Sprintf("m%d", seq)
		tell := func(kind string) {
			e := eventsOf(c, "m1")(kind)
			e.Seq, e.MessageID, e.Claim = seq, message, claimOf(message)
			shift := time.Duration(seq)*time.Second + time.Duration(random.IntN(1000))*time.Millisecond
			e.Accepted = accepted.Add(time.Duration(seq) * time.Second)
			for _, t := range []*time.Time{&e.Delivered, &e.Bounced, &e.Complained, &e.Opened, &e.Clicked} {
				if !t.IsZero() {
					*t = t.Add(shift)
				}
			}
			events = append(events, e)
		}
		tell("send")
		switch random.IntN(10) {
		case 0:
			tell("soft")
			tell("hard")
		case 1:
			tell("reject")
		default:
			tell("delivery")
			for _, kind := range []string{"open", "open", "click", "complaint", "soft"} {
				if random.IntN(2) == 0 {
					tell(kind)
				}
			}
		}
	}
	return events[:min(len(events), most)]
}

// populate fills a campaign with recipients in all states, as a sender that was killed now and then leaves them.
func populate(t testing.TB, db *bun.DB, recipients int) *ledger.Campaign {
	t.Helper()
	c := start(t, db, "r0@example.com")
	if _, err := db.Exec("delete from fanmail.recipient; update fanmail.campaign set tag = '00000000-0000-4000-8000-000000000001'"); err != nil {
		t.Fatal(err)
	}
	_, err := db.Exec(`
		insert into fanmail.recipient (campaign_id, seq, line, address, fields, state, claim, claimed_until, message_id, settled_at)
		select ?0, n, n, 'r' || n || '@example.com', '{}', (array['pending', 'claimed', 'sent', 'failed', 'suppressed', 'skipped'])[n % 6 + 1],
		       case when n % 6 in (1, 2) then '11110000-0000-4000-8000-000000000000'::uuid end,
		       case when n % 6 = 1 then ?1::timestamptz end, case when n % 6 = 2 then 'm' || n end,
		       case when n % 6 >= 2 then ?1::timestamptz + n * interval '1 second' + interval '2 seconds' end
		from generate_series(1, ?2) n`, c.ID, accepted, recipients)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = ledger.Find(context.Background(), db, c.Name); err != nil {
		t.Fatal(err)
	}
	return c
}

// whole is all that events can change, as text.
func whole(t testing.TB, db *bun.DB) (lines []string) {
	t.Helper()
	err := db.NewRaw(`
		select (r.*)::text from (select * from fanmail.recipient order by campaign_id, seq) r
		union all select c.name || ' ' || c.witnessed_at from fanmail.campaign c`).Scan(context.Background(), &lines)
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, suppressions(t, db))
}

// shuffled has a tenth of the events twice, all in a random order.
func shuffled(random *rand.Rand, events []ledger.Event) []ledger.Event {
	var out []ledger.Event
	for i, n := range random.Perm(len(events)) {
		out = append(out, events[n])
		if i%10 == 0 {
			out = append(out, events[n])
		}
	}
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// batches divides events into batches of 1 to most.
func batches(random *rand.Rand, events []ledger.Event, most int) (all [][]ledger.Event) {
	for len(events) > 0 {
		n := min(len(events), 1+random.IntN(most))
		all, events = append(all, events[:n]), events[n:]
	}
	return all
}

func TestEventsInAnyOrderGiveTheSameLedger(t *testing.T) {
	want := []string(nil)
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(1, 1))
		db := open(t)
		c := populate(t, db, 60)
		events := story(random, c, 60, 1000)
		if seed > 0 {
			random = rand.New(rand.NewPCG(seed, 2))
			events = shuffled(random, events)
		}
		for _, batch := range batches(random, events, 40) {
			apply(t, db, batch)
		}
		if seed == 0 {
			want = whole(t, db)
		} else if diff := cmp.Diff(want, whole(t, db)); diff != "" {
			t.Fatalf("seed %d:\n%s", seed, diff)
		}
	}
}

func TestAHundredThousandEventsGiveTheSameLedgerAsInOrder(t *testing.T) {
	total, recipients, appliers := 100_000, 27_000, 4
	if testing.Short() {
		total, recipients = 10_000, 2_700
	}
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))

	inOrder := open(t)
	c := populate(t, inOrder, recipients)
	events := story(random, c, recipients, total*10/11)
	for len(events) > 0 {
		n := min(len(events), 1000)
		apply(t, inOrder, events[:n])
		events = events[n:]
	}

	random = rand.New(rand.NewPCG(seed, seed))
	dsn := postgrestest.New(t)
	inDisorder := session(t, dsn)
	if _, err := ledger.Migrate(context.Background(), inDisorder); err != nil {
		t.Fatal(err)
	}
	c = populate(t, inDisorder, recipients)
	events = shuffled(random, story(random, c, recipients, total*10/11))
	work := make(chan []ledger.Event)
	var group sync.WaitGroup
	for range appliers {
		db := session(t, dsn)
		group.Go(func() {
			for batch := range work {
				if _, err := ledger.Apply(context.Background(), db, batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	divided := batches(random, events, 2000)
	for _, batch := range divided {
		work <- batch
	}
	close(work)
	group.Wait()
	t.Logf("%d events of %d recipients in %d batches by %d appliers, seed %d", len(events), recipients, len(divided), appliers, seed)

	want, got := whole(t, inOrder), whole(t, inDisorder)
	if len(want) != len(got) || len(want) != recipients+2 {
		t.Fatalf("%d rows in order, %d in disorder", len(want), len(got))
	}
	different := 0
	for i := range want {
		if want[i] != got[i] {
			if different++; different <= 5 {
				t.Errorf("in order    %s\nin disorder %s", want[i], got[i])
			}
		}
	}
	if different > 0 {
		t.Errorf("%d rows differ", different)
	}
}
