package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"fanmail/cmd/fanmail/internal/demo"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/examples"
	"fanmail/local/ses"
	"fanmail/shared/cloud"
	"fanmail/shared/mailer"
)

func springSale() folder.Folder {
	return folder.Folder{Name: examples.SpringSaleName, FS: examples.SpringSale()}
}

// startSES returns an account and a client for it, made as the senders make theirs.
func startSES(t *testing.T, fault func(*ses.Request) ses.Fault) (*ses.Service, cloud.SendEmail) {
	service, err := ses.New(ses.Config{Directory: t.TempDir(), MaxSendRate: 1e9, Max24HourSend: -1, Fault: fault})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		server.Close()
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return service, cloud.Sender(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, mailer.Parallel, 15*time.Second)
}

func TestTheLoopMailsItsShareOnce(t *testing.T) {
	service, client := startSES(t, nil)
	var said bytes.Buffer
	loop := Loop{Folder: springSale(), Share: Share{First: 11, Last: 310}, SES: client}
	if err := loop.Run(t.Context(), strings.NewReader("\n"), &said); err != nil {
		t.Fatal(err)
	}
	if said.String() != "ready\ndone\n" {
		t.Errorf("it said %q", said.String())
	}
	var mailbox bytes.Buffer
	if err := service.Mailbox(&mailbox); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for decoder := json.NewDecoder(&mailbox); ; {
		var entry ses.Entry
		if err := decoder.Decode(&entry); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry.To[0]+" "+entry.Tags[mailer.TagSeq])
	}
	for i := int64(11); i <= 310; i++ {
		want = append(want, demo.Address(i)+" "+strconv.FormatInt(i, 10))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d messages: %s", len(got), cmp.Diff(want, got))
	}
}

// collect keeps inputs by address.
type collect struct {
	mu     sync.Mutex
	inputs map[string]*sesv2.SendEmailInput
}

func (c *collect) SendEmail(_ context.Context, in *sesv2.SendEmailInput, _ ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inputs[in.Destination.ToAddresses[0]] = in
	return &sesv2.SendEmailOutput{MessageId: aws.String("1")}, nil
}

func TestTheLoopSendsWhatTheMailerSends(t *testing.T) {
	const recipients = 250
	byLoop, byMailer := &collect{inputs: map[string]*sesv2.SendEmailInput{}}, &collect{inputs: map[string]*sesv2.SendEmailInput{}}
	if err := (Loop{Folder: springSale(), Share: Share{1, recipients}, SES: byLoop}).Run(t.Context(), strings.NewReader("\n"), io.Discard); err != nil {
		t.Fatal(err)
	}
	f, err := generated(springSale(), BareLoop, recipients)
	if err != nil {
		t.Fatal(err)
	}
	content, err := folder.Content(f)
	if err != nil {
		t.Fatal(err)
	}
	list, set, err := folder.OpenCampaign(f)
	if err != nil {
		t.Fatal(err)
	}
	chunk := mailer.Chunk{Claim: uuid.New(), LastStart: time.Now().Add(time.Hour)}
	err = list.Each(set.HeaderFields(), func(row folder.Row) error {
		chunk.Recipients = append(chunk.Recipients, mailer.Recipient{Seq: int64(row.Number), Address: row.Recipient.Address, Fields: row.Recipient.Fields})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mailer.New(byMailer, content, set, "").Send(t.Context(), chunk)
	for _, inputs := range []map[string]*sesv2.SendEmailInput{byLoop.inputs, byMailer.inputs} {
		for _, in := range inputs {
			for i := range in.EmailTags {
				if *in.EmailTags[i].Name == mailer.TagClaim {
					in.EmailTags[i].Value = nil
				}
			}
		}
	}
	if diff := cmp.Diff(byMailer.inputs, byLoop.inputs, exported); diff != "" {
		t.Errorf("- mailer, + loop:\n%s", diff)
	}
}

// exported leaves out the marker fields of the SDK's types.
var exported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && field.Name() == "noSmithyDocumentSerde"
}, cmp.Ignore())

func TestTheLoopEndsAtTheFirstRefusal(t *testing.T) {
	_, client := startSES(t, func(*ses.Request) ses.Fault { return ses.Fault{Error: ses.ErrPaused} })
	var said bytes.Buffer
	err := Loop{Folder: springSale(), Share: Share{1, 100}, SES: client}.Run(t.Context(), strings.NewReader("\n"), &said)
	if err == nil || !strings.Contains(err.Error(), "SendingPausedException") || said.String() != "ready\n" {
		t.Errorf("error %v, said %q", err, said.String())
	}
}

func TestTheLoopDoesNotStartWhenNobodySaysSo(t *testing.T) {
	service, client := startSES(t, nil)
	err := Loop{Folder: springSale(), Share: Share{1, 100}, SES: client}.Run(t.Context(), strings.NewReader(""), io.Discard)
	if !errors.Is(err, io.EOF) || service.Accepted() != 0 {
		t.Errorf("error %v, %d messages", err, service.Accepted())
	}
}
