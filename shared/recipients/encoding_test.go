package recipients_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"fanmail/shared/recipients"

	"golang.org/x/text/encoding/korean"
)

func TestDetect(t *testing.T) {
	utf8 := strings.Repeat("kim@example.com,김민준,서울특별시 강남구\n", 50)
	cp949, err := korean.EUCKR.NewEncoder().String(utf8)
	if err != nil {
		t.Fatal(err)
	}
	rare, err := korean.EUCKR.NewEncoder().String("뷁,똠,펲,믜,햏")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file string
		want recipients.Encoding
	}{
		"empty":                          {"", recipients.UTF8},
		"ASCII":                          {"email\na@b.example\n", recipients.UTF8},
		"UTF-8":                          {utf8, recipients.UTF8},
		"UTF-8 with a mark":              {"\ufeff" + utf8, recipients.UTF8},
		"CP949":                          {cp949, recipients.CP949},
		"one name in CP949":              {"email,name\na@b.example," + cp949[16:22] + "\n", recipients.CP949},
		"the name of names in CP949":     {"email,name\r\na@b.example,\xc8\xab\xb1\xe6\xb5\xbf\r\n", recipients.CP949},
		"UTF-8 with accents, and broken": {strings.Repeat("Renée,Müller\n", 20) + "\xb1\xe8\n", recipients.UTF8},
		"syllables beyond EUC-KR":        {rare, recipients.CP949},
		"CP949 with a broken byte":       {cp949 + "\xff\n", recipients.CP949},
		"UTF-8 with broken bytes":        {utf8 + "\xff,\xb1\xe8,\xea\xb9\n", recipients.UTF8},
		"UTF-8 with a CP949 row":         {utf8 + cp949[:40] + "\n", recipients.UTF8},
		"UTF-8, cut at the end":          {utf8 + "\xea\xb9", recipients.UTF8},
		"UTF-8 mark and broken bytes":    {"\ufeffemail,\xb1\xe8\n", recipients.UTF8},
		"one cut character":              {"email,name\na@b.example,김민준\na@b.example,\xea\xb9\n", recipients.Neither},
		"many, one of them cut":          {"email,name\na@b.example,김민준 이서연 박지호\na@b.example,\xea\xb9\n", recipients.UTF8},
		"Windows-1252":                   {"email,name\na@b.example,Ren\xe9 M\xfcller\nb@b.example,J\xf6rg\n", recipients.Neither},
		"one accent in Windows-1252":     {"email,name\na@b.example,Ren\xe9\n", recipients.Neither},
		"Chinese in GBK":                 {"email,name\na@b.example,\xd5\xc5\xce\xb0\nb@b.example,\xcd\xf5\xb7\xbc\n", recipients.Neither},
		"emoji and other scripts":        {strings.Repeat("日本語, العربية, 🎉, Ünï\n", 20), recipients.UTF8},
	} {
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(test.file), "byte by byte": iotest.OneByteReader(strings.NewReader(test.file)),
			"behind many lines": strings.NewReader(test.file),
		} {
			if how == "behind many lines" && !strings.HasPrefix(test.file, "\ufeff") {
				r = io.MultiReader(strings.NewReader(strings.Repeat("x", 64<<10-1)), strings.NewReader(test.file))
			}
			if got, err := recipients.Detect(r); got != test.want || err != nil {
				t.Errorf("%s, %s: %s, %v; want %s", name, how, got, err, test.want)
			}
		}
	}
}

func TestDetectPassesOnErrorsOfItsSource(t *testing.T) {
	for _, gone := range []error{errors.New("connection gone"), io.ErrUnexpectedEOF} {
		if _, err := recipients.Detect(io.MultiReader(strings.NewReader("email\n"), iotest.ErrReader(gone))); !errors.Is(err, gone) {
			t.Error(err)
		}
	}
}
