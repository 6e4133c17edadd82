package mailer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"fanmail/local/ses"
)

func TestARefusedConnectionIsNotAccepted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	_ = listener.Close()
	if got := sendOne(t, newMailer(t, endpoint)); got.Kind != NotAccepted || !strings.Contains(got.Reason, "refused") {
		t.Errorf("outcome %+v, want not accepted", got)
	}
}

func TestAFailedHandshakeIsNotAccepted(t *testing.T) {
	a := startSES(t, ses.Config{})
	endpoint := "https" + strings.TrimPrefix(a.url, "http")
	if got := sendOne(t, newMailer(t, endpoint)); got.Kind != NotAccepted || a.calls.Load() != 0 {
		t.Errorf("outcome %+v after %d calls, want not accepted after none", got, a.calls.Load())
	}
}

// TestAConnectionThatIsResetProvesNothingOnceTheRequestMayHaveBeenWritten: during TLS's handshake nothing of it can have been;
// afterwards it is not to be seen from here how much of it was read.
func TestAConnectionThatIsResetProvesNothingOnceTheRequestMayHaveBeenWritten(t *testing.T) {
	for scheme, want := range map[string]Kind{"https": NotAccepted, "http": Unknown} {
		t.Run(scheme, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var connections atomic.Int64
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					connections.Add(1)
					_, _ = conn.Read(make([]byte, 1))
					_ = conn.(*net.TCPConn).SetLinger(0)
					_ = conn.Close()
				}
			}()
			got := sendOne(t, newMailer(t, scheme+"://"+listener.Addr().String()))
			_ = listener.Close()
			<-ended
			if got.Kind != want || connections.Load() != 1 {
				t.Errorf("outcome %+v after %d connections, want %s after one", got, connections.Load(), want)
			}
		})
	}
}

func TestAnIdleConnectionThatTheServerClosedIsReplacedOrProvesThatNothingWasSent(t *testing.T) {
	a := startSES(t, ses.Config{MaxSendRate: 100})
	server := httptest.NewServer(a.Service)
	defer server.Close()
	m := newMailer(t, server.URL)
	sendOne(t, m)
	server.CloseClientConnections()
	got := sendOne(t, m)
	if accepted := got.Kind == Accepted; accepted != (a.Accepted() == 2) && got.Kind != Unknown {
		t.Errorf("outcome %+v, %d accepted", got, a.Accepted())
	}
}

func TestAnAnswerAfterTheTimeoutIsUnknown(t *testing.T) {
	for name, fault := range map[string]ses.Fault{
		"before acceptance": {Delay: time.Hour},
		"after acceptance":  {AnswerDelay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startSES(t, ses.Config{MaxSendRate: 100})
			m := newMailerOf(t, sender(a.url, 500*time.Millisecond))
			if got := sendOne(t, m); got.Kind != Accepted { // and opens the connection
				t.Fatalf("outcome %+v", got)
			}
			a.SetFault(func(*ses.Request) ses.Fault { return fault })
			if got := sendOne(t, m); got.Kind != Unknown || got.Reason != "no answer from SES in time" {
				t.Errorf("outcome %+v, want unknown", got)
			}
			if got := a.calls.Load(); got != 2 {
				t.Errorf("%d calls, want 2", got)
			}
		})
	}
}

// cancelled is a client whose calls can be cancelled, which the Mailer itself never does.
type cancelled struct {
	client SES
	change func(context.Context) context.Context
}

func (c cancelled) SendEmail(ctx context.Context, in *sesv2.SendEmailInput, options ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error) {
	return c.client.SendEmail(c.change(ctx), in, options...)
}

func TestACallThatIsCancelledBeforeItBeginsIsNotAccepted(t *testing.T) {
	a := startSES(t, ses.Config{})
	m := newMailerOf(t, cancelled{sender(a.url, time.Minute), func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}})
	if got := sendOne(t, m); got.Kind != NotAccepted || a.calls.Load() != 0 {
		t.Errorf("outcome %+v after %d calls, want not accepted after none", got, a.calls.Load())
	}
}

func TestACallThatIsCancelledUnderWayIsUnknown(t *testing.T) {
	for name, hook := range map[string]func(*ses.Fault, func()){
		"before acceptance": func(f *ses.Fault, stop func()) { f.BeforeDecision = stop },
		"after acceptance":  func(f *ses.Fault, stop func()) { f.BeforeAnswer = stop },
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			var cancel context.CancelFunc
			a := startSES(t, ses.Config{Fault: func(*ses.Request) (fault ses.Fault) {
				hook(&fault, func() {
					cancel()
					<-gone
				})
				return fault
			}})
			m := newMailerOf(t, cancelled{sender(a.url, time.Minute), func(ctx context.Context) context.Context {
				ctx, cancel = context.WithCancel(ctx)
				return ctx
			}})
			got := sendOne(t, m)
			close(gone)
			if got.Kind != Unknown || a.calls.Load() != 1 {
				t.Errorf("outcome %+v after %d calls, want unknown after one", got, a.calls.Load())
			}
		})
	}
}

func TestTheEndOfTheInvocationCancelsNoCallUnderWayAndStartsNoOther(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	a := startSES(t, ses.Config{MaxSendRate: 100, Fault: func(*ses.Request) ses.Fault { return ses.Fault{BeforeDecision: cancel} }})
	chunk := chunkOf(2)
	chunk.Spacing, chunk.LastStart = time.Hour, chunk.Start.Add(2*time.Hour)
	got := newMailer(t, a.url).Send(ctx, chunk)
	if got[0].Kind != Accepted || got[1].Kind != NotAccepted || a.calls.Load() != 1 || a.Accepted() != 1 {
		t.Errorf("outcomes %+v after %d calls, want the first accepted and the second not", got, a.calls.Load())
	}
	if again := newMailer(t, a.url).Send(ctx, chunkOf(1)); again[0].Kind != NotAccepted || a.calls.Load() != 1 {
		t.Errorf("outcomes %+v after %d calls: the invocation had ended", again, a.calls.Load())
	}
}

func TestCallsThatCannotBeMadeAreNotAccepted(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, fmt.Errorf("no credentials here")
	})}
	m := newMailerOf(t, sesv2.NewFromConfig(config))
	if got := sendOne(t, m); got.Kind != NotAccepted || !strings.Contains(got.Reason, "no credentials here") || calls.Load() != 0 {
		t.Errorf("without credentials: outcome %+v", got)
	}
}

// headless is a client that takes away what the SDK wants to have.
type headless struct{ client SES }

func (h headless) SendEmail(ctx context.Context, in *sesv2.SendEmailInput, options ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error) {
	in.Content.Simple.Subject = nil
	return h.client.SendEmail(ctx, in, options...)
}

func TestAMessageThatTheSDKRefusesIsRefused(t *testing.T) {
	a := startSES(t, ses.Config{})
	if got := sendOne(t, newMailerOf(t, headless{sender(a.url, time.Minute)})); got.Kind != Refused || a.calls.Load() != 0 {
		t.Errorf("outcome %+v after %d calls, want refused after none", got, a.calls.Load())
	}
}
