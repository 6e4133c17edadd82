package ses

import "strings"

// managed are the headers that SES makes itself from other fields of the request.
var managed = map[string]bool{
	"from": true, "to": true, "cc": true, "bcc": true, "reply-to": true, "subject": true, "date": true, "message-id": true,
	"return-path": true, "sender": true, "mime-version": true, "content-type": true, "content-transfer-encoding": true,
}

func checkHeader(h Header) *Error {
	switch {
	case h.Name == "" || len(h.Name) > 126:
		return badRequest("The name of a header must have 1 to 126 characters.")
	case len(h.Value) > 995 || len(h.Name)+len(h.Value) > 996:
		return badRequest("Header %s is too long: name and value may have 996 characters, the value 995.", h.Name)
	case h.Value == "":
		return badRequest("Header %s has no value.", h.Name)
	case managed[strings.ToLower(h.Name)]:
		return badRequest("Header %s is not allowed among the headers of a message.", h.Name)
	}
	for i := 0; i < len(h.Name); i++ {
		if c := h.Name[i]; c < 33 || c > 126 || c == ':' {
			return badRequest("The name of a header may only have printable ASCII characters without a colon.")
		}
	}
	for i := 0; i < len(h.Value); i++ {
		if c := h.Value[i]; c < 32 || c > 126 {
			return badRequest("The value of header %s may only have printable ASCII characters.", h.Name)
		}
	}
	return nil
}

func checkTags(tags []Tag) *Error {
	for i, tag := range tags {
		if e := checkTagPart("name", tag.Name); e != nil {
			return e
		}
		if e := checkTagPart("value", tag.Value); e != nil {
			return e
		}
		for _, earlier := range tags[:i] {
			if earlier.Name == tag.Name {
				return badRequest("Duplicate tag name <%s>.", tag.Name)
			}
		}
	}
	return nil
}

func checkTagPart(what, s string) *Error {
	if s == "" || len(s) > 256 {
		return badRequest("The %s of a tag must have 1 to 256 characters: <%s>.", what, s)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '_' && c != '-' && !isAlphanumeric(c) {
			return badRequest("Invalid tag %s <%s>: only alphanumeric ASCII characters, '_', and '-' are allowed.", what, s)
		}
	}
	return nil
}
