package recipients

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"fanmail/shared/template"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/korean"
)

// Options say how to read a file.
type Options struct {
	// File is its name, for errors; recipients.csv when empty.
	File string
	// Encoding is what Detect found; UTF8 when empty.
	Encoding Encoding
	// HeaderFields are the columns whose values reach a header of the message: a line break there rejects the row.
	HeaderFields []string
}

// Reader reads the recipients of one file.
type Reader struct {
	options Options
	records splitter
	korean  *encoding.Decoder
	columns []string
	email   int   // index of the email column
	header  []int // indexes of the columns of Options.HeaderFields
	text    []byte
	failed  error
}

// NewReader reads the header row. A file that is empty, is no CSV, is in Neither encoding, or whose header lacks a column
// email, has a column without a name or two of the same name, gives an *Error.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.File == "" {
		o.File = "recipients.csv"
	}
	if o.Encoding == "" {
		o.Encoding = UTF8
	}
	buffered := bufio.NewReaderSize(r, maxHeader)
	start, err := buffered.Peek(maxHeader)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", o.File, err)
	}
	reader := &Reader{options: o, korean: korean.EUCKR.NewDecoder()}
	if err := foreign(start); err != nil {
		return nil, reader.fail(0, err.Error())
	}
	if bytes.HasPrefix(start, bom) {
		start = start[len(bom):]
		if _, err := buffered.Discard(len(bom)); err != nil {
			return nil, fmt.Errorf("reading %s: %w", o.File, err)
		}
	}
	reader.records = splitter{lines: lines{r: buffered}, separator: findSeparator(start)}
	if err := reader.readHeader(); err != nil {
		return nil, err
	}
	if o.Encoding == Neither {
		return nil, reader.neither()
	}
	return reader, nil
}

// Separator stands between the columns: a comma, semicolon or tab.
func (r *Reader) Separator() string { return string(r.records.separator) }

// neither reads on to the first row that is no text, to name it.
func (r *Reader) neither() error {
	for {
		switch _, reject, err := r.Read(); {
		case err != nil && err != io.EOF:
			return err
		case err == io.EOF:
			return r.failNeither("")
		case reject != nil && reject.Reason == NotUTF8:
			return r.failNeither(fmt.Sprintf(" (first at line %d, %s)", reject.Line, strings.TrimSuffix(reject.Detail, " is not UTF-8")))
		}
	}
}

func (r *Reader) failNeither(where string) error {
	return r.fail(0, string(Neither)+where+": save it as CSV UTF-8")
}

// Columns are the names of the columns in the file's order; the email column's is "email" whatever its case in the file.
func (r *Reader) Columns() []string { return r.columns }

// Read returns the next row, good or rejected. The error is io.EOF at the end, an *Error when the file can't be read
// further, or the error of the underlying reader.
func (r *Reader) Read() (Recipient, *Reject, error) {
	if r.failed != nil {
		return Recipient{}, nil, r.failed
	}
	fields, line, raw, err := r.records.next()
	switch {
	case err == nil:
		return r.row(fields, line, raw)
	case errors.Is(err, errQuote):
		return Recipient{}, &Reject{Line: line, Email: r.guess(raw), Reason: BadQuotes, Detail: errQuote.Error()}, nil
	case err == io.EOF:
		r.failed = io.EOF
	case errors.Is(err, errTooLong):
		r.failed = r.fail(line, errTooLong.Error())
	default:
		r.failed = fmt.Errorf("reading %s after line %d: %w", r.options.File, line, err)
	}
	return Recipient{}, nil, r.failed
}

func (r *Reader) row(fields [][]byte, line int, raw []byte) (Recipient, *Reject, error) {
	reject := func(reason Reason, format string, args ...any) (Recipient, *Reject, error) {
		email := ""
		if r.email < len(fields) {
			email = r.show(fields[r.email])
		}
		return Recipient{}, &Reject{Line: line, Email: email, Reason: reason, Detail: fmt.Sprintf(format, args...)}, nil
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return reject(NULByte, "the row has a NUL byte")
	}
	if len(fields) != len(r.columns) {
		last := ""
		if more := r.records.lines.count - line; more > 0 {
			last = fmt.Sprintf(" (the row ends on line %d)", line+more)
		}
		return reject(WrongColumns, "%d columns where the header has %d%s", len(fields), len(r.columns), last)
	}
	values := make(map[string]string, len(fields))
	if column, ok := r.decodeAll(values, fields); !ok {
		reason, encoding := NotUTF8, UTF8
		if r.options.Encoding == CP949 {
			reason, encoding = NotCP949, CP949
		}
		return reject(reason, "column %q is not %s", r.columns[column], encoding)
	}
	email := values[emailColumn]
	if trim(email) == "" {
		return reject(NoAddress, "the email column is empty")
	}
	address, err := Normalise(email)
	if err != nil {
		return reject(BadAddress, "%s", err)
	}
	for _, i := range r.header {
		if !template.SingleLine(values[r.columns[i]]) {
			return reject(HeaderLineBreak, "column %q, which the subject uses, has a line break or control character", r.columns[i])
		}
	}
	values[emailColumn] = address
	return Recipient{Line: line, Address: address, Written: strings.TrimSpace(email), Fields: values}, nil, nil
}

// decodeAll fills values; false with the first column that is not in the file's encoding. The values of a row share one
// string, so that a row costs one allocation and not one per column.
func (r *Reader) decodeAll(values map[string]string, fields [][]byte) (column int, ok bool) {
	if r.options.Encoding == CP949 {
		for i, field := range fields {
			text, ok := r.decode(field)
			if !ok {
				return i, false
			}
			values[r.columns[i]] = text
		}
		return 0, true
	}
	r.text = r.text[:0]
	for _, field := range fields {
		r.text = append(r.text, field...)
	}
	all := string(r.text)
	for i, field := range fields {
		value := all[:len(field)]
		all = all[len(field):]
		if !utf8.ValidString(value) {
			return i, false
		}
		values[r.columns[i]] = value
	}
	return 0, true
}

// guess finds the address in a row that could not be cut into fields.
func (r *Reader) guess(raw []byte) string {
	for _, field := range bytes.Split(raw, []byte{r.records.separator}) {
		if bytes.IndexByte(field, '@') >= 0 {
			return r.show(bytes.Trim(field, `"`))
		}
	}
	return ""
}

// show makes any bytes fit for a report: one line of valid UTF-8, at most 320 bytes.
func (r *Reader) show(field []byte) string {
	text, _ := r.decode(field[:min(len(field), 320)])
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\ufffd"))
	return strings.TrimSpace(text)
}

func (r *Reader) fail(line int, message string) error {
	return &Error{File: r.options.File, Line: line, Message: message, Columns: r.columns}
}
