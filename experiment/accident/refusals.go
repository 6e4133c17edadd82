package main

import (
	"bytes"
	"io"
	"os"
	"strings"
)

// refusalTexts are what PostgreSQL says when there is no slot: all are SQLSTATE 53300.
var refusalTexts = []string{
	"sorry, too many clients already",
	"remaining connection slots are reserved",
	"too many connections for role",
	"too many connections for database",
}

// logPrefix makes the server name the role in every line of its log; userMark stands before it.
const (
	logPrefix = "%m [%p] user=%u "
	userMark  = "] user="
)

// refusals counts in the server's log the connections that it refused for want of a slot. The log knows of all of them,
// also of those that the client tried again.
type refusals struct {
	log  *os.File
	rest []byte
	// said counts them by what the server said.
	said map[string]int
}

func openRefusals(file string) (*refusals, error) {
	log, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	return &refusals{log: log, said: map[string]int{}}, nil
}

// count reads what the server has written since the last time and returns the sum since the beginning.
func (r *refusals) count() (n int, err error) {
	added, err := io.ReadAll(r.log)
	if err != nil {
		return 0, err
	}
	r.rest = append(r.rest, added...)
	for {
		line, rest, whole := bytes.Cut(r.rest, []byte("\n"))
		if !whole {
			break
		}
		if text := refusal(string(line)); text != "" {
			r.said[text]++
		}
		r.rest = rest
	}
	for _, times := range r.said {
		n += times
	}
	return n, nil
}

func (r *refusals) close() error { return r.log.Close() }

// refusal is the text with which a line of the log refuses anybody but the visitor, who counts for himself; "" if it does not.
func refusal(line string) string {
	if !strings.Contains(line, "FATAL:") || strings.Contains(line, userMark+visitorRole+" ") {
		return ""
	}
	for _, text := range refusalTexts {
		if strings.Contains(line, text) {
			return text
		}
	}
	return ""
}
