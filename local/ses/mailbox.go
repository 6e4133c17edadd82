package ses

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stored is one line of the content file.
type stored struct {
	MessageID string          `json:"messageId"`
	Time      time.Time       `json:"time"`
	Caller    string          `json:"caller"`
	SourceIP  string          `json:"sourceIp"`
	Request   json.RawMessage `json:"request"`
}

// mailbox keeps accepted messages in two files and next to nothing in memory: entries has one Entry per line, in order of
// acceptance, and contents one stored request per line. The message id holds the offset of a message in contents. A write
// reaches the operating system before the call returns, so what was accepted survives a kill of this process.
type mailbox struct {
	entries, contents         *os.File
	entriesSize, contentsSize int64
	count, recipients         int64
}

// openMailbox opens or creates the mailbox in directory and shows each to every entry that is there.
func openMailbox(directory string, each func(*Entry)) (*mailbox, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, fmt.Errorf("making the mailbox's directory: %w", err)
	}
	m := &mailbox{}
	var err error
	if m.entries, err = os.OpenFile(filepath.Join(directory, "mailbox.jsonl"), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, fmt.Errorf("opening the mailbox: %w", err)
	}
	if m.contents, err = os.OpenFile(filepath.Join(directory, "messages.jsonl"), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the mailbox: %w", err), m.entries.Close())
	}
	if err := m.recover(each); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// recover reads the entries of an earlier run and forgets a last line that was not written to its end.
func (m *mailbox) recover(each func(*Entry)) error {
	info, err := m.contents.Stat()
	if err != nil {
		return fmt.Errorf("reading the mailbox: %w", err)
	}
	m.contentsSize = info.Size()
	lines := bufio.NewReaderSize(m.entries, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return m.entries.Truncate(m.entriesSize)
		}
		if err != nil {
			return fmt.Errorf("reading the mailbox: %w", err)
		}
		var entry Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("reading line %d of %s: %w (remove the directory to begin a new mailbox)", m.count+1, m.entries.Name(), err)
		}
		m.entriesSize += int64(len(line))
		m.count++
		m.recipients += int64(entry.recipients())
		each(&entry)
	}
}

// append numbers the message and writes it. The caller holds the service's lock, has set e.Time, and content is one line.
func (m *mailbox) append(e *Entry, content []byte) error {
	e.MessageID = newMessageID(e.Time, m.contentsSize)
	// The request stands at the end and is not parsed again, however large it is.
	line, err := json.Marshal(stored{MessageID: e.MessageID, Time: e.Time, Caller: e.Caller, SourceIP: e.SourceIP, Request: json.RawMessage("0")})
	if err != nil {
		return err
	}
	line = slices.Grow(line[:len(line)-len("0}")], len(content)+len("}\n"))
	line = append(append(line, content...), "}\n"...)
	entry, err := json.Marshal(e)
	if err != nil {
		return err
	}
	entry = append(entry, '\n')
	// The sizes move only when both lines are written: a half-written one is overwritten by the next.
	if _, err := m.contents.WriteAt(line, m.contentsSize); err != nil {
		return err
	}
	if _, err := m.entries.WriteAt(entry, m.entriesSize); err != nil {
		return err
	}
	m.contentsSize += int64(len(line))
	m.entriesSize += int64(len(entry))
	m.count++
	m.recipients += int64(e.recipients())
	return nil
}

// read returns the stored message, or nil if there is none.
func (m *mailbox) read(messageID string, contentsSize int64) (*stored, error) {
	offset, ok := offsetOf(messageID)
	if !ok || offset >= contentsSize {
		return nil, nil
	}
	line, err := bufio.NewReaderSize(io.NewSectionReader(m.contents, offset, contentsSize-offset), 1<<16).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("reading message %s: %w", messageID, err)
	}
	var s stored
	// An offset that nobody was given points into the middle of a line.
	if json.Unmarshal(line, &s) != nil || s.MessageID != messageID {
		return nil, nil
	}
	return &s, nil
}

func (m *mailbox) close() error { return errors.Join(m.entries.Close(), m.contents.Close()) }

// newMessageID makes an id that looks like those of SES (a time, a UUID, a serial) and tells where the content stands.
func newMessageID(at time.Time, offset int64) string {
	random := rand.Uint64()
	return fmt.Sprintf("0100%012x-%08x-%04x-%04x-%04x-%012x-000000", at.UnixMilli(), uint32(random),
		uint16(random>>32), uint16(random>>48)&0x0fff|0x4000, rand.Uint32()&0x3fff|0x8000, offset)
}

func offsetOf(messageID string) (int64, bool) {
	parts := strings.Split(messageID, "-")
	if len(parts) != 7 || len(parts[5]) < 12 {
		return 0, false
	}
	offset, err := strconv.ParseInt(parts[5], 16, 64)
	return offset, err == nil && offset >= 0
}

// oneLine is the request's body without line breaks. SDKs send none; a request that was written by hand may have some.
func oneLine(body []byte) ([]byte, error) {
	if bytes.IndexByte(body, '\n') < 0 {
		return body, nil
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, body)
	return compact.Bytes(), err
}
