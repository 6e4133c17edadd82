package recipients_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"fanmail/shared/recipients"

	"github.com/google/go-cmp/cmp"
)

// transcript reads a file to its end: a line per row, or the error that ended it.
func transcript(r io.Reader, o recipients.Options) (lines []string) {
	reader, err := recipients.NewReader(r, o)
	if err != nil {
		return []string{"error " + err.Error()}
	}
	for {
		recipient, reject, err := reader.Read()
		switch {
		case err == io.EOF:
			return lines
		case err != nil:
			return append(lines, "error "+err.Error())
		case reject != nil:
			lines = append(lines, fmt.Sprintf("%d reject %s (%s)", reject.Line, reject.Reason, reject.Email))
		default:
			lines = append(lines, fmt.Sprintf("%d %s %s", recipient.Line, recipient.Address, recipient.Fields["name"]))
		}
	}
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, test := range map[string]struct {
		file    string
		options recipients.Options
		want    []string
	}{
		"good rows":              {file: "email,name\na@b.example,Kim\nc@d.example,Lee\n", want: []string{"2 a@b.example Kim", "3 c@d.example Lee"}},
		"no last line break":     {file: "email,name\na@b.example,Kim", want: []string{"2 a@b.example Kim"}},
		"CRLF":                   {file: "email,name\r\na@b.example,Kim\r\n", want: []string{"2 a@b.example Kim"}},
		"byte order mark":        {file: "\ufeffemail,name\na@b.example,Kim\n", want: []string{"2 a@b.example Kim"}},
		"mark and quotes":        {file: "\ufeff\"email\",\"name\"\na@b.example,Kim\n", want: []string{"2 a@b.example Kim"}},
		"blank lines":            {file: "\n\nemail,name\n\r\na@b.example,Kim\n\n\nc@d.example,Lee\n", want: []string{"5 a@b.example Kim", "8 c@d.example Lee"}},
		"semicolons":             {file: "name;email\nKim, Jr.;a@b.example\n", want: []string{"2 a@b.example Kim, Jr."}},
		"quoted semicolons":      {file: "\"name\";\"email\"\n\"Kim; Jr.\";a@b.example\n", want: []string{"2 a@b.example Kim; Jr."}},
		"tabs":                   {file: "email\tname\na@b.example\tKim\n", want: []string{"2 a@b.example Kim"}},
		"one column":             {file: "Email\na@b.example\n", want: []string{"2 a@b.example "}},
		"header in other case":   {file: " E-MAIL , EMAIL ,name\nx,a@b.example,Kim\n", want: []string{"2 a@b.example Kim"}},
		"quotes":                 {file: "email,name\na@b.example,\"Kim, \"\"Min\"\"\"\n", want: []string{"2 a@b.example Kim, \"Min\""}},
		"line break in quotes":   {file: "email,name\na@b.example,\"Kim\r\nMin\"\nc@d.example,Lee\n", want: []string{"2 a@b.example Kim\nMin", "4 c@d.example Lee"}},
		"address is normalised":  {file: "email,name\n <A@Bücher.example> ,Kim\n", want: []string{"2 a@xn--bcher-kva.example Kim"}},
		"no address":             {file: "email,name\n,Kim\n \u00a0,Lee\n", want: []string{"2 reject no address ()", "3 reject no address ()"}},
		"not an address":         {file: "email,name\nkim,Kim\n", want: []string{"2 reject not an address (kim)"}},
		"too few columns":        {file: "email,name\na@b.example\nc@d.example,Lee\n", want: []string{"2 reject wrong number of columns (a@b.example)", "3 c@d.example Lee"}},
		"too many columns":       {file: "email,name\na@b.example,Kim,x\n", want: []string{"2 reject wrong number of columns (a@b.example)"}},
		"NUL":                    {file: "email,name\na@b.example,K\x00im\nc@d.example,Lee\n", want: []string{"2 reject NUL byte (a@b.example)", "3 c@d.example Lee"}},
		"NUL in the address":     {file: "email,name\na\x00@b.example,Kim\n", want: []string{"2 reject NUL byte (a @b.example)"}},
		"NUL in quotes":          {file: "email,name\na@b.example,\"K\x00\"\n", want: []string{"2 reject NUL byte (a@b.example)"}},
		"not UTF-8":              {file: "email,name\na@b.example,\xb1\xe8\nc@d.example,이\n", want: []string{"2 reject not UTF-8 (a@b.example)", "3 c@d.example 이"}},
		"halves of a character":  {file: "name,email,x\n\xea\xb9,a@b.example,\x80\n", want: []string{"2 reject not UTF-8 (a@b.example)"}},
		"a quote in a field":     {file: "email,name\na@b.example,Kim \"Min\"\nc@d.example,Lee\n", want: []string{"2 reject misplaced quote (a@b.example)", "3 c@d.example Lee"}},
		"text after a quote":     {file: "email,name\na@b.example,\"Kim\" Min\nc@d.example,Lee\n", want: []string{"2 reject misplaced quote (a@b.example)", "3 c@d.example Lee"}},
		"a quote left open":      {file: "email,name\na@b.example,\"Kim\nc@d.example,Lee\n\ne@f.example,\"Park\"\n", want: []string{"2 reject misplaced quote (a@b.example)", "3 c@d.example Lee", "5 e@f.example Park"}},
		"one left open at last":  {file: "email,name\na@b.example,\"Kim\nc@d.example,Lee\n", want: []string{"2 reject misplaced quote (a@b.example)", "3 c@d.example Lee"}},
		"one left open, alone":   {file: "email,name\na@b.example,\"Kim", want: []string{"2 reject misplaced quote (a@b.example)"}},
		"two left open":          {file: "email,name\na@b.example,\"Kim\nc@d.example,\"Lee\ne@f.example,Park\n", want: []string{"2 reject misplaced quote (a@b.example)", "3 reject misplaced quote (c@d.example)", "4 e@f.example Park"}},
		"a subject's line break": {file: "email,name\na@b.example,\"Kim\nBcc: x\"\nc@d.example,Lee\n", options: recipients.Options{HeaderFields: []string{"name", "email"}}, want: []string{"2 reject line break in header field (a@b.example)", "4 c@d.example Lee"}},
		"a subject's return":     {file: "email,name\na@b.example,Kim\rx\n", options: recipients.Options{HeaderFields: []string{"name"}}, want: []string{"2 reject line break in header field (a@b.example)"}},
		"a row without end":      {file: "email,name\na@b.example,Kim\n\nc@d.example,\"" + strings.Repeat("row\n", 1<<19), want: []string{"2 a@b.example Kim", "error recipients.csv:4: a row is longer than 1 MiB: a quote that opens in it is probably never closed"}},
		"a line without end":     {file: "email,name\na@b.example,Kim\n" + long + long, want: []string{"2 a@b.example Kim", "error recipients.csv:3: a row is longer than 1 MiB: a quote that opens in it is probably never closed"}},
		"a long row":             {file: "email,name\na@b.example," + long[:1<<19] + "\n", want: []string{"2 a@b.example " + long[:1<<19]}},
		"only a header":          {file: "email,name\n", want: nil},

		"empty file":        {file: "", want: []string{"error recipients.csv: the file is empty: it needs a header row with a column \"email\""}},
		"blank file":        {file: "\n\r\n\n", want: []string{"error recipients.csv: the file is empty: it needs a header row with a column \"email\""}},
		"only a mark":       {file: "\ufeff", want: []string{"error recipients.csv: the file is empty: it needs a header row with a column \"email\""}},
		"no email column":   {file: "\nname,e-mail\nKim,a@b.example\n", want: []string{"error recipients.csv:2: no column \"email\": rename column \"e-mail\" to \"email\""}},
		"email of Excel":    {file: "Vorname;E-Mail\n", want: []string{"error recipients.csv:1: no column \"email\": rename column \"E-Mail\" to \"email\""}},
		"email in Korean":   {file: "이름,이메일\n", want: []string{"error recipients.csv:1: no column \"email\": rename column \"이메일\" to \"email\""}},
		"no email at all":   {file: "name,city\n", want: []string{"error recipients.csv:1: no column \"email\"; the columns are \"name\", \"city\""}},
		"email misspelt":    {file: "name,emial\n", want: []string{"error recipients.csv:1: no column \"email\"; the columns are \"name\", \"emial\"; did you mean emial?"}},
		"all wrong at once": {file: "name,,name,\n", want: []string{"error recipients.csv:1: two columns have the name \"name\"; columns 2, 4 have no name; no column \"email\"; the columns are \"name\", \"name\""}},
		"Windows-1252":      {file: "email,name\na@b.example,Ann\nb@b.example,Ren\xe9\n", options: recipients.Options{Encoding: recipients.Neither}, want: []string{"error recipients.csv: neither UTF-8 nor CP949 (first at line 3, column \"name\"): save it as CSV UTF-8"}},
		"and in the header": {file: "email,pr\xe9nom\n", options: recipients.Options{Encoding: recipients.Neither}, want: []string{"error recipients.csv: neither UTF-8 nor CP949 (first at line 1, in the name of column 2): save it as CSV UTF-8"}},
		"and no row of it":  {file: "email,name\n\xe9\n", options: recipients.Options{Encoding: recipients.Neither}, want: []string{"error recipients.csv: neither UTF-8 nor CP949: save it as CSV UTF-8"}},
		"column twice":      {file: "email,name, name\n", want: []string{"error recipients.csv:1: two columns have the name \"name\""}},
		"email twice":       {file: "email,Email\n", want: []string{"error recipients.csv:1: two columns have the name \"email\""}},
		"column no name":    {file: "email,,name\n", want: []string{"error recipients.csv:1: column 2 has no name"}},
		"header not closed": {file: "email,\"name\na@b.example,Kim\n", want: []string{"error recipients.csv:1: the header row: a quote is not closed, or stands inside a field that does not begin with one"}},
		"header with NUL":   {file: "email,na\x00me\n", want: []string{"error recipients.csv:1: the header row has a NUL byte: save the file as CSV UTF-8"}},
		"header not UTF-8":  {file: "email,\xb1\xe8\n", want: []string{"error recipients.csv:1: the name of column 2 is not UTF-8"}},
		"bare returns":      {file: "email,name\ra@b.example,Kim\r", want: []string{"error recipients.csv:1: the lines end with a bare carriage return: save the file with LF or CRLF line ends"}},
		"UTF-16":            {file: "\xff\xfee\x00m\x00", want: []string{"error recipients.csv: the file is UTF-16: save it as CSV UTF-8"}},
		"UTF-16 other end":  {file: "\xfe\xff\x00e", want: []string{"error recipients.csv: the file is UTF-16: save it as CSV UTF-8"}},
		"old workbook":      {file: "\xd0\xcf\x11\xe0xyz", want: []string{"error recipients.csv: the file is an Excel workbook: save it as CSV UTF-8"}},
		"workbook":          {file: "PK\x03\x04xyz", want: []string{"error recipients.csv: the file is an Excel workbook: save it as CSV UTF-8"}},
		"named":             {file: "x\n", options: recipients.Options{File: "list.csv"}, want: []string{"error list.csv:1: no column \"email\"; the columns are \"x\""}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, transcript(strings.NewReader(test.file), test.options)); diff != "" {
				t.Error(diff)
			}
			if len(test.file) > 1<<16 {
				return
			}
			if diff := cmp.Diff(test.want, transcript(iotest.OneByteReader(strings.NewReader(test.file)), test.options)); diff != "" {
				t.Error("byte by byte:", diff)
			}
		})
	}
}

