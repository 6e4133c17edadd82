package ses_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"fanmail/local/ses"
)

// clock is a clock that moves only when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// account is a running service with a real SDK client that does not retry.
type account struct {
	*ses.Service
	client *sesv2.Client
	url    string
}

func start(t testing.TB, config ses.Config) *account {
	t.Helper()
	if config.Directory == "" {
		config.Directory = t.TempDir()
	}
	service, err := ses.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		service.Close()
		server.Close()
	})
	return &account{service, newClient(server.URL), server.URL}
}

func newClient(url string) *sesv2.Client { return newClientOf(url, "local") }

// newClientOf is a client that signs with an access key id and does not retry.
func newClientOf(url, accessKey string) *sesv2.Client {
	return sesv2.New(sesv2.Options{
		BaseEndpoint:     aws.String(url),
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider(accessKey, "secret", ""),
		RetryMaxAttempts: 1,
		HTTPClient:       &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	})
}

func text(s string) *types.Content {
	return &types.Content{Data: aws.String(s), Charset: aws.String("UTF-8")}
}

func email(to ...string) *sesv2.SendEmailInput {
	return &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(`"The Shop" <shop@example.com>`),
		Destination:      &types.Destination{ToAddresses: to},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: text("봄 세일"),
			Body:    &types.Body{Html: text("<p>Hello 안녕</p>"), Text: text("Hello 안녕")},
		}},
		EmailTags: []types.MessageTag{{Name: aws.String("campaign"), Value: aws.String("spring-sale")}},
	}
}

func (a *account) send(t testing.TB, input *sesv2.SendEmailInput) string {
	t.Helper()
	output, err := a.client.SendEmail(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	return *output.MessageId
}

// sendError sends and returns the error that the SDK made of the answer.
func (a *account) sendError(t *testing.T, input *sesv2.SendEmailInput) smithy.APIError {
	t.Helper()
	_, err := a.client.SendEmail(t.Context(), input)
	var apiError smithy.APIError
	if !errors.As(err, &apiError) {
		t.Fatalf("got %v, want an answer of SES", err)
	}
	return apiError
}

func (a *account) get(t testing.TB, path string) []byte {
	t.Helper()
	response, err := http.Get(a.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d %s %v", path, response.StatusCode, body, err)
	}
	return body
}

func (a *account) entries(t testing.TB) []ses.Entry {
	t.Helper()
	var entries []ses.Entry
	lines := bufio.NewScanner(bytes.NewReader(a.get(t, "/_mailbox.jsonl")))
	for lines.Scan() {
		var entry ses.Entry
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		entries = append(entries, entry)
	}
	return entries
}

func TestAnAcceptedMessageIsInTheMailbox(t *testing.T) {
	now := newClock()
	a := start(t, ses.Config{Clock: now.Now})
	input := email("anna@example.org")
	input.Destination.CcAddresses = []string{"cc@example.org"}
	input.ReplyToAddresses = []string{"reply@example.com"}
	input.ConfigurationSetName = aws.String("events")
	input.Content.Simple.Headers = []types.MessageHeader{{Name: aws.String("List-Unsubscribe"), Value: aws.String("<https://example.com/u>")}}
	input.Content.Simple.Attachments = []types.Attachment{{FileName: aws.String("a.pdf"), RawContent: []byte("%PDF\x00\xff"), ContentType: aws.String("application/pdf")}}
	id := a.send(t, input)
	now.Advance(time.Second)
	second := a.send(t, email("ben@example.org"))

	entries := a.entries(t)
	if len(entries) != 2 || entries[0].MessageID != id || entries[1].MessageID != second || a.Accepted() != 2 {
		t.Fatalf("mailbox is %+v", entries)
	}
	first := entries[0]
	if first.To[0] != "anna@example.org" || first.Subject != "봄 세일" || first.Tags["campaign"] != "spring-sale" ||
		first.From != `"The Shop" <shop@example.com>` || !first.Time.Equal(newClock().Now()) || first.ConfigurationSet != "events" {
		t.Errorf("first entry is %+v", first)
	}

	var message ses.Message
	if err := json.Unmarshal(a.get(t, "/_mailbox/"+id), &message); err != nil {
		t.Fatal(err)
	}
	if message.HTML != "<p>Hello 안녕</p>" || message.Text != "Hello 안녕" || message.ReplyTo[0] != "reply@example.com" ||
		message.Headers[0].Name != "List-Unsubscribe" || string(message.Attachments[0].Content) != "%PDF\x00\xff" || message.MessageID != id {
		t.Errorf("message is %+v", message)
	}
	if got := string(a.get(t, "/_mailbox")); got != `{"messages":2,"recipients":3}`+"\n" {
		t.Errorf("summary is %s", got)
	}
}

func TestARawMessageIsReadFromItsHeaders(t *testing.T) {
	a := start(t, ses.Config{})
	raw := "From: shop@example.com\r\nTo: Anna <anna@example.org>\r\nCc: b@example.org\r\nSubject: =?UTF-8?B?67SE?=\r\n\r\nHello\r\n"
	id := a.send(t, &sesv2.SendEmailInput{Content: &types.EmailContent{Raw: &types.RawMessage{Data: []byte(raw)}}})
	var message ses.Message
	if err := json.Unmarshal(a.get(t, "/_mailbox/"+id), &message); err != nil {
		t.Fatal(err)
	}
	if message.Raw != raw || message.Subject != "봄" || message.To[0] != "anna@example.org" || message.Cc[0] != "b@example.org" || message.From != "shop@example.com" {
		t.Errorf("message is %+v", message)
	}
}

func TestTextWithoutACharacterSetLosesWhatIsNotASCII(t *testing.T) {
	a := start(t, ses.Config{})
	input := email("anna@example.org")
	input.Content.Simple.Subject.Charset = nil
	a.send(t, input)
	if got := a.entries(t)[0].Subject; got != "? ??" {
		t.Errorf("subject is %q", got)
	}
}

func TestAnUnknownMessageIsNotFound(t *testing.T) {
	a := start(t, ses.Config{})
	id := a.send(t, email("anna@example.org"))
	// The second id points into the middle of the first message.
	for _, id := range []string{"nonsense", strings.Replace(id, "000000000000-000000", "000000000010-000000", 1), id[:len(id)-20] + "0fffffffffff-000000"} {
		response, err := http.Get(a.url + "/_mailbox/" + id)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", id, response.StatusCode)
		}
	}
}

