package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"fanmail/local"
)

func cancelled(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func TestUsageMistakesAreOneLineAndExitCode2(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"chek", `unknown command "chek"; did you mean check? (see fanmail --help)`},
		{"xyzzy", `unknown command "xyzzy" (see fanmail --help)`},
		{"pause spring-sale", "unknown command \"pause\": a campaign stops when its execution is stopped, with " +
			"`aws stepfunctions stop-execution`; docs/operations.md has the steps (see fanmail --help)"},
		{"check", "0 arguments where one is wanted: fanmail check DIR (see fanmail check --help)"},
		{"check a b", "2 arguments where one is wanted: fanmail check DIR"},
		{"check --nope a", "unknown flag: --nope (see fanmail check --help)"},
		{"preview a --row x", `invalid argument "x" for "--row" flag`},
		{"preview a --row 0", "--row 0: rows count from 1"},
		{"preview a --html b --json", "--html and --json: only one of them"},
		{"demo a b", "2 arguments where at most one is wanted: fanmail demo [DIR]"},
		{"demo --recipients 0", "--recipients 0: it takes at least 1"},
		{"demo --senders 0", "--senders 0: it takes at least 1"},
		{"local --senders 0", "--senders 0: it takes at least 1"},
		{"status ./kr", `status takes a NAME such as kr, not "./kr" (see fanmail status --help)`},
		{"report Über", `report takes a NAME such as spring-sale, not "Über"`},
		{"demo --senders -1", "--senders -1: it takes at least 1"},
		{"local a", `unknown command "a" for "fanmail local"`},
		{"local --port 70000", "--port 70000: a port is 0 to 65535"},
		{"local --rate 0", "--rate 0: it must be more than 0"},
		{"local --rate NaN", "--rate NaN: it must be more than 0"},
		{"local --visibility-timeout -1s", "--visibility-timeout -1s: it must be up to 12h"},
		{"local --daily-quota 0", "--daily-quota 0: it must be more than 0, or -1 for none"},
		{"demo --stage prod", "--stage: demo runs on this machine and has no deployment (see fanmail demo --help)"},
		{"local --profile prod", "--profile: local runs on this machine and has no deployment"},
		{"bench --region eu-west-1", "--region: bench runs on this machine and has no deployment"},
		{"check --deployment prod .", "--deployment: check runs on this machine and has no deployment"},
		{"preview --stage prod .", "--stage: preview runs on this machine and has no deployment"},
		{"status --stage a/b kr", `--stage "a/b": use letters, digits and hyphens`},
		{"status --region= kr", "--region is empty: name one, or leave it out"},
		{"use a b", "2 arguments where at most one is wanted: fanmail use [NAME]"},
		{"use --remove", "--remove needs the NAME of a deployment"},
		{"use --stage prod", "--stage, --region and --profile belong to a NAME"},
		{"use --deployment a", "--deployment: use takes the name as its argument"},
		{"use a/b --stage b", `the name "a/b": use letters`},
		{"use prod --json", "--json is for the list"},
		{"whoami x", `unknown command "x" for "fanmail whoami"`},
		{"migrate --statements --json", "--statements and --json: only one of them"},
		{"budget --account --account-concurrency 10", "--account and --account-concurrency: only one of them"},
		{"budget --stage prod", "--deployment, --stage, --region and --profile need --account"},
		{"report a --rejects - --json", "only one of --outcomes -, --rejects - and --json can go to stdout"},
	} {
		got := fanmail(t, nil, strings.Fields(c.args)...)
		if got.code != exitUsage || got.stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q", c.args, got.code, got.stdout)
		}
		wantLines(t, got.stderr, c.want)
	}
}

func TestEveryVerbHasHelpWithExamples(t *testing.T) {
	root, _ := new(program).root()
	for _, c := range root.Commands() {
		if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, "fanmail "+c.Name()) {
			t.Errorf("%s: its help lacks something", c.Name())
		}
	}
	got := fanmail(t, nil, "--help")
	for _, want := range []string{"Exit codes:", "0    all went well", "1    the campaign", "2    the command line", "130  it was interrupted", "fanmail demo"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("the help lacks %q", want)
		}
	}
	if bare := fanmail(t, nil); bare.code != exitOK || bare.stdout != got.stdout {
		t.Errorf("fanmail alone: exit code %d", bare.code)
	}
}

