package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanmail/shared/deployment"
)

// at is the clients at a server that answers every call in the same way.
func at(t *testing.T, answer http.HandlerFunc) *Cloud {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c := OpenLocal(map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
		deployment.ControlFunction.Variable: "control",
	})
	// A stage that is given needs no stack, whose API speaks another protocol.
	c.choice.Stage.Value = "prod"
	return c
}

func TestAWSTellsItsTimeEvenWhereItRefuses(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		for _, ahead := range []time.Duration{0, 10 * time.Minute, -time.Hour} {
			c := at(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
				w.WriteHeader(status)
				if status == http.StatusOK {
					fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
				} else {
					fmt.Fprint(w, `<ErrorResponse><Error><Code>ExpiredToken</Code><Message>it has expired</Message></Error></ErrorResponse>`)
				}
			})
			caller, err := c.Caller(t.Context())
			// A Date is cut to the second, and the machine may be busy.
			if off := caller.Skew - ahead; !caller.Answered || off.Abs() > 20*time.Second {
				t.Errorf("status %d, AWS %s ahead: %+v", status, ahead, caller)
			}
			if refusal, ok := errors.AsType[*Refusal](err); (status == http.StatusOK) != (err == nil) || !ok && err != nil || ok && refusal.Denied() {
				t.Errorf("status %d: %v", status, err)
			}
			if (caller.ARN == "arn:me") != (err == nil) {
				t.Errorf("status %d: %+v", status, caller)
			}
		}
	}
}

func TestACallThatIsNotAllowedIsARefusal(t *testing.T) {
	c := at(t, func(w http.ResponseWriter, r *http.Request) {
		code := "AccessDeniedException"
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"__type":"%s","message":"you may not"}`, code)
	})
	_, account := c.Account(t.Context())
	_, identity := c.EmailIdentity(t.Context(), "example.com")
	_, set := c.ConfigurationSet(t.Context(), "ours")
	_, destinations := c.EventDestinations(t.Context(), "ours")
	_, queue := c.Queue(t.Context(), "http://queue")
	_, concurrency := c.Concurrency(t.Context(), nil)
	_, control := c.Status(t.Context(), "spring-sale")
	for what, err := range map[string]error{
		"account": account, "identity": identity, "set": set, "destinations": destinations, "queue": queue, "concurrency": concurrency, "control": control,
	} {
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || !refusal.Denied() || !strings.Contains(err.Error(), ": AccessDeniedException: you may not") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAnAccountThatTellsNoConcurrencyIsAnError(t *testing.T) {
	c := at(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"AccountLimit":{"ConcurrentExecutions":1000}}`)
	})
	if _, err := c.Concurrency(t.Context(), nil); err == nil {
		t.Error("what is not told is taken for nothing")
	}
}
