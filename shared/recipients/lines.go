package recipients

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxRecord is the most bytes that one row may have. A quote that is never closed swallows the rest of the file, and this
// is where that ends.
const maxRecord = 1 << 20

var (
	errTooLong = errors.New("a row is longer than 1 MiB: a quote that opens in it is probably never closed")
	errQuote   = errors.New("a quote is not closed, or stands inside a field that does not begin with one")
)

// lines reads physical lines, and takes lines back.
type lines struct {
	r     *bufio.Reader
	back  []byte // lines given back, to be read first
	count int    // lines read
	long  []byte // a line longer than the buffer of r
}

// next returns the next line with its line break. The line stays good until the next call.
func (l *lines) next() ([]byte, error) {
	if len(l.back) > 0 {
		end := bytes.IndexByte(l.back, '\n') + 1
		if end == 0 {
			end = len(l.back)
		}
		line := l.back[:end]
		l.back = l.back[end:]
		l.count++
		return line, nil
	}
	line, err := l.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = append(l.long[:0], line...)
		for err == bufio.ErrBufferFull {
			if len(l.long) > maxRecord {
				l.count++
				return nil, errTooLong
			}
			line, err = l.r.ReadSlice('\n')
			l.long = append(l.long, line...)
		}
		line = l.long
	}
	if err != nil && (err != io.EOF || len(line) == 0) {
		return nil, err
	}
	l.count++
	return line, nil
}

// unread gives back the lines in b, which were the last ones read.
func (l *lines) unread(b []byte) {
	if len(b) == 0 {
		return
	}
	n := bytes.Count(b, []byte{'\n'})
	if b[len(b)-1] != '\n' {
		n++
	}
	l.count -= n
	l.back = append(bytes.Clone(b), l.back...)
}

// cutLineBreak cuts LF, CRLF, and a CR that ends the file.
func cutLineBreak(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}
