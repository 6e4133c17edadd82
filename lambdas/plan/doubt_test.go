package main

import (
	"strings"
	"testing"
	"time"

	"fanmail/shared/campaign"
	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

func TestAProbeShowsWhetherEventsArriveAndTheProofMailsTheRest(t *testing.T) {
	f := newFixture(t, 2, campaign.Campaign{From: "shop@example.com", InDoubt: campaign.Prove})
	f.handler.configurationSet = "fanmail-test"
	f.settle(t, 1)
	f.exec(t, "update fanmail.recipient set confirmed_at = settled_at where seq = 1")
	f.exec(t, "update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now() - interval '1 minute' where seq = 2")
	out, err := f.plan(t)
	check(t, err)
	if wait := time.Until(out.Until); out.Next != workflow.NextWait || wait < 13*time.Minute || wait > 15*time.Minute {
		t.Errorf("answer %+v, want to wait for the grace period", out)
	}
	entries := f.mails(t)
	if len(entries) != 1 {
		t.Fatalf("%d messages were sent, want the probe", len(entries))
	}
	probe := entries[0]
	if probe.To[0] != "success@simulator.amazonses.com" || probe.ConfigurationSet != "fanmail-test" || probe.Tags[mailer.TagProbe] != "1" ||
		probe.Tags[mailer.TagCampaign] != "spring-sale" || probe.Tags[mailer.TagID] != f.campaign(t).Tag.String() || probe.Tags[mailer.TagSeq] != "" {
		t.Errorf("the probe is %+v", probe)
	}
	if got := f.campaign(t).Reason; got != out.Reason+"; it looks again at "+out.Until.UTC().Format(time.RFC3339) {
		t.Errorf("the campaign's reason is %q, want what it waits for", got)
	}
	// The probe's event arrives, and the grace period passes.
	f.exec(t, "update fanmail.campaign set witnessed_at = now(), witness = now(), witness_at = now() - interval '4 minutes'")
	f.exec(t, "insert into fanmail.probe select id, now() - interval '6 minutes' from fanmail.campaign")
	f.exec(t, "update fanmail.recipient set claimed_until = now() - interval '16 minutes' where seq = 2")
	out, err = f.plan(t)
	check(t, err)
	if manifest := f.manifest(t, out.Manifest); out.Next != workflow.NextSend || !strings.Contains(manifest, `"first":2,"last":2`) {
		t.Errorf("answer %+v, manifest %s; want a wave for the one that was in doubt", out, manifest)
	}
	if got := f.campaign(t).Reason; got != "" {
		t.Errorf("the campaign's reason is %q while a wave is under way", got)
	}
	if n := len(f.mails(t)); n != 1 {
		t.Errorf("%d messages were sent, want no second probe", n)
	}
}

func TestWithoutEventsWhatIsInDoubtIsHeld(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{From: "shop@example.com", InDoubt: campaign.Prove})
	f.exec(t, "update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now() - interval '31 minutes'")
	f.exec(t, "update fanmail.campaign set doubted_at = now() - interval '8 minutes'")
	out, err := f.plan(t)
	check(t, err)
	if out.Next != workflow.NextFinish || out.Reason != "sent, but 1 recipients are held in doubt" {
		t.Errorf("answer %+v, want to finish and to say who is held", out)
	}
}

func TestAProbeThatSESRefusesHoldsNothingUp(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{From: "shop@example.com", InDoubt: campaign.Prove})
	f.account = refuse
	f.exec(t, "update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now()")
	out, err := f.plan(t)
	if err != nil || out.Next != workflow.NextWait {
		t.Errorf("answer %+v, %v; want to wait", out, err)
	}
}

func TestPlanGoesByTheClockOfStepFunctions(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	in := event(t)
	in.Now = time.Now().Add(48 * time.Hour)
	out, err := f.handler.handle(t.Context(), in)
	check(t, err)
	if !out.Until.Equal(in.Now.Add(time.Hour)) {
		t.Errorf("the wave ends at %v, want an hour after %v", out.Until, in.Now)
	}
	var left float64
	check(t, f.db.NewRaw("select extract(epoch from wave_until - now()) from fanmail.campaign").Scan(t.Context(), &left))
	if left < 3500 || left > 3600 {
		t.Errorf("by the database's clock the wave has %v s left, want an hour", left)
	}
}
