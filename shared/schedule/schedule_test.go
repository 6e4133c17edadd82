package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// moments are the next moments of an expression in a zone, as local times.
func moments(t *testing.T, text, zoneName, after string, n int) string {
	t.Helper()
	z := zone(t, zoneName)
	e, err := Parse(text, z)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", after, z)
	if err != nil {
		t.Fatal(err)
	}
	begin := at
	var all []string
	for range n {
		next, ok := e.Next(at, begin)
		if !ok {
			all = append(all, "end")
			break
		}
		if !next.After(at) {
			t.Fatalf("%s after %s is %s", text, at, next)
		}
		at = next
		all = append(all, next.Format("Mon 2006-01-02 15:04 MST"))
	}
	return strings.Join(all, ", ")
}

// TestTheDocumentedExamples are those of the user guides of Scheduler and of EventBridge, and what else their tables say.
func TestTheDocumentedExamples(t *testing.T) {
	const thursday = "2026-11-26 12:00"
	for _, test := range []struct{ expression, after, want string }{
		{"cron(0 10 * * ? *)", thursday, "Fri 2026-11-27 10:00 UTC, Sat 2026-11-28 10:00 UTC, Sun 2026-11-29 10:00 UTC"},
		{"cron(15 12 * * ? *)", thursday, "Thu 2026-11-26 12:15 UTC, Fri 2026-11-27 12:15 UTC, Sat 2026-11-28 12:15 UTC"},
		{"cron(0 18 ? * MON-FRI *)", thursday, "Thu 2026-11-26 18:00 UTC, Fri 2026-11-27 18:00 UTC, Mon 2026-11-30 18:00 UTC"},
		{"cron(0 8 1 * ? *)", thursday, "Tue 2026-12-01 08:00 UTC, Fri 2027-01-01 08:00 UTC, Mon 2027-02-01 08:00 UTC"},
		{"cron(0/15 * * * ? *)", thursday, "Thu 2026-11-26 12:15 UTC, Thu 2026-11-26 12:30 UTC, Thu 2026-11-26 12:45 UTC"},
		{"cron(0/10 * ? * MON-FRI *)", "2026-11-27 23:45", "Fri 2026-11-27 23:50 UTC, Mon 2026-11-30 00:00 UTC, Mon 2026-11-30 00:10 UTC"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "2026-11-27 17:50", "Fri 2026-11-27 17:55 UTC, Mon 2026-11-30 08:00 UTC, Mon 2026-11-30 08:05 UTC"},
		{"cron(15 10 ? * 6L 2022-2023)", "2022-11-01 00:00", "Fri 2022-11-25 10:15 UTC, Fri 2022-12-30 10:15 UTC, Fri 2023-01-27 10:15 UTC"},
		{"cron(15 10 ? * 6L 2022-2023)", "2023-12-01 00:00", "Fri 2023-12-29 10:15 UTC, end"},
		{"cron(0 9 ? * 2#1 *)", thursday, "Mon 2026-12-07 09:00 UTC, Mon 2027-01-04 09:00 UTC, Mon 2027-02-01 09:00 UTC"},
		{"cron(0 9 ? * 6#5 *)", thursday, "Fri 2027-01-29 09:00 UTC, Fri 2027-04-30 09:00 UTC, Fri 2027-07-30 09:00 UTC"},
		{"cron(0 9 ? * L *)", thursday, "Sat 2026-11-28 09:00 UTC, Sat 2026-12-05 09:00 UTC, Sat 2026-12-12 09:00 UTC"},
		{"cron(0 9 L * ? *)", thursday, "Mon 2026-11-30 09:00 UTC, Thu 2026-12-31 09:00 UTC, Sun 2027-01-31 09:00 UTC"},
		{"cron(0 9 LW * ? *)", thursday, "Mon 2026-11-30 09:00 UTC, Thu 2026-12-31 09:00 UTC, Fri 2027-01-29 09:00 UTC"},
		{"cron(0 9 3W * ? *)", thursday, "Thu 2026-12-03 09:00 UTC, Mon 2027-01-04 09:00 UTC, Wed 2027-02-03 09:00 UTC"},
		{"cron(0 9 1W * ? *)", "2027-04-15 00:00", "Mon 2027-05-03 09:00 UTC, Tue 2027-06-01 09:00 UTC, Thu 2027-07-01 09:00 UTC"},
		{"cron(0 9 31W * ? *)", "2027-01-01 00:00", "Fri 2027-01-29 09:00 UTC, Wed 2027-03-31 09:00 UTC, Mon 2027-05-31 09:00 UTC"},
		{"cron(0 9 29 2 ? *)", thursday, "Tue 2028-02-29 09:00 UTC, Sun 2032-02-29 09:00 UTC, Fri 2036-02-29 09:00 UTC"},
		{"cron(0 9 31 * ? *)", "2027-03-31 09:00", "Mon 2027-05-31 09:00 UTC, Sat 2027-07-31 09:00 UTC, Tue 2027-08-31 09:00 UTC"},
		{"cron(0 9 30 2 ? *)", thursday, "end"},
		{"cron(0 9 1 1 ? 2020)", thursday, "end"},
		{"cron(0 9 1 JAN,jun ? 2027-2030/2)", thursday, "Fri 2027-01-01 09:00 UTC, Tue 2027-06-01 09:00 UTC, Mon 2029-01-01 09:00 UTC"},
		{"cron(0 9 ? * MON,WED *)", thursday, "Mon 2026-11-30 09:00 UTC, Wed 2026-12-02 09:00 UTC, Mon 2026-12-07 09:00 UTC"},
		{"cron(1/10 9 1,15 * ? *)", "2026-12-01 09:45", "Tue 2026-12-01 09:51 UTC, Tue 2026-12-15 09:01 UTC, Tue 2026-12-15 09:11 UTC"},
		{"rate(7 days)", thursday, "Thu 2026-12-03 12:00 UTC, Thu 2026-12-10 12:00 UTC, Thu 2026-12-17 12:00 UTC"},
		{"rate(1 minute)", thursday, "Thu 2026-11-26 12:01 UTC, Thu 2026-11-26 12:02 UTC, Thu 2026-11-26 12:03 UTC"},
		{"at(2026-12-01T09:00:00)", thursday, "Tue 2026-12-01 09:00 UTC, end"},
	} {
		if got := moments(t, test.expression, "UTC", test.after, 3); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.expression, got, test.want)
		}
	}
}

