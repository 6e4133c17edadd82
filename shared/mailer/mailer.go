package mailer

import (
	"cmp"
	"context"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/uuid"

	"fanmail/shared/campaign"
	"fanmail/shared/template"
)

// Parallel is how many SendEmail calls one sender has in flight, if its time slots don't ask for more.
const Parallel = 10

const (
	// ahead is how long before its time slot a message is rendered.
	ahead = 20 * time.Millisecond
	// tolerance is by how much a time slot may be missed. What is left of ledger.Jitter is for the way to SES.
	tolerance = 15 * time.Millisecond
	// finest is the least spacing of slots that a sender keeps to: nobody can keep more than a thousand a second to the millisecond.
	finest = time.Millisecond
	// attached is how many bytes of attachments may be in flight. Encoding and signing need several times as much memory, of which
	// a sender has 256 MB.
	attached = 40_000_000
)

// Tags that every message carries, so that an event of SES finds its recipient. TagID is what the campaign is called in the
// ledger that sent the message: names alone may come twice, in the ledgers of two deployments. A probe has no recipient.
const (
	TagCampaign = "fanmail-campaign"
	TagID       = "fanmail-id"
	TagSeq      = "fanmail-seq"
	TagClaim    = "fanmail-claim"
	TagProbe    = "fanmail-probe"
	// TagProof is the only one of a message of `fanmail doctor`: its id.
	TagProof = "fanmail-proof"
)

// SES is the one call that sending needs. The client must not retry.
type SES interface {
	SendEmail(ctx context.Context, in *sesv2.SendEmailInput, optFns ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error)
}

// Mailer sends the messages of one campaign.
type Mailer struct {
	ses       SES
	campaign  campaign.Campaign
	templates *template.Set
	// configurationSet, attachments and tags are the same in every message.
	configurationSet string
	attachments      []types.Attachment
	tags             []types.MessageTag
	// most is how many calls may be in flight.
	most int
}

// Recipient is one addressee with the fields of its templates.
type Recipient struct {
	Seq     int64
	Address string
	Fields  map[string]string
}

// Chunk is what one call of Send mails: recipient i at Start + i x Spacing, none later than LastStart.
type Chunk struct {
	// ID is the value of TagID.
	ID         uuid.UUID
	Claim      uuid.UUID
	Recipients []Recipient
	Start      time.Time
	Spacing    time.Duration
	LastStart  time.Time
	// Late: the sender is too slow to keep to its slots, and uses them nevertheless.
	Late bool
}

// New returns a Mailer for the content of a campaign, with its templates compiled. configurationSet is for a campaign that
// names none; it may be empty.
func New(ses SES, content *campaign.Content, templates *template.Set, configurationSet string) *Mailer {
	m := &Mailer{
		ses: ses, campaign: content.Campaign, templates: templates,
		configurationSet: cmp.Or(content.Campaign.ConfigurationSet, configurationSet),
	}
	bytes := 0
	for _, a := range content.Attachments {
		bytes += len(a.Data)
		m.attachments = append(m.attachments, types.Attachment{
			FileName: &a.Name, ContentType: &a.ContentType, RawContent: a.Data,
			// SES's default is 7bit, which a binary file is not.
			ContentTransferEncoding: types.AttachmentContentTransferEncodingBase64,
		})
	}
	m.most = max(attached/max(bytes, 1), 1)
	for name, value := range content.Campaign.Tags {
		m.tags = append(m.tags, tag(name, value))
	}
	slices.SortFunc(m.tags, func(a, b types.MessageTag) int { return cmp.Compare(*a.Name, *b.Name) })
	m.tags = append(m.tags, tag(TagCampaign, content.Campaign.Name))
	return m
}

// outOfTime is the outcome of a recipient whose call was not started, missed of one whose time slot has passed.
var (
	outOfTime = Outcome{Kind: NotAccepted, Reason: "the sender ran out of time"}
	missed    = Outcome{Kind: NotAccepted, Reason: "the sender missed the time slot", Missed: true}
)

