package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

func campaign(list string) folder.Folder {
	return folder.Folder{Name: "spring-sale", FS: fstest.MapFS{
		"campaign.yaml":  {Data: []byte("from: news@example.com\nsubject: \"Hello {{.name}}\"\ntext: mail.txt\n")},
		"mail.txt":       {Data: []byte("Dear {{.name}}")},
		"recipients.csv": {Data: []byte(list)},
	}}
}

func TestGenerateMakesExactlyThatManyGoodAddresses(t *testing.T) {
	own := campaign("Email,name\nann@example.com,\"Ann, \"\"A\"\"\"\nbad,Bad\nbob@example.com,김철수\n")
	for _, n := range []int64{1, 2, 5000} {
		f, err := Generate(own, n)
		if err != nil {
			t.Fatal(err)
		}
		result, err := folder.Check(t.Context(), f, terminal.NewProgress(io.Discard))
		if err != nil || result.Err() != nil {
			t.Fatal(err, result.Err())
		}
		if result.Recipients != n || result.Rejected != 0 || len(result.Unrenderable) != 0 {
			t.Errorf("%d: got %+v", n, result)
		}
	}
}

func TestGenerateIsTheSameAtEveryReading(t *testing.T) {
	f, err := Generate(campaign("name,email\nAnn,ann@example.com\nBob,bob@example.com\n"), 3)
	if err != nil {
		t.Fatal(err)
	}
	want := "name,email\nAnn,recipient-0000001@example.com\nBob,recipient-0000002@example.com\nAnn,recipient-0000003@example.com\n"
	for range 2 {
		file, err := f.FS.Open("recipients.csv")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(file)
		if err != nil || string(b) != want {
			t.Errorf("got %q, %v", b, err)
		}
	}
}

func TestGenerateNeedsAGoodRow(t *testing.T) {
	_, err := Generate(campaign("email,name\nbad,Bad\n"), 3)
	if err == nil || err.Error() != "recipients.csv: no good row to take values from" {
		t.Errorf("got %v", err)
	}
}

func TestRenamedKeepsANameThatIsWritten(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	f := campaign("email\n")
	if got := Renamed(f, at).Name; got != "spring-sale-20261123-090000" {
		t.Errorf("got %s", got)
	}
	long := f
	long.Name = strings.Repeat("a", 64)
	if got := Renamed(long, at).Name; len(got) != 64 || !strings.HasSuffix(got, "a-20261123-090000") {
		t.Errorf("got %s", got)
	}
	files := maps.Clone(f.FS.(fstest.MapFS))
	files["campaign.yaml"] = &fstest.MapFile{Data: append([]byte("name: spring-sale\n"), files["campaign.yaml"].Data...)}
	f.FS = files
	if got := Renamed(f, at).Name; got != "spring-sale" {
		t.Errorf("got %s", got)
	}
}

func mailbox(addresses ...string) io.Reader {
	var b strings.Builder
	for _, a := range addresses {
		line, _ := json.Marshal(map[string]any{"messageId": "1", "to": []string{a}, "subject": "x"})
		b.Write(append(line, '\n'))
	}
	return strings.NewReader(b.String())
}

func TestAudit(t *testing.T) {
	f := campaign("email,name\na@example.com,A\nb@example.com,B\nA@example.com,A\nc@example.com,C\nbad,Bad\n")
	const wrong = "the mailbox does not match: "
	for name, c := range map[string]struct {
		report  workflow.Report
		mailbox []string
		want    []string
	}{
		"all sent":           {workflow.Report{Recipients: 3, Sent: 3}, []string{"b@example.com", "a@example.com", "c@example.com"}, nil},
		"one failed":         {workflow.Report{Recipients: 3, Sent: 2, Failed: 1}, []string{"b@example.com", "a@example.com"}, nil},
		"in doubt, sent":     {workflow.Report{Recipients: 3, Sent: 2, InDoubt: 1}, []string{"a@example.com", "b@example.com", "c@example.com"}, nil},
		"in doubt, not sent": {workflow.Report{Recipients: 3, Sent: 2, InDoubt: 1}, []string{"a@example.com", "b@example.com"}, nil},
		"one lost": {workflow.Report{Recipients: 3, Sent: 3}, []string{"a@example.com", "b@example.com"},
			[]string{"2 addresses have a message, the report says that 3 were sent and 0 are in doubt"}},
		"one doubled": {workflow.Report{Recipients: 3, Sent: 3}, []string{"a@example.com", "a@example.com", "a@example.com", "b@example.com", "c@example.com"},
			[]string{"1 addresses have more than one message, the first is a@example.com"}},
		"one doubled for one lost": {workflow.Report{Recipients: 3, Sent: 3}, []string{"a@example.com", "a@example.com", "b@example.com"},
			[]string{"1 addresses have more than one message, the first is a@example.com", "2 addresses have a message, the report says that 3 were sent and 0 are in doubt"}},
		"a stranger": {workflow.Report{Recipients: 3, Sent: 3}, []string{"a@example.com", "b@example.com", "c@example.com", "eve@example.com"},
			[]string{"1 messages went to addresses that are not in the list, the first is eve@example.com"}},
		"another list": {workflow.Report{Recipients: 4, Sent: 3, Failed: 1}, []string{"a@example.com", "b@example.com", "c@example.com"},
			[]string{"the list has 3 good addresses, the report 4 recipients"}},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, line := range c.want {
				want = append(want, wrong+line)
			}
			got := ""
			if err := Audit(f, mailbox(c.mailbox...), c.report); err != nil {
				got = err.Error()
			}
			if got != strings.Join(want, "\n") {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAuditOfAMailboxThatBreaksOff(t *testing.T) {
	broken := io.MultiReader(mailbox("a@example.com"), strings.NewReader(`{"to":["b`))
	err := Audit(campaign("email,name\na@example.com,A\n"), broken, workflow.Report{Recipients: 1, Sent: 1})
	if err == nil || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), "reading the mailbox: ") {
		t.Errorf("got %v", err)
	}
}

func TestSummaryHasTheNamesOfTheContract(t *testing.T) {
	report := workflow.Report{Recipients: 10, Sent: 5, Failed: 2, Suppressed: 1, Skipped: 1, InDoubt: 1, Rejected: 3, Waves: 2, Batches: 4}
	s, err := NewSummary(follow.End{Seconds: 2, Report: &report}, Measured{Environments: 7, MaxConnections: 6, ConnectionBound: 18})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	want := `{"recipients":10,"sent":5,"failed":2,"suppressed":1,"skipped":1,"inDoubt":1,"rejected":3,"seconds":2,` +
		`"messagesPerSecond":2.5,"waves":2,"batches":4,"environments":7,"maxConnections":6,"connectionBound":18}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, %v", b, err)
	}
	if row := fmt.Sprint(s.Rows()[0]); row != "[recipients 10 = 5 sent + 2 failed + 1 suppressed + 1 skipped + 1 in doubt]" {
		t.Errorf("got %s", row)
	}
}

func TestSummaryRefusesAReportThatDoesNotAddUp(t *testing.T) {
	if _, err := NewSummary(follow.End{Report: &workflow.Report{Recipients: 3, Sent: 1, Pending: 2}}, Measured{}); err == nil {
		t.Error("2 of 3 are missing, and no error")
	}
}
