package endtoend

import (
	"strings"
	"testing"
	"time"

	"fanmail/local"
)

func TestAnAbortedCampaignFinishesWhenStartedAgain(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 100 * time.Millisecond})
	const n = 3000
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("a third of the messages", func() bool { return d.SES().Accepted() > n/3 })
	d.stop(first)
	if d.SES().Accepted() == n {
		t.Fatal("all were sent before the stop: it came too late for this test")
	}
	second := d.start("spring")
	d.auditSent("spring", d.succeed(second), n)
}

func TestAnExecutionWaitsForClaimsOfItsPredecessor(t *testing.T) {
	t.Parallel()
	// No more than a first claim takes, so that all are under way when the first execution ends.
	d := deploy(t, local.Options{SESLatency: 8 * time.Second})
	const n = 10
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("a message", func() bool { return d.SES().Accepted() > 0 })
	d.stop(first)
	second := d.start("spring")
	d.await("the second execution to wait", func() bool { return d.waitsIn(second) })
	if claimed := d.number("select count(*) from fanmail.recipient where state = 'claimed'"); claimed != n {
		t.Errorf("it waits while %d of %d recipients are claimed", claimed, n)
	}
	// It waits as long as the claims may last; here the sender, which outlives the abort, is done sooner.
	d.await("the sender to end", func() bool { return d.busySenders() == 0 })
	d.stop(second)
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}

func TestASecondExecutionOfARunningCampaignIsRefused(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 200 * time.Millisecond})
	const n = 1000
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("a message", func() bool { return d.SES().Accepted() > 0 })
	for range 2 {
		name, message := d.fail(d.start("spring"))
		if name != "CampaignBusy" || !strings.Contains(message, first) || strings.ContainsRune(message, '\n') {
			t.Errorf("%s: %s", name, message)
		}
	}
	if accepted := d.SES().Accepted(); accepted == n {
		t.Error("the campaign was over before the second execution: too soon for this test")
	}
	d.auditSent("spring", d.succeed(first), n)
}

func TestTwoExecutionsAtOnceAreOneCampaign(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	const n = 200
	d.upload("spring", list(n))
	executions := []string{d.start("spring"), d.start("spring")}
	succeeded := 0
	for _, execution := range executions {
		switch out := d.end(execution); {
		case out.Status == "SUCCEEDED":
			succeeded++
		case *out.Error != "CampaignBusy":
			t.Errorf("%s: %s", *out.Error, *out.Cause)
		}
	}
	// Both succeed when the second came after the end of the first: it then has nothing left to do.
	if succeeded == 0 {
		t.Error("none has succeeded")
	}
	d.auditSent("spring", d.status("spring"), n)
}

func TestAFinishedCampaignMailsNobodyAgain(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	const n = 60
	d.upload("spring", list(n))
	d.succeed(d.start("spring"))
	d.auditSent("spring", d.succeed(d.start("spring")), n)

	d.put("campaigns/spring/recipients.csv", list(n)["recipients.csv"]+"late@example.com,Late\n")
	name, message := d.fail(d.start("spring"))
	if name != "InvalidCampaign" || !strings.Contains(message, "recipients.csv") || strings.ContainsRune(message, '\n') {
		t.Errorf("%s: %s", name, message)
	}
	d.auditSent("spring", d.status("spring"), n)
}

func TestAnEditedCampaignResumesWithTheEdit(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 200 * time.Millisecond, Senders: 2})
	const n = 600
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("some messages", func() bool { return d.SES().Accepted() >= 60 })
	d.stop(first)

	d.put("campaigns/spring/campaign.yaml", strings.Replace(plainYAML, "Hello", "Hello again", 1))
	d.put("campaigns/spring/recipients.csv", list(n + 1)["recipients.csv"])
	name, message := d.fail(d.start("spring"))
	if name != "InvalidCampaign" || !strings.Contains(message, "recipients.csv") || strings.ContainsRune(message, '\n') {
		t.Errorf("another list: %s: %s", name, message)
	}
	d.put("campaigns/spring/recipients.csv", list(n)["recipients.csv"])
	d.auditSent("spring", d.succeed(d.start("spring")), n)
	subjects := map[string]int{}
	for _, entry := range d.mailbox() {
		greeting, _, _ := strings.Cut(entry.Subject, " Recipient")
		subjects[greeting]++
	}
	if subjects["Hello"] < 60 || subjects["Hello again"] == 0 || subjects["Hello"]+subjects["Hello again"] != n {
		t.Errorf("subjects: %v", subjects)
	}
}
