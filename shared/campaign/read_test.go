package campaign_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	_ "time/tzdata"

	"fanmail/shared/campaign"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const good = "from: news@example.com\nsubject: Hello {{.name}}\ntext: mail.txt\n"

const everyField = `name: spring-sale
from: '봄 가게 <news@봄.example>'
replyTo: [hello@example.com, '"Lee, Jr." <Lee@example.com>']
subject: "Hello {{.name}}"
html: mail.html
text: ./mail.txt
recipients: list.csv
defaults: {name: Friend, points: 1200, vip: true, note: "two\nlines", none: }
rate: 12.5
dailyLimit: 20000
window:
  from: 09:00
  to: "18:30"
  days: [Mon, fri]
  zone: Asia/Seoul
tags:
  season: spring
  year: 2026
attachments:
  - files/menu.pdf
  - files/Price.CSV
configurationSet: main_set-1
inDoubt: hold
`

var large = make([]byte, 15<<20)

// folder is a campaign with this campaign.yaml and files for it to name.
func folder(yaml string) fstest.MapFS {
	return fstest.MapFS{
		"campaign.yaml":   {Data: []byte(yaml)},
		"mail.txt":        {Data: []byte("Dear {{.name}}")},
		"mail.html":       {Data: []byte("\xef\xbb\xbf<p>Dear {{.name}}</p>")},
		"files/menu.pdf":  {Data: []byte("%PDF")},
		"files/Price.CSV": {Data: []byte("a,b")},
		"other/menu.pdf":  {Data: []byte("%PDF")},
		"noextension":     {Data: []byte("x")},
		"empty.txt":       {Data: []byte(" \n")},
		"latin1.txt":      {Data: []byte("a\nRen\xe9")},
		"nul.txt":         {Data: []byte("a\n\nb\x00")},
		"large.txt":       {Data: large[:1<<20+1]},
		"large.bin":       {Data: large},
		"large2.bin":      {Data: large},
		"run.exe":         {Data: []byte("MZ")},
	}
}

func TestReadTakesEveryField(t *testing.T) {
	got, err := campaign.Read(folder(everyField), "spring-sale")
	if err != nil {
		t.Fatal(err)
	}
	want := campaign.Campaign{
		Name: "spring-sale", From: "=?utf-8?q?=EB=B4=84_=EA=B0=80=EA=B2=8C?= <news@xn--4n3b.example>",
		ReplyTo: []string{"hello@example.com", "\"Lee, Jr.\" <Lee@example.com>"},
		Subject: "Hello {{.name}}", HTML: "mail.html", Text: "mail.txt", Recipients: "list.csv",
		Defaults: map[string]string{"name": "Friend", "points": "1200", "vip": "true", "note": "two\nlines", "none": ""},
		Rate:     12.5, DailyLimit: 20000,
		Window:      &campaign.Window{From: "09:00", To: "18:30", Days: []string{"mon", "fri"}, Zone: "Asia/Seoul"},
		Tags:        map[string]string{"season": "spring", "year": "2026"},
		Attachments: []string{"files/menu.pdf", "files/Price.CSV"}, ConfigurationSet: "main_set-1", InDoubt: campaign.Hold,
	}
	if diff := cmp.Diff(want, got.Campaign); diff != "" {
		t.Error(diff)
	}
	if got.Sources.HTML != "<p>Dear {{.name}}</p>" || got.Sources.TextName != "mail.txt" || got.Sources.Subject != want.Subject {
		t.Errorf("%+v", got.Sources)
	}
	attachments := []campaign.Attachment{
		{Name: "menu.pdf", ContentType: "application/pdf", Data: []byte("%PDF")},
		{Name: "Price.CSV", ContentType: "text/csv; charset=utf-8", Data: []byte("a,b")},
	}
	if diff := cmp.Diff(attachments, got.Attachments); diff != "" {
		t.Error(diff)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again campaign.Content
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*got, again, cmpopts.IgnoreUnexported(campaign.Content{})); diff != "" {
		t.Error("through JSON:", diff)
	}
}

