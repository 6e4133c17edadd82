package endtoend

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"fanmail/local"
	"fanmail/local/faults"
	"fanmail/local/postgres/postgrestest"
)

const deadStarts = "ScheduleDeadLetterQueue"

// executionsSoFar are the ARNs of all executions, oldest first.
func (d *stack) executionsSoFar() (all []string) {
	d.t.Helper()
	out, err := d.executions.ListExecutions(d.t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(d.StateMachineARN())})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range slices.Backward(out.Executions) {
		all = append(all, *e.ExecutionArn)
	}
	return all
}

// awaitExecutions waits until there are so many.
func (d *stack) awaitExecutions(n int) []string {
	d.t.Helper()
	var all []string
	d.await("the executions", func() bool { all = d.executionsSoFar(); return len(all) >= n })
	return all
}

// scheduled are the names of the schedules.
func (d *stack) scheduled() string {
	d.t.Helper()
	var list struct{ Schedules []struct{ Name string } }
	if err := json.Unmarshal([]byte(d.fanmail("schedule", "list", "--json")), &list); err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, s := range list.Schedules {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// keys are the keys of the bucket with a prefix.
func (d *stack) keys(prefix string) (all []string) {
	d.t.Helper()
	out, err := d.objects.ListObjectsV2(d.t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(d.Bucket()), Prefix: &prefix})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, object := range out.Contents {
		all = append(all, *object.Key)
	}
	return all
}

// minute is a moment on the deployment's clock, in a zone, as --at takes it.
func (d *stack) minute(zone *time.Location, after time.Duration) (moment time.Time, text string) {
	moment = d.Now().Add(after).Truncate(time.Second).In(zone)
	return moment, moment.Format("2006-01-02 15:04:05")
}

func inZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestAScheduleFiresOnceThoughDeliveredTwiceAndSendsWhatWasChecked(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{Faults: faults.Settings{Schedule: faults.Schedule{Double: 1}}})
	const n = 60
	directory := d.write("spring", list(n))
	moment, text := d.minute(inZone(t, "Asia/Seoul"), time.Hour)
	printed := d.fanmail("start", directory, "--at", text, "--zone", "Asia/Seoul")
	for _, want := range []string{
		"spring is scheduled: " + moment.Format("Mon 2006-01-02 15:04:05 MST") + " (Asia/Seoul), here " + moment.In(inZone(t, "Europe/Berlin")).Format("Mon 2006-01-02 15:04:05 MST"),
		"60 recipients, as checked", "s3://fanmail-local/frozen/spring/", "`fanmail schedule cancel spring` takes it back",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("start printed\n%swithout %q", printed, want)
		}
	}
	// What changes afterwards, here and in the bucket, is not what was checked.
	if err := os.WriteFile(filepath.Join(directory, "recipients.csv"), []byte("email,name\nlate@example.com,Late\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d.fanmail("upload", directory)

	d.move(moment.Add(-2 * time.Second))
	executions := d.awaitExecutions(1)
	d.auditSent("spring", d.succeed(executions[0]), n)
	d.await("the schedule to be gone", func() bool { return d.scheduled() == "" })
	if doubled := d.FaultCounts().SchedulesDoubled; doubled != 1 || len(d.executionsSoFar()) != 1 {
		t.Errorf("%d deliveries were doubled, and there are the executions %v; want one each", doubled, d.executionsSoFar())
	}
	if started := d.describe(executions[0]).StartDate; started.Before(moment) {
		t.Errorf("it started at %s, before %s", started, moment)
	}
	if got := d.cli("schedule", "show", "spring"); got.code != 1 || !strings.Contains(got.stderr, "there is no schedule spring: it was never made, or is cancelled, or has started its campaign") {
		t.Errorf("show: %+v", got)
	}
}

func TestEachRunOfARecurringScheduleIsACampaignOfItsOwn(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 200 * time.Millisecond, Faults: faults.Settings{Schedule: faults.Schedule{Double: 1}}})
	const n = 30
	d.fanmail("start", d.write("news", list(n)), "--every", "24h", "--zone", "UTC")
	first := d.Now().Add(24 * time.Hour)
	d.move(first)
	// Delivered twice, it is two executions, one of which finds the campaign taken.
	var campaigns []string
	takenUp := func(executions []string) {
		t.Helper()
		for _, execution := range executions {
			out := d.end(execution)
			var answer struct {
				Campaign, State string
				Sent            int64
				Error           struct{ Error, Cause string }
			}
			if err := json.Unmarshal([]byte(aws.ToString(out.Output)), &answer); err != nil || out.Status != "SUCCEEDED" {
				t.Fatalf("%s: %s: %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
			}
			switch {
			case answer.State == "finished":
				campaigns = append(campaigns, answer.Campaign)
			case answer.Error.Error != "AlreadyStarted" || !strings.Contains(answer.Error.Cause, "already: the schedule was delivered twice") &&
				!strings.Contains(answer.Error.Cause, "the schedule has nothing to start"):
				t.Errorf("it ends with %s", aws.ToString(out.Output))
			}
		}
	}
	takenUp(d.awaitExecutions(2))
	d.fanmail("upload", d.write("news", list(n+5)))
	d.move(first.Add(24 * time.Hour))
	takenUp(d.awaitExecutions(4)[2:])
	want := []string{first.UTC().Format("news-20060102-1504"), first.Add(24 * time.Hour).UTC().Format("news-20060102-1504")}
	// Begin is a second or so before first: another minute, now and then.
	if len(campaigns) != 2 || d.status(campaigns[0]).Sent != n || d.status(campaigns[1]).Sent != n+5 || len(d.mailbox()) != 2*n+5 {
		t.Errorf("the campaigns are %v, want about %v; %d messages", campaigns, want, len(d.mailbox()))
	}
	for i, campaign := range campaigns {
		due, err := time.Parse("news-20060102-1504", campaign)
		if off := first.Add(time.Duration(i) * 24 * time.Hour).Sub(due); err != nil || off < 0 || off > 2*time.Minute {
			t.Errorf("the campaign %s is %s off %s: %v", campaign, off, want[i], err)
		}
	}
	if d.scheduled() != "news" {
		t.Errorf("there are the schedules %q", d.scheduled())
	}
	// A run is resumed, shown and reported like any campaign.
	if got := d.cli("start", campaigns[0]); got.code != 1 || !strings.Contains(got.stderr, campaigns[0]+" finished already") {
		t.Errorf("started again: %+v", got)
	}
}

