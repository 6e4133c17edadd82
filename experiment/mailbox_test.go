package experiment

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanmail/local/ses"
	"fanmail/shared/mailer"
)

func TestTheMailboxIsReadToItsEndOrNotAtAll(t *testing.T) {
	const one = `{"messageId":"a","to":["a@x"],"tags":{"fanmail-campaign":"spring"},"caller":"AKIA1"}` + "\n"
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		entries int
		err     string
	}{
		"empty":        {func(http.ResponseWriter, *http.Request) {}, 0, ""},
		"two":          {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, one+one) }, 2, ""},
		"half a line":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, one+`{"to":`) }, 0, "unexpected EOF"},
		"another page": {http.NotFound, 0, "404 Not Found"},
		"an error":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 0, "500"},
		"it breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, one)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, 0, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("GET /_mailbox.jsonl", c.answer)
			server := httptest.NewServer(mux)
			defer server.Close()
			entries, err := Mailbox(t.Context(), server.URL)
			if len(entries) != c.entries || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%d entries, %v", len(entries), err)
			}
			for _, e := range entries {
				if e.MessageID != "a" || e.To[0] != "a@x" || e.Tags[mailer.TagCampaign] != "spring" || e.Caller != "AKIA1" {
					t.Errorf("got %+v", e)
				}
			}
		})
	}
}

func TestMailsAreCountedByCampaignAndRecipientWithoutProbes(t *testing.T) {
	message := func(campaign string, to ...string) ses.Entry {
		return ses.Entry{To: to, Tags: map[string]string{mailer.TagCampaign: campaign}}
	}
	probe := message("one", "success@simulator.amazonses.com")
	probe.Tags[mailer.TagProbe] = "1"
	mailed, doubled := Mailed([]ses.Entry{
		message("one", "a@x"), message("one", "b@x"), message("one", "a@x"), message("two", "a@x"), message("one", "a@x"), probe, probe, {To: []string{"a@x"}},
	})
	if mailed != 4 || doubled != 1 {
		t.Errorf("%d mailed, %d doubled; want 4 and 1", mailed, doubled)
	}
}
