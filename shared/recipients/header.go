package recipients

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fanmail/shared/template"
)

// emailColumn is the name of the column of addresses, which a file may write in any case.
const emailColumn = "email"

// maxHeader is how many bytes of the file are looked at to find the separator.
const maxHeader = 64 << 10

// foreign recognises what people upload instead of CSV by its first bytes.
func foreign(start []byte) error {
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return errors.New("the file is UTF-16: save it as CSV UTF-8")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return errors.New("the file is an Excel workbook: save it as CSV UTF-8")
	}
	return nil
}

// findSeparator tries the separators that spreadsheets write, and takes the one that gives most columns, if it can with an
// email among them.
func findSeparator(start []byte) byte {
	best, columns, found := byte(','), 0, false
	for _, separator := range []byte{',', ';', '\t'} {
		s := splitter{lines: lines{r: bufio.NewReader(bytes.NewReader(start))}, separator: separator}
		fields, _, _, err := s.next()
		email := slices.ContainsFunc(fields, func(f []byte) bool { return strings.EqualFold(trim(string(f)), emailColumn) })
		if err == nil && (email && !found || email == found && len(fields) > columns) {
			best, columns, found = separator, len(fields), email
		}
	}
	return best
}

// readHeader reads the header row and returns the names of the columns, trimmed, the email column's in lower case.
func (r *Reader) readHeader() error {
	fields, line, raw, err := r.records.next()
	switch {
	case err == io.EOF:
		return r.fail(0, "the file is empty: it needs a header row with a column \"email\"")
	case err != nil:
		return r.fail(line, "the header row: "+err.Error())
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return r.fail(line, "the header row has a NUL byte: save the file as CSV UTF-8")
	}
	if bytes.IndexByte(raw, '\r') >= 0 && !bytes.Contains(raw, []byte("\r\n")) {
		return r.fail(line, "the lines end with a bare carriage return: save the file with LF or CRLF line ends")
	}
	if err := r.nameColumns(fields, line); err != nil {
		return err
	}
	if wrong := r.checkColumns(); wrong != "" {
		return r.fail(line, wrong)
	}
	for i, name := range r.columns {
		if slices.Contains(r.options.HeaderFields, name) && i != r.email {
			r.header = append(r.header, i)
		}
	}
	return nil
}

func (r *Reader) nameColumns(fields [][]byte, line int) error {
	names := make([]string, len(fields))
	r.email = -1
	for i, field := range fields {
		name, ok := r.decode(field)
		switch name = trim(name); {
		case !ok && r.options.Encoding == Neither:
			return r.failNeither(fmt.Sprintf(" (first at line %d, in the name of column %d)", line, i+1))
		case !ok:
			return r.fail(line, fmt.Sprintf("the name of column %d is not %s", i+1, r.options.Encoding))
		case strings.EqualFold(name, emailColumn):
			name, r.email = emailColumn, i
		}
		names[i] = name
	}
	r.columns = names
	return nil
}

// checkColumns says all that is wrong with the names, or nothing.
func (r *Reader) checkColumns() string {
	var wrong, nameless []string
	seen := map[string]bool{}
	for i, name := range r.columns {
		switch {
		case name == "":
			nameless = append(nameless, strconv.Itoa(i+1))
		case seen[name]:
			wrong = append(wrong, fmt.Sprintf("two columns have the name %q", name))
		}
		seen[name] = true
	}
	switch {
	case len(nameless) == 1:
		wrong = append(wrong, "column "+nameless[0]+" has no name")
	case len(nameless) > 1:
		wrong = append(wrong, "columns "+strings.Join(nameless, ", ")+" have no name")
	}
	if r.email < 0 {
		wrong = append(wrong, noEmail(r.columns))
	}
	return strings.Join(wrong, "; ")
}

// noEmail says which column the addresses are probably in.
func noEmail(columns []string) string {
	var quoted []string
	for _, name := range columns {
		lower := strings.ToLower(name)
		if strings.Contains(lower, "mail") || strings.Contains(lower, "메일") {
			return fmt.Sprintf("no column %q: rename column %q to %q", emailColumn, name, emailColumn)
		}
		if name != "" {
			quoted = append(quoted, strconv.Quote(name))
		}
	}
	return fmt.Sprintf("no column %q; the columns are %s", emailColumn, strings.Join(quoted, ", ")) + template.DidYouMean(emailColumn, columns)
}

// decode turns a field's bytes into text; false when they are not in the file's encoding.
func (r *Reader) decode(field []byte) (string, bool) {
	if r.options.Encoding != CP949 || ascii(field) {
		return string(field), utf8.Valid(field)
	}
	text, err := r.korean.Bytes(field)
	// The decoder writes U+FFFD for what it can't read; CP949 has no such character itself.
	return string(text), err == nil && !bytes.ContainsRune(text, utf8.RuneError)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