func TestMissingLambdasAreOneLine(t *testing.T) {
	nowhere := t.TempDir() + "/lambdas"
	for _, verb := range []string{"demo", "local"} {
		got := fanmail(t, nil, verb, "--lambdas", nowhere)
		wantLines(t, got.stderr, "no Lambda binaries in "+nowhere+": run `make build`")
		if got.code != exitFailed {
			t.Errorf("exit code %d", got.code)
		}
	}
}

func TestDemoChecksTheFolderFirst(t *testing.T) {
	dir := write(t, map[string]string{"mail.txt": "{{.nope}}"})
	for _, args := range [][]string{{"demo", dir}, {"demo", dir, "--recipients", "5"}} {
		got := fanmail(t, nil, append(args, "--lambdas", "/nowhere")...)
		wantLines(t, got.stderr, "mail.txt:1: ")
	}
}

func TestLinesOfAnError(t *testing.T) {
	for _, c := range []struct {
		err  error
		want []string
	}{
		{errors.New("one"), []string{"one"}},
		{errors.Join(errors.New("one"), errors.Join(errors.New("two"), errors.New("three"))), []string{"one", "two", "three"}},
		{fmt.Errorf("doing: %w", errors.New("failed:\n\tfirst\n\tsecond\n")), []string{"doing: failed: first second"}},
		{errors.New("postgres ended; its log ends with:\nLOG:  starting\nFATAL: \tno\nLOG:  stopping"),
			[]string{"postgres ended; its log ends with: LOG: starting FATAL: no LOG: stopping"}},
		{context.Canceled, []string{"interrupted"}},
		{fmt.Errorf("doing: %w", context.Canceled), []string{"doing: interrupted"}},
	} {
		if got := lines(c.err); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestQuoteMakesOneShellWord(t *testing.T) {
	for value, want := range map[string]string{
		"arn:aws:states:us-east-1:000000000000:stateMachine:a": "arn:aws:states:us-east-1:000000000000:stateMachine:a",
		"http://127.0.0.1:4580":                                "http://127.0.0.1:4580",
		"":                                                     "''",
		"a b":                                                  "'a b'",
		"$HOME`x`":                                             "'$HOME`x`'",
		"it's":                                                 `'it'\''s'`,
		"a\nb":                                                 "'a\nb'",
	} {
		if got := quote(value); got != want {
			t.Errorf("quote(%q) = %s, want %s", value, got, want)
		}
	}
}

func TestVersionIsTheCommit(t *testing.T) {
	info := func(settings ...debug.BuildSetting) *debug.BuildInfo { return &debug.BuildInfo{Settings: settings} }
	revision, modified := debug.BuildSetting{Key: "vcs.revision", Value: "5e1a"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for want, got := range map[string]string{
		"5e1a": version(info(revision), true), "5e1a, modified": version(info(revision, modified), true), "(devel)": version(info(modified), true),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := version(nil, false); got != "(devel)" {
		t.Errorf("got %s", got)
	}
	if got := fanmail(t, nil, "--version"); got.code != exitOK || !strings.HasPrefix(got.stdout, "fanmail ") || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q", got.code, got.stdout)
	}
}

func TestLocalSaysWhichDatabaseItUses(t *testing.T) {
	for want, options := range map[string]local.Options{
		"private, temporary":                         {},
		"private, kept in runtime":                   {Directory: "runtime"},
		"mail on db.example.com, from DATABASE_URL":  {DatabaseURL: "postgres://ann:secret@db.example.com:5433/mail"},
		"mail on db2.example.com, from DATABASE_URL": {DatabaseURL: "host=db2.example.com password=secret dbname=mail"},
		"that of DATABASE_URL":                       {DatabaseURL: "postgres://ann:secret@db.example.com:x"},
	} {
		if got := databaseOf(options); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	var out strings.Builder
	if err := printEnvironment(&out, "http://127.0.0.1:4580", "private, temporary", nil); err != nil || !strings.Contains(out.String(), "# database: private, temporary\n") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}
