package main

import (
	"context"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fanmail/examples"
	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

const other = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:another"

const goodList = "email,name\na@example.com,Ann\nb@example.com,Bob\n"

func TestTheExampleIsPreparedByTheEventOfThisFolder(t *testing.T) {
	f := newFixture(t)
	folder := examples.SpringSale()
	check(t, fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(folder, name)
		f.upload(t, name, string(content))
		return err
	}))
	out, err := f.prepare(t, "")
	check(t, err)
	want := workflow.PrepareOutput{
		Campaign: "spring-sale", Execution: event(t).Execution, Recipients: 197, Rejected: 10,
		Content: workflow.Object{Bucket: bucket, Key: "work/spring-sale/spring-sale-1/content.json"},
	}
	if out != want {
		t.Errorf("answer %+v, want %+v", out, want)
	}
	var snapshot campaign.Snapshot
	check(t, f.store.GetJSON(context.Background(), out.Content.Key, &snapshot))
	if !slices.Equal(snapshot.Columns, []string{"email", "name", "city", "points", "coupon"}) {
		t.Errorf("columns of the snapshot: %q", snapshot.Columns)
	}
	if len(snapshot.Attachments) != 1 || snapshot.Attachments[0].Name != "spring-sale.ics" || len(snapshot.Attachments[0].Data) == 0 {
		t.Errorf("the snapshot has %d attachments, want the calendar file with its content", len(snapshot.Attachments))
	}
	// What the sender does with it.
	templates, err := snapshot.Templates()
	check(t, err)
	message, err := templates.Render(map[string]string{"email": "ann@example.com", "name": "Ann", "city": "", "points": "", "coupon": "X"})
	if err != nil || !strings.HasPrefix(message.Subject, "Ann, your spring discount") || !strings.Contains(message.Text, "your city") {
		t.Errorf("the snapshot renders %+v, %v; want the recipient's name, and the default for the empty city", message, err)
	}
	if c := f.campaign(t); c.State != ledger.Running || c.Recipients != 197 || c.RejectedLines() != 10 {
		t.Errorf("campaign %+v, want it running with 197 recipients and 10 rejected lines", c)
	}
}

func TestPreparingAgainChangesNothing(t *testing.T) {
	f := newFixture(t)
	f.uploadGood(t, goodList+"nobody,Nobody\n")
	first, err := f.prepare(t, "")
	check(t, err)
	before, rejects := f.campaign(t), f.download(t, "reports/spring-sale/rejects.csv")
	second, err := f.prepare(t, "")
	check(t, err)
	after := f.campaign(t)
	if first != second || f.download(t, "reports/spring-sale/rejects.csv") != rejects {
		t.Errorf("the second run answers %+v, the first %+v", second, first)
	}
	if after.Recipients != 2 || after.RejectedLines() != 1 || after.State != before.State || after.Execution != before.Execution {
		t.Errorf("the campaign was %+v and is %+v", before, after)
	}
	if len(f.asked) != 0 {
		t.Errorf("Step Functions was asked about %q: the campaign was this execution's all the time", f.asked)
	}
}

func TestASecondExecutionIsBusyOnlyWhileTheFirstRuns(t *testing.T) {
	f := newFixture(t)
	f.uploadGood(t, goodList)
	_, err := f.prepare(t, other)
	check(t, err)
	for _, test := range []struct {
		name     string
		describe http.HandlerFunc
		taken    bool
		err      string
	}{
		{"it runs", status("RUNNING"), false, "is being run by"},
		{"it waits to be redriven", status("PENDING_REDRIVE"), false, "is being run by"},
		{"it succeeded", status("SUCCEEDED"), true, ""},
		{"it failed", status("FAILED"), true, ""},
		{"it timed out", status("TIMED_OUT"), true, ""},
		{"it was aborted", status("ABORTED"), true, ""},
		{"it is forgotten", refusal("ExecutionDoesNotExist"), true, ""},
		{"nobody can tell", refusal("AccessDeniedException"), false, "asking whether execution " + other + " still runs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := f.db.ExecContext(context.Background(), "update fanmail.campaign set execution = ?", other)
			check(t, err)
			f.describe, f.asked = test.describe, nil
			out, err := f.prepare(t, "")
			if !slices.Equal(f.asked, []string{other}) {
				t.Errorf("Step Functions was asked about %q, want once about the owner", f.asked)
			}
			owner := f.campaign(t).Execution
			if test.taken {
				if err != nil || out.Recipients != 2 || owner != event(t).Execution {
					t.Errorf("answer %+v, %v; the owner is %s; want the campaign taken over", out, err, owner)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.err) || owner != other {
				t.Errorf("error %v, the owner is %s; want %q and the owner kept", err, owner, test.err)
			}
			if _, busy := err.(*workflow.CampaignBusy); busy != (test.err == "is being run by") {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func TestACampaignThatEndedIsResumedWithoutAskingStepFunctions(t *testing.T) {
	f := newFixture(t)
	f.uploadGood(t, goodList)
	_, err := f.prepare(t, other)
	check(t, err)
	for _, state := range []ledger.CampaignState{ledger.Paused, ledger.Halted, ledger.Failed, ledger.Finished} {
		t.Run(string(state), func(t *testing.T) {
			check(t, ledger.Close(context.Background(), f.db, f.campaign(t), state, "for a test"))
			out, err := f.prepare(t, other+"-"+string(state))
			if err != nil || out.Recipients != 2 || len(f.asked) != 0 {
				t.Errorf("answer %+v, %v; Step Functions was asked about %q", out, err, f.asked)
			}
			if c := f.campaign(t); c.State != ledger.Running || c.Reason != "" || !c.EndedAt.IsZero() {
				t.Errorf("the campaign is %s because of %q, ended %v; want it running", c.State, c.Reason, c.EndedAt)
			}
		})
	}
}

func TestACampaignThatCannotBeStartedAgainSaysWhy(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, f *fixture)
		want   string
	}{
		{"cancelled", func(t *testing.T, f *fixture) {
			_, err := f.db.ExecContext(context.Background(), "update fanmail.campaign set state = 'cancelled'")
			check(t, err)
		}, "was cancelled"},
		{"another list", func(t *testing.T, f *fixture) { f.upload(t, "recipients.csv", goodList+"c@example.com,Cat\n") }, "give the folder a new name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.uploadGood(t, goodList)
			_, err := f.prepare(t, "")
			check(t, err)
			test.change(t, f)
			_, err = f.prepare(t, "")
			if named := workflow.Named(err); named == nil || !strings.Contains(named.Error(), test.want) {
				t.Errorf("got %v, want a named error with %q", err, test.want)
			}
			if f.campaign(t).Recipients != 2 {
				t.Error("the ledger was changed")
			}
		})
	}
}
