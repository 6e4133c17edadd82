package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"fanmail/cmd/fanmail/internal/demo"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/shared/mailer"
)

// Share is the part of a generated list that one process of the bare loop mails: recipients First to Last, counted from 1.
type Share struct{ First, Last int64 }

// Loop is one process of the bare loop. Everything is rendered before the clock starts, so that only calls of SES are left.
type Loop struct {
	Folder folder.Folder
	Share  Share
	// SES is the client of the senders.
	SES mailer.SES
}

// Run prepares, writes a line to out when it is ready, waits for a line from in, mails its share with mailer.Parallel calls
// in flight, and writes a second line when the last one is answered. The first call that fails ends it.
func (l Loop) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	messages, err := l.prepare(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, ready); err != nil {
		return err
	}
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return fmt.Errorf("waiting for the start: %w", err)
	}
	var next atomic.Int64
	calls, ctx := errgroup.WithContext(ctx)
	for range mailer.Parallel {
		calls.Go(func() error {
			for {
				i := next.Add(1) - 1
				if i >= int64(len(messages.kinds)) || ctx.Err() != nil {
					return ctx.Err()
				}
				if _, err := l.SES.SendEmail(ctx, messages.input(i)); err != nil {
					return err
				}
			}
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, done)
	return err
}

// messages are the inputs of a share. Recipients with the same fields share one sample: all but address and seq.
type messages struct {
	first   int64
	kinds   []uint32 // the sample of each recipient
	samples []sample
}

// sample is a message as the mailer made it for one recipient.
type sample struct {
	input *sesv2.SendEmailInput
	// name is what the text may hold of the address, in whatever escaping.
	name string
}

func (l Loop) prepare(ctx context.Context) (*messages, error) {
	f, err := generated(l.Folder, BareLoop, l.Share.Last)
	if err != nil {
		return nil, err
	}
	content, err := folder.Content(f)
	if err != nil {
		return nil, err
	}
	list, set, err := folder.OpenCampaign(f)
	if err != nil {
		return nil, err
	}
	m := &messages{first: l.Share.First}
	captured := &capture{}
	sender, known, seq := mailer.New(captured, content, set, ""), map[string]uint32{}, int64(0)
	err = list.Each(set.HeaderFields(), func(row folder.Row) error {
		if seq++; seq < l.Share.First {
			return nil
		}
		if row.Reject != nil {
			return fmt.Errorf("line %d of the generated list: %s", row.Reject.Line, row.Reject.Reason)
		}
		fields := map[string]string{}
		for name, value := range row.Recipient.Fields {
			if name != "email" {
				fields[name] = value
			}
		}
		key := fmt.Sprint(fields) // fmt sorts maps by key
		kind, ok := known[key]
		if !ok {
			kind = uint32(len(m.samples))
			known[key] = kind
			outcome := sender.Send(ctx, mailer.Chunk{
				Claim:      uuid.New(),
				Recipients: []mailer.Recipient{{Seq: seq, Address: row.Recipient.Address, Fields: row.Recipient.Fields}},
				LastStart:  time.Now().Add(time.Hour),
			})[0]
			if outcome.Kind != mailer.Accepted {
				return errors.New(outcome.Reason)
			}
			m.samples = append(m.samples, sample{captured.input, localPart(row.Recipient.Address)})
		}
		m.kinds = append(m.kinds, kind)
		return nil
	})
	runtime.GC() // what reading the list left behind is no part of the loop
	return m, err
}

// input is the message of the i-th recipient of the share, from 0.
func (m *messages) input(i int64) *sesv2.SendEmailInput {
	s, address, seq := m.samples[m.kinds[i]], demo.Address(m.first+i), strconv.FormatInt(m.first+i, 10)
	replace := func(c *types.Content) *types.Content {
		if c == nil {
			return nil
		}
		return &types.Content{Data: aws.String(strings.ReplaceAll(*c.Data, s.name, localPart(address))), Charset: c.Charset}
	}
	input, message := *s.input, *s.input.Content.Simple
	message.Subject = replace(message.Subject)
	message.Body = &types.Body{Html: replace(message.Body.Html), Text: replace(message.Body.Text)}
	input.Content = &types.EmailContent{Simple: &message}
	input.Destination = &types.Destination{ToAddresses: []string{address}}
	input.EmailTags = slices.Clone(input.EmailTags)
	for j := range input.EmailTags {
		if *input.EmailTags[j].Name == mailer.TagSeq {
			input.EmailTags[j].Value = &seq
		}
	}
	return &input
}

func localPart(address string) string {
	name, _, _ := strings.Cut(address, "@")
	return name
}

// capture takes the input that the mailer makes, instead of sending it.
type capture struct{ input *sesv2.SendEmailInput }

func (c *capture) SendEmail(_ context.Context, in *sesv2.SendEmailInput, _ ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error) {
	c.input = in
	return &sesv2.SendEmailOutput{MessageId: aws.String("captured")}, nil
}