// TestWhenTheClocksChange: what does not exist is left out, what comes twice fires once, and a day of a rate is 24 hours.
func TestWhenTheClocksChange(t *testing.T) {
	for _, test := range []struct{ expression, zone, after, want string }{
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2027-03-26 12:00", "Sat 2027-03-27 02:30 CET, Mon 2027-03-29 02:30 CEST, Tue 2027-03-30 02:30 CEST"},
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2027-10-30 12:00", "Sun 2027-10-31 02:30 CEST, Mon 2027-11-01 02:30 CET, Tue 2027-11-02 02:30 CET"},
		{"cron(0 9 * * ? *)", "Europe/Berlin", "2027-03-27 08:00", "Sat 2027-03-27 09:00 CET, Sun 2027-03-28 09:00 CEST, Mon 2027-03-29 09:00 CEST"},
		{"cron(0 9 * * ? *)", "America/New_York", "2026-10-31 08:00", "Sat 2026-10-31 09:00 EDT, Sun 2026-11-01 09:00 EST, Mon 2026-11-02 09:00 EST"},
		{"cron(0 * * * ? *)", "Europe/Berlin", "2027-03-28 00:30", "Sun 2027-03-28 01:00 CET, Sun 2027-03-28 03:00 CEST, Sun 2027-03-28 04:00 CEST"},
		{"cron(0 * * * ? *)", "Europe/Berlin", "2027-10-31 01:30", "Sun 2027-10-31 02:00 CEST, Sun 2027-10-31 03:00 CET, Sun 2027-10-31 04:00 CET"},
		{"rate(1 day)", "Europe/Berlin", "2027-03-27 09:00", "Sun 2027-03-28 10:00 CEST, Mon 2027-03-29 10:00 CEST, Tue 2027-03-30 10:00 CEST"},
		{"cron(15 2 * * ? *)", "Australia/Lord_Howe", "2027-10-02 12:00", "Mon 2027-10-04 02:15 +11, Tue 2027-10-05 02:15 +11, Wed 2027-10-06 02:15 +11"},
		{"cron(0 0 * * ? *)", "America/Sao_Paulo", "2018-11-02 12:00", "Sat 2018-11-03 00:00 -03, Mon 2018-11-05 00:00 -02, Tue 2018-11-06 00:00 -02"},
	} {
		if got := moments(t, test.expression, test.zone, test.after, 3); got != test.want {
			t.Errorf("%s in %s\n got %s\nwant %s", test.expression, test.zone, got, test.want)
		}
	}
	berlin := zone(t, "Europe/Berlin")
	if _, err := Parse("at(2027-03-28T02:30:00)", berlin); !errors.Is(err, ErrNoSuchTime) || !strings.Contains(err.Error(), "2027-03-28 02:30 in Europe/Berlin") {
		t.Errorf("half past two in the night in which there is none: %v", err)
	}
	e, err := Parse("at(2027-10-31T02:30:00)", berlin)
	first, ok := e.Next(time.Time{}, time.Time{})
	if err != nil || !ok || first.UTC().Hour() != 0 || !Twice(first) || Twice(first.Add(time.Hour)) || Twice(first.Add(-time.Hour)) {
		t.Errorf("half past two in the night in which it comes twice: %s, %v", first, err)
	}
}

func TestABadExpressionSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		expression string
		want       []string
	}{
		{"0 9 ? * MON *", []string{"is no schedule expression: write at("}},
		{"at(tomorrow)", []string{"at(tomorrow): write the local time"}},
		{"at(2026-02-30T09:00:00)", []string{"at(2026-02-30T09:00:00): write the local time"}},
		{"rate(0 days)", []string{"rate(0 days): the number must be 1 or more"}},
		{"rate(99999999 days)", []string{"rate(99999999 days): the number"}},
		{"rate(5 weeks)", []string{"rate(5 weeks): write a number of minutes, hours or days"}},
		{"cron(0 9 * * *)", []string{"cron(0 9 * * *) has 5 fields"}},
		{"cron(0 9 * * * *)", []string{`cron: the day-of-month is "*" and the day-of-week "*": exactly one of them must be ?`}},
		{"cron(0 9 ? * ? *)", []string{"exactly one of them must be ?"}},
		{"cron(60 24 0 13 ? 2200)", []string{`the minutes "60"`, `the hours "24"`, `the month "13": write *, values of 1-12 or JAN-DEC`, `the year "2200"`, `the day-of-month "0"`}},
		{"cron(5,99 9 * * ? *)", []string{`the minutes "5,99"`}},
		{"cron(0/0 9 * * ? *)", []string{`the minutes "0/0"`}},
		{"cron(*-5 9 * * ? *)", []string{`the minutes "*-5"`}},
		{"cron(0 22-3 * * ? *)", []string{`the hours "22-3"`}},
		{"cron(0 9 ? * FRI-MON *)", []string{`the day-of-week "FRI-MON"`}},
		{"cron(0 9 ? * 3#1,6#3 *)", []string{`the day-of-week "3#1,6#3"`}},
		{"cron(0 9 ? * 6#6 *)", []string{`the day-of-week "6#6"`}},
		{"cron(0 9 ? * 8L *)", []string{`the day-of-week "8L"`}},
		{"cron(0 9 32W * ? *)", []string{`the day-of-month "32W": write *`}},
		{"cron(0 9 MON * ? *)", []string{`the day-of-month "MON"`}},
		{"cron(, 9 * * ? *)", []string{`the minutes ","`}},
	} {
		_, err := Parse(test.expression, time.UTC)
		if err == nil {
			t.Errorf("%s is accepted", test.expression)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%s: %d lines, want %d: %v", test.expression, len(lines), len(test.want), err)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: %q lacks %q", test.expression, lines[i], want)
			}
		}
	}
	for _, name := range []string{"", "Local", "Mars/Olympus", "+02:00"} {
		if _, err := Zone(name); err == nil || !strings.Contains(err.Error(), "is no time zone") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"cron(0 9 ? * MON *)", "rate(7 days)", "at(2026-12-01T09:00:00)", "cron(0/15 8-17 15W JAN ? 2027-2030/2)", "cron(0 9 ? * 6#5 *)"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	berlin, err := Zone("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text, berlin)
		if err != nil {
			return
		}
		if next, ok := e.Next(now, now); ok && !next.After(now) {
			t.Errorf("%q fires at %s, which is not after %s", text, next, now)
		}
	})
}