func TestALateScheduleFiresWithinItsAgeOnly(t *testing.T) {
	t.Parallel()
	o := local.Options{Directory: filepath.Join(t.TempDir(), "runtime"), DatabaseURL: postgrestest.New(t)}
	d := deploy(t, o)
	const n = 20
	moment, text := d.minute(time.UTC, time.Hour)
	d.fanmail("start", d.write("late", list(n)), "--at", text, "--zone", "UTC")
	d.fanmail("start", d.write("in-time", list(n)), "--at", text, "--zone", "UTC", "--max-delay", "3h")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// Nothing runs for three hours: real time can't be lived through here, so the kept clock is set.
	ahead := time.Until(moment.Add(2*time.Hour)) + time.Second
	if err := os.WriteFile(filepath.Join(o.Directory, "clock.json"), []byte(`{"offset": "`+ahead.Truncate(time.Microsecond).String()+`"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	d = deploy(t, o)
	d.auditSent("in-time", d.succeed(d.awaitExecutions(1)[0]), n)
	d.await("both schedules to be gone", func() bool { return d.scheduled() == "" })
	if executions := d.executionsSoFar(); len(executions) != 1 {
		t.Errorf("there are the executions %v", executions)
	}
	queues := sqs.NewFromConfig(aws.Config{Region: local.Region, BaseEndpoint: aws.String(d.Endpoint()), Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(d.Endpoint() + "/" + local.Account + "/" + deadStarts), MessageAttributeNames: []string{"All"}, MaxNumberOfMessages: 10,
	})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("dead letters: %+v, %v; want one", got, err)
	}
	attribute := func(m types.Message, name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
	if dead := got.Messages[0]; attribute(dead, "EXHAUSTED_RETRY_CONDITION") != "MaximumEventAgeInSeconds" || !strings.HasSuffix(attribute(dead, "SCHEDULE_ARN"), "/late") ||
		attribute(dead, "SCHEDULED_TIME") != moment.Format(time.RFC3339) || !strings.Contains(*dead.Body, `\"folder\":\"frozen/late/`) {
		t.Errorf("the dead letter is %s with %+v", *dead.Body, dead.MessageAttributes)
	}
}

func TestAScheduleKeepsItsLocalHourWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	berlin := inZone(t, "Europe/Berlin")
	d := deploy(t, local.Options{})
	directory := d.write("news", list(1))
	var want []string
	midnight := clockChange(d.Now().In(berlin))
	// Once forward and once back, whichever is next.
	for range 2 {
		d.move(at(midnight.AddDate(0, 0, -1), 1))
		d.fanmail("start", directory, "--cron", "0 9 * * ? *", "--zone", "Europe/Berlin")
		for days := -1; days <= 1; days++ {
			nine := at(midnight.AddDate(0, 0, days), 9)
			want = append(want, nine.UTC().Format("news-20060102-1504"))
			d.move(nine.Add(-time.Second))
			executions := d.awaitExecutions(len(want))
			if started := d.describe(executions[len(want)-1]).StartDate; started.Before(nine) || started.In(berlin).Hour() != 9 {
				t.Errorf("the run of %s started at %s", nine, started.In(berlin))
			}
			if r := d.succeed(executions[len(want)-1]); r.Campaign != want[len(want)-1] {
				t.Errorf("the run of %s is the campaign %s, want %s", nine, r.Campaign, want[len(want)-1])
			}
		}
		d.fanmail("schedule", "cancel", "news")
		midnight = clockChange(midnight)
	}
	if hours := []string{want[0][14:], want[2][14:], want[3][14:], want[5][14:]}; hours[0] == hours[1] || hours[0] != hours[3] || hours[1] != hours[2] {
		t.Errorf("the runs are %v in UTC: the clocks did not change", want)
	}
}

