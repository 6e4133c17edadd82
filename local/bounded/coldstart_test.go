package bounded

import (
	"testing"

	"fanmail/local"
	"fanmail/local/postgres"
)

func TestAnEnvironmentWhoseFirstConnectIsRefusedServesOnceTheServerIsUp(t *testing.T) {
	t.Parallel()
	d := deploy(t, postgres.Config{Durable: true}, local.Options{})
	d.upload(10)
	send := d.sender()
	d.Lambda().Recycle()
	controls := d.started("control")
	if err := d.server.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d.status(t.Context()) == nil || send(t.Context(), 1, 10) == nil {
			t.Fatal("the functions work without a server")
		}
	}
	if err := d.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.status(t.Context()); err != nil {
		t.Error(err)
	}
	if err := send(t.Context(), 1, 10); err != nil {
		t.Error(err)
	}
	if senders, controls := d.started("send"), d.started("control")-controls; senders != 1 || controls != 1 {
		t.Errorf("%d environments of send and %d of control: want the one in which the first connect was refused", senders, controls)
	}
	d.audit(10)
}
