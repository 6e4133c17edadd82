package endtoend

import (
	"strings"
	"testing"
	"time"

	"fanmail/local"
	"fanmail/local/ses"
)

func TestAPausedAccountHaltsTheCampaign(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	const n = 120
	d.upload("spring", list(n))
	d.settings(func(s *ses.Settings) { s.SendingEnabled = false })
	r := d.succeed(d.start("spring"))
	if r.State != "halted" || !strings.Contains(r.Reason, "paused") || r.Pending != n || d.SES().Accepted() != 0 {
		t.Errorf("%d messages, %+v", d.SES().Accepted(), r)
	}
	d.settings(func(s *ses.Settings) { s.SendingEnabled = true })
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}

func TestAnAccountPausedInAWaveHaltsTheCampaign(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 100 * time.Millisecond})
	const n = 2000
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("some messages", func() bool { return d.SES().Accepted() > n/10 })
	d.settings(func(s *ses.Settings) { s.SendingEnabled = false })
	r := d.succeed(execution)
	if r.State != "halted" || !strings.Contains(r.Reason, "SendingPausedException") || r.Sent == 0 || r.Pending == 0 || r.Failed != 0 || r.InDoubt != 0 {
		t.Errorf("%+v", r)
	}
	if r.Sent != d.SES().Accepted() {
		t.Errorf("%d messages, %+v", d.SES().Accepted(), r)
	}
	d.audit("spring")
	d.settings(func(s *ses.Settings) { s.SendingEnabled = true })
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}

func TestAUsedUpQuotaMakesTheCampaignWait(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{Max24HourSend: 100})
	const n = 300
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("the execution to wait", func() bool { return d.waitsIn(execution) })
	if accepted := d.SES().Accepted(); accepted != 100 {
		t.Errorf("%d messages were sent on a quota of 100", accepted)
	}
	d.audit("spring")
	d.settings(func(s *ses.Settings) { s.Max24HourSend = 1000 })
	d.stop(execution)
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}

func TestAQuotaUsedUpInAWaveEndsTheWave(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 100 * time.Millisecond})
	const n = 2000
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("some messages", func() bool { return d.SES().Accepted() > n/10 })
	// Somebody else sends from the account, too, so the quota ends where nobody planned.
	var quota int64
	d.settings(func(s *ses.Settings) { quota = 4 * n / 10; s.Max24HourSend = float64(quota) })
	d.await("the execution to wait", func() bool { return d.waitsIn(execution) })
	if accepted := d.SES().Accepted(); accepted != quota {
		t.Errorf("%d messages were sent on a quota of %d", accepted, quota)
	}
	if r := d.status("spring"); r.State != "running" || r.Sent != quota || r.Pending != n-quota || r.Failed+r.InDoubt != 0 {
		t.Errorf("%+v", r)
	}
	d.audit("spring")
	d.settings(func(s *ses.Settings) { s.Max24HourSend = -1 })
	d.stop(execution)
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}

func TestSendersTogetherKeepTheRate(t *testing.T) {
	t.Parallel()
	const n, rate = 900, 300
	d := deploy(t, local.Options{MaxSendRate: rate})
	d.countThrottles()
	d.upload("spring", list(n))
	r := d.succeed(d.start("spring"))
	d.auditSent("spring", r, n)
	if throttled := d.number("select count(*) from throttled"); throttled > 0 {
		t.Errorf("SES throttled %d calls of senders that keep the rate", throttled)
	}
	if started := d.Lambda().Stats()["fanmail-local-send"].PeakConcurrency; started < 2 {
		t.Errorf("%d senders at once: this test wants several", started)
	}
}

func TestThrottledMessagesAreSentLater(t *testing.T) {
	t.Parallel()
	// The account's rate falls below what the wave was planned for.
	d := deploy(t, local.Options{MaxSendRate: 1000, SESLatency: 50 * time.Millisecond})
	const n = 1000
	d.countThrottles()
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("some messages", func() bool { return d.SES().Accepted() > n/10 })
	d.settings(func(s *ses.Settings) { s.MaxSendRate = 200 })
	d.auditSent("spring", d.succeed(execution), n)
	if d.number("select count(*) from throttled") == 0 {
		t.Error("SES throttled no call: this test wants some")
	}
}

// countThrottles keeps a row for every recipient that goes back to pending because SES throttled.
func (d *stack) countThrottles() {
	d.t.Helper()
	d.execute(`
		create table throttled (seq bigint, reason text);
		grant insert on throttled to public;
		create function count_throttled() returns trigger language plpgsql as $$
		begin insert into throttled values (new.seq, new.reason); return null; end $$;
		create trigger count_throttled after update on fanmail.recipient for each row
		when (old.state = 'claimed' and new.state = 'pending' and new.reason like '%sending rate%') execute function count_throttled()`)
}
