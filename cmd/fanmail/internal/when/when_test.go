package when

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func nothing(string) string { return "" }

func TestTheFlagsBecomeAnExpressionOfScheduler(t *testing.T) {
	for _, test := range []struct {
		flags Flags
		want  string
		every time.Duration
	}{
		{Flags{At: "2026-12-01 09:00"}, "at(2026-12-01T09:00:00)", 0},
		{Flags{At: "2026-12-01 09:00:30"}, "at(2026-12-01T09:00:30)", 0},
		{Flags{At: "2026-12-01T09:00"}, "at(2026-12-01T09:00:00)", 0},
		{Flags{At: "at(2026-12-01T09:00:00)"}, "at(2026-12-01T09:00:00)", 0},
		{Flags{Cron: "0 9 ? * MON *"}, "cron(0 9 ? * MON *)", 0},
		{Flags{Cron: " cron(0 9 ? * MON *) "}, "cron(0 9 ? * MON *)", 0},
		{Flags{Every: "7d"}, "rate(7 days)", 7 * 24 * time.Hour},
		{Flags{Every: "36h"}, "rate(2160 minutes)", 36 * time.Hour},
		{Flags{Every: "1 hour"}, "rate(1 hour)", time.Hour},
		{Flags{Every: "rate(7 days)"}, "rate(7 days)", 7 * 24 * time.Hour},
	} {
		test.flags.Zone = "Asia/Seoul"
		got, err := Read(test.flags, nothing)
		if err != nil || got.Expression.String() != test.want || got.Every != test.every || got.OneTime() != (test.flags.At != "") || got.Zone != "Asia/Seoul" {
			t.Errorf("%+v: %+v, %v; want %s", test.flags, got, err, test.want)
		}
	}
}

func TestBadFlagsAreOneLineEach(t *testing.T) {
	for _, test := range []struct {
		flags Flags
		want  []string
	}{
		{Flags{At: "tomorrow", Zone: "Mars/Olympus"}, []string{`--zone: "Mars/Olympus" is no time zone`, `--at "tomorrow": write the local time as '2026-12-01 09:00'`}},
		{Flags{At: "2026-12-01 09:00+09:00", Zone: "UTC"}, []string{`--at "2026-12-01 09:00+09:00": write`}},
		{Flags{At: "2026-12-01 09:00", Cron: "0 9 * * ? *", Zone: "UTC"}, []string{"--at and --cron together: give one of them"}},
		{Flags{Cron: "0 9 * * * *", Every: "1d", Zone: "UTC"}, []string{"--cron and --every together"}},
		{Flags{At: "2027-03-28 02:30", Zone: "Europe/Berlin"}, []string{"2027-03-28 02:30 in Europe/Berlin: there is no such local time"}},
		{Flags{Cron: "60 9 * * * *", Zone: "UTC"}, []string{`the minutes "60"`, "exactly one of them must be ?"}},
		{Flags{Every: "90s", Zone: "UTC"}, []string{"--every 90s: Scheduler counts whole minutes"}},
		{Flags{Every: "-1h", Zone: "UTC"}, []string{"--every -1h: Scheduler counts whole minutes"}},
		{Flags{Every: "fortnight", Zone: "UTC"}, []string{"rate(fortnight): write a number of minutes, hours or days"}},
		{Flags{Every: "0d", Zone: "UTC"}, []string{"rate(0 days): the number must be 1 or more"}},
	} {
		_, err := Read(test.flags, nothing)
		if err == nil {
			t.Errorf("%+v is accepted", test.flags)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%+v: %v, want %d lines", test.flags, err, len(test.want))
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%+v: %q lacks %q", test.flags, lines[i], want)
			}
		}
	}
}

func TestTheZoneIsThatOfTheMachineUnlessOneIsGiven(t *testing.T) {
	directory := t.TempDir()
	if err := os.MkdirAll(filepath.Join(directory, "zoneinfo/Asia"), 0o755); err != nil {
		t.Fatal(err)
	}
	seoul, link := filepath.Join(directory, "zoneinfo/Asia/Seoul"), filepath.Join(directory, "localtime")
	if err := os.WriteFile(seoul, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(seoul, link); err != nil {
		t.Fatal(err)
	}
	env := func(value string) func(string) string { return func(string) string { return value } }
	for _, test := range []struct{ tz, file, want string }{
		{"", link, "Asia/Seoul"},
		{":Europe/Berlin", link, "Europe/Berlin"},
		{"UTC", link, "UTC"},
		{"", filepath.Join(directory, "missing"), "UTC"},
		{"CET-1CEST", link, ""},
		{"", filepath.Join(directory, "zoneinfo"), ""},
	} {
		got, err := localZone(env(test.tz), test.file)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("TZ=%s, %s: %q, %v; want %q", test.tz, test.file, got, err, test.want)
		}
	}
}

func TestAMomentIsShownInBothZones(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	var err error
	if time.Local, err = time.LoadLocation("Europe/Berlin"); err != nil {
		t.Fatal(err)
	}
	moment := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if got := Show(moment, "Asia/Seoul"); got != "Tue 2026-12-01 09:00:00 KST (Asia/Seoul), here Tue 2026-12-01 01:00:00 CET" {
		t.Error(got)
	}
	if got := Show(moment, "UTC"); got != "Tue 2026-12-01 00:00:00 UTC, here Tue 2026-12-01 01:00:00 CET" {
		t.Error(got)
	}
	if got := Show(moment, "Europe/Berlin"); got != "Tue 2026-12-01 01:00:00 CET (Europe/Berlin)" {
		t.Error(got)
	}
}
