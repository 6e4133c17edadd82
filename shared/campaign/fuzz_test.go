package campaign_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"fanmail/shared/campaign"
	"fanmail/shared/template"
)

// FuzzRead holds that no campaign.yaml panics, and that what is taken can stand in headers.
func FuzzRead(f *testing.F) {
	example, err := os.ReadFile("../../examples/spring-sale/campaign.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(example), good, good + "defaults: &d {a: *d}\n", good + "tags: {a: !!binary aGk=}\n", good + "window: {from: 09:00, to: 9}\n",
		good + "replyTo: [a@b.example, *x]\n", "? {a: b}\n: c\n", "a: &a [*a]\n", "\ufefffrom: x", "{from: &x a@b.example, replyTo: *x}",
	} {
		f.Add(seed)
	}
	text := &fstest.MapFile{Data: []byte("Dear {{.name}}")}
	f.Fuzz(func(t *testing.T, yaml string) {
		files := fstest.MapFS{"campaign.yaml": {Data: []byte(yaml)}, "mail.txt": text, "mail.html": text, "spring-sale.ics": text}
		content, err := campaign.Read(files, "spring-sale")
		if err != nil {
			if content != nil {
				content.Compile([]string{"email", "name"}) // of what could be read; it must not panic
			}
			var problems campaign.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatal(err)
			}
			for _, p := range problems {
				if p.Message == "" || strings.ContainsAny(p.String(), "\r\n") {
					t.Fatalf("%q", p)
				}
			}
			return
		}
		c := content.Campaign
		for _, header := range append([]string{c.From, c.Subject, c.ConfigurationSet}, c.ReplyTo...) {
			if !template.SingleLine(header) {
				t.Fatalf("%q", header)
			}
		}
		for _, box := range append([]string{c.From}, c.ReplyTo...) {
			if strings.ContainsFunc(box, func(r rune) bool { return r >= 0x7f }) {
				t.Fatalf("not ready for a header: %q", box)
			}
		}
		if c.Name != "spring-sale" || c.From == "" || c.Subject == "" {
			t.Fatalf("%+v", c)
		}
	})
}
