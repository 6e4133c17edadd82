package recipients_test

import (
	"strings"
	"testing"

	"fanmail/shared/recipients"
)

func TestNormalise(t *testing.T) {
	long := strings.Repeat("a", 63)
	for address, want := range map[string]string{
		"kim@example.com":                      "kim@example.com",
		"Kim@Example.COM":                      "kim@example.com",
		"  kim@example.com\r\n":                "kim@example.com",
		"\u00a0kim@example.com\u200b":          "kim@example.com",
		"\ufeffkim@example.com":                "kim@example.com",
		"<kim@example.com>":                    "kim@example.com",
		" < kim@example.com > ":                "kim@example.com",
		"first.last+tag@mail.example.co.kr":    "first.last+tag@mail.example.co.kr",
		"o'hara!#$%&*/=?^_`{|}~-@example.com":  "o'hara!#$%&*/=?^_`{|}~-@example.com",
		"a@1example.com":                       "a@1example.com",
		"a@b-c.example":                        "a@b-c.example",
		"anna@bücher.example":                  "anna@xn--bcher-kva.example",
		"anna@BÜCHER.example":                  "anna@xn--bcher-kva.example",
		"anna@xn--bcher-kva.example":           "anna@xn--bcher-kva.example",
		"anna@XN--BCHER-KVA.EXAMPLE":           "anna@xn--bcher-kva.example",
		"kim@우체국.example":                      "kim@xn--3e0b129b9he.example",
		"kim@example。com":                      "kim@example.com",
		"kim@ＥＸＡＭＰＬＥ.com":                      "kim@example.com",
		strings.Repeat("l", 64) + "@a.example": strings.Repeat("l", 64) + "@a.example",
		"a@" + long + ".example":               "a@" + long + ".example",

		"":                          "",
		"   ":                       "",
		"kim":                       "",
		"@example.com":              "",
		"kim@":                      "",
		"kim@@example.com":          "",
		"kim@x@example.com":         "",
		"kim@localhost":             "",
		"kim@example.com.":          "",
		"kim@.example.com":          "",
		"kim@example..com":          "",
		"kim@-example.com":          "",
		"kim@example-.com":          "",
		"kim@exa_mple.com":          "",
		"kim@exa mple.com":          "",
		"kim@[127.0.0.1]":           "",
		"kim@127.0.0.1":             "",
		"kim@[IPv6:::1]":            "",
		"kim@ab--cd.example":        "",
		"kim@xn--a.example":         "",
		"kim@" + long + "a.example": "",
		"kim@" + strings.Repeat("abcdefg.", 32) + "example": "",
		"kim lee@example.com":                               "",
		"kim,lee@example.com":                               "",
		"kim@example.com, lee@example.com":                  "",
		"kim@example.com;lee@example.com":                   "",
		"Kim <kim@example.com>":                             "",
		"mailto:kim@example.com":                            "",
		"\"kim lee\"@example.com":                           "",
		"kim(comment)@example.com":                          "",
		".kim@example.com":                                  "",
		"kim.@example.com":                                  "",
		"k..im@example.com":                                 "",
		"kim\\@example.com":                                 "",
		"kim\n@example.com":                                 "",
		"kim\r\nBcc: x@example.com":                         "",
		"kim\x00@example.com":                               "",
		"kim@exam\x00ple.com":                               "",
		"홍길동@example.com":                                   "",
		"ｋｉｍ@example.com":                                   "",
		"k\u200bim@example.com":                             "",
		"kim@exa\u0000mple.com":                             "",
		"kim@\xff\xfe.com":                                  "",
		strings.Repeat("l", 65) + "@a.example":              "",
		strings.Repeat("l", 64) + "@" + strings.Repeat("abcdefg.", 23) + "example": "",
	} {
		got, err := recipients.Normalise(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Normalise(%q) = %q, %v; want %q", address, got, err, want)
		}
	}
}

func TestSplitKeepsTheCaseOfTheLocalPart(t *testing.T) {
	local, domain, err := recipients.Split(" News.Letter@Example.COM ")
	if local != "News.Letter" || domain != "example.com" || err != nil {
		t.Error(local, domain, err)
	}
}

func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{"kim@example.com", "<A@B.c>", "a@bücher.example", "a@xn--bcher-kva.example", "a@。", "\u00a0a@b.c", "a@ab--c.d", "a@ß.de", "a@b.c\u200d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got, err := recipients.Normalise(address)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("not one line: %q", err)
			}
			return
		}
		for _, c := range []byte(got) {
			if c <= ' ' || c >= 0x7f || c >= 'A' && c <= 'Z' {
				t.Fatalf("Normalise(%q) = %q", address, got)
			}
		}
		if strings.Count(got, "@") != 1 || len(got) > 254 {
			t.Fatalf("Normalise(%q) = %q", address, got)
		}
		if again, err := recipients.Normalise(got); again != got || err != nil {
			t.Fatalf("Normalise(%q) = %q, and again %q, %v", address, got, again, err)
		}
	})
}
