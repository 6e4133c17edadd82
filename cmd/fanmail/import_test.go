package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/terminal"
)

const importSamples = "internal/importer/testdata/"

func TestAnImportedFolderIsACampaignOnceItHasSenderSubjectAndTemplate(t *testing.T) {
	for _, c := range []struct {
		args     []string
		template string
		want     []string
	}{
		{[]string{"pinpoint", importSamples + "pinpoint/segment-1.json", importSamples + "pinpoint/segment-2.json"},
			"{{.First_Name}} {{.Attributes_City}} {{.UserId}}", []string{"read 9 written 3 ", "OptOut ALL 1 first: ", "{{.First_Name}} from User.UserAttributes.First Name"}},
		{[]string{"listmonk", importSamples + "listmonk/subscribers.csv", "--opted-out", importSamples + "listmonk/unsubscribed.csv"},
			"{{.first_name}} {{.job_title}}", []string{"read 6 written 3 ", "optouts.csv has 4 addresses", `first: ` + importSamples + `listmonk/subscribers.csv:4 "cleo@example.com"`}},
	} {
		folder := filepath.Join(t.TempDir(), "spring-sale")
		got := fanmail(t, nil, append(append([]string{"import"}, c.args...), "--out", folder)...)
		if got.code != exitOK || got.stderr != "" {
			t.Fatalf("exit code %d: %s", got.code, got.stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(terminal.OneLine(got.stdout), want) {
				t.Errorf("the summary lacks %q:\n%s", want, got.stdout)
			}
		}
		unfinished := fanmail(t, nil, "check", folder)
		wantLines(t, unfinished.stderr, "campaign.yaml:2: ", "campaign.yaml:3: ", "campaign.yaml:4: html: no file mail.html")
		settings, err := os.ReadFile(filepath.Join(folder, "campaign.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		finished := strings.NewReplacer("from:\n", "from: news@example.com\n", "subject:\n", "subject: Hello\n").Replace(string(settings))
		for name, content := range map[string]string{"campaign.yaml": finished, "mail.html": c.template} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := fanmail(t, nil, "check", folder); got.code != exitOK {
			t.Errorf("exit code %d: %s", got.code, got.stderr)
		}
	}
}

func TestImportRefusesWhatItCanNotRead(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "spring-sale")
	broken := filepath.Join(t.TempDir(), "subscribers.csv")
	if err := os.WriteFile(broken, []byte("email,status\na@example.com,enabled\nb@example.com\nc@example.com,asleep\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := fanmail(t, nil, "import", "listmonk", broken, "--out", folder)
	wantLines(t, got.stderr, broken+":3: the row has 1 columns", broken+`:4: the status is "asleep"`)
	if _, err := os.Stat(folder); got.code != exitFailed || !os.IsNotExist(err) {
		t.Errorf("exit code %d, folder: %v", got.code, err)
	}
}

func TestImportExplainsItsMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"import pinpiont":                 `unknown command "pinpiont"; did you mean pinpoint? (see fanmail import --help)`,
		"import pinpoint":                 "no file: fanmail import pinpoint FILE... --out DIR (see fanmail import pinpoint --help)",
		"import listmonk subscribers.csv": "--out is missing: it names the campaign's folder",
	} {
		got := fanmail(t, nil, strings.Fields(args)...)
		wantLines(t, got.stderr, want)
		if got.code != exitUsage {
			t.Errorf("%s: exit code %d", args, got.code)
		}
	}
	if got := fanmail(t, nil, "import"); got.code != exitOK || !strings.Contains(got.stdout, "fanmail import listmonk subscribers.csv") {
		t.Errorf("fanmail import alone: exit code %d\n%s", got.code, got.stdout)
	}
}
