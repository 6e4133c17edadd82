package cloud

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

const migratePath = "POST /2015-03-31/functions/m/invocations"

var migrateEnv = map[string]string{"FANMAIL_MIGRATE_FUNCTION": "m"}

func TestMigrateReadsTheAnswerOfTheFunction(t *testing.T) {
	aws := &fake{answers: map[string][]reply{migratePath: {{200, "", `{"applied":["1_a","2_b"],"statements":["alter role x"],"reason":"r","warning":"w"}`}}}}
	got, err := opened(t, aws, deployments.Choice{}, migrateEnv).Migrate(t.Context())
	want := workflow.MigrateOutput{Applied: []string{"1_a", "2_b"}, Statements: []string{"alter role x"}, Reason: "r", Warning: "w"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestAMigrationThatIsRefusedIsOneLine(t *testing.T) {
	aws := &fake{answers: map[string][]reply{migratePath: {{429, "TooManyRequestsException", `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}`}}}}
	_, err := opened(t, aws, deployments.Choice{}, migrateEnv).Migrate(t.Context())
	wantError(t, err, "migrating by the function m: TooManyRequestsException: Rate Exceeded.: another one may be at work: run it again in a minute")
	if len(aws.asked) != 1 {
		t.Errorf("asked %q", aws.asked)
	}
}

// TestAnInvocationUnderWayIsNotRepeated loses the answer of an invocation, which the SDK's own retries would make a
// second time.
func TestAnInvocationUnderWayIsNotRepeated(t *testing.T) {
	var invoked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		invoked.Add(1)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.(*net.TCPConn).SetLinger(0) // a reset, as from a router that has forgotten the connection
		conn.Close()
	}))
	t.Cleanup(server.Close)
	isolate(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "4")
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	c, err := Open(t.Context(), deployments.Choice{}, func(name string) string { return migrateEnv[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Migrate(t.Context())
	wantError(t, err, "migrating by the function m: its answer was lost")
	if n := invoked.Load(); n != 1 {
		t.Errorf("it was invoked %d times", n)
	}
}

func TestMigrateWaitsLongerThanItsFunctionMayTake(t *testing.T) {
	patience, err := migratePatience()
	if err != nil {
		t.Fatal(err)
	}
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	if f := deployment.Find(functions, deployment.MigrateKey); f.Timeout == 0 || f.Timeout >= patience {
		t.Errorf("it waits %v for a function of %v", patience, f.Timeout)
	}
}