// Send mails the chunk and returns one outcome per recipient in the same order. It returns when the last call has been answered. No
// further call starts after LastStart, when the context is cancelled, after an outcome that ends the campaign or the day, and
// after an unknown one before any was accepted: an SES that is out of order must not put more in doubt than those under way.
//
// Slots that are not too fine are kept: none waits for the answer to an earlier one, unless attachments fill the memory, and one that is
// missed is lost, except for the first, because SES would count more in a second than the account may send.
func (m *Mailer) Send(ctx context.Context, chunk Chunk) []Outcome {
	s := sending{Mailer: m, Chunk: chunk, outcomes: make([]Outcome, len(chunk.Recipients))}
	most := m.most
	if chunk.Spacing < finest {
		most = min(most, Parallel)
	}
	// Workers, and not a goroutine per message: rendering and the SDK grow a stack that is worth keeping.
	due := make(chan int)
	var workers sync.WaitGroup
	for i := range chunk.Recipients {
		if slot := s.slot(i); slot.After(chunk.LastStart) || !waitUntil(ctx, slot.Add(-ahead)) {
			s.outcomes[i] = outOfTime
			continue
		}
		select {
		case due <- i:
			continue
		default:
		}
		if most > 0 {
			most--
			workers.Go(func() {
				s.call(ctx, i)
				for i := range due {
					s.call(ctx, i)
				}
			})
			continue
		}
		due <- i
	}
	close(due)
	workers.Wait()
	return s.outcomes
}

// sending is one call of Send.
type sending struct {
	*Mailer
	Chunk
	outcomes []Outcome
	ended    atomic.Pointer[Outcome]
	accepted atomic.Bool
}

func (s *sending) slot(i int) time.Time { return s.Start.Add(time.Duration(i) * s.Spacing) }

// call renders the message to recipient i, waits for its slot and sends it.
func (s *sending) call(ctx context.Context, i int) {
	message, err := s.templates.Render(s.Recipients[i].Fields)
	inTime := waitUntil(ctx, s.slot(i))
	switch end := s.ended.Load(); {
	case end != nil:
		s.outcomes[i] = Outcome{Kind: NotAccepted, Reason: end.Reason}
		return
	case !inTime || past(s.LastStart):
		// Time has passed since the slot, if all workers were busy.
		s.outcomes[i] = outOfTime
		return
	case err != nil:
		s.outcomes[i] = Outcome{Kind: Refused, Reason: "rendering: " + oneLine(err.Error())}
		return
	case i > 0 && !s.Late && s.Spacing >= finest && time.Since(s.slot(i)) > tolerance:
		s.outcomes[i] = missed
		return
	}
	s.outcomes[i] = s.send(ctx, s.Chunk, s.Recipients[i], message)
	switch s.outcomes[i].Kind {
	case Stop, QuotaReached:
		s.ended.Store(&s.outcomes[i])
	case Unknown:
		if !s.accepted.Load() {
			s.ended.Store(&s.outcomes[i])
		}
	case Accepted:
		s.accepted.Store(true)
	}
}

// past tells whether t has passed by either clock: in an environment that was frozen the monotonic one may have stood still.
func past(t time.Time) bool {
	now := time.Now()
	return now.After(t) || now.Round(0).After(t.Round(0))
}

func (m *Mailer) send(ctx context.Context, chunk Chunk, r Recipient, message template.Message) Outcome {
	var reached atomic.Bool
	// The call must not die with the invocation's context: a cancelled call has an unknown outcome.
	ctx = httptrace.WithClientTrace(context.WithoutCancel(ctx), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { reached.Store(true) },
	})
	out, err := m.ses.SendEmail(ctx, m.input(chunk, r, message))
	if err != nil {
		return classify(err, reached.Load())
	}
	if aws.ToString(out.MessageId) == "" {
		return Outcome{Kind: Unknown, Reason: "SES answered without a message id"}
	}
	return Outcome{Kind: Accepted, MessageID: *out.MessageId}
}

func (m *Mailer) input(chunk Chunk, r Recipient, message template.Message) *sesv2.SendEmailInput {
	body := &types.Body{}
	if message.HTML != "" {
		body.Html = utf8(message.HTML)
	}
	if message.Text != "" {
		body.Text = utf8(message.Text)
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: &m.campaign.From,
		ReplyToAddresses: m.campaign.ReplyTo,
		Destination:      &types.Destination{ToAddresses: []string{r.Address}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: utf8(message.Subject), Body: body, Attachments: m.attachments,
		}},
		EmailTags: append(slices.Clone(m.tags),
			tag(TagID, chunk.ID.String()), tag(TagSeq, strconv.FormatInt(r.Seq, 10)), tag(TagClaim, chunk.Claim.String())),
	}
	if m.configurationSet != "" {
		in.ConfigurationSetName = &m.configurationSet
	}
	return in
}

func tag(name, value string) types.MessageTag { return types.MessageTag{Name: &name, Value: &value} }

func utf8(s string) *types.Content {
	return &types.Content{Data: &s, Charset: aws.String("UTF-8")}
}

// waitUntil waits until t and tells whether it got there before ctx was done.
func waitUntil(ctx context.Context, t time.Time) bool {
	wait := time.Until(t)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
