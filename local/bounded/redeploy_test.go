package bounded

import (
	"errors"
	"testing"
	"time"

	"fanmail/local"
	"fanmail/local/postgres"
)

func TestARollingRedeployInTheMiddleOfACampaignKeepsTheBound(t *testing.T) {
	t.Parallel()
	// Batches have at most 1,000 recipients: with more of them than senders, invocations start before and after the redeploy.
	const senders, n = 2, 4000
	d := deploy(t, postgres.Config{}, local.Options{Senders: senders, SESLatency: 10 * time.Millisecond})
	bound := int64(d.ConnectionBound())
	d.upload(n)
	sampled := d.sample()
	execution := d.start()
	d.await("some messages", func() bool { return d.SES().Accepted() > n/20 })
	// Each redeploy leaves environments behind that hold their connections, more and more of them, until the role has no slot
	// left for a new one.
	for redeploys := int64(1); ; redeploys++ {
		d.Lambda().Redeploy()
		var busy *functionError
		if err := d.status(t.Context()); errors.As(err, &busy) && busy.ErrorType == "DatabaseBusy" {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if redeploys > bound {
			t.Fatalf("after %d redeploys there still is a slot free", redeploys)
		}
	}
	if accepted := d.SES().Accepted(); accepted == n {
		t.Error("the campaign was over before the redeploy: too soon for this test")
	}
	d.await("a function that the campaign needs and that finds no slot", func() bool {
		const refused = "no connection slot free"
		return d.logged("send", refused)+d.logged("plan", refused) > 0
	})
	// The campaign goes on when Lambda takes the old environments away.
	d.Lambda().Recycle()
	r := d.succeed(execution)
	sampled.within(t, bound)
	if r.State != "finished" || r.Sent != n {
		t.Errorf("want finished with %d sent: %+v", n, r)
	}
	d.audit(n)
}