func TestReadFillsWhatIsLeftOut(t *testing.T) {
	got, err := campaign.Read(folder(good+"window: {from: '22:00', to: '06:00'}\nreplyTo: a@b.example\n"), "spring-sale")
	if err != nil {
		t.Fatal(err)
	}
	want := campaign.Campaign{
		Name: "spring-sale", From: "news@example.com", ReplyTo: []string{"a@b.example"}, Subject: "Hello {{.name}}", Text: "mail.txt",
		Recipients: "recipients.csv", Window: &campaign.Window{From: "22:00", To: "06:00", Zone: "UTC"}, InDoubt: campaign.Prove,
	}
	if diff := cmp.Diff(want, got.Campaign); diff != "" {
		t.Error(diff)
	}
}

func TestReadReportsEveryProblemWithItsLine(t *testing.T) {
	for name, test := range map[string]struct{ yaml, want string }{
		"unknown field":              {good + "rat: 3\n", "campaign.yaml:4: rat: unknown field; did you mean rate?"},
		"unknown field, other case":  {good + "replyto: a@b.example\n", "campaign.yaml:4: replyto: unknown field; did you mean replyTo?"},
		"unknown field of a window":  {good + "window:\n  from: 09:00\n  to: 10:00\n  timezone: UTC\n", "campaign.yaml:7: window.timezone: unknown field"},
		"a field twice":              {good + "\nsubject: x\n", "campaign.yaml:5: subject: comes twice; first on line 2"},
		"all required":               {"name: spring-sale\n", "campaign.yaml: from: is required\ncampaign.yaml: subject: is required\ncampaign.yaml: html: html or text is required: the file of a template"},
		"several":                    {"from: x\nsubjct: y\ntext: none.txt\n", "campaign.yaml: subject: is required\ncampaign.yaml:1: from: \"x\" is no address like Spring Shop <news@example.com>: it has no @\ncampaign.yaml:2: subjct: unknown field; did you mean subject?\ncampaign.yaml:3: text: no file none.txt in the folder"},
		"broken YAML":                {"from: a\n  b: [\n", "campaign.yaml:2: not YAML: mapping values are not allowed in this context"},
		"a tab":                      {"from: a@b.example\nwindow:\n\tfrom: 09:00\n", "campaign.yaml:3: not YAML: found character that cannot start any token"},
		"empty":                      {"", "campaign.yaml: the file is empty: it needs at least from, subject, and html or text"},
		"only a comment":             {"# nothing\n", "campaign.yaml: the file is empty: it needs at least from, subject, and html or text"},
		"null":                       {"---\n~\n", "campaign.yaml: the file is empty: it needs at least from, subject, and html or text"},
		"a text":                     {"hello\n", "campaign.yaml:1: not a list of fields like \"subject: Spring is here\""},
		"a list":                     {"- from: a@b.example\n", "campaign.yaml:1: not a list of fields like \"subject: Spring is here\""},
		"two documents":              {good + "---\nx: y\n", "campaign.yaml:4: a second document starts here: one campaign, one document"},
		"not UTF-8":                  {"from: a@b.example\nsubject: \xb1\xe8\n", "campaign.yaml:2: not UTF-8: save the file as UTF-8"},
		"a mapping as text":          {"from: {a: b}\nsubject: s\ntext: mail.txt\n", "campaign.yaml:1: from: must be a text, not a mapping"},
		"a list as text":             {"from: news@example.com\nsubject: [a]\ntext: mail.txt\n", "campaign.yaml:2: subject: must be a text, not a list"},
		"a merge key":                {good + "<<: {rate: 3}\n", "campaign.yaml:4: <<: unknown field"},
		"a key that is a list":       {good + "? [a]\n: b\n", "campaign.yaml:4: a key is a single word"},
		"name of another folder":     {good + "name: summer\n", "campaign.yaml:4: name: summer is not the folder's name, spring-sale: leave it out or make them the same"},
		"name with capitals":         {good + "name: Spring\n", "campaign.yaml:4: name: \"Spring\" must be 1 to 64 of a-z, 0-9 and -"},
		"subject empty":              {"from: news@example.com\nsubject:\ntext: mail.txt\n", "campaign.yaml:2: subject: is empty"},
		"subject of two lines":       {"from: news@example.com\nsubject: |\n  a\n  b\ntext: mail.txt\n", "campaign.yaml:2: subject: has a line break or control character, which a mail header can't have"},
		"header injection in from":   {"from: \"a@b.example\\r\\nBcc: c@d.example\"\nsubject: s\ntext: mail.txt\n", "campaign.yaml:1: from: has a line break or control character, which a mail header can't have"},
		"injection by encoded word":  {"from: \"=?utf-8?q?a=0D=0ABcc:?= <a@b.example>\"\nsubject: s\ntext: mail.txt\n", "its name is an encoded word that can't be read: write it in plain letters"},
		"header injection in a list": {good + "replyTo:\n  - a@b.example\n  - \"b@b.example\\nBcc: x\"\n", "campaign.yaml:6: replyTo: has a line break or control character, which a mail header can't have"},
		"two addresses in from":      {"from: a@b.example, c@d.example\nsubject: s\ntext: mail.txt\n", "campaign.yaml:1: from: \"a@b.example, c@d.example\" is no address"},
		"an address without end":     {"from: Kim <a@b.example\nsubject: s\ntext: mail.txt\n", "it does not end with >"},
		"a name with a comma":        {"from: Kim, Min <a@b.example>\nsubject: s\ntext: mail.txt\n", "put its name between double quotes"},
		"from at a bare host":        {"from: a@localhost\nsubject: s\ntext: mail.txt\n", "campaign.yaml:1: from: "},
		"html outside":               {good + "html: ../mail.html\n", "campaign.yaml:4: html: \"../mail.html\" must name a file inside the campaign's folder, with / between folders"},
		"html outside, by a detour":  {good + "html: a/../../mail.html\n", "must name a file inside"},
		"html absolute":              {good + "html: /etc/passwd\n", "must name a file inside"},
		"html by backslash":          {good + "html: '..\\mail.html'\n", "must name a file inside"},
		"html is the folder":         {good + "html: .\n", "must name a file inside"},
		"html is a folder":           {good + "html: files\n", "campaign.yaml:4: html: no file files in the folder"},
		"html misspelt":              {good + "html: mial.html\n", "campaign.yaml:4: html: no file mial.html in the folder; did you mean mail.html?"},
		"recipients outside":         {good + "recipients: ../x.csv\n", "campaign.yaml:4: recipients: \"../x.csv\" must name a file inside"},
		"template empty":             {good + "html: empty.txt\n", "empty.txt: the file is empty"},
		"template not UTF-8":         {good + "html: latin1.txt\n", "latin1.txt:2: not UTF-8: save the file as UTF-8"},
		"template with NUL":          {good + "html: nul.txt\n", "nul.txt:3: has a NUL byte"},
		"template too large":         {good + "html: large.txt\n", "campaign.yaml:4: html: large.txt is larger than 1 MiB"},
		"rate zero":                  {good + "rate: 0\n", "campaign.yaml:4: rate: \"0\" must be a number of recipients per second, from 0.01 to 100000"},
		"rate tiny":                  {good + "rate: 0.009\n", "campaign.yaml:4: rate: \"0.009\" must be"},
		"rate negative":              {good + "rate: -1\n", "campaign.yaml:4: rate: "},
		"rate no number":             {good + "rate: fast\n", "campaign.yaml:4: rate: \"fast\" must be a number"},
		"rate infinite":              {good + "rate: inf\n", "campaign.yaml:4: rate: "},
		"rate NaN":                   {good + "rate: nan\n", "campaign.yaml:4: rate: "},
		"rate absurd":                {good + "rate: 1e9\n", "from 0.01 to 100000"},
		"rate left empty":            {good + "rate:\n", "campaign.yaml:4: rate: \"\" must be a number"},
		"dailyLimit zero":            {good + "dailyLimit: 0\n", "campaign.yaml:4: dailyLimit: \"0\" must be a whole number of recipients per 24 hours, from 1 to 10000000000"},
		"dailyLimit broken":          {good + "dailyLimit: 1.5\n", "campaign.yaml:4: dailyLimit: \"1.5\" must be a whole number"},
		"window a text":              {good + "window: 09:00-18:00\n", "campaign.yaml:4: window: must have from and to, and may have days and zone"},
		"window half":                {good + "window: {from: '09:00'}\n", "campaign.yaml:4: window.to: is required"},
		"window never":               {good + "window: {from: '09:00', to: '09:00'}\n", "campaign.yaml:4: window: from and to are the same"},
		"window with a bad time":     {good + "window: {from: '9:00', to: '24:00'}\n", "campaign.yaml:4: window.from: \"9:00\" must be a time of day like 09:00\ncampaign.yaml:4: window.to: \"24:00\" must be"},
		"window with a bad day":      {good + "window: {from: '09:00', to: '18:00', days: [mon, tues]}\n", "\"tues\" is none of mon, tue, wed, thu, fri, sat, sun; did you mean tue?"},
		"window with a day twice":    {good + "window: {from: '09:00', to: '18:00', days: [mon, Mon]}\n", "campaign.yaml:4: window.days: mon comes twice"},
		"window with a bad zone":     {good + "window: {from: '09:00', to: '18:00', zone: Asia/Soul}\n", "campaign.yaml:4: window.zone: \"Asia/Soul\" is no time zone like Asia/Seoul"},
		"window in the local zone":   {good + "window: {from: '09:00', to: '18:00', zone: Local}\n", "\"Local\" is no time zone"},
		"window with a path as zone": {good + "window: {from: '09:00', to: '18:00', zone: ../../etc/passwd}\n", "is no time zone"},
		"tag with a dot":             {good + "tags:\n  a.b: c\n", "campaign.yaml:5: tags.a.b: a tag's name must be 1 to 256 of A-Z, a-z, 0-9, _ and -"},
		"tag with a space":           {good + "tags:\n  ok: ok\n  a: b c\n", "campaign.yaml:6: tags.a: \"b c\": a tag's value must be 1 to 256 of A-Z, a-z, 0-9, _ and -"},
		"tag without value":          {good + "tags:\n  a:\n", "campaign.yaml:5: tags.a: \"\": a tag's value"},
		"tag of ours":                {good + "tags: {Fanmail-seq: 1}\n", "tags.Fanmail-seq: names that begin with fanmail are Fanmail's own"},
		"tag of Amazon":              {good + "tags: {'ses:x': 1}\n", "names that begin with ses: are Amazon's own"},
		"tag too long":               {good + "tags: {a: " + strings.Repeat("x", 257) + "}\n", "a tag's value must be 1 to 256"},
		"tags too many":              {good + "tags: {" + manyTags(48) + "}\n", "campaign.yaml:4: tags: 48 tags; at most 46"},
		"tags a list":                {good + "tags: [a, b]\n", "campaign.yaml:4: tags: must be names with their values, not a list"},
		"default with NUL":           {good + "defaults: {a: \"b\\0\"}\n", "campaign.yaml:4: defaults.a: has a NUL character"},
		"default a list":             {good + "defaults: {a: [b]}\n", "campaign.yaml:4: defaults.a: must be a text, not a list"},
		"attachment missing":         {good + "attachments:\n  - files/menu.pfd\n", "attachments: no file files/menu.pfd in the folder; did you mean files/menu.pdf?"},
		"attachment outside":         {good + "attachments: [../menu.pdf]\n", "campaign.yaml:4: attachments: \"../menu.pdf\" must name a file inside"},
		"attachment SES refuses":     {good + "attachments: [run.exe]\n", "campaign.yaml:4: attachments: run.exe: SES does not send files of type .exe"},
		"attachment without type":    {good + "attachments: [noextension]\n", "campaign.yaml:4: attachments: noextension: an attachment needs an extension, which tells its type"},
		"attachments of one name":    {good + "attachments: [files/menu.pdf, other/menu.pdf]\n", "campaign.yaml:4: attachments: two attachments have the name menu.pdf"},
		"attachments too large":      {good + "attachments: [large.bin, large2.bin]\n", "campaign.yaml:4: attachments: the attachments have more than 25 MB together"},
		"configuration set":          {good + "configurationSet: a b\n", "campaign.yaml:4: configurationSet: \"a b\" must be 1 to 64 of"},
		"inDoubt unknown":            {good + "inDoubt: guess\n", "campaign.yaml:4: inDoubt: \"guess\" must be one of [hold prove resend]"},
		"replyTo too many":           {good + "replyTo: [" + strings.Repeat("a@b.example, ", 11) + "]\n", "campaign.yaml:4: replyTo: more than 10 addresses"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := campaign.Read(folder(test.yaml), "spring-sale")
			var problems campaign.Problems
			if !errors.As(err, &problems) {
				t.Fatal("no problems:", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
			if got, want := strings.Count(err.Error(), "\n"), strings.Count(test.want, "\n"); got != want && name != "all required" {
				t.Errorf("%d lines, want %d:\n%v", got+1, want+1, err)
			}
		})
	}
}

func manyTags(n int) string {
	var tags []string
	for i := range n {
		tags = append(tags, "t"+strings.Repeat("x", i)+": v")
	}
	return strings.Join(tags, ", ")
}

func TestReadNamesWhatCantBeRead(t *testing.T) {
	_, err := campaign.Read(fstest.MapFS{}, "spring-sale")
	if err == nil || err.Error() != "campaign.yaml: no campaign.yaml in the folder spring-sale" {
		t.Error(err)
	}
	denied := brokenFS{folder(good), map[string]error{"mail.txt": fs.ErrPermission}}
	var problems campaign.Problems
	if _, err = campaign.Read(denied, "x"); !errors.Is(err, fs.ErrPermission) || errors.As(err, &problems) || !strings.Contains(err.Error(), "reading mail.txt") {
		t.Error(err)
	}
	denied = brokenFS{folder(good), map[string]error{"campaign.yaml": fs.ErrPermission}}
	if _, err = campaign.Read(denied, "x"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "reading campaign.yaml") {
		t.Error(err)
	}
	if _, err = campaign.Read(folder(good), ""); err == nil || !strings.Contains(err.Error(), "name: is required where the folder's name is not known") {
		t.Error(err)
	}
	if _, err = campaign.Read(folder(good), "Spring Sale"); err == nil || !strings.Contains(err.Error(), "the folder's name \"Spring Sale\" must be") {
		t.Error(err)
	}
}

type brokenFS struct {
	fs.FS
	errors map[string]error
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if err := b.errors[name]; err != nil {
		return nil, err
	}
	return b.FS.Open(name)
}

func TestCompileReportsTheSubjectByItsLine(t *testing.T) {
	files := folder("from: news@example.com\ntext: mail.txt\nsubject: \"{{.nmae}}\"\n")
	files["mail.txt"].Data = []byte("a\n{{.city}}")
	content, err := campaign.Read(files, "x")
	if err != nil {
		t.Fatal(err)
	}
	set, problems := content.Compile([]string{"email", "name"})
	want := "campaign.yaml:3: subject: unknown field nmae: neither a column of the recipients' file nor a default; did you mean name?\n" +
		"mail.txt:2: unknown field city: neither a column of the recipients' file nor a default"
	if set != nil || problems.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", problems, want)
	}
}

func TestBrokenYAMLIsNamedByTheLineAnEditorShows(t *testing.T) {
	for source, line := range map[string]int{
		"name: a\nsubject: [Hello\nfrom: x\n":     2,
		"from: a@example.com\nsubject: \"Hello\n": 2,
		"from: a@example.com\n\tsubject: Hello\n": 2,
	} {
		_, err := campaign.Read(fstest.MapFS{campaign.File: {Data: []byte(source)}}, "")
		var problems campaign.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Line != line {
			t.Errorf("%q: %v, want one problem on line %d", source, err, line)
		}
	}
}
