package faults

import (
	"strconv"
	"strings"

	"fanmail/local/ses"
)

// The tags of a message by which its sender is found out. Package shared/mailer sets them.
const (
	tagCampaign = "fanmail-campaign"
	tagSeq      = "fanmail-seq"
	tagClaim    = "fanmail-claim"
)

// SES is the fault of a SendEmail call: for ses.Config.Fault.
func (s *Service) SES(request *ses.Request) ses.Fault {
	r := s.current()
	if r.settings.SES == (SES{}) && r.settings.Send.KillAt == "" {
		return ses.Fault{}
	}
	m := newMessage(request)
	if r.atClaim(m) {
		return ses.Fault{Drop: true, Reset: true}
	}
	fault, passes := r.answer(m)
	if passes {
		switch r.settings.Send.KillAt {
		case AtAnswer:
			r.atAnswer(m, &fault)
		case AtRecord:
			r.atRecord(m, &fault)
		}
	}
	return fault
}

// message is what faults need to know of a SendEmail call.
type message struct {
	caller                   string
	recipient, campaign      string
	seq                      int64 // 0 for a message that is not to a recipient of a ledger
	claim                    string
	recipientHash, claimHash uint64
}

func newMessage(request *ses.Request) message {
	m := message{caller: request.Caller}
	for _, list := range [][]string{request.Destination.ToAddresses, request.Destination.CcAddresses, request.Destination.BccAddresses} {
		if len(list) > 0 && m.recipient == "" {
			m.recipient = strings.ToLower(list[0])
		}
	}
	for _, tag := range request.EmailTags {
		switch tag.Name {
		case tagCampaign:
			m.campaign = tag.Value
		case tagSeq:
			m.seq, _ = strconv.ParseInt(tag.Value, 10, 64) // what is no number is no seq
		case tagClaim:
			m.claim = tag.Value
		}
	}
	m.recipientHash, m.claimHash = hash(m.campaign, m.recipient), hash(m.claim)
	return m
}

// answer decides on SES's part of the call. passes tells that the message is accepted and answered, as far as the faults go.
func (r *round) answer(m message) (fault ses.Fault, passes bool) {
	r.mu.Lock()
	r.calls[m.recipientHash]++
	call := strconv.FormatUint(uint64(r.calls[m.recipientHash]), 10)
	r.mu.Unlock()
	happens := func(kind string, share float64) bool {
		return share > 0 && roll(r.settings.Seed, kind, m.campaign, m.recipient, call) < share
	}
	counts, wanted := &r.service.counts, r.settings.SES
	if happens("delay", wanted.Delay) {
		counts.delays.Add(1)
		fault.AnswerDelay = duration(wanted.DelayMilliseconds)
	}
	switch {
	case happens("drop", wanted.Drop):
		counts.drops.Add(1)
		fault.Drop = true
	case happens("throttle", wanted.Throttle):
		counts.throttles.Add(1)
		fault.Error = ses.ErrRate
	case happens("internalError", wanted.InternalError):
		counts.internalErrors.Add(1)
		fault.Error = ses.ErrInternal
	case happens("loseAnswer", wanted.LoseAnswer):
		fault.LoseAnswer = true
		// Only now is it known that the account's limits let it pass.
		fault.BeforeAnswer = func() { counts.lostAnswers.Add(1) }
	default:
		return fault, true
	}
	return fault, false
}
