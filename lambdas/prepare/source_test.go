package main

import (
	"context"
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"fanmail/shared/ledger"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const (
	frozen = "frozen/spring-sale/20261126-1"
	run    = "spring-sale-20261201-0900"
)

// put writes a file of a folder.
func (f *fixture) put(t *testing.T, folder, name, content string) {
	t.Helper()
	_, err := f.s3.PutObject(context.Background(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(path.Join(folder, name)), Body: strings.NewReader(content)})
	check(t, err)
}

// putGood puts a whole campaign into a folder, with a file whose name S3 must be asked for with care.
func (f *fixture) putGood(t *testing.T, folder, list string) {
	t.Helper()
	f.put(t, folder, "campaign.yaml", "name: spring-sale\nfrom: Shop <shop@example.com>\nsubject: Hello {{.name}}\ntext: a mail+more.txt\ndefaults: {name: Friend}\n")
	f.put(t, folder, "a mail+more.txt", "Dear {{.name}}\n")
	f.put(t, folder, "recipients.csv", list)
}

// prepareWith runs the handler as an execution with an input.
func (f *fixture) prepareWith(execution string, in map[string]any) (workflow.PrepareOutput, error) {
	return f.handler.handle(context.Background(), workflow.PrepareInput{Input: in, Execution: execution})
}

func oneTime() map[string]any { return map[string]any{"campaign": "spring-sale", "folder": frozen} }
func recurring() map[string]any {
	return map[string]any{"campaign": "spring-sale", "scheduledTime": "2026-12-01T09:00:00Z"}
}

const mine = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:scheduled"

func TestAScheduledCampaignIsWhatWasFrozen(t *testing.T) {
	f := newFixture(t)
	f.putGood(t, frozen, goodList)
	f.putGood(t, "campaigns/spring-sale", goodList+"late@example.com,Late\n")
	out, err := f.prepareWith(mine, oneTime())
	if err != nil || out.Campaign != "spring-sale" || out.Recipients != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	// The campaign's own folder is now the same, so that it is resumed with what it began with.
	for _, name := range []string{"campaign.yaml", "a mail+more.txt", "recipients.csv"} {
		if f.download(t, "campaigns/spring-sale/"+name) != f.download(t, path.Join(frozen, name)) {
			t.Errorf("%s of the campaign is not that of the frozen folder", name)
		}
	}
	f.describe = status("ABORTED")
	if out, err := f.prepareWith(other, map[string]any{"campaign": "spring-sale"}); err != nil || out.Recipients != 2 {
		t.Errorf("resumed by name: %+v, %v", out, err)
	}
}

func TestARunOfARecurringScheduleIsACampaignOfItsOwn(t *testing.T) {
	f := newFixture(t)
	f.putGood(t, "campaigns/spring-sale", goodList)
	out, err := f.prepareWith(mine, recurring())
	if err != nil || out.Campaign != run || out.Recipients != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if f.campaign(t) != nil {
		t.Error("there is a campaign with the schedule's own name")
	}
	// Prepare is tried again after its folder has changed: it goes on with what it imported.
	f.putGood(t, "campaigns/spring-sale", goodList+"late@example.com,Late\n")
	again, err := f.prepareWith(mine, recurring())
	if err != nil || again != out {
		t.Errorf("tried again: %+v, %v; want %+v", again, err, out)
	}
	// So does whoever resumes the run by its name.
	f.describe = status("ABORTED")
	if out, err := f.prepareWith(other, map[string]any{"campaign": run}); err != nil || out.Recipients != 2 || out.Campaign != run {
		t.Errorf("resumed by name: %+v, %v", out, err)
	}
	// The next run takes the folder as it stands then.
	next := recurring()
	next["scheduledTime"] = "2026-12-08T09:00:00Z"
	if out, err := f.prepareWith(mine+"-2", next); err != nil || out.Recipients != 3 || out.Campaign != "spring-sale-20261208-0900" {
		t.Errorf("the next run: %+v, %v", out, err)
	}
}

func TestAScheduleThatComesTwiceOrTooLateEndsWithoutHarm(t *testing.T) {
	for _, test := range []struct {
		name string
		// before is what happened to the campaign, in is the input of the scheduled execution.
		before func(t *testing.T, f *fixture)
		in     map[string]any
		want   string
	}{
		{"a run delivered twice", func(t *testing.T, f *fixture) {
			_, err := f.prepareWith(other, recurring())
			check(t, err)
		}, recurring(), run + " is the campaign of " + other + " already: the schedule was delivered twice"},
		{"a run delivered twice, whose first execution was aborted", func(t *testing.T, f *fixture) {
			_, err := f.prepareWith(other, recurring())
			check(t, err)
			f.describe = status("ABORTED")
		}, recurring(), "delivered twice"},
		{"started by hand, and under way", func(t *testing.T, f *fixture) {
			_, err := f.prepareWith(other, map[string]any{"campaign": "spring-sale"})
			check(t, err)
		}, oneTime(), "the schedule has nothing to start: campaign spring-sale is being run by " + other},
		{"cancelled", func(t *testing.T, f *fixture) {
			_, err := f.prepareWith(other, map[string]any{"campaign": "spring-sale"})
			check(t, err)
			_, err = f.db.ExecContext(context.Background(), "update fanmail.campaign set state = 'cancelled'")
			check(t, err)
		}, oneTime(), "the schedule has nothing to start: campaign spring-sale was cancelled"},
		{"the latest folder of a campaign under way", func(t *testing.T, f *fixture) {
			_, err := f.prepareWith(other, map[string]any{"campaign": "spring-sale"})
			check(t, err)
		}, map[string]any{"campaign": "spring-sale", "folder": "campaigns/spring-sale"}, "is being run by " + other},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.putGood(t, frozen, goodList)
			f.putGood(t, "campaigns/spring-sale", goodList)
			test.before(t, f)
			before := f.download(t, "campaigns/spring-sale/recipients.csv")
			_, err := f.prepareWith(mine, test.in)
			if started, ok := err.(*workflow.AlreadyStarted); !ok || !strings.Contains(started.Message, test.want) {
				t.Errorf("got %T %v, want AlreadyStarted with %q", err, err, test.want)
			}
			if c := f.campaign(t); c != nil && c.Execution != other {
				t.Errorf("the campaign is now %s's", c.Execution)
			}
			if f.download(t, "campaigns/spring-sale/recipients.csv") != before {
				t.Error("the folder of the campaign was changed")
			}
		})
	}
}