func TestACancelledScheduleNeverFires(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	moment, text := d.minute(time.UTC, time.Hour)
	d.fanmail("start", d.write("spring", list(3)), "--at", text, "--zone", "UTC")
	d.fanmail("start", d.write("news", list(3)), "--cron", moment.Format("4 15 * * ? *"), "--zone", "UTC")
	d.fanmail("start", d.write("summer", list(3)), "--at", moment.Add(time.Minute).Format("2006-01-02 15:04:05"), "--zone", "UTC")
	if len(d.keys("frozen/spring/")) != 3 {
		t.Fatalf("frozen are %v", d.keys("frozen/"))
	}
	for _, name := range []string{"spring", "news"} {
		if printed := d.fanmail("schedule", "cancel", name); !strings.Contains(printed, "The schedule "+name+" is cancelled: it starts nothing any more.") {
			t.Error(printed)
		}
	}
	if got := d.cli("schedule", "cancel", "spring"); got.code != 1 || !strings.Contains(got.stderr, "there is no schedule spring") {
		t.Errorf("cancelled twice: %+v", got)
	}
	if left := d.keys("frozen/spring/"); len(left) != 0 {
		t.Errorf("still frozen are %v", left)
	}
	// When the last one has fired, the others would have.
	d.move(moment.Add(2 * time.Minute))
	d.await("the last schedule to be gone", func() bool { return d.scheduled() == "" })
	d.auditSent("summer", d.succeed(d.awaitExecutions(1)[0]), 3)
	if executions := d.executionsSoFar(); len(executions) != 1 {
		t.Errorf("there are the executions %v", executions)
	}
}

