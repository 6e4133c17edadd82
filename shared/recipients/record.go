package recipients

import (
	"bytes"
	"io"
)

// splitter cuts records into fields, as RFC 4180 writes them and encoding/csv reads them: blank lines are skipped, a
// quoted field may have line breaks, CRLF in it becomes LF. encoding/csv itself would read a file to its end, and keep it,
// when a quote is not closed.
type splitter struct {
	lines     lines
	separator byte
	fields    [][]byte
	record    []byte // the lines of a record with quotes
	clean     []byte // the content of its quoted fields
	from      int    // where the content of the open quoted field starts in clean
}

type verdict int

const (
	complete verdict = iota
	broken
	open // a quoted field goes on in the next line
)

// next returns the fields of the next record, good until the next call, the line on which it starts, and its bytes.
// errQuote is about this record only: if it went over several lines, all but the first are read again, because a
// quote left open by mistake would take the good rows after it along.
func (s *splitter) next() (fields [][]byte, start int, raw []byte, err error) {
	for {
		line, err := s.lines.next()
		if err != nil {
			return nil, s.lines.count, nil, err
		}
		body := cutLineBreak(line)
		if len(body) == 0 {
			continue
		}
		start = s.lines.count
		if bytes.IndexByte(body, '"') >= 0 {
			return s.quoted(line, start)
		}
		s.fields = s.fields[:0]
		s.unquoted(body)
		return s.fields, start, body, nil
	}
}

func (s *splitter) unquoted(b []byte) {
	for {
		i := bytes.IndexByte(b, s.separator)
		if i < 0 {
			s.fields = append(s.fields, b)
			return
		}
		s.fields = append(s.fields, b[:i])
		b = b[i+1:]
	}
}

func (s *splitter) quoted(line []byte, start int) ([][]byte, int, []byte, error) {
	// The fields must survive the reading of further lines, so they point into record; parts of it that has grown out of
	// stay alive with them.
	s.record = append(s.record[:0], line...)
	s.fields, s.clean = s.fields[:0], s.clean[:0]
	first := len(line)
	v := s.cut(s.record, false)
	for v == open {
		line, err := s.lines.next()
		switch {
		case err == io.EOF:
			v = broken
			continue
		case err != nil:
			return nil, start, nil, err
		case len(s.record)+len(line) > maxRecord:
			return nil, start, nil, errTooLong
		}
		end := len(s.record)
		s.record = append(s.record, line...)
		v = s.cut(s.record[end:], true)
	}
	if v == broken {
		s.lines.unread(s.record[first:])
		return nil, start, cutLineBreak(s.record[:first]), errQuote
	}
	return s.fields, start, cutLineBreak(s.record), nil
}

// cut cuts b, a line or the rest of one with its line break, into fields: from the start of a field, or from inside a
// quoted one that an earlier line opened.
func (s *splitter) cut(b []byte, quoted bool) verdict {
	for {
		if !quoted && (len(b) == 0 || b[0] != '"') {
			field, end := cutLineBreak(b), bytes.IndexByte(b, s.separator)
			if end >= 0 {
				field = b[:end]
			}
			if bytes.IndexByte(field, '"') >= 0 {
				return broken
			}
			s.fields = append(s.fields, field)
			if end < 0 {
				return complete
			}
			b = b[end+1:]
			continue
		}
		if !quoted {
			b, s.from = b[1:], len(s.clean)
		}
		rest, closed := s.quotedField(b)
		if !closed {
			return open
		}
		switch after := cutLineBreak(rest); {
		case len(after) == 0:
			return complete
		case after[0] != s.separator:
			return broken
		}
		b, quoted = rest[1:], false
	}
}

// quotedField reads from inside a quoted field and returns what stands after its closing quote, if that is in b.
func (s *splitter) quotedField(b []byte) (rest []byte, closed bool) {
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			body := cutLineBreak(b)
			s.clean = append(s.clean, body...)
			if len(body) < len(b) {
				s.clean = append(s.clean, '\n')
			}
			return nil, false
		}
		s.clean = append(s.clean, b[:i]...)
		if b = b[i+1:]; len(b) == 0 || b[0] != '"' {
			s.fields = append(s.fields, s.clean[s.from:])
			return b, true
		}
		s.clean = append(s.clean, '"')
		b = b[1:]
	}
}
