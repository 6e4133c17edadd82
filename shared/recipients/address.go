package recipients

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxLocal   = 64  // RFC 5321, 4.5.3.1.1
	maxAddress = 254 // RFC 5321, 4.5.3.1.3: a path of 256 less its angle brackets
	maxDomain  = 253 // RFC 1035, 3.1, written without the root's dot
	maxLabel   = 63
)

// Normalise brings an address into the form in which the ledger compares it and SES takes it: trimmed, lower case, an
// internationalised domain in punycode. It refuses what SES refuses or what can't be mailed from the internet: quoted
// and Unicode local parts, IP literals, domains of one label. Normalising a normalised address changes nothing.
func Normalise(address string) (string, error) {
	local, domain, err := Split(address)
	if err != nil {
		return "", err
	}
	return strings.ToLower(local) + "@" + domain, nil
}

// Split checks an address like Normalise and gives its two parts: the local part with its case kept, the domain in lower
// case and punycode.
func Split(address string) (local, domain string, err error) {
	address = trim(address)
	if n := len(address); n > 2 && address[0] == '<' && address[n-1] == '>' {
		address = trim(address[1 : n-1])
	}
	at := strings.LastIndexByte(address, '@')
	switch {
	case address == "":
		return "", "", errors.New("it is empty")
	case strings.ContainsRune(address, utf8.RuneError): // also true of bytes that are no UTF-8
		return "", "", errors.New("it has characters that got lost on the way")
	case at < 0:
		return "", "", errors.New("it has no @")
	}
	local, domain = address[:at], address[at+1:]
	if err := checkLocal(local); err != nil {
		return "", "", err
	}
	if domain, err = normaliseDomain(domain); err != nil {
		return "", "", err
	}
	if len(local)+1+len(domain) > maxAddress {
		return "", "", fmt.Errorf("it is longer than %d characters", maxAddress)
	}
	return local, domain, nil
}

// trim cuts white space and the invisible characters that come along when an address is copied from a page or a mail.
func trim(s string) string {
	if s == "" || plain(s[0]) && plain(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool {
		switch r {
		case '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff':
			return true
		}
		return unicode.IsSpace(r)
	})
}

func plain(c byte) bool { return c > ' ' && c < 0x7f }

// checkLocal takes a dot-atom of RFC 5322, 3.2.3.
func checkLocal(local string) error {
	switch {
	case local == "":
		return errors.New("nothing stands before the @")
	case len(local) > maxLocal:
		return fmt.Errorf("more than %d characters stand before the @", maxLocal)
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return errors.New("a misplaced dot stands before the @")
	}
	for _, r := range local {
		switch {
		case r > unicode.MaxASCII:
			return fmt.Errorf("%q stands before the @, where SES takes ASCII only", r)
		case !atext[r]:
			return fmt.Errorf("%q can't stand before the @", r)
		}
	}
	return nil
}

var atext = func() (set [128]bool) {
	for c := 'a'; c <= 'z'; c++ {
		set[c], set[c-'a'+'A'] = true, true
	}
	for c := '0'; c <= '9'; c++ {
		set[c] = true
	}
	for _, c := range "!#$%&'*+-/=?^_`{|}~." {
		set[c] = true
	}
	return set
}()

func normaliseDomain(domain string) (string, error) {
	if domain == "" {
		return "", errors.New("nothing stands after the @")
	}
	if domain[0] == '[' {
		return "", errors.New("an IP address stands after the @, where a domain is needed")
	}
	if !simple(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return "", fmt.Errorf("%q is no domain", domain)
		}
		domain = ascii
	}
	domain = strings.ToLower(domain)
	return domain, checkDomain(domain)
}

// simple domains need no IDNA: ASCII without labels that have hyphens as their third and fourth characters.
func simple(domain string) bool {
	for i := range len(domain) {
		if domain[i] >= 0x80 || domain[i] == '-' && i > 0 && domain[i-1] == '-' {
			return false
		}
	}
	return true
}

func checkDomain(domain string) error {
	if len(domain) > maxDomain {
		return fmt.Errorf("its domain is longer than %d characters", maxDomain)
	}
	labels, start, letters := 0, 0, false
	for i := 0; i <= len(domain); i++ {
		if i < len(domain) && domain[i] != '.' {
			c := domain[i]
			switch {
			case c >= 'a' && c <= 'z' || c == '-':
				letters = true
			case c < '0' || c > '9':
				return fmt.Errorf("%q can't stand in a domain", c)
			}
			continue
		}
		label := domain[start:i]
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("%q is no domain", domain)
		}
		if labels++; i < len(domain) {
			start, letters = i+1, false
		}
	}
	switch {
	case labels < 2:
		return fmt.Errorf("%q is no domain that can be reached from the internet", domain)
	case !letters:
		return fmt.Errorf("%q is no domain: its last part is a number", domain)
	}
	return nil
}
