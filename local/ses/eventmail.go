package ses

import (
	"fmt"
	"strings"
)

// maxEventHeaders is from how many bytes on SES cuts the headers in an event.
const maxEventHeaders = 10 << 10

// eventMail is the part that all events of a message have.
type eventMail struct {
	Timestamp        string              `json:"timestamp"`
	Source           string              `json:"source"`
	SourceArn        string              `json:"sourceArn"`
	SendingAccountID string              `json:"sendingAccountId"`
	MessageID        string              `json:"messageId"`
	Destination      []string            `json:"destination"`
	HeadersTruncated bool                `json:"headersTruncated"`
	Headers          []MessageHeader     `json:"headers"`
	CommonHeaders    commonHeaders       `json:"commonHeaders"`
	Tags             map[string][]string `json:"tags"`
}

type commonHeaders struct {
	From      []string `json:"from"`
	ReplyTo   []string `json:"replyTo,omitempty"`
	To        []string `json:"to"`
	Cc        []string `json:"cc,omitempty"`
	MessageID string   `json:"messageId"`
	Subject   string   `json:"subject"`
}

func (s *Service) eventMail(e *Entry) *eventMail {
	from, _ := bareAddress(e.From)
	domain := from[strings.LastIndexByte(from, '@')+1:]
	caller := e.Caller
	if caller == "" {
		caller = "anonymous"
	}
	m := &eventMail{
		Timestamp:        timestamp(e.Time),
		Source:           e.From,
		SourceArn:        fmt.Sprintf("arn:aws:ses:%s:%s:identity/%s", s.config.Region, s.config.Account, from),
		SendingAccountID: s.config.Account,
		MessageID:        e.MessageID,
		Destination:      e.addresses(),
		CommonHeaders:    commonHeaders{From: []string{e.From}, ReplyTo: e.ReplyTo, To: e.To, Cc: e.Cc, MessageID: e.MessageID, Subject: e.Subject},
		Tags: map[string][]string{
			"ses:operation":         {"SendEmail"},
			"ses:configuration-set": {e.ConfigurationSet},
			"ses:source-ip":         {e.SourceIP},
			"ses:from-domain":       {domain},
			"ses:caller-identity":   {caller},
		},
	}
	for name, value := range e.Tags {
		m.Tags[name] = []string{value}
	}
	headers := []MessageHeader{{"From", e.From}}
	for _, list := range []struct {
		name      string
		addresses []string
	}{{"To", e.To}, {"Cc", e.Cc}, {"Reply-To", e.ReplyTo}} {
		if len(list.addresses) > 0 {
			headers = append(headers, MessageHeader{list.name, strings.Join(list.addresses, ", ")})
		}
	}
	headers = append(headers, MessageHeader{"Subject", e.Subject}, MessageHeader{"MIME-Version", "1.0"})
	size := 0
	for _, h := range append(headers, e.Headers...) {
		if size += len(h.Name) + len(h.Value); size > maxEventHeaders {
			m.HeadersTruncated = true
			break
		}
		m.Headers = append(m.Headers, h)
	}
	return m
}
