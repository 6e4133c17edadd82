package bounded

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanmail/local"
	"fanmail/local/postgres"
)

// largestStatement is what RDS Proxy takes, in bytes, without pinning the session.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
const largestStatement = 16 << 10

// functions are those that open the database, but for migrate, which runs once per deployment and may pin what it likes.
var functions = []string{"prepare", "plan", "send", "finish", "control"}

func TestNoStatementOfACampaignPinsASessionOfRDSProxy(t *testing.T) {
	t.Parallel()
	d := deploy(t, postgres.Config{}, local.Options{})
	const n = 500
	d.upload(n)
	d.succeed(d.start())
	// Started again, it takes other ways through Prepare and Plan.
	d.succeed(d.start())
	if err := d.status(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.audit(n)
	for _, function := range functions {
		sessions := d.proxy.of("fanmail-" + function)
		if len(sessions) == 0 {
			t.Errorf("%s opened no session: this test saw nothing of it", function)
		}
		statements, largest := 0, 0
		for _, s := range sessions {
			s.mu.Lock()
			if odd := s.pinningMessages(); odd != "" {
				t.Errorf("%s sent messages of the types %q", function, odd)
			}
			// Anything else in the startup message is a SET by another name.
			for parameter := range s.parameters {
				if !slices.Contains([]string{"user", "database", "application_name"}, parameter) {
					t.Errorf("%s sets %s when it connects", function, parameter)
				}
			}
			for _, statement := range s.statements {
				if why := pins(statement); why != "" {
					t.Errorf("%s pins its session (%s): %.300s", function, why, statement)
				}
				largest = max(largest, len(statement))
			}
			statements += len(s.statements)
			s.mu.Unlock()
		}
		t.Logf("%s: %d sessions, %d statements, the largest of %d bytes", function, len(sessions), statements, largest)
	}
}

// pinningMessages are the types of the frontend messages that are neither a simple query, nor part of a login, of COPY (which
// RDS Proxy is not said to pin for), or of the end: the extended protocol's Parse, Bind, Describe and Execute above all.
func (s *session) pinningMessages() (odd string) {
	for _, kind := range slices.Sorted(maps.Keys(s.kinds)) {
		if !strings.ContainsRune("QpdcfX", rune(kind)) {
			odd += string(rune(kind))
		}
	}
	return odd
}

var (
	// literals are strings, quoted names and comments.
	literals       = regexp.MustCompile(`(?s)'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/`)
	pinningCommand = regexp.MustCompile(`(?i)^\s*(set|reset|prepare|execute|deallocate|discard|declare|fetch|listen|unlisten|load|create\s+(local\s+|global\s+)?temp\w*)\b`)
	pinningCall    = regexp.MustCompile(`(?i)\b(set_config|nextval|currval|setval|lastval|pg_(try_)?advisory_\w+|into\s+temp\w*)\b`)
)

// pins says why RDS Proxy would pin the session that runs the statement to one connection, "" when it would not.
func pins(statement string) string {
	if len(statement) > largestStatement {
		return "more than 16 KB"
	}
	bare := literals.ReplaceAllString(statement, "''")
	for command := range strings.SplitSeq(bare, ";") {
		if found := pinningCommand.FindString(command); found != "" {
			return strings.TrimSpace(found)
		}
	}
	return pinningCall.FindString(bare)
}

func TestPinningStatementsAreTold(t *testing.T) {
	for statement, pin := range map[string]bool{
		"update fanmail.campaign set state = 'running'":  false,
		"select 'nextval(1)', \"set\" from t -- ; set x": false,
		"begin":                                 false,
		"insert into t values ('a; set x = 1')": false,
		"copy fanmail.recipient_import (line) from stdin":  false,
		"set statement_timeout = 1":                        true,
		"begin; SET LOCAL lock_timeout = 1":                true,
		"select set_config('a', 'b', true)":                true,
		"select pg_advisory_xact_lock(1)":                  true,
		"select pg_try_advisory_lock(1)":                   true,
		"PREPARE a as select 1":                            true,
		"declare c cursor for select 1":                    true,
		"create temporary table t (a int)":                 true,
		"select * into temp t from u":                      true,
		"insert into t values (nextval('s'))":              true,
		"select '" + strings.Repeat("x", largestStatement): true,
	} {
		if why := pins(statement); (why != "") != pin {
			t.Errorf("%.60s: %q", statement, why)
		}
	}
}
