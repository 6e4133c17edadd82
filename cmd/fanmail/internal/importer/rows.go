package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// eachRow reads CSV.
func (f Format) eachRow(path string, reader io.Reader, show func(record, *problem) error) error {
	bounded := &boundedReader{reader: reader, left: maxRecord}
	rows := csv.NewReader(bounded)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return &problem{path, 1, "the header row: " + rowProblem(err)}
	}
	paths := make([]string, len(header))
	for i, name := range header {
		paths[i] = strings.TrimSpace(name)
	}
	if err := f.checkHeader(path, paths); err != nil {
		return err
	}
	for last := 1; ; { // last is the line on which the row before ends, or begins its last field
		bounded.left = maxRecord
		fields, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		var parse *csv.ParseError
		if err != nil && !errors.As(err, &parse) {
			return &problem{path, last + 1, rowProblem(err)}
		}
		r, p := record{file: path, values: make(map[string][]string, len(paths))}, (*problem)(nil)
		switch {
		case err == nil:
			r.line, _ = rows.FieldPos(0)
			last, _ = rows.FieldPos(len(fields) - 1)
			p = fill(r, paths, fields)
		case errors.Is(err, csv.ErrFieldCount):
			p = &problem{path, parse.StartLine,
				fmt.Sprintf("the row has %d columns, and the header has %d", len(fields), len(paths))}
		default: // after a misplaced quote nobody knows where the next row begins
			return &problem{path, parse.StartLine, rowProblem(err)}
		}
		if err := show(r, p); err != nil {
			return err
		}
	}
}

func fill(r record, paths, fields []string) *problem {
	for i, path := range paths {
		if !utf8.ValidString(fields[i]) {
			return &problem{r.file, r.line, fmt.Sprintf("the column %q is not UTF-8", path)}
		}
		r.values[path] = append(r.values[path], fields[i])
	}
	return nil
}

// checkHeader refuses a file that is no such export, before each of its rows is a problem.
func (f Format) checkHeader(path string, paths []string) error {
	for _, name := range paths {
		if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
			return &problem{path, 1, "the header row is no text in UTF-8: is this an export of " + f.Name + "?"}
		}
		if name == f.addressPath {
			return nil
		}
	}
	return &problem{path, 1,
		fmt.Sprintf("the header row has no column %q: this is no export of %s", f.addressPath, f.Name)}
}

func rowProblem(err error) string {
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return "a quote is not closed, or stands inside a field that does not begin with one"
	case errors.Is(err, errTooLong):
		return "the row can't be read: " + err.Error()
	}
	return readFailure(err)
}

// boundedReader gives no more than left bytes, so that one row can't take all memory.
type boundedReader struct {
	reader io.Reader
	left   int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.reader.Read(p)
	b.left -= n
	return n, err
}
