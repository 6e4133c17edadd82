package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/mailer"
)

// span is from the first to the last acceptance of a campaign's messages.
type span struct {
	n           int64
	first, last time.Time
}

// sending is the speed of the campaign between the first and the last acceptance. It also makes sure that both the
// campaign and the bare loop sent one message per recipient, or their times would compare nothing.
func (b Bench) sending(sent int64) (Speed, error) {
	read, write := io.Pipe()
	go func() { write.CloseWithError(b.Runtime.SES().Mailbox(write)) }()
	spans, err := spansOf(read)
	if err != nil {
		return Speed{}, fmt.Errorf("reading the mailbox: %w", err)
	}
	for _, name := range []string{Campaign + b.Version, BareLoop} {
		if spans[name].n != sent {
			return Speed{}, fmt.Errorf("the mailbox has %s messages of %s, but should have %s",
				terminal.Number(spans[name].n), name, terminal.Number(sent))
		}
	}
	campaign := spans[Campaign+b.Version]
	return speed(campaign.n, campaign.last.Sub(campaign.first)), nil
}

// spansOf reads a mailbox, one JSON object per line in order of acceptance, by the campaign in the tags.
func spansOf(mailbox io.Reader) (map[string]span, error) {
	spans := map[string]span{}
	decoder := json.NewDecoder(mailbox)
	for {
		var entry struct {
			Time time.Time         `json:"time"`
			Tags map[string]string `json:"tags"`
		}
		if err := decoder.Decode(&entry); errors.Is(err, io.EOF) {
			return spans, nil
		} else if err != nil {
			return nil, err
		}
		s := spans[entry.Tags[mailer.TagCampaign]]
		if s.n == 0 {
			s.first = entry.Time
		}
		s.n, s.last = s.n+1, entry.Time
		spans[entry.Tags[mailer.TagCampaign]] = s
	}
}
