package endtoend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/miekg/dns"

	"fanmail/cmd/fanmail/internal/doctor"
	"fanmail/examples"
	"fanmail/local"
	"fanmail/local/ses"
)

// ward is a local runtime with the DNS of its sender, and in front of it what of AWS the runtime can't make ill.
type ward struct {
	*local.Runtime
	t         *testing.T
	dns       *zone
	aws       *front
	folder    string
	variables map[string]string
}

func newWard(t *testing.T) *ward {
	t.Helper()
	t.Setenv("DATABASE_URL", "") // one test fills the server with sessions
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	runtime, err := local.Start(ctx, local.Options{LambdaBinaries: binaries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runtime.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &ward{Runtime: runtime, t: t, dns: serveDNS(t), aws: newFront(t, runtime.Endpoint()), folder: filepath.Join(t.TempDir(), "spring-sale")}
	if err := os.CopyFS(w.folder, examples.SpringSale()); err != nil {
		t.Fatal(err)
	}
	w.variables = map[string]string{}
	for _, v := range runtime.Environment() {
		w.variables[v.Name] = v.Value
	}
	w.variables["AWS_ENDPOINT_URL"] = w.aws.url
	w.settings(func(s *ses.Settings) {
		s.Identities = []ses.Identity{{Name: "example.com", Verified: true, MailFrom: "bounce.example.com"}}
	})
	for _, token := range ses.Tokens("example.com") {
		w.dns.add(token+"._domainkey.example.com", "CNAME", token+".dkim.amazonses.com")
	}
	w.dns.add("bounce.example.com", "TXT", `"v=spf1 include:amazonses.com ~all"`)
	w.dns.add("_dmarc.example.com", "TXT", `"v=DMARC1; p=reject"`)
	return w
}

// settings changes the SES account.
func (w *ward) settings(change func(*ses.Settings)) {
	w.t.Helper()
	if _, err := w.SES().Change(func(s *ses.Settings) error { change(s); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// execute runs statements as the administrator of the database.
func (w *ward) execute(statements ...string) {
	w.t.Helper()
	admin := w.connect()
	defer func() { _ = admin.Close(w.t.Context()) }()
	for _, statement := range statements {
		if _, err := admin.Exec(w.t.Context(), statement); err != nil {
			w.t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (w *ward) connect() *pgx.Conn {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.DatabaseURL())
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// fanmail runs a command line and returns what it prints.
func (w *ward) fanmail(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	command := exec.CommandContext(w.t.Context(), fanmail, args...)
	command.Env = []string{"HOME=" + w.t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}
	for name, value := range w.variables {
		command.Env = append(command.Env, name+"="+value)
	}
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		w.t.Fatal(err)
	} else if ok {
		code = exit.ExitCode()
	}
	return out.String(), problems.String(), code
}

// doctor examines the folder and returns the results by the names of the checks.
func (w *ward) doctor(wait string) (map[string]doctor.Result, doctor.Report) {
	w.t.Helper()
	stdout, stderr, code := w.fanmail("doctor", w.folder, "--json", "--dns", w.dns.address, "--wait", wait)
	var report doctor.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		w.t.Fatalf("%v in %s%s", err, stdout, stderr)
	}
	if (code == 1) != (report.Failed > 0) {
		w.t.Errorf("exit code %d after %d failed checks: %s", code, report.Failed, stderr)
	}
	results := map[string]doctor.Result{}
	for _, r := range report.Checks {
		results[r.Name] = r
	}
	return results, report
}

// front stands before the runtime's endpoint.
type front struct {
	url string
	mu  sync.Mutex
	// deny is the path of calls that are not allowed; late is by how much AWS's clock is ahead.
	deny string
	late time.Duration
	// noCredentials makes STS refuse; unreserved is an account of 100 executions of which no function reserves any.
	noCredentials, unreserved bool
}

func newFront(t *testing.T, endpoint string) *front {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		deny, late, noCredentials, unreserved := f.deny, f.late, f.noCredentials, f.unreserved
		f.mu.Unlock()
		w.Header().Set("Date", time.Now().Add(late).UTC().Format(http.TimeFormat))
		switch {
		case deny != "" && strings.HasPrefix(r.URL.Path, deny):
			w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message":"User: arn:aws:iam::000000000000:user/me is not authorized to perform this"}`)
		case r.Method == http.MethodPost && r.URL.Path == "/" && r.Header.Get("X-Amz-Target") == "" && noCredentials:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>`)
		case strings.HasSuffix(r.URL.Path, "/account-settings") && unreserved:
			fmt.Fprint(w, `{"AccountLimit":{"ConcurrentExecutions":100,"UnreservedConcurrentExecutions":100}}`)
		case strings.HasSuffix(r.URL.Path, "/concurrency") && unreserved:
			fmt.Fprint(w, `{}`)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	proxy.ModifyResponse = func(answer *http.Response) error { answer.Header.Del("Date"); return nil }
	f.url = server.URL
	return f
}

func (f *front) change(change func(*front)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// zone is a DNS server on loopback.
type zone struct {
	address string
	mu      sync.Mutex
	records map[string][]dns.RR
}

func serveDNS(t *testing.T) *zone {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{address: conn.LocalAddr().String(), records: map[string][]dns.RR{}}
	server := &dns.Server{PacketConn: conn, Handler: z}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return z
}

// add adds a record, and to the name of a CNAME a key.
func (z *zone) add(name, kind, value string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, text := range []string{
		fmt.Sprintf("%s. 60 IN %s %s", name, kind, dot(kind, value)),
		fmt.Sprintf("%s. 60 IN TXT \"p=MIGfMA0GCSq\"", strings.Trim(value, `"`)),
	} {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		z.records[rr.Header().Name] = append(z.records[rr.Header().Name], rr)
		if kind != "CNAME" {
			return
		}
	}
}

func dot(kind, value string) string {
	if kind == "TXT" {
		return value
	}
	return value + "."
}

func (z *zone) remove(name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.records, name+".")
}

func (z *zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	answer := new(dns.Msg)
	answer.SetReply(question)
	answer.Rcode = dns.RcodeNameError
	for name := strings.ToLower(question.Question[0].Name); name != ""; {
		next := ""
		for _, rr := range z.records[name] {
			answer.Rcode = dns.RcodeSuccess
			alias, isAlias := rr.(*dns.CNAME)
			if isAlias {
				next = alias.Target
			}
			if isAlias || rr.Header().Rrtype == question.Question[0].Qtype {
				answer.Answer = append(answer.Answer, rr)
			}
		}
		name = next
	}
	_ = w.WriteMsg(answer)
}
