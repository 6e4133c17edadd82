package endtoend

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"

	"fanmail/cmd/fanmail/internal/doctor"
	"fanmail/local"
	"fanmail/local/faults"
	"fanmail/local/ses"
	"fanmail/shared/deployment"
)

// illness is a way to make one check fail. treat follows the check's advice.
type illness struct {
	check string
	// name is for the second illness of a check.
	name   string
	infect func(*ward)
	// advice is in one of the next steps.
	advice string
	treat  func(w *ward, next []string)
	// wait is for checks that need a message to be sent.
	wait string
}

// set gives the account one configuration set.
func set(change func(*ses.ConfigurationSet)) func(*ward) {
	return func(w *ward) {
		all := ses.ConfigurationSet{Name: "fanmail-local", SendingEnabled: true, Destinations: []ses.EventDestination{{
			Name: "ledger", Enabled: true, Topic: "arn:aws:sns:us-east-1:000000000000:fanmail-local-events",
			Types: []string{"SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT", "OPEN", "CLICK", "RENDERING_FAILURE", "DELIVERY_DELAY", "SUBSCRIPTION"},
		}}}
		change(&all)
		w.settings(func(s *ses.Settings) { s.ConfigurationSets = []ses.ConfigurationSet{all} })
	}
}

// settings makes a change of the SES account an infection or a treatment.
func settings(change func(*ses.Settings)) func(*ward) {
	return func(w *ward) { w.settings(change) }
}

// always is a treatment that does not look at the words of the advice.
func always(treat func(*ward)) func(*ward, []string) {
	return func(w *ward, _ []string) { treat(w) }
}

func awsFront(change func(*front)) func(*ward) { return func(w *ward) { w.aws.change(change) } }

func sql(statements ...string) func(*ward) { return func(w *ward) { w.execute(statements...) } }

// migrate invokes the function, as fanmail migrate does.
func migrate(w *ward, _ []string) {
	out, err := lambda.NewFromConfig(local.ClientConfig(w.Endpoint())).Invoke(w.t.Context(), &lambda.InvokeInput{FunctionName: aws.String("fanmail-local-migrate")})
	if err != nil || out.FunctionError != nil {
		w.t.Fatalf("%v %s", err, out.Payload)
	}
}

var dnsRecord = regexp.MustCompile(`^add to DNS: (\S+) (CNAME|TXT|MX) (.+)$`)

// addRecords does to the DNS what the advice says.
func addRecords(w *ward, next []string) {
	for _, step := range next {
		if found := dnsRecord.FindStringSubmatch(step); found != nil && found[2] != "MX" {
			w.dns.add(found[1], found[2], found[3])
		}
	}
}

// destine does what the advice's aws command would do.
func destine(w *ward, next []string) {
	last := next[len(next)-1]
	_, argument, _ := strings.Cut(last, "--event-destination '")
	var d struct {
		Enabled            bool
		MatchingEventTypes []string
		SnsDestination     struct{ TopicArn string }
	}
	if err := json.Unmarshal([]byte(strings.TrimSuffix(argument, "'")), &d); err != nil {
		w.t.Fatalf("%v in %s", err, last)
	}
	set(func(c *ses.ConfigurationSet) {
		c.Destinations = []ses.EventDestination{{Name: "ledger", Enabled: d.Enabled, Types: d.MatchingEventTypes, Topic: d.SnsDestination.TopicArn}}
	})(w)
}

