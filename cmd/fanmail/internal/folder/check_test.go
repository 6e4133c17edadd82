package folder

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"fanmail/cmd/fanmail/internal/terminal"

	"golang.org/x/text/encoding/korean"
)

func check(t *testing.T, list string) *Result {
	t.Helper()
	r, err := Check(t.Context(), Folder{Name: "a", FS: fstest.MapFS{
		"campaign.yaml":  {Data: []byte("from: news@example.com\nsubject: \"Hello {{.name}}\"\ntext: mail.txt\n")},
		"mail.txt":       {Data: []byte("{{if eq .name \"bad\"}}{{slice .name 9}}{{end}}Dear {{.name}}")},
		"recipients.csv": {Data: []byte(list)},
	}}, terminal.NewProgress(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCheckReadsExcelInKorea(t *testing.T) {
	list, err := korean.EUCKR.NewEncoder().String("email,name\r\nann@example.com,김민수\r\nbob@example.com,이서연\r\ncy@example.com,박지훈\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if r := check(t, list); r.Encoding != "CP949" || r.Recipients != 3 || r.Err() != nil {
		t.Errorf("got %+v", r)
	}
}

func TestCheckReportsWhereAListBreaksOff(t *testing.T) {
	r := check(t, "email,name\nann@example.com,Ann\nbob@example.com,\""+strings.Repeat("x\n", 1<<20))
	if err := r.Err(); r.Recipients != 1 || err == nil || !strings.HasPrefix(err.Error(), "recipients.csv:3: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%d recipients, %v", r.Recipients, err)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	g := groups{}
	for i := range maxGroups * 3 {
		g.add(fmt.Sprint("reason ", i), i, "a@example.com", "why")
	}
	sorted := g.sorted()
	if len(sorted) != maxGroups+1 || sorted[0].Reason != "other reasons" || sorted[0].Count != 2*maxGroups || sorted[1].Line != 0 {
		t.Errorf("%d groups, the first is %+v, the second %+v", len(sorted), sorted[0], sorted[1])
	}
}
