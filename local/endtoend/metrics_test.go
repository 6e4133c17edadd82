package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/local"
	"fanmail/shared/function/functiontest"
)

func TestTheFunctionsEmitMetricsThatAddUp(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{MaxSendRate: 5000})
	const n = 500
	f := list(n)
	for i := range 3 {
		f = f.with("recipients.csv", f["recipients.csv"]+fmt.Sprintf("bounce+%d@simulator.amazonses.com,B\n", i))
	}
	f = f.with("recipients.csv", f["recipients.csv"]+"complaint@simulator.amazonses.com,C\n")
	d.upload("spring", f)
	d.succeed(d.start("spring"))
	d.await("the events", func() bool { r := d.status("spring"); return r.Delivered+r.Bounced == n+4 && r.Complained == 1 })
	log := func(function string) []byte {
		text, err := os.ReadFile(filepath.Join(d.Directory(), "logs", "fanmail-local-"+function+".log"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("@example.com")) {
			t.Errorf("the log of %s has an address", function)
		}
		return text
	}
	bound := float64(d.ConnectionBound())
	sent, most := functiontest.Metrics(t, log("send"))
	if diff := cmp.Diff(map[string]float64{"Accepted": n + 4, "Failed": 0, "Throttled": sent["Throttled"], "Connections": sent["Connections"]}, sent); diff != "" {
		t.Errorf("send: %s", diff)
	}
	if c := most["Connections"]; c < 1 || c > bound {
		t.Errorf("%v connections, of %v", c, bound)
	}
	_, planned := functiontest.Metrics(t, log("plan"))
	if diff := cmp.Diff(map[string]float64{"AccountRate": 5000, "ConnectionBound": bound, "Connections": planned["Connections"]}, planned); diff != "" || planned["Connections"] < 1 {
		t.Errorf("plan: %s", diff)
	}
	// An event that is delivered twice counts twice, so these are the least.
	told, _ := functiontest.Metrics(t, log("events"))
	if told["Delivered"] < n+1 || told["Bounced"] < 3 || told["Complained"] < 1 {
		t.Errorf("events: %v", told)
	}
}
