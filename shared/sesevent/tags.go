package sesevent

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"fanmail/shared/campaign"
	"fanmail/shared/mailer"
)

// prefix begins the names of Fanmail's tags.
const prefix = "fanmail-"

// tags are the tags of a message: names with their values. SES adds some of its own, ses:...
type tags map[string][]string

func (t tags) ours() bool {
	for name := range t {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// one is the value of a tag that must be there once.
func (t tags) one(name string) (string, error) {
	switch values := t[name]; len(values) {
	case 0:
		return "", fmt.Errorf("the tag %s is missing", name)
	case 1:
		return values[0], nil
	default:
		return "", fmt.Errorf("the tag %s has %d values", name, len(values))
	}
}

// campaign is the campaign's name and its tag in the ledger.
func (t tags) campaign() (name string, id uuid.UUID, err error) {
	if name, err = t.one(mailer.TagCampaign); err != nil {
		return "", id, err
	}
	if !campaign.ValidName(name) {
		return "", id, fmt.Errorf("the tag %s: %s is no name of a campaign", mailer.TagCampaign, short(name))
	}
	id, err = t.uuid(mailer.TagID)
	return name, id, err
}

func (t tags) probe() bool { return len(t[mailer.TagProbe]) > 0 }

func (t tags) proof() bool { return len(t[mailer.TagProof]) > 0 }

func (t tags) seq() (int64, error) {
	text, err := t.one(mailer.TagSeq)
	if err != nil {
		return 0, err
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 1 {
		return 0, fmt.Errorf("the tag %s: %s is no number of a recipient", mailer.TagSeq, short(text))
	}
	return seq, nil
}

// uuid is the value of a tag in the form that we write: 36 characters.
func (t tags) uuid(name string) (id uuid.UUID, err error) {
	text, err := t.one(name)
	if err != nil {
		return id, err
	}
	if id, err = uuid.Parse(text); err != nil || len(text) != 36 {
		return id, fmt.Errorf("the tag %s: %s is no UUID", name, short(text))
	}
	return id, nil
}
