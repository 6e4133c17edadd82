package stepfunctions

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// item is one item of a Map, or why there are no more.
type item struct {
	data    json.RawMessage
	failure *failure
}

// gather finds the items in the state's input when there is no ItemReader, and gives the length that MapStateStarted shows:
// 0 with an ItemReader.
func (r *mapRun) gather(s *scope) (int64, *failure) {
	if r.state.reader != nil {
		return 0, nil
	}
	value := s.input
	if r.state.itemsPath != nil {
		found, ok := r.state.itemsPath.get(s)
		if !ok {
			return 0, failf(errRuntime, "Invalid path '%s': ItemsPath leads nowhere in '%s'", r.state.itemsPath.text, encode(s.input))
		}
		value = found
	}
	array, ok := value.([]any)
	if !ok {
		return 0, failf(errRuntime, "Reference path \"%s\" must point to array.", pathText(r.state.itemsPath))
	}
	r.array = array
	return int64(len(array)), nil
}

// read sends the items to out and closes it.
func (r *mapRun) read(ctx context.Context, out chan<- item) {
	defer close(out)
	if r.state.reader != nil {
		r.readObject(ctx, out)
		return
	}
	r.mu.Lock()
	r.total = int64(len(r.array))
	r.mu.Unlock()
	for _, entry := range r.array {
		select {
		case out <- item{data: []byte(encode(entry))}:
		case <-ctx.Done():
			return
		}
	}
}

func pathText(p *path) string {
	if p == nil {
		return "$"
	}
	return p.text
}

// readObject sends the items of the S3 object to out.
func (r *mapRun) readObject(ctx context.Context, out chan<- item) {
	fail := func(format string, args ...any) {
		select {
		case out <- item{failure: failf(errItemReaderFailed, format, args...)}:
		case <-ctx.Done():
		}
	}
	answer, err := r.service.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.object.bucket, Key: &r.object.key})
	if err != nil {
		fail("Reading s3://%s/%s: %v", r.object.bucket, r.object.key, err)
		return
	}
	defer answer.Body.Close()
	give := func(data []byte) error {
		if len(data) > maxItemBytes {
			return fmt.Errorf("an item has more than %d bytes", maxItemBytes)
		}
		r.mu.Lock()
		r.total++
		enough := r.state.reader.maxItems > 0 && r.total >= r.state.reader.maxItems
		r.mu.Unlock()
		select {
		case out <- item{data: data}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if enough {
			return errEnough
		}
		return nil
	}
	if err := r.state.reader.read(answer.Body, give); err != nil && !errors.Is(err, errEnough) && ctx.Err() == nil {
		if errors.Is(err, errNoArray) {
			// AWS's words.
			fail("Attempting to map over non-iterable node.")
			return
		}
		fail("Reading s3://%s/%s: %v", r.object.bucket, r.object.key, err)
	}
}

var (
	errEnough  = errors.New("MaxItems are read")
	errNoArray = errors.New("the object is no JSON array")
)

// read gives each item of the object as JSON.
func (r *itemReader) read(body io.Reader, give func([]byte) error) error {
	switch r.kind {
	case "JSONL":
		return readLines(body, give)
	case "JSON":
		return readArray(body, give)
	}
	return r.readCSV(body, give)
}

func readLines(body io.Reader, give func([]byte) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64*1024), maxItemBytes+1)
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if !json.Valid(line) {
			return fmt.Errorf("line %d is no JSON", number)
		}
		if err := give(bytes.Clone(line)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func readArray(body io.Reader, give func([]byte) error) error {
	decoder := json.NewDecoder(body)
	if token, err := decoder.Token(); err != nil {
		return err
	} else if token != json.Delim('[') {
		return errNoArray
	}
	for decoder.More() {
		var data json.RawMessage
		if err := decoder.Decode(&data); err != nil {
			return err
		}
		if err := give(data); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

func (r *itemReader) readCSV(body io.Reader, give func([]byte) error) error {
	rows := csv.NewReader(body)
	rows.Comma, rows.FieldsPerRecord, rows.ReuseRecord = r.delimiter, -1, true
	headers := r.headers
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if headers == nil {
			for _, header := range row {
				headers = append(headers, string(bytes.TrimPrefix([]byte(header), []byte("\ufeff"))))
			}
			continue
		}
		object := make(map[string]any, len(headers))
		for i, header := range headers {
			object[header] = ""
			if i < len(row) {
				if !utf8.ValidString(row[i]) {
					return errors.New("the object is not UTF-8")
				}
				object[header] = row[i]
			}
		}
		if err := give([]byte(encode(object))); err != nil {
			return err
		}
	}
}
