package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// maxRecord is the most bytes that one record may have, as in recipients.csv. A quote that is never closed would take
// the rest of the file along.
const maxRecord = 1 << 20

var errTooLong = errors.New("it is longer than 1 MiB: a quote that opens in it is probably never closed")

// problem is something in a file that stops the import.
type problem struct {
	file    string
	line    int
	message string
}

func (p *problem) Error() string {
	if p.line == 0 {
		return p.file + ": " + p.message
	}
	return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.message)
}

// each shows every record of a file, or for one that can't be read the problem instead. A problem of the whole file
// is the error. It stops when ctx ends.
func (f Format) each(ctx context.Context, path string, yield func(record, *problem) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := open(file)
	if err != nil {
		return &problem{file: path, message: err.Error()}
	}
	start, err := reader.Peek(1)
	if err == io.EOF {
		return &problem{file: path, message: "the file is empty"}
	}
	if err != nil {
		return &problem{file: path, message: readFailure(err)}
	}
	show := func(r record, p *problem) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if p == nil && f.expand != nil {
			if message := f.expand(r); message != "" {
				p = &problem{path, r.line, message}
			}
		}
		return yield(r, p)
	}
	switch {
	case start[0] == '{' && f.json:
		return eachLine(path, reader, show)
	case start[0] == '{' || start[0] == '[':
		return &problem{file: path,
			message: fmt.Sprintf("the file is JSON; of %s only %s can be imported", f.Name, f.files())}
	}
	return f.eachRow(path, reader, show)
}

func (f Format) files() string {
	if f.json {
		return "JSON lines (an object on each line) and CSV"
	}
	return "the CSV export"
}

// open decompresses a file that begins as gzip does, and skips a byte order mark and white space at its start.
func open(file io.Reader) (*bufio.Reader, error) {
	reader := bufio.NewReaderSize(file, 64<<10)
	if start, _ := reader.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return nil, errors.New(readFailure(err))
		}
		reader = bufio.NewReaderSize(unzipped, 64<<10)
	}
	start, _ := reader.Peek(4)
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, err := reader.Discard(3)
		return reader, err
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, errors.New("the file is a ZIP archive or an Excel workbook: take the export itself out of it")
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, errors.New("the file is UTF-16: save it as UTF-8")
	}
	return reader, nil
}

func readFailure(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the compressed file breaks off: download it again"
	}
	return "it can't be read: " + err.Error()
}

// eachLine reads JSON lines. Blank ones are skipped.
func eachLine(path string, reader io.Reader, show func(record, *problem) error) error {
	scanner := bufio.NewScanner(reader)
	scanner.Buffer(make([]byte, 64<<10), maxRecord)
	line := 0
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		r, p := record{file: path, line: line, values: map[string][]string{}}, (*problem)(nil)
		var object map[string]any
		if !utf8.Valid(text) {
			p = &problem{path, line, "the line is not UTF-8"}
		} else if err := decodeObject(text, &object); err != nil {
			p = &problem{path, line, "the line is no JSON object: " + jsonProblem(err)}
		}
		flatten("", object, r.values)
		if err := show(r, p); err != nil {
			return err
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return &problem{path, line + 1, "the line is longer than 1 MiB"}
	case err != nil:
		return &problem{path, line + 1, readFailure(err)}
	}
	return nil
}
