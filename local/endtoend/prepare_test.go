package endtoend

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"fanmail/local"
	"fanmail/local/ses"
	"fanmail/shared/workflow"
)

// byHand is an execution that Step Functions does not know: the tests invoke its functions themselves.
const byHand = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:by-hand"

func prepareInput() workflow.PrepareInput {
	return workflow.PrepareInput{Input: map[string]any{"campaign": "spring"}, Execution: byHand}
}

func TestPreparingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	f := list(500)
	f["recipients.csv"] += "nobody,No Body\nrecipient-00001@example.com,Again\n"
	d.upload("spring", f)
	snapshot := func() (all []any) {
		campaign := map[string]any{}
		if err := d.ledger.QueryRow(t.Context(), "select to_jsonb(c) from fanmail.campaign c").Scan(&campaign); err != nil {
			t.Fatal(err)
		}
		return append(all, campaign, d.rows("spring"), d.get("reports/spring/rejects.csv"), d.get("work/spring/by-hand/content.json"))
	}
	var first workflow.PrepareOutput
	d.invoke("prepare", prepareInput(), &first)
	if first.Recipients != 500 || first.Rejected != 2 {
		t.Errorf("prepared %+v", first)
	}
	prepared := snapshot()
	for range 2 {
		var again workflow.PrepareOutput
		d.invoke("prepare", prepareInput(), &again)
		if again != first {
			t.Errorf("again: %+v, first %+v", again, first)
		}
		if now := snapshot(); !reflect.DeepEqual(now, prepared) {
			t.Errorf("preparing again changed something: %v", now[0])
		}
	}
}

func TestPreparingTwiceAtOnceIsPreparingOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	f := list(20_000)
	f["recipients.csv"] += "nobody,No Body\n"
	d.upload("spring", f)
	var outputs [2]workflow.PrepareOutput
	var problems [2]error
	var group sync.WaitGroup
	for i := range outputs {
		group.Go(func() { problems[i] = d.tryInvoke("prepare", prepareInput(), &outputs[i]) })
	}
	group.Wait()
	for i, output := range outputs {
		if problems[i] != nil || output.Recipients != 20_000 || output.Rejected != 1 {
			t.Errorf("prepare answers %+v, %v", output, problems[i])
		}
	}
	if rows := d.rows("spring"); len(rows) != 20_000 {
		t.Errorf("the ledger has %d recipients", len(rows))
	}
	if _, rejects := d.csv("reports/spring/rejects.csv"); len(rejects) != 1 {
		t.Errorf("rejects.csv has %q", rejects)
	}
}

func TestAnImportThatIsKilledIsDoneAgain(t *testing.T) {
	t.Parallel()
	const n = 50_000
	d := deploy(t, local.Options{})
	execution, goOn := d.startImport(n)
	d.Lambda().KillAll()
	goOn()
	d.imported(execution, n)
}

func TestAnAbortedImportIsTakenOver(t *testing.T) {
	t.Parallel()
	const n = 50_000
	d := deploy(t, local.Options{})
	// The import goes on after the abort, as on AWS, and the next execution has to wait for it.
	first, goOn := d.startImport(n)
	d.stop(first)
	goOn()
	d.imported(d.start("spring"), n)
}

// startImport starts a campaign that will not mail anybody, and returns when half of its recipients are imported. The import goes on when
// goOn is called.
func (d *stack) startImport(n int) (execution string, goOn func()) {
	d.t.Helper()
	f := list(n)
	f["recipients.csv"] += "nobody,No Body\n"
	d.upload("spring", f)
	d.settings(func(s *ses.Settings) { s.SendingEnabled = false })
	d.execute(fmt.Sprintf(`
		create function hold_import() returns trigger language plpgsql as $$
		begin perform pg_advisory_xact_lock(1); return new; end $$;
		create trigger hold_import before insert on fanmail.recipient_import for each row
		when (new.line = %d) execute function hold_import();
		select pg_advisory_lock(1)`, n/2))
	execution = d.start("spring")
	d.await("the import", func() bool {
		return d.number("select count(*) from pg_locks where locktype = 'advisory' and not granted") == 1
	})
	return execution, func() { d.execute("select pg_advisory_unlock(1)") }
}

// imported waits for the execution, which must leave the whole list in the ledger.
func (d *stack) imported(execution string, n int64) {
	d.t.Helper()
	r := d.succeed(execution)
	if r.State != "halted" || r.Recipients != n || r.Pending != n || r.Rejected != 1 {
		d.t.Errorf("%+v", r)
	}
	if rows, last := d.number("select count(*) from fanmail.recipient"), d.number("select max(seq) from fanmail.recipient"); rows != n || last != n {
		d.t.Errorf("the ledger has %d recipients, the last is number %d", rows, last)
	}
	if left := d.number("select count(*) from fanmail.recipient_import"); left != 0 {
		d.t.Errorf("the import left %d rows behind", left)
	}
	if _, rejects := d.csv(r.Rejects.Key); len(rejects) != 1 {
		d.t.Errorf("rejects.csv has %q", rejects)
	}
	if _, outcomes := d.csv(r.Outcomes.Key); int64(len(outcomes)) != n {
		d.t.Errorf("outcomes.csv has %d lines", len(outcomes))
	}
}
