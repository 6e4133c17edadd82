package folder

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"fanmail/cmd/fanmail/internal/terminal"
)

func TestAddressesShowsTheGoodOnesOnceInSlices(t *testing.T) {
	f := Folder{Name: "spring-sale", FS: fstest.MapFS{
		"campaign.yaml":  {Data: []byte("from: Shop <news@example.com>\nsubject: Hello\ntext: mail.txt\n")},
		"mail.txt":       {Data: []byte("Dear {{.name}}")},
		"recipients.csv": {Data: []byte("email,name\nAnn@Example.com,A\nbad,B\nann@example.com,A\nbob@example.com,B\ncy@example.com,C\n")},
	}}
	checked, err := Check(t.Context(), f, terminal.NewProgress(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "ann|bob|cy", 2: "ann bob|cy", 3: "ann bob cy", 10: "ann bob cy"} {
		var got []string
		err := Addresses(t.Context(), f, checked, n, func(addresses []string) error {
			got = append(got, strings.Join(addresses, " "))
			return nil
		})
		if words := strings.ReplaceAll(strings.Join(got, "|"), "@example.com", ""); err != nil || words != want {
			t.Errorf("%d at once: got %q, %v, want %q", n, words, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Addresses(ctx, f, checked, 10, func([]string) error { return nil }); !slices.Contains([]error{context.Canceled}, err) {
		t.Errorf("after an interruption: %v", err)
	}
}
