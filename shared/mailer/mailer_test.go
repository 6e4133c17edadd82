package mailer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/google/uuid"
)

// chunkOf is n recipients to be mailed at once.
func chunkOf(n int) Chunk {
	chunk := Chunk{ID: uuid.New(), Claim: uuid.New(), Start: time.Now(), LastStart: time.Now().Add(time.Minute)}
	for i := range n {
		address := fmt.Sprintf("r%d@example.com", i+1)
		chunk.Recipients = append(chunk.Recipients, Recipient{Seq: int64(i + 1), Address: address, Fields: map[string]string{"email": address, "name": "Ann"}})
	}
	return chunk
}

func TestTheMessageThatSESGets(t *testing.T) {
	var got struct {
		FromEmailAddress string
		Destination      struct{ ToAddresses []string }
		Content          struct {
			Simple struct {
				Subject struct{ Data, Charset string }
				Body    struct {
					Text, Html *struct{ Data, Charset string }
				}
			}
		}
		EmailTags []struct{ Name, Value string }
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprint(w, `{"MessageId": "m1"}`)
	}))
	defer server.Close()
	chunk := chunkOf(1)
	outcomes := newMailer(t, server.URL).Send(context.Background(), chunk)
	if outcomes[0] != (Outcome{Kind: Accepted, MessageID: "m1"}) {
		t.Fatalf("outcome %+v", outcomes[0])
	}
	tags := map[string]string{}
	for _, tag := range got.EmailTags {
		tags[tag.Name] = tag.Value
	}
	for name, want := range map[string]string{TagCampaign: "spring-sale", TagID: chunk.ID.String(), TagSeq: "1", TagClaim: chunk.Claim.String(), "season": "spring"} {
		if tags[name] != want {
			t.Errorf("tag %s is %q, want %q", name, tags[name], want)
		}
	}
	if got.FromEmailAddress != "shop@example.com" || strings.Join(got.Destination.ToAddresses, ",") != "r1@example.com" {
		t.Errorf("from %s to %v", got.FromEmailAddress, got.Destination.ToAddresses)
	}
	if s := got.Content.Simple; s.Subject.Data != "Hello Ann" || s.Body.Text.Data != "Hello Ann" || s.Body.Html != nil || s.Subject.Charset != "UTF-8" {
		t.Errorf("content %+v", s)
	}
}

func TestOutcomesStandInTheOrderOfTheRecipients(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Destination struct{ ToAddresses []string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, `{"MessageId": %q}`, in.Destination.ToAddresses[0])
	}))
	defer server.Close()
	chunk := chunkOf(50)
	for i, outcome := range newMailer(t, server.URL).Send(context.Background(), chunk) {
		if outcome.MessageID != chunk.Recipients[i].Address {
			t.Errorf("recipient %d has the outcome of %s", i, outcome.MessageID)
		}
	}
}

func TestAMessageThatCannotBeRenderedIsNotSent(t *testing.T) {
	m := newMailer(t, "http://127.0.0.1:1")
	chunk := chunkOf(1)
	delete(chunk.Recipients[0].Fields, "name")
	if got := m.Send(context.Background(), chunk)[0]; got.Kind != Refused || !strings.Contains(got.Reason, "name") {
		t.Errorf("outcome %+v, want refused because of the field name", got)
	}
}

// sesFunc is an in-process SES, for tests that need a fake clock.
type sesFunc func() (*sesv2.SendEmailOutput, error)

func (f sesFunc) SendEmail(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error) {
	return f()
}

func TestAfterStopNothingMoreIsSent(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls++
		mu.Unlock()
		answer(400, "AccountSuspendedException", "suspended")(w, r)
	}))
	defer server.Close()
	stopped := 0
	for _, outcome := range newMailer(t, server.URL).Send(context.Background(), chunkOf(200)) {
		if outcome.Kind == Stop {
			stopped++
		} else if outcome.Kind != NotAccepted {
			t.Errorf("outcome %+v", outcome)
		}
	}
	if stopped == 0 || stopped != calls || calls > 100 {
		t.Errorf("%d calls, %d of them stopped the campaign", calls, stopped)
	}
}
