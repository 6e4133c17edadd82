package campaign_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"fanmail/shared/campaign"
	"fanmail/shared/recipients"

	"github.com/google/go-cmp/cmp"
)

// TestTheExampleIsWhole holds examples/spring-sale against what its README-level promise is: every good row renders, and
// the bad rows are rejected for the reasons they were put there.
func TestTheExampleIsWhole(t *testing.T) {
	const dir = "../../examples/spring-sale"
	content, err := campaign.Read(os.DirFS(dir), "spring-sale")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(dir + "/" + content.Campaign.Recipients)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := recipients.NewReader(file, recipients.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, problems := content.Compile(reader.Columns())
	if problems != nil {
		t.Fatal(problems)
	}
	seen, rejects := map[string]bool{}, map[recipients.Reason]int{}
	for {
		r, reject, err := reader.Read()
		if err == io.EOF {
			break
		}
		switch {
		case err != nil:
			t.Fatal(err)
		case reject != nil:
			rejects[reject.Reason]++
			continue
		case seen[r.Address]:
			rejects[recipients.Duplicate]++
			continue
		}
		seen[r.Address] = true
		m, err := set.Render(r.Fields)
		if err != nil {
			t.Errorf("line %d: %v", r.Line, err)
		}
		if r.Address == "html.lover@example.com" && (strings.Contains(m.HTML, "<b>Bold</b>") || !strings.Contains(m.HTML, "<!--[if mso]>")) {
			t.Errorf("a name is not escaped, or Outlook's comments are gone:\n%s", m.HTML)
		}
	}
	want := map[recipients.Reason]int{
		recipients.NoAddress: 1, recipients.BadAddress: 4, recipients.WrongColumns: 2, recipients.BadQuotes: 1, recipients.Duplicate: 2,
	}
	if diff := cmp.Diff(want, rejects); diff != "" {
		t.Error(diff)
	}
	if len(seen) != 197 {
		t.Errorf("%d good addresses, want 197", len(seen))
	}
}
