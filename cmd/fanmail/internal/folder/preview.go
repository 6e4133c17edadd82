package folder

import (
	"fmt"

	"fanmail/shared/campaign"
	"fanmail/shared/recipients"
	"fanmail/shared/template"
)

// Preview is one message as it will be sent.
type Preview struct {
	Row         int          `json:"row"`
	Line        int          `json:"line"`
	From        string       `json:"from"`
	ReplyTo     []string     `json:"replyTo"`
	To          string       `json:"to"`
	Subject     string       `json:"subject"`
	Text        string       `json:"text"`
	HTML        string       `json:"html,omitempty"`
	Attachments []Attachment `json:"attachments"`
}

// Attachment is a file that goes with every message. Bytes is its size before it is encoded.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Bytes       int    `json:"bytes"`
}

// NewPreview renders the row with a number, counted below the header from 1; 0 is the first good row. Problems of the folder
// are an error with a line each.
func NewPreview(folder Folder, number int) (*Preview, error) {
	r, list, err := open(folder)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, err
	}
	var row *Row
	var first *recipients.Reject
	err = list.Each(r.Set.HeaderFields(), func(at Row) error {
		if first == nil {
			first = at.Reject
		}
		if at.Number == number || number == 0 && at.Reject == nil {
			row = &at
			return ErrStop
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case row == nil && number == 0 && first != nil:
		return nil, fmt.Errorf("%s:%d: no good address in the list; the first row is rejected: %s", list.File, first.Line, describe(first))
	case row == nil && number == 0:
		return nil, fmt.Errorf("%s: the list is empty: there is no row below the header", list.File)
	case row == nil:
		return nil, fmt.Errorf("%s: there is no row %d", list.File, number)
	case row.Reject != nil:
		return nil, fmt.Errorf("%s:%d: row %d is rejected: %s", list.File, row.Reject.Line, row.Number, describe(row.Reject))
	}
	message, err := r.Set.Render(row.Recipient.Fields)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: row %d: %w", list.File, row.Recipient.Line, row.Number, err)
	}
	return newPreview(r, *row, message), nil
}

func newPreview(r *Result, row Row, message template.Message) *Preview {
	return &Preview{
		Row: row.Number, Line: row.Recipient.Line,
		From: r.Content.Campaign.From, ReplyTo: append([]string{}, r.Content.Campaign.ReplyTo...), To: row.Recipient.Address,
		Subject: message.Subject, Text: message.Text, HTML: message.HTML, Attachments: attachments(r.Content),
	}
}

func attachments(content *campaign.Content) []Attachment {
	all := []Attachment{}
	for _, a := range content.Attachments {
		all = append(all, Attachment{Name: a.Name, ContentType: a.ContentType, Bytes: len(a.Data)})
	}
	return all
}

func describe(reject *recipients.Reject) string {
	if reject.Detail == "" {
		return string(reject.Reason)
	}
	return string(reject.Reason) + ": " + reject.Detail
}
