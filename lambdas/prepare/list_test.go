package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// refused runs Prepare and returns the message of the InvalidCampaign that it must answer.
func (f *fixture) refused(t *testing.T) string {
	t.Helper()
	_, err := f.prepare(t, "")
	invalid, ok := workflow.Named(err).(*workflow.InvalidCampaign)
	if !ok {
		t.Fatalf("got %T %v, want InvalidCampaign", err, err)
	}
	return invalid.Message
}

func TestProblemsAreReportedTogetherAndNothingIsOpened(t *testing.T) {
	f := newFixture(t)
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"no folder", nil, []string{"campaign.yaml: no campaign.yaml in the folder spring-sale"}},
		{"several in campaign.yaml", map[string]string{
			"campaign.yaml": "from: nobody\nsubjekt: Hello\nhtml: mail.html\nrate: fast\n",
		}, []string{"campaign.yaml:1: from:", "campaign.yaml:2: subjekt:", "subject: is required", "campaign.yaml:3: html: no file mail.html", "campaign.yaml:4: rate:"}},
		{"several in the templates", map[string]string{
			"campaign.yaml": "from: shop@example.com\nsubject: Hello {{.nmae}}\ntext: mail.txt\n", "mail.txt": "Dear {{.name}}\nfrom {{.town}}\n", "recipients.csv": goodList,
		}, []string{"campaign.yaml:2: subject:", "nmae", "mail.txt:2:", "town"}},
		{"no list", map[string]string{
			"campaign.yaml": "from: shop@example.com\nsubject: Hello\ntext: mail.txt\nrecipients: people.csv\n", "mail.txt": "Dear reader\n",
		}, []string{"people.csv: no such file in the folder"}},
		{"one kind in each file", map[string]string{
			"campaign.yaml": "from: nobody\nsubject: Hello\ntext: mail.txt\n", "mail.txt": "Dear {{.name}} of {{.town}}\n", "recipients.csv": "E-Mail,name\na@example.com,A\n",
		}, []string{"campaign.yaml:1: from:", "\nmail.txt:1: unknown field town", "\nrecipients.csv:1: no column \"email\": rename column \"E-Mail\" to \"email\""}},
		{"templates without a list", map[string]string{
			"campaign.yaml": "from: shop@example.com\nsubject: Hello\ntext: mail.txt\n", "mail.txt": "Dear {{.name}\n",
		}, []string{"mail.txt:1: bad character", "recipients.csv: no such file"}},
		{"a list in Windows-1252", map[string]string{
			"campaign.yaml": "from: shop@example.com\nsubject: Hello\ntext: mail.txt\n", "mail.txt": "Dear {{.nmae}}\n", "recipients.csv": "email,name\na@example.com,Ren\xe9\n",
		}, []string{"recipients.csv: neither UTF-8 nor CP949 (first at line 2, column \"name\"): save it as CSV UTF-8", "mail.txt:1: unknown field nmae"}},
		{"a list outside the folder", map[string]string{
			"campaign.yaml": "from: shop@example.com\nsubject: Hello\ntext: mail.txt\nrecipients: ../x.csv\n", "mail.txt": "Dear {{.name}\n",
		}, []string{"campaign.yaml:4: recipients:", "mail.txt:1: bad character"}},
		{"no email column", map[string]string{
			"campaign.yaml": "from: shop@example.com\nsubject: Hello\ntext: mail.txt\n", "mail.txt": "Dear reader\n", "recipients.csv": "address\na@example.com\n",
		}, []string{"recipients.csv:1:", "email"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, content := range test.files {
				f.upload(t, name, content)
				defer f.remove(t, name)
			}
			message := f.refused(t)
			for _, want := range append(test.want, "campaign spring-sale: ") {
				if !strings.Contains(message, want) {
					t.Errorf("%q lacks %q", message, want)
				}
			}
			if c := f.campaign(t); c != nil {
				t.Errorf("the campaign was opened: %+v", c)
			}
		})
	}
}