// Whoever is on the schedule's list and on no other would be left out, and nobody would hear of it, if this were no failure.
func TestAScheduleThatFindsTheCampaignBegunWithAnotherListFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(t *testing.T, f *fixture)
		want   string
	}{
		{"under way", func(*testing.T, *fixture) {}, "is being run by " + other},
		{"aborted half way", func(_ *testing.T, f *fixture) { f.describe = status("ABORTED") }, "recipients.csv is not the file"},
		{"finished", func(t *testing.T, f *fixture) {
			check(t, ledger.Close(context.Background(), f.db, f.campaign(t), ledger.Finished, "sent"))
		}, "recipients.csv is not the file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.putGood(t, frozen, goodList)
			f.putGood(t, "campaigns/spring-sale", goodList+"more@example.com,More\n")
			_, err := f.prepareWith(other, map[string]any{"campaign": "spring-sale"})
			check(t, err)
			test.before(t, f)
			_, err = f.prepareWith(mine, oneTime())
			if _, ok := err.(*workflow.AlreadyStarted); ok || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %T %v, want a failure with %q", err, err, test.want)
			}
			if c := f.campaign(t); c.Execution != other {
				t.Errorf("the campaign is now %s's", c.Execution)
			}
		})
	}
}

// An attempt whose answer was lost imports until a later one, which found the folder changed, is about to open the campaign.
// Were that no failure, the execution would succeed, and its campaign would be under way for ever with nobody to send it.
func TestAScheduledExecutionDoesNotSucceedBesideItsOwnCampaign(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.putGood(t, "campaigns/spring-sale", goodList)
	_, err := f.prepareWith(mine, recurring())
	check(t, err)
	_, err = f.db.ExecContext(ctx, "update fanmail.campaign set state = 'importing'")
	check(t, err)
	f.putGood(t, "campaigns/spring-sale", goodList+"late@example.com,Late\n")
	f.onRead = func(key string) {
		if key == "campaigns/spring-sale/recipients.csv" {
			_, err := f.db.ExecContext(ctx, "update fanmail.campaign set state = 'running'")
			check(t, err)
		}
	}
	_, err = f.prepareWith(mine, recurring())
	var invalid *workflow.InvalidCampaign
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Message, "recipients.csv is not the file") {
		t.Errorf("got %T %v, want InvalidCampaign", err, err)
	}
}

func TestASchedulesFolderIsOfItsCampaign(t *testing.T) {
	for _, test := range []struct {
		in   map[string]any
		want string
	}{
		{map[string]any{"folder": "frozen/other/1"}, `the folder "frozen/other/1"`},
		{map[string]any{"folder": "frozen/spring-sale/"}, `the folder "frozen/spring-sale/"`},
		{map[string]any{"folder": "frozen/spring-sale/../other/1"}, "must be campaigns/spring-sale, or frozen/spring-sale/ and an id"},
		{map[string]any{"folder": "reports/spring-sale"}, "must be campaigns/spring-sale"},
		{map[string]any{"folder": ""}, "folder of the execution's input must be a text"},
		{map[string]any{"folder": nil}, "folder of the execution's input must be a text"},
		{map[string]any{"scheduledTime": 7.0}, "scheduledTime of the execution's input must be a text"},
		{map[string]any{"scheduledTime": "<aws.scheduler.scheduled-time>"}, `the scheduled time "<aws.scheduler.scheduled-time>": write it as`},
		{map[string]any{"scheduledTime": "2026-12-01T09:00:00Z", "folder": frozen}, "has a folder and a scheduledTime"},
		{map[string]any{"scheduledTime": "2026-12-01T09:00:00Z", "campaign": strings.Repeat("n", 51)}, "use up to 50 characters"},
	} {
		if test.in["campaign"] == nil {
			test.in["campaign"] = "spring-sale"
		}
		in, err := executionInput(test.in)
		if err == nil {
			_, err = (&handler{}).source(t.Context(), in, mine)
		}
		if invalid, ok := err.(*workflow.InvalidCampaign); !ok || !strings.Contains(invalid.Message, test.want) {
			t.Errorf("%v: got %T %v, want InvalidCampaign with %q", test.in, err, err, test.want)
		}
	}
	if storage.MayRead("spring-sale", frozen) != true {
		t.Errorf("%s may not be read", frozen)
	}
}
