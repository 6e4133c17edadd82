package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"fanmail/local/ses"
	"fanmail/shared/mailer"
)

// Mailbox reads all messages that the SES at the endpoint has accepted, in the order of acceptance. They are kept in memory.
func Mailbox(ctx context.Context, endpoint string) ([]ses.Entry, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_mailbox.jsonl", nil)
	if err != nil {
		return nil, err
	}
	answer, err := Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading the mailbox: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading the mailbox: %s", answer.Status)
	}
	var entries []ses.Entry
	for decoder := json.NewDecoder(answer.Body); ; {
		var entry ses.Entry
		switch err := decoder.Decode(&entry); {
		case errors.Is(err, io.EOF):
			return entries, nil
		case err != nil:
			return nil, fmt.Errorf("reading the mailbox: %w", err)
		}
		entries = append(entries, entry)
	}
}

// IsProbe tells whether a message is a probe, which is to nobody on a list.
func IsProbe(e ses.Entry) bool { return e.Tags[mailer.TagProbe] != "" }

// Mailed counts the recipients who have a message of a campaign, and those who have more than one. Probes don't count.
func Mailed(entries []ses.Entry) (mailed, doubled int64) {
	type recipient struct{ campaign, to string }
	messages := map[recipient]int{}
	for _, e := range entries {
		if IsProbe(e) {
			continue
		}
		for _, to := range e.To {
			r := recipient{e.Tags[mailer.TagCampaign], to}
			switch messages[r]++; messages[r] {
			case 1:
				mailed++
			case 2:
				doubled++
			}
		}
	}
	return mailed, doubled
}