func TestAScheduledCampaignIsStartedAtOnceOnDemand(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	_, text := d.minute(time.UTC, time.Hour)
	directory := d.write("spring", list(7))
	d.fanmail("start", directory, "--at", text, "--zone", "UTC")
	d.fanmail("start", d.write("news", list(2)), "--every", "7d", "--zone", "UTC")
	if printed := d.fanmail("schedule", "now", "spring"); !strings.Contains(printed, "spring is started, and the schedule has done its work and is deleted") {
		t.Error(printed)
	}
	d.auditSent("spring", d.succeed(d.executionsSoFar()[0]), 7)
	var now struct{ Campaign, Execution string }
	if err := json.Unmarshal([]byte(d.fanmail("schedule", "now", "news", "--json")), &now); err != nil {
		t.Fatal(err)
	}
	if r := d.succeed(now.Execution); r.Campaign != now.Campaign || r.Sent != 2 {
		t.Errorf("%+v started %+v", now, r)
	}
	// A run is named with its minute: within it there is no second one.
	again, next := d.cli("schedule", "now", "news", "--json"), now
	if again.code == 0 {
		if err := json.Unmarshal([]byte(again.stdout), &next); err != nil || next.Campaign == now.Campaign {
			t.Errorf("%s is started twice: %+v, %v", now.Campaign, again, err)
		}
		d.succeed(next.Execution)
	} else if !strings.Contains(again.stderr, "starting the execution "+now.Campaign+"-now: ExecutionAlreadyExists") {
		t.Errorf("%+v", again)
	}
	if d.scheduled() != "news" {
		t.Errorf("there are the schedules %q", d.scheduled())
	}
	if got := d.cli("start", directory, "--at", text, "--zone", "UTC"); got.code != 1 || !strings.Contains(got.stderr, "spring finished already") || d.scheduled() != "news" {
		t.Errorf("scheduled again: %+v", got)
	}
}

func TestTheLatestFolderIsSentOnDemand(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	moment, text := d.minute(time.UTC, time.Hour)
	d.fanmail("start", d.write("spring", list(5)), "--at", text, "--zone", "UTC", "--latest")
	d.fanmail("upload", d.write("spring", list(8)))
	d.move(moment)
	d.auditSent("spring", d.succeed(d.awaitExecutions(1)[0]), 8)
	// By its name, a campaign is scheduled that lies in the bucket only.
	d.fanmail("upload", d.write("summer", list(3)))
	later, text := d.minute(time.UTC, time.Hour)
	d.fanmail("start", "summer", "--at", text, "--zone", "UTC", "--latest")
	if got := d.cli("schedule", "show", "summer"); !strings.Contains(got.stdout, "the folder in the bucket, as it then stands") || !strings.Contains(got.stdout, "s3://fanmail-local/campaigns/summer") {
		t.Errorf("%+v", got)
	}
	d.move(later)
	if r := d.succeed(d.awaitExecutions(2)[1]); r.Campaign != "summer" || r.Sent != 3 {
		t.Errorf("%+v", r)
	}
	if frozen := d.keys("frozen/"); len(frozen) > 0 {
		t.Errorf("frozen are %v", frozen)
	}
}

// TestASentCampaignsScheduleEndsWithoutHarm: somebody sends the campaign by hand before its moment.
func TestASentCampaignsScheduleEndsWithoutHarm(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	moment, text := d.minute(time.UTC, time.Hour)
	d.fanmail("start", d.write("spring", list(5)), "--at", text, "--zone", "UTC")
	d.fanmail("start", d.write("spring", list(5)))
	d.move(moment)
	d.auditSent("spring", d.succeed(d.awaitExecutions(2)[1]), 5)
}