func TestAMailboxIsContinued(t *testing.T) {
	now := newClock()
	config := ses.Config{Directory: t.TempDir(), Clock: now.Now, Max24HourSend: 3}
	before := start(t, config)
	id := before.send(t, email("a@example.org", "b@example.org"))
	before.Close()

	after := start(t, config)
	after.send(t, email("c@example.org"))
	if entries := after.entries(t); len(entries) != 2 || entries[0].MessageID != id {
		t.Fatalf("mailbox is %+v", entries)
	}
	after.get(t, "/_mailbox/"+id)
	if e := after.sendError(t, email("d@example.org")); e.ErrorMessage() != ses.ErrDailyQuota.Message {
		t.Errorf("got %v: what was sent before counts for the quota", e)
	}
}

func TestConcurrentSendersGetOneLineEach(t *testing.T) {
	a := start(t, ses.Config{MaxSendRate: 1e6, Max24HourSend: -1})
	const senders, each = 8, 25
	var group sync.WaitGroup
	var ids sync.Map
	for range senders {
		group.Go(func() {
			for range each {
				output, err := a.client.SendEmail(context.WithoutCancel(t.Context()), email("anna@example.org"))
				if err != nil {
					t.Error(err)
					return
				}
				ids.Store(*output.MessageId, true)
			}
		})
	}
	group.Wait()
	entries := a.entries(t)
	if len(entries) != senders*each {
		t.Fatalf("%d entries", len(entries))
	}
	for i, entry := range entries {
		if _, ok := ids.LoadAndDelete(entry.MessageID); !ok {
			t.Errorf("entry %d has an id that nobody was given, or twice: %s", i, entry.MessageID)
		}
		if i > 0 && entry.Time.Before(entries[i-1].Time) {
			t.Errorf("entry %d is older than the one before it", i)
		}
	}
}
