package importer

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/shared/recipients"
)

// FuzzImport: whatever a file holds, an import either refuses it or writes a list that Fanmail reads: every row is good, no
// address comes twice, and nobody in optouts.csv is in it.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{"testdata/pinpoint/segment-1.json", "testdata/pinpoint/segment-2.json", "testdata/pinpoint/segment.csv",
		"testdata/listmonk/subscribers.csv", "testdata/listmonk/unsubscribed.csv"} {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, strings.Contains(seed, "pinpoint"))
	}
	f.Add([]byte(`{"Address":"a@b.com","ChannelType":"EMAIL","Attributes":{"\u0000":["\u0000"],"a\nb":[[1],null]}}`), true)
	f.Fuzz(func(t *testing.T, content []byte, pinpoint bool) {
		folder := filepath.Join(t.TempDir(), "a")
		format := Listmonk
		if pinpoint {
			format = Pinpoint
		}
		s, err := Run(t.Context(), Options{Format: format, Files: []string{file(t, "export", string(content))}, Folder: folder})
		if err != nil {
			return
		}
		out := map[string]bool{}
		for _, line := range strings.Split(read(t, folder, OptOutsFile), "\n")[1:] {
			address, _, _ := strings.Cut(line, ",")
			out[address] = true
		}
		reader, err := recipients.NewReader(strings.NewReader(read(t, folder, RecipientsFile)), recipients.Options{})
		if err != nil {
			t.Fatal(err)
		}
		written := int64(0)
		for seen := map[string]bool{}; ; written++ {
			r, reject, err := reader.Read()
			if err == io.EOF {
				break
			}
			if err != nil || reject != nil || seen[r.Address] || out[r.Address] {
				t.Fatalf("row %d: %+v %+v %v", written, r, reject, err)
			}
			seen[r.Address] = true
		}
		if written != s.Written || len(reader.Columns()) != len(s.Columns) {
			t.Errorf("%d rows of %d columns, want %d of %d", written, len(reader.Columns()), s.Written, len(s.Columns))
		}
	})
}