func TestReaderReadsExcelsFileFromKorea(t *testing.T) {
	file, err := os.ReadFile("testdata/excel-korea.csv")
	if err != nil {
		t.Fatal(err)
	}
	encoding, err := recipients.Detect(bytes.NewReader(file))
	if encoding != recipients.CP949 || err != nil {
		t.Fatal(encoding, err)
	}
	broken := append(bytes.Clone(file), "x@example.com,\xb1\n,\xb1\r\ny@example.com,\xbd\xc5,x\r\n"...)
	reader, err := recipients.NewReader(bytes.NewReader(broken), recipients.Options{Encoding: encoding})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"email", "이름", "지역"}, reader.Columns()); diff != "" {
		t.Error(diff)
	}
	var got []string
	for {
		r, reject, err := reader.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if reject != nil {
			got = append(got, fmt.Sprintf("%d %s %s", reject.Line, reject.Reason, reject.Email))
			continue
		}
		got = append(got, fmt.Sprintf("%d %s %s %s", r.Line, r.Address, r.Fields["이름"], r.Fields["지역"]))
	}
	want := []string{
		"2 minjun.kim@example.com 김민준 서울", "3 seoyeon.lee@example.org 이서연, \"연이\" 부산",
		"4 jiho.park@example.net 박지호 대구", "5 sua.choi@xn--3e0b707e.example 최수아 인천", "6 hayun@example.com 뷁똠방각하 펲시",
		"7 doyun@example.com 강도윤\n제주 지점 제주",
		"9 wrong number of columns x@example.com", "10 wrong number of columns ", "11 y@example.com 신 x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	bad := transcript(strings.NewReader("email,name\na@b.example,\xb1\n"), recipients.Options{Encoding: recipients.CP949})
	if diff := cmp.Diff([]string{"2 reject not CP949 (a@b.example)"}, bad); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsHoldEveryColumn(t *testing.T) {
	reader, err := recipients.NewReader(strings.NewReader("Name, EMail ,first name\nKim, A@B.example ,Min\n"), recipients.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := reader.Read()
	want := map[string]string{"Name": "Kim", "email": "a@b.example", "first name": "Min"}
	if diff := cmp.Diff(want, r.Fields); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestReaderPassesOnErrorsOfItsSource(t *testing.T) {
	gone := errors.New("connection gone")
	source := io.MultiReader(strings.NewReader("email\na@b.example\n"+strings.Repeat("\n", 1<<16)), iotest.ErrReader(gone))
	reader, err := recipients.NewReader(source, recipients.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := reader.Read(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := reader.Read(); !errors.Is(err, gone) || !strings.Contains(err.Error(), "reading recipients.csv after line") {
			t.Error(err)
		}
	}
	if _, err := recipients.NewReader(iotest.ErrReader(gone), recipients.Options{}); !errors.Is(err, gone) {
		t.Error(err)
	}
}

func TestAHeaderWithoutEmailStillTellsItsColumns(t *testing.T) {
	for file, want := range map[string][]string{
		"name,E-Mail\n": {"name", "E-Mail"}, "email,name,name\n": {"email", "name", "name"}, "email,\xff\n": nil, "": nil,
	} {
		_, err := recipients.NewReader(strings.NewReader(file), recipients.Options{})
		var e *recipients.Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, e.Columns); diff != "" {
			t.Errorf("%q: %s", file, diff)
		}
	}
}

func TestTheAddressIsAlsoKeptAsWritten(t *testing.T) {
	reader, err := recipients.NewReader(strings.NewReader("email;name\n Anna@Bücher.example ;Anna\n"), recipients.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := reader.Read()
	if r.Written != "Anna@Bücher.example" || r.Address != "anna@xn--bcher-kva.example" || reader.Separator() != ";" || err != nil {
		t.Errorf("%+v, %q, %v", r, reader.Separator(), err)
	}
}
