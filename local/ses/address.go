package ses

import "strings"

// checkAddress says why SES would not take an address, in the words of SES, or returns nil. An address may have a display
// name ("Anna" <anna@example.com>) in ASCII. SES has no SMTPUTF8: domains must be in punycode and local parts in ASCII.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
func checkAddress(s string) *Error {
	if s == "" {
		return badRequest("Missing final '@domain'")
	}
	if len(s) > 320 {
		return badRequest("Length of the address must be less than or equal to 320 characters")
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return badRequest("Local address contains control or whitespace")
		}
	}
	bare, ok := bareAddress(s)
	if !ok {
		return badRequest("Illegal address")
	}
	at := strings.LastIndexByte(bare, '@')
	if at < 0 {
		return badRequest("Missing final '@domain'")
	}
	if e := checkLocal(bare[:at]); e != nil {
		return e
	}
	return checkDomain(bare[at+1:])
}

// bareAddress takes the address out of "name <address>"; false when the form is neither this nor a plain address.
func bareAddress(s string) (string, bool) {
	s = strings.TrimSpace(s)
	open := strings.LastIndexByte(s, '<')
	if open < 0 {
		return s, !strings.Contains(s, ">")
	}
	name := strings.TrimSpace(s[:open])
	if !strings.HasSuffix(s, ">") || toASCII(name) != name {
		return "", false
	}
	quoted := len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"'
	if !quoted && strings.ContainsAny(name, `<>,;:@"()`) {
		return "", false
	}
	return s[open+1 : len(s)-1], true
}

func checkLocal(local string) *Error {
	switch {
	case local == "":
		return badRequest("Missing local name")
	case len(local) > 64:
		return badRequest("Local address is longer than 64 characters")
	case len(local) > 2 && local[0] == '"' && local[len(local)-1] == '"':
		if toASCII(local) != local || strings.ContainsAny(local[1:len(local)-1], `"`) {
			return badRequest("Illegal address")
		}
		return nil
	case strings.ContainsAny(local, " \t") || toASCII(local) != local:
		return badRequest("Local address contains control or whitespace")
	case strings.HasPrefix(local, "."):
		return badRequest("Local address starts with dot")
	case strings.HasSuffix(local, "."):
		return badRequest("Local address ends with dot")
	case strings.Contains(local, ".."):
		return badRequest("Local address contains dot-dot")
	case strings.ContainsAny(local, `"(),:;<>@[\]`):
		return badRequest("Local address contains illegal character")
	}
	return nil
}

func checkDomain(domain string) *Error {
	switch {
	case domain == "":
		return badRequest("Missing domain")
	case strings.ContainsAny(domain, " \t"):
		return badRequest("Domain contains control or whitespace")
	case strings.HasPrefix(domain, "."):
		return badRequest("Domain starts with dot")
	case strings.HasSuffix(domain, "."):
		return badRequest("Domain ends with dot")
	case strings.Contains(domain, ".."):
		return badRequest("Domain contains dot-dot")
	case len(domain) > 253:
		return badRequest("Domain is longer than 253 characters")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return badRequest("Domain contains illegal character")
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; c != '-' && !isAlphanumeric(c) {
				return badRequest("Domain contains illegal character")
			}
		}
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