func deadLetter(queue deployment.Output) func(*ward) {
	return func(w *ward) {
		_, err := sqs.NewFromConfig(local.ClientConfig(w.Endpoint())).SendMessage(w.t.Context(), &sqs.SendMessageInput{
			QueueUrl:    aws.String(w.variables[queue.Variable]),
			MessageBody: aws.String(`{"eventType":"Send","mail":{"tags":{}}}`),
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func illnesses() []illness {
	var crowd []*pgx.Conn
	function := ""
	queue := ""
	return []illness{
		{
			check: "folder", advice: "fanmail check ",
			infect: func(w *ward) {
				if err := os.WriteFile(filepath.Join(w.folder, "mail.txt"), []byte("Dear {{.nobody}}"), 0o644); err != nil {
					w.t.Fatal(err)
				}
			},
			treat: func(w *ward, next []string) {
				if _, stderr, code := w.fanmail(strings.Fields(next[0])[1:]...); code != 1 || !strings.Contains(stderr, "mail.txt:1") {
					w.t.Errorf("%s ends with %d: %s", next[0], code, stderr)
				}
				if err := os.WriteFile(filepath.Join(w.folder, "mail.txt"), []byte("Dear {{.name}}"), 0o644); err != nil {
					w.t.Fatal(err)
				}
			},
		},
		{
			check: "deployment", advice: "name the deployment",
			infect: func(w *ward) {
				function = w.variables["FANMAIL_CONTROL_FUNCTION"]
				delete(w.variables, "FANMAIL_CONTROL_FUNCTION")
				w.variables["FANMAIL_STAGE"] = "prod"
			},
			treat: always(func(w *ward) {
				w.variables["FANMAIL_CONTROL_FUNCTION"] = function
				delete(w.variables, "FANMAIL_STAGE")
			}),
		},
		{
			check: "credentials", advice: "log in again",
			infect: awsFront(func(f *front) { f.noCredentials = true }), treat: always(awsFront(func(f *front) { f.noCredentials = false })),
		},
		{
			check: "clock", advice: "set it by the network",
			infect: awsFront(func(f *front) { f.late = time.Hour }), treat: always(awsFront(func(f *front) { f.late = 0 })),
		},
		{
			check: "concurrency", advice: "reservedConcurrency=functions",
			infect: awsFront(func(f *front) { f.unreserved = true }), treat: always(awsFront(func(f *front) { f.unreserved = false })),
		},
		{
			check: "database", advice: "correct what the line names",
			infect: sql("alter role fanmail nologin", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'fanmail'"),
			treat:  always(sql("alter role fanmail login")),
		},
		{
			check: "schema", advice: "fanmail migrate",
			infect: sql("drop table fanmail.proof", "delete from fanmail.migration where name = (select max(name) from fanmail.migration)"), treat: migrate,
		},
		{check: "schema", name: "dropped", advice: "fanmail migrate", infect: sql("drop schema fanmail cascade"), treat: migrate},
		{check: "role-limit", advice: "fanmail migrate", infect: sql("alter role fanmail connection limit 3"), treat: migrate},
		{check: "role-settings", advice: "fanmail migrate", infect: sql("alter role fanmail reset idle_session_timeout"), treat: migrate},
		{
			check: "connections", advice: "end sessions of others",
			infect: func(w *ward) {
				for range 85 {
					crowd = append(crowd, w.connect())
				}
			},
			treat: always(func(w *ward) {
				for _, conn := range crowd {
					_ = conn.Close(w.t.Context())
				}
			}),
		},
		{
			check: "ledger-clock", advice: "set the clock of the PostgreSQL server",
			infect: sql("create or replace function fanmail.clock() returns timestamptz language sql volatile as $$select clock_timestamp() + interval '25 hours'$$"),
			treat:  always(sql("create or replace function fanmail.clock() returns timestamptz language sql volatile as $$select clock_timestamp()$$")),
		},
		{
			check: "ses", advice: "allow you ses:GetAccount",
			infect: awsFront(func(f *front) { f.deny = "/v2/email/account" }), treat: always(awsFront(func(f *front) { f.deny = "" })),
		},
		{
			check: "sandbox", advice: "put-account-details --production-access-enabled",
			infect: settings(func(s *ses.Settings) { s.ProductionAccessEnabled = false }),
			treat:  always(settings(func(s *ses.Settings) { s.ProductionAccessEnabled = true })),
		},
		{
			check: "sending", advice: "put-account-sending-attributes --sending-enabled",
			infect: settings(func(s *ses.Settings) { s.SendingEnabled = false }), treat: always(settings(func(s *ses.Settings) { s.SendingEnabled = true })),
		},
		{
			check: "sending", name: "shut down", advice: "AWS Support Center",
			infect: settings(func(s *ses.Settings) { s.EnforcementStatus = "SHUTDOWN" }),
			treat:  always(settings(func(s *ses.Settings) { s.EnforcementStatus = "HEALTHY" })),
		},
		{
			check: "quota", advice: "ask for more",
			infect: settings(func(s *ses.Settings) { s.Max24HourSend = 0 }), treat: always(settings(func(s *ses.Settings) { s.Max24HourSend = 50_000 })),
		},
		{
			check: "identity", advice: "add to DNS: ",
			infect: settings(func(s *ses.Settings) {
				s.Identities = []ses.Identity{{Name: "example.com", MailFrom: "bounce.example.com"}}
			}),
			treat: func(w *ward, next []string) {
				addRecords(w, next)
				w.settings(func(s *ses.Settings) {
					s.Identities = []ses.Identity{{Name: "example.com", Verified: true, MailFrom: "bounce.example.com"}}
				})
			},
		},
		{
			check: "dkim", advice: "._domainkey.example.com CNAME ", treat: addRecords,
			infect: func(w *ward) { w.dns.remove(ses.Tokens("example.com")[1] + "._domainkey.example.com") },
		},
		{check: "spf", advice: "add to DNS: bounce.example.com TXT ", treat: addRecords, infect: func(w *ward) { w.dns.remove("bounce.example.com") }},
		{check: "dmarc", advice: "add to DNS: _dmarc.example.com TXT ", treat: addRecords, infect: func(w *ward) { w.dns.remove("_dmarc.example.com") }},
		{
			check: "configuration-set", advice: "put-configuration-set-sending-options",
			infect: set(func(c *ses.ConfigurationSet) { c.SendingEnabled = false }), treat: always(set(func(*ses.ConfigurationSet) {})),
		},
		{
			check: "event-destination", advice: "update-configuration-set-event-destination", treat: destine,
			infect: set(func(c *ses.ConfigurationSet) { c.Destinations[0].Types = []string{"SEND"} }),
		},
		{
			check: "events-queue", advice: "fanmail whoami",
			infect: func(w *ward) {
				queue = w.variables["FANMAIL_EVENTS_QUEUE_URL"]
				w.variables["FANMAIL_EVENTS_QUEUE_URL"] += "-old"
			},
			treat: always(func(w *ward) { w.variables["FANMAIL_EVENTS_QUEUE_URL"] = queue }),
		},
		{
			check: "events-dead-letters", advice: "start-message-move-task --source-arn ",
			infect: deadLetter(deployment.EventsDeadLetterQueue),
			treat: func(w *ward, next []string) {
				_, arguments, _ := strings.Cut(next[len(next)-1], "--source-arn ")
				from, to, _ := strings.Cut(arguments, " --destination-arn ")
				_, err := sqs.NewFromConfig(local.ClientConfig(w.Endpoint())).StartMessageMoveTask(w.t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &from, DestinationArn: &to})
				if err != nil {
					w.t.Fatal(err)
				}
			},
		},
		{
			check: "schedule-dead-letters", advice: "purge-queue --queue-url ",
			infect: deadLetter(deployment.ScheduleDeadLetterQueue),
			treat: func(w *ward, next []string) {
				_, url, _ := strings.Cut(next[len(next)-1], "--queue-url ")
				if _, err := sqs.NewFromConfig(local.ClientConfig(w.Endpoint())).PurgeQueue(w.t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url}); err != nil {
					w.t.Fatal(err)
				}
			},
		},
		{
			check: "events", advice: "list-subscriptions-by-topic", wait: "3s",
			infect: func(w *ward) {
				if err := w.SetFaults(faults.Settings{Events: faults.Events{Lose: 1}}); err != nil {
					w.t.Fatal(err)
				}
			},
			treat: always(func(w *ward) {
				if err := w.SetFaults(faults.Settings{}); err != nil {
					w.t.Fatal(err)
				}
			}),
		},
		{
			check: "events", name: "not written", advice: "aws logs tail /aws/lambda/fanmail-local-events", wait: "3s",
			infect: sql("revoke insert on fanmail.proof from fanmail"), treat: always(sql("grant insert on fanmail.proof to fanmail")),
		},
	}
}

func TestEachCheckFailsOnceAndItsAdviceFollowedLeadsToAPass(t *testing.T) {
	w := newWard(t)
	healthy, report := w.doctor("1m")
	if report.Passed != len(report.Checks) {
		t.Fatalf("a healthy deployment: %+v", report)
	}
	ill := map[string]bool{}
	for _, i := range illnesses() {
		ill[i.check] = true
		t.Run(strings.TrimSpace(i.check+" "+i.name), func(t *testing.T) {
			w := w.of(t)
			wait := "0"
			if i.wait != "" {
				wait = i.wait
			}
			i.infect(w)
			results, _ := w.doctor(wait)
			r := results[i.check]
			if r.Status != doctor.Failed || !strings.Contains(strings.Join(r.Next, "\n"), i.advice) {
				t.Fatalf("%+v, want it failed with the advice %q", r, i.advice)
			}
			i.treat(w, r.Next)
			if wait != "0" {
				wait = "1m"
			}
			results, report := w.doctor(wait)
			if r := results[i.check]; r.Status != doctor.Passed || report.Failed > 0 {
				t.Errorf("after the treatment: %+v", report)
			}
		})
	}
	if missing := slices.DeleteFunc(slices.Sorted(maps.Keys(healthy)), func(name string) bool { return ill[name] }); len(missing) > 0 {
		t.Errorf("nothing makes these checks fail: %v", missing)
	}
}

// of is the ward for a subtest.
func (w *ward) of(t *testing.T) *ward {
	sub := *w
	sub.t = t
	return &sub
}

func TestTheTerminalShowsALineForEachCheckAndTheNextSteps(t *testing.T) {
	w := newWard(t)
	w.settings(func(s *ses.Settings) { s.ProductionAccessEnabled = false })
	stdout, stderr, code := w.fanmail("doctor", "--dns", w.dns.address)
	for _, want := range []string{
		"failed   sandbox               the account is in SES's sandbox: it mails verified addresses and the simulator only\n         next: aws sesv2 put-account-details ",
		"\nskipped  identity, dkim, spf, dmarc no sender is known: name a campaign folder, or --from ADDRESS\n",
		"passed   credentials           arn:aws:iam::000000000000:user/local\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
	if code != 1 || stderr != "fanmail: the check sandbox failed\n" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	stdout, _, _ = w.fanmail("doctor", "--from", "News <news@example.com>", "--dns", "127.0.0.1:1", "--wait", "0")
	if !strings.Contains(stdout, "failed   dkim                  DNS does not answer: ") || !strings.Contains(stdout, "next: run it again, or ask another server: fanmail doctor --dns 1.1.1.1") {
		t.Error(stdout)
	}
	for _, arguments := range []string{"a b", "--from nobody", "--wait -1s", "--wait 2h"} {
		if _, stderr, code := w.fanmail(append([]string{"doctor"}, strings.Fields(arguments)...)...); code != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %s", arguments, code, stderr)
		}
	}
	if _, stderr, code := w.fanmail("doctor", "/nonexistent"); code != 1 || stderr != "fanmail: /nonexistent: no such folder\n" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