func TestABadScheduleIsOneLineEachAndNothingIsMade(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	good, bad := d.write("spring", list(2)), d.write("bad", list(2).with("mail.txt", "{{.nope}}"))
	long := d.write(strings.Repeat("n", 51), list(2))
	spring := clockChange(d.Now().In(inZone(t, "Europe/Berlin")))
	if _, after := spring.AddDate(0, 0, 1).Zone(); after == 3600 {
		spring = clockChange(spring)
	}
	lost := spring.Format("2006-01-02") + " 02:30"
	soon := d.Now().AddDate(0, 1, 0).Format("2006-01-02 15:04")
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{good, "--at", soon, "--zone", "Mars/Olympus"}, []string{`--zone: "Mars/Olympus" is no time zone`}},
		{[]string{good, "--at", "2020-01-01 09:00", "--zone", "UTC"}, []string{"Wed 2020-01-01 09:00:00 UTC, here Wed 2020-01-01 10:00:00 CET is past"}},
		{[]string{good, "--at", "2099-01-01 09:00", "--zone", "UTC"}, []string{"is more than a year away"}},
		{[]string{good, "--at", lost, "--zone", "Europe/Berlin"}, []string{lost + " in Europe/Berlin: there is no such local time"}},
		{[]string{good, "--at", soon, "--cron", "0 9 * * ? *"}, []string{"--at and --cron together: give one of them"}},
		{[]string{good, "--cron", "60 9 * * * *"}, []string{`cron: the minutes "60"`, "cron: the day-of-month"}},
		{[]string{good, "--cron", "0 9 30 2 ? *"}, []string{"cron(0 9 30 2 ? *) never comes"}},
		{[]string{good, "--every", "90s"}, []string{"--every 90s: Scheduler counts whole minutes"}},
		{[]string{good, "--every", "1d", "--latest"}, []string{"--latest is for --at"}},
		{[]string{long, "--every", "1d"}, []string{strings.Repeat("n", 51) + " has 51 characters: the name of a recurring campaign has 50 at most"}},
		{[]string{bad, "--at", soon, "--zone", "Nowhere"}, []string{`--zone: "Nowhere" is no time zone`, "mail.txt:1: "}},
		{[]string{"elsewhere", "--at", soon}, []string{"there is no folder elsewhere here"}},
		{[]string{"elsewhere", "--every", "1d"}, []string{"elsewhere: no such folder here, and no campaign of this name in the bucket"}},
	} {
		got := d.cli(append([]string{"start"}, test.args...)...)
		var lines []string
		for line := range strings.Lines(got.stderr) {
			if text, ok := strings.CutPrefix(line, "fanmail: "); ok {
				lines = append(lines, text)
			}
		}
		if got.code != 1 || got.stdout != "" || len(lines) != len(test.want) {
			t.Errorf("%v: exit code %d, want %d lines\n%s%s", test.args, got.code, len(test.want), got.stdout, got.stderr)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%v: %q lacks %q", test.args, lines[i], want)
			}
		}
	}
	for args, want := range map[string]string{"--at=": "--at is empty", "--zone=UTC": "--zone is for a schedule", "--latest": "--latest is for a schedule"} {
		if got := d.cli("start", good, args); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if made := append(d.keys("frozen/"), d.keys("campaigns/")...); len(made) > 0 || d.scheduled() != "" || len(d.executionsSoFar()) > 0 {
		t.Errorf("there are %v, the schedules %q, the executions %v", made, d.scheduled(), d.executionsSoFar())
	}
	// The clock of the deployment counts, and a schedule that exists stays as it is.
	_, text := d.minute(time.UTC, time.Hour)
	d.fanmail("start", good, "--at", text, "--zone", "UTC")
	frozen := d.keys("frozen/")
	if got := d.cli("start", good, "--every", "1d"); got.code != 1 || !strings.Contains(got.stderr, "spring is scheduled already") {
		t.Errorf("scheduled twice: %+v", got)
	}
	if !slices.Equal(d.keys("frozen/"), frozen) || len(d.keys("campaigns/")) > 0 {
		t.Errorf("there are %v and %v", d.keys("frozen/"), d.keys("campaigns/"))
	}
}