func TestEveryLineThatIsNoRecipientStandsInTheRejects(t *testing.T) {
	f := newFixture(t)
	f.uploadGood(t, strings.Join([]string{
		"email,name",
		"a@example.com,Ann",
		"nobody,Nobody",
		" A@Example.com ,Ann again",
		",Nameless",
		"b@example.com,Bob,extra",
		"c@example.com,\"two\nlines\"", // the subject uses the name
		"b@example.com,Bob",
		"a@example.com,\"Ann, once more\"",
		"d@bücher.example,Dora",
		"D@Bücher.example,Dora again",
	}, "\n"))
	out, err := f.prepare(t, "")
	check(t, err)
	rejects := f.download(t, "reports/spring-sale/rejects.csv")
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(rejects), "\n") {
		columns := strings.SplitN(line, ",", 4)
		if len(columns) != 4 || columns[3] == "" {
			t.Errorf("line %q has no detail", line)
		}
		got = append(got, strings.Join(columns[:3], ","))
	}
	want := []string{
		"line,email,reason",
		"3,nobody,not an address",
		"5,,no address",
		"6,b@example.com,wrong number of columns",
		"7,c@example.com,line break in header field",
		"4,A@Example.com,duplicate",
		"10,a@example.com,duplicate",
		"12,D@Bücher.example,duplicate",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rejects.csv:\n%s\nwant the lines\n%s", rejects, strings.Join(want, "\n"))
	}
	if !strings.Contains(rejects, "the address of line 2") {
		t.Errorf("rejects.csv does not say where a duplicate's address stands first:\n%s", rejects)
	}
	if out.Recipients != 3 || out.Rejected != 7 || f.campaign(t).Rejected["duplicate"] != 3 {
		t.Errorf("answer %+v, counts %v; want 3 recipients, 7 rejected, 3 of them duplicates", out, f.campaign(t).Rejected)
	}
}

func TestAListWithoutAGoodAddressIsRefusedWithTheReasons(t *testing.T) {
	for _, test := range []struct {
		name, list string
		want       []string
		rejects    int
	}{
		{"only the header", "email,name\n", []string{"recipients.csv: has no recipients: there is no line below the header"}, 0},
		{"all bad", "email,name\nnobody,N\n,M\nx@,O\n", []string{"1 no address, 2 not an address", "s3://" + bucket + "/reports/spring-sale/rejects.csv"}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.uploadGood(t, test.list)
			message := f.refused(t)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("%q lacks %q", message, want)
				}
			}
			if lines := strings.Count(f.download(t, "reports/spring-sale/rejects.csv"), "\n"); lines != 1+test.rejects {
				t.Errorf("rejects.csv has %d lines, want a header and %d", lines, test.rejects)
			}
			// With a better list, the same campaign starts.
			f.upload(t, "recipients.csv", goodList)
			if out, err := f.prepare(t, ""); err != nil || out.Recipients != 2 || out.Rejected != 0 {
				t.Errorf("with a better list: %+v, %v", out, err)
			}
		})
	}
}

func TestAListThatChangesWhileItIsReadIsRefused(t *testing.T) {
	// The list is read four times: for its encoding, for its columns, for its rows, for duplicates as they are written.
	for _, read := range []int{2, 3, 4} {
		f := newFixture(t)
		f.uploadGood(t, goodList+"A@example.com,Ann\n")
		reads := 0
		f.onRead = func(key string) {
			if key != "campaigns/spring-sale/recipients.csv" {
				return
			}
			if reads++; reads == read {
				f.upload(t, "recipients.csv", "email,name\nc@example.com,Cat\n")
			}
		}
		if message := f.refused(t); !strings.Contains(message, "campaigns/spring-sale/recipients.csv was changed while it was read") {
			t.Errorf("changed before read %d: %q", read, message)
		}
		if c := f.campaign(t); c != nil && c.State != ledger.Importing {
			t.Errorf("changed before read %d: the campaign is %s", read, c.State)
		}
		f.onRead = nil
		if out, err := f.prepare(t, ""); err != nil || out.Recipients != 1 {
			t.Errorf("started again: %+v, %v; want the one recipient of the new list", out, err)
		}
	}
}

func TestASuppressedAddressIsARecipientThatIsNotMailed(t *testing.T) {
	f := newFixture(t)
	f.uploadGood(t, goodList)
	_, err := f.db.ExecContext(context.Background(), "insert into fanmail.suppression values ('a@example.com', 'complaint')")
	check(t, err)
	out, err := f.prepare(t, "")
	check(t, err)
	counts, err := ledger.Count(context.Background(), f.db, f.campaign(t).ID)
	check(t, err)
	if out.Recipients != 2 || counts.Suppressed != 1 || counts.Pending != 1 {
		t.Errorf("answer %+v, counts %+v; want 2 recipients, 1 of them suppressed", out, counts)
	}
}

func TestWhenTheListCannotBeReadToItsEndTheImportStartsAfresh(t *testing.T) {
	f := newFixture(t)
	f.uploadGood(t, goodList)
	_, err := f.db.ExecContext(context.Background(), `
		create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'no space left' using errcode = '53100'; end $$;
		create trigger full_disk before insert on fanmail.recipient execute function full_disk()`)
	check(t, err)
	if _, err := f.prepare(t, ""); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("got %v, want PostgreSQL's reason", err)
	}
	_, err = f.db.ExecContext(context.Background(), "drop trigger full_disk on fanmail.recipient")
	check(t, err)
	if out, err := f.prepare(t, ""); err != nil || out.Recipients != 2 {
		t.Errorf("started again: %+v, %v; want both recipients", out, err)
	}
}
