package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/shared/campaign"
)

// imported runs an import into a new folder and returns the three files and the summary.
func imported(t *testing.T, o Options) (list, optOuts string, s *Summary) {
	t.Helper()
	o.Folder = filepath.Join(t.TempDir(), "spring-sale")
	s, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if all := s.Written + s.OptedOut.Total() + s.OtherChannel.Total() + s.Inactive.Total() + s.Invalid.Total() + s.Duplicates.Total(); all != s.Read {
		t.Errorf("the summary accounts for %d of %d records", all, s.Read)
	}
	return read(t, o.Folder, RecipientsFile), read(t, o.Folder, OptOutsFile), s
}

func read(t *testing.T, folder, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func compressed(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file(t, filepath.Base(path)+".gz", b.String())
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}

// counts is a group as one line.
func counts(groups Groups) string {
	var all []string
	for _, g := range groups.Sorted() {
		all = append(all, fmt.Sprintf("%s: %d, first %s:%d %s", g.Reason, g.Count, filepath.Base(g.File), g.Line, g.Address))
	}
	return strings.Join(all, "; ")
}

func TestAPinpointExportBecomesAList(t *testing.T) {
	list, optOuts, s := imported(t, Options{Format: Pinpoint, Files: []string{
		compressed(t, "testdata/pinpoint/segment-1.json"), "testdata/pinpoint/segment-2.json"}})
	same(t, "recipients.csv", list, `email,Attributes_City,City,Demographic_Make,Demographic_Platform,FavoriteTeam,First_Name,Interests,Location_Country,Metrics_Visits,UserId
wang.xiulan@example.com,Shanghai,,OnePlus,android,Angels,Xiulan,"tea, music",CHN,,u-3
John.Stiles@Example.com,,Boston,,,Dodgers,"John, ""Jack""",,USA,12.0,u-2
old@example.com,,,,,,,,,,
`)
	same(t, "optouts.csv", optOuts, "address,reason\nann@example.com,OptOut ALL\n")
	same(t, "opted out", counts(s.OptedOut), "OptOut ALL: 1, first segment-1.json.gz:4 ann@example.com; "+
		"opted out elsewhere in these files: 1, first segment-2.json:1 ANN@example.com")
	same(t, "other channels", counts(s.OtherChannel), "SMS: 1, first segment-1.json.gz:3 +12065550182")
	same(t, "inactive", counts(s.Inactive), "EndpointStatus INACTIVE: 1, first segment-2.json:3 old@example.com")
	same(t, "invalid", counts(s.Invalid), "it has no @: 1, first segment-1.json.gz:6 xxxxx.example.com")
	same(t, "duplicates", counts(s.Duplicates), "the earlier one counts: 1, first segment-2.json:2 john.stiles@example.com")
	if s.Read != 9 || s.Written != 3 || s.Listed != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAPinpointCSVHasAFieldWithSeveralValuesInSeveralColumns(t *testing.T) {
	list, optOuts, _ := imported(t, Options{Format: Pinpoint, Files: []string{"testdata/pinpoint/segment.csv"}})
	same(t, "recipients.csv", list, `email,Attributes_Email,Interests,Location_Country,UserId
wang.xiulan@example.com,work,"tea, music",CN,u-3
john.stiles@example.com,"home, ""old""",golf,US,u-2
`)
	same(t, "optouts.csv", optOuts, "address,reason\nann@example.com,OptOut ALL\n")
}

func TestAListmonkExportBecomesAList(t *testing.T) {
	list, optOuts, s := imported(t, Options{Format: Listmonk, Files: []string{"testdata/listmonk/subscribers.csv"},
		OptedOut: []string{"testdata/listmonk/unsubscribed.csv"}})
	same(t, "recipients.csv", list, `email,attributes_name,city,first_name,job_skills,job_title,last_name,name,orders,points,uuid,vip
ann@example.com,A.,Jeju,Ann,"soup, rice",Cook,Berg,Ann van der Berg,,12500000000,5e91dda1-1c16-467d-9bf9-2a21bf22ae21,true
bob@example.com,,,Bo,,,Bo,Bo,,,eb0a8b2f-0f4e-4b4e-9d8e-6c3d2c1b0a99,
dan@example.com,,,Dan,,,Dan,Dan Oh,"[{""id"":2}]",,a0b1c2d3-7a53-4a55-8f0f-d5a4b3c2d1e1,
`)
	same(t, "optouts.csv", optOuts, "address,reason\ncleo@example.com,blocklisted\neve@example.com,disabled\n"+
		"fay@example.com,in unsubscribed.csv\ngil@example.com,in unsubscribed.csv\n")
	same(t, "opted out", counts(s.OptedOut), "blocklisted: 1, first subscribers.csv:4 cleo@example.com; "+
		"disabled: 1, first subscribers.csv:6 eve@example.com; opted out elsewhere in these files: 1, first subscribers.csv:7 fay@example.com")
	// The opt-outs of one import are opt-outs of the next.
	again, _, _ := imported(t, Options{Format: Listmonk, Files: []string{"testdata/listmonk/unsubscribed.csv"},
		OptedOut: []string{file(t, OptOutsFile, optOuts)}})
	same(t, "the second list", again, "email,first_name,last_name,name,uuid\n")
}

// What can't be read could be an opt-out, so it stops the import.
func TestWhatCanNotBeReadIsNamedAndNothingIsWritten(t *testing.T) {
	row := strings.Repeat("x", 1<<20+10)
	for _, c := range []struct {
		format        Format
		content, want string
	}{
		{Pinpoint, "", "export: the file is empty"},
		{Pinpoint, "{\"Address\": \"a@example.com\"\n{}\n[]\n{} {}\n", "export:1: the line is no JSON object: it breaks off\n" +
			"export:3: the line is no JSON object: it is of the kind array\nexport:4: the line is no JSON object: something stands behind it"},
		{Pinpoint, `{"Address": "a@example.com", "ChannelType": "EMAIL", "OptOut": "SOME"}`, `export:1: OptOut is "SOME", where only ALL and NONE are known`},
		{Pinpoint, `{"Address": "a@example.com", "EndpointStatus": "ASLEEP"}`, `export:1: EndpointStatus is "ASLEEP", where only ACTIVE and INACTIVE are known`},
		{Pinpoint, "{\"Address\": \"\xff\"}", "export:1: the line is not UTF-8"},
		{Pinpoint, `{"Address": "` + row + `"}`, "export:1: the line is longer than 1 MiB"},
		{Pinpoint, "[{}]", "export: the file is JSON; of Pinpoint only JSON lines (an object on each line) and CSV can be imported"},
		{Pinpoint, "email,name\na@example.com,Ann\n", `export:1: the header row has no column "Address": this is no export of Pinpoint`},
		{Pinpoint, "\x1f\x8b\x08\x00", "export: the compressed file breaks off: download it again"},
		{Pinpoint, "PK\x03\x04", "export: the file is a ZIP archive or an Excel workbook: take the export itself out of it"},
		{Pinpoint, "\xff\xfee\x00", "export: the file is UTF-16: save it as UTF-8"},
		{Listmonk, "{}", "export: the file is JSON; of listmonk only the CSV export can be imported"},
		{Listmonk, "email,attributes,status\na@example.com,{},enabled\nb@example.com,{},gone\nc@example.com,{,enabled\nd@example.com\ne@example.com,[],enabled\n",
			"export:3: the status is \"gone\", where only enabled, disabled and blocklisted are known\n" +
				"export:4: the column attributes is no JSON object: it breaks off\nexport:5: the row has 1 columns, and the header has 3\n" +
				"export:6: the column attributes is no JSON object: it is of the kind array"},
		{Listmonk, "email,status\n\"a@example.com,enabled\nb@example.com,enabled\n", "export:2: a quote is not closed, or stands inside a field that does not begin with one"},
		{Listmonk, "email,status\na@example.com,\xff\n", `export:2: the column "status" is not UTF-8`},
		{Listmonk, "email,status\n\"" + strings.Repeat("x\n", 1<<20), "export:2: the row can't be read: it is longer than 1 MiB: a quote that opens in it is probably never closed"},
		{Pinpoint, "ChannelType,Address," + "Attributes.City," + manyColumns() + "\nEMAIL,a@example.com," + strings.Repeat(",", 1000) + "\n",
			"the export has 1001 columns, too many for a header row: leave out attributes that no template uses"},
		{Listmonk, "email\xff,status\n", "export:1: the header row is no text in UTF-8: is this an export of listmonk?"},
	} {
		folder := filepath.Join(t.TempDir(), "spring-sale")
		path := file(t, "export", c.content)
		_, err := Run(t.Context(), Options{Format: c.format, Files: []string{path}, Folder: folder})
		got := strings.ReplaceAll(fmt.Sprint(err), filepath.Dir(path)+"/", "")
		same(t, fmt.Sprintf("%.60q", c.content), got, c.want)
		if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%.60q: the folder is there: %v", c.content, err)
		}
	}
}

func manyColumns() string {
	var all []string
	for i := range 1000 {
		all = append(all, fmt.Sprintf("Attributes.%050d", i))
	}
	return strings.Join(all, ",")
}

func TestAFileThatBreaksOffIsNamed(t *testing.T) {
	whole, err := os.ReadFile(compressed(t, "testdata/pinpoint/segment-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "export.gz", string(whole[:len(whole)-20]))
	_, err = Run(t.Context(), Options{Format: Pinpoint, Files: []string{path}, Folder: filepath.Join(t.TempDir(), "a")})
	if err == nil || !strings.Contains(err.Error(), "the compressed file breaks off: download it again") {
		t.Errorf("%v", err)
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	path := file(t, "export", strings.Repeat("{\n", 25))
	_, err := Run(t.Context(), Options{Format: Pinpoint, Files: []string{path}, Folder: filepath.Join(t.TempDir(), "a")})
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 21 || lines[20] != "and 5 more problems; nothing is written" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestAllMistakesOfTheCommandLineAreReportedTogether(t *testing.T) {
	folder := t.TempDir()
	_, err := Run(t.Context(), Options{Format: Pinpoint, Files: []string{folder, folder + "/none"}, OptedOut: []string{os.DevNull}, Folder: folder + "/Spring Sale"})
	same(t, "the error", strings.ReplaceAll(fmt.Sprint(err), folder, "F"),
		`--out F/Spring Sale: "Spring Sale" can't be the name of a campaign: take 1 to 64 of a-z, 0-9 and -, the first no -
F is a folder: name the files in it, as in F/*
F/none: no such file
/dev/null is no regular file: an export is read twice, so write it to a file first`)
}

func TestAnEarlierImportIsReplacedOnlyOnRequest(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "spring-sale")
	o := Options{Format: Listmonk, Files: []string{"testdata/listmonk/subscribers.csv"}, Folder: folder}
	first, err := Run(t.Context(), o)
	if err != nil || !first.Starter {
		t.Fatalf("%+v, %v", first, err)
	}
	_, err = Run(t.Context(), o)
	want := fmt.Sprintf("%[1]s/recipients.csv is there already: write into another folder, or replace it with --overwrite\n"+
		"%[1]s/optouts.csv is there already: write into another folder, or replace it with --overwrite", folder)
	same(t, "the error", fmt.Sprint(err), want)
	o.Overwrite, o.Files = true, []string{"testdata/listmonk/unsubscribed.csv"}
	second, err := Run(t.Context(), o)
	if err != nil || second.Starter || second.Written != 2 {
		t.Errorf("%+v, %v", second, err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v: something is left over", entries, err)
	}
}

func TestAnInterruptedImportWritesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	folder := filepath.Join(t.TempDir(), "spring-sale")
	// The first pass has 6 records; the second one is interrupted.
	o := Options{Format: Listmonk, Files: []string{"testdata/listmonk/subscribers.csv"}, Folder: folder,
		Seen: func(records int64) {
			if records == 8 {
				cancel()
			}
		}}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// What is missing in the starter is what nobody but the user knows.
func TestTheStarterLacksSenderSubjectAndTemplate(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "spring-sale")
	if _, err := Run(t.Context(), Options{Format: Listmonk, Files: []string{"testdata/listmonk/subscribers.csv"}, Folder: folder}); err != nil {
		t.Fatal(err)
	}
	_, err := campaign.Read(os.DirFS(folder), "spring-sale")
	var problems campaign.Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Errorf("%v", err)
	}
	settings := strings.NewReplacer("from:\n", "from: news@example.com\n", "subject:\n", "subject: Hello\n").Replace(read(t, folder, campaign.File))
	for name, content := range map[string]string{campaign.File: settings, "mail.html": "<p>{{.first_name}} {{.city}} {{.job_title}}</p>"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := campaign.Read(os.DirFS(folder), "spring-sale"); err != nil {
		t.Errorf("%v", err)
	}
}
